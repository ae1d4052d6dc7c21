"""Limit classes: five bits that stand for a sum of money."""

from __future__ import annotations

from typing import Final

LIMIT_BITS: Final = 5
MAX_LIMIT_CLASS: Final = (1 << LIMIT_BITS) - 1
_STEPS: Final = (1, 2, 5)


def limit_of(limit_class: int) -> int:
    """Return the limit of a class in minor units of the currency in use.

    Class 0 allows no payment; classes 1 to 31 are 1.00, 2.00, 5.00, 10.00 and so on to
    10,000,000,000.00 of a currency with two decimals: 100, 200, 500, 1,000 … minor units.
    """
    if not 0 <= limit_class <= MAX_LIMIT_CLASS:
        raise ValueError(f"limit classes are 0 to {MAX_LIMIT_CLASS}")
    if limit_class == 0:
        return 0
    decade, step = divmod(limit_class - 1, len(_STEPS))
    return _STEPS[step] * int(10 ** (decade + 2))


def highest_class_within(amount: int) -> int:
    """Return the highest class whose limit is at most *amount* minor units."""
    return max(each for each in range(MAX_LIMIT_CLASS + 1) if limit_of(each) <= max(amount, 0))

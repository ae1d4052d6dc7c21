"""Party numbers: E.164, canonical before any MAC sees them."""

from __future__ import annotations

from typing import NewType, TypeGuard

from dtns.sam.errors import NumberError

Number = NewType("Number", str)
"""An E.164 number as its digits alone: 7 to 15 of them, the first not zero, without the plus."""

MIN_DIGITS = 7
MAX_DIGITS = 15
_SEPARATORS = str.maketrans("", "", " \t-.()")
_ALLOWED = f"a plus and {MIN_DIGITS} to {MAX_DIGITS} digits, as in +254712345678"


def parse_number(text: str) -> Number:
    """Return the canonical number that a person wrote as *text*.

    A leading plus is required, for without it a national number would name another party;
    spaces, dots, hyphens and brackets are dropped. Raises NumberError with what is allowed.
    """
    compact = text.translate(_SEPARATORS)
    if not compact.startswith("+"):
        raise NumberError(f"not an international number: write {_ALLOWED}")
    if not is_number(compact[1:]):
        raise NumberError(f"no such number: write {_ALLOWED}, the first of them not 0")
    return Number(compact[1:])


def is_number(digits: str) -> TypeGuard[Number]:
    """Tell whether *digits* is a canonical number."""
    return (
        MIN_DIGITS <= len(digits) <= MAX_DIGITS
        and digits.isascii()
        and digits.isdigit()
        and digits[0] != "0"
    )


def masked(number: str) -> str:
    """Show a number for logs: its first three and last two digits."""
    return f"+{number[:3]}…{number[-2:]}"

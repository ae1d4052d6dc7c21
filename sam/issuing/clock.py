"""Sam's week: it never falls, and a leap of the computer's clock is not believed by itself."""

from __future__ import annotations

from typing import Final

LARGEST_LEAP_WEEKS: Final = 8
"""A larger step since the last decision is taken for a wrong clock until the operator says so."""


def credible_week(last: int, week: int, *, trusted: bool = False) -> int:
    """Return the week to go by, given the last one gone by (0: none) and the clock's.

    The clock is believed if it is not behind and leaps no further than 8 weeks, or if the
    operator trusts it; else the last week stands, for a phone never goes back from a week it was
    told.
    """
    if trusted or not last or last <= week <= last + LARGEST_LEAP_WEEKS:
        return max(last, week)
    return last

"""Sam's week: it never falls, and a leap of the computer's clock is not believed by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from dtns.sam.protocol.weeks import start_of

FIRST_WEEKS: Final = range(53, 53 + 20 * 52)
"""The weeks that a clock may show when there is no week gone by yet: from 2025-01-06 on, before
this release, for 20 years."""
LARGEST_LEAP_WEEKS: Final = 8
"""A larger step since the last decision is taken for a wrong clock until the operator says so."""


def credible_week(last: int, week: int, *, trusted: bool = False) -> int:
    """Return the week to go by, given the last one gone by (0: none) and the clock's.

    The clock is believed if it is not behind and leaps no further than 8 weeks, the first time
    if it shows one of `FIRST_WEEKS`, or if the operator trusts it; else the last week stands, for
    a phone never goes back from a week it was told.
    """
    credible = range(last, last + LARGEST_LEAP_WEEKS + 1) if last else FIRST_WEEKS
    return max(last, week) if trusted or week in credible else last


def first_clock_fault(last: int, week: int, *, trusted: bool = False) -> str | None:
    """Tell what is wrong with the clock where there is no week gone by yet; None if nothing is.

    What is believed then cannot be taken back, so Sam does not begin with a clock that is far off.
    """
    if last or trusted or week in FIRST_WEEKS:
        return None
    earliest, latest = (_day(each) for each in (FIRST_WEEKS.start, FIRST_WEEKS.stop))
    return (
        f"the computer's clock shows the week of {_day(week)}, and no week has gone by here yet "
        f"that could tell better: set it right (it may show {earliest} to {latest}), or say by "
        "`dtns serve --trust-clock` that it is right, which cannot be taken back"
    )


def _day(week: int) -> str:
    return datetime.fromtimestamp(start_of(week), UTC).date().isoformat()

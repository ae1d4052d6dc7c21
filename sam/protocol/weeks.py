"""Weeks, and reading counters of which only the low bits were carried."""

from __future__ import annotations

from typing import Final

WEEK_SECONDS: Final = 7 * 24 * 3600
EPOCH_OF_WEEKS: Final = 1_704_067_200
"""Week 0 began on Monday 2024-01-01 at 00:00 UTC, as a POSIX time."""

MAX_WEEK: Final = 0xFFFF
LONGEST_LIFE_WEEKS: Final = 104
"""The longest life Sam grants: a good ticket proves that its expiry less this has come."""


def week_of(posix_time: float) -> int:
    """Return the number of the week that holds *posix_time*, within 0 to 65535."""
    return min(max(int(posix_time - EPOCH_OF_WEEKS) // WEEK_SECONDS, 0), MAX_WEEK)


def start_of(week: int) -> int:
    """Return the POSIX time at which *week* begins."""
    return EPOCH_OF_WEEKS + week * WEEK_SECONDS


def read_low_bits(low: int, bits: int, first: int) -> int:
    """Return the smallest value not below *first* whose low *bits* bits are *low*."""
    return first + ((low - first) & ((1 << bits) - 1))

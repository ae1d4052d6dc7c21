"""Weeks, and values of which only the low bits were carried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.weeks import MAX_WEEK, read_low_bits, start_of, week_of

FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def test_week_nought_begins_on_a_monday() -> None:
    """2024-01-01 00:00 UTC, and week 1 seven days later to the second."""
    assert FIRST.weekday() == 0
    assert start_of(0) == FIRST.timestamp()
    assert week_of(start_of(1) - 1) == week_of(start_of(0)) == 0
    assert week_of(start_of(1)) == 1


@given(st.integers(0, MAX_WEEK), st.integers(0, 7 * 24 * 3600 - 1))
def test_a_week_holds_its_seconds(week: int, second: int) -> None:
    """Every second from a week's start to the next one's is in it, by the calendar too."""
    assert week_of(start_of(week) + second) == week
    if week < 10_000:
        assert start_of(week) == (FIRST + timedelta(weeks=week)).timestamp()


@pytest.mark.parametrize(("time", "week"), [(0.0, 0), (-1e12, 0), (1e15, MAX_WEEK)])
def test_times_beyond_the_calendar(time: float, week: int) -> None:
    """Before week 0 it is week 0; after the last week it is the last."""
    assert week_of(time) == week


@given(st.integers(0, 255), st.integers(0, 8), st.integers(0, 70_000))
def test_low_bits_by_brute_force(low: int, bits: int, first: int) -> None:
    """The smallest value from *first* on with these low bits, found by counting."""
    low %= 1 << bits
    value = first
    while value % (1 << bits) != low:
        value += 1
    assert read_low_bits(low, bits, first) == value

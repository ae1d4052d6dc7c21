"""Sam's week: a clock that jumps neither loses anything nor poisons a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.issuing.clock import (
    FIRST_WEEKS,
    LARGEST_LEAP_WEEKS,
    credible_week,
    first_clock_fault,
)
from dtns.sam.issuing.issuer import Issuer
from dtns.sam.issuing.vault import Vault

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset

WEEKS = st.integers(0, 65535)


@given(WEEKS, WEEKS, st.booleans())
def test_the_week_never_falls(last: int, week: int, trusted: bool) -> None:  # noqa: FBT001
    """Whatever the clock says."""
    assert credible_week(last, week, trusted=trusted) >= last


@given(WEEKS, WEEKS)
def test_a_leap_is_believed_only_on_the_operator_s_word(last: int, week: int) -> None:
    """A step of up to eight weeks is time, a larger one a wrong clock."""
    believed = credible_week(last, week) == week
    if last:
        assert believed == (last <= week <= last + LARGEST_LEAP_WEEKS)
    else:
        assert believed == (week in FIRST_WEEKS or not week)
    assert credible_week(last, week, trusted=True) == max(last, week)


@given(WEEKS, WEEKS)
def test_the_first_clock_must_be_of_this_age(last: int, week: int) -> None:
    """Without a week gone by nothing else tells; the operator's word does."""
    fault = first_clock_fault(last, week)
    assert (fault is None) == (last > 0 or week in FIRST_WEEKS)
    assert first_clock_fault(last, week, trusted=True) is None


def test_a_clock_fault_says_what_is_allowed() -> None:
    """The message names the day shown, the days allowed, and the way out."""
    fault = first_clock_fault(0, 10_000)
    assert fault is not None
    assert "2215-08-28" in fault
    assert "2025-01-06 to 2044-12-12" in fault
    assert "--trust-clock" in fault


def test_a_clock_that_leaps_years_ahead_harms_no_phone(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Keys issued meanwhile are of the week before; all goes on when the clock is right again."""
    world.issuer = Issuer(Vault({1: world.master}, world.dice.randbytes), world.policy)
    world.hand_over(alice, bob)
    right = world.now
    for years in (40, -2):
        world.now = right + years * 365 * 86400
        world.key(alice, bob)
        assert alice.card.state.week == bob.card.state.week
    world.now = right
    assert world.hand_over(alice, bob).key is not None
    assert world.confirm(alice, bob).key is not None
    assert bob.card.state.week == world.week

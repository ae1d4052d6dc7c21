"""What all unexpired keys of one payer may pay together is bounded, where the operator says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from dtns.sam.issuing.policy import Policy
from dtns.sam.protocol.limits import MAX_LIMIT_CLASS, highest_class_within, limit_of
from dtns.sam.protocol.session import Direction

if TYPE_CHECKING:
    from world import World


@pytest.fixture
def bounded(make_world: Callable[..., World]) -> World:
    """A world in which all keys of a payer pay at most 70.00."""
    return make_world(Policy(exposure_limit=7000))


def test_the_highest_class_that_fits() -> None:
    """The class and the sum fit exactly, and one more minor unit would not."""
    for limit_class in range(MAX_LIMIT_CLASS + 1):
        assert highest_class_within(limit_of(limit_class)) == limit_class
        assert highest_class_within(limit_of(limit_class) - 1) < max(limit_class, 1)


def test_keys_get_what_is_left(bounded: World) -> None:
    """50.00, then 20.00 of a wish for 50.00, then nothing: over all holders, counted by payer."""
    payer, *others = (bounded.phone() for _ in range(4))
    limits = [bounded.key(payer, other, limit=6).context.terms.limit for other in others]
    assert limits == [6, 5, 0]
    assert bounded.key(others[0], payer, limit=6).context.terms.limit == 6


def test_who_pays_is_who_is_bounded(bounded: World) -> None:
    """A key that the holder pays on counts for the holder."""
    asker, payer, third = (bounded.phone() for _ in range(3))
    wish = {"limit": 6, "direction": Direction.HOLDER_PAYS}
    assert bounded.key(asker, payer, **wish).context.terms.limit == 6
    assert bounded.key(payer, third, limit=6).context.terms.limit == 5
    assert bounded.key(asker, third, limit=6).context.terms.limit == 6


def test_expired_keys_count_no_more(bounded: World) -> None:
    """What a key could pay is free again when it has expired."""
    payer, first, second = (bounded.phone() for _ in range(3))
    bounded.key(payer, first, limit=6, life=4)
    bounded.pass_weeks(3)
    assert bounded.key(payer, second, limit=6, life=4).context.terms.limit == 5
    bounded.pass_weeks(1)
    assert bounded.key(payer, second, limit=6, life=4).context.terms.limit == 6
    assert bounded.key(payer, second, limit=6, life=4).context.terms.limit == 0


def test_without_a_bound_nothing_is_counted(world: World) -> None:
    """The default costs no row."""
    payer, other = world.phone(), world.phone()
    world.key(payer, other, limit=16)
    with world.store.transaction():
        assert world.store.exposure(payer.sim.number, 0) == 0

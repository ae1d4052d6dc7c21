"""The attacks succeed at the rate that theory gives, against each protocol."""

from __future__ import annotations

from random import Random

import pytest
from chances import is_due_to

from dtns.sam.analysis.attacks import COLLISION, GUESS, REPLAY, Attack, run
from dtns.sam.analysis.targets import TARGETS

EDITIONS = ("first", "first-nonce", "repaired")


@pytest.mark.parametrize("target", EDITIONS)
@pytest.mark.parametrize(
    ("attack", "size"), [(COLLISION, 27), (COLLISION, 50), (REPLAY, 20), (GUESS, 30)]
)
def test_rates_are_those_of_theory(attack: Attack, size: int, target: str) -> None:
    """The number of successes lies within the exact binomial bounds of the formula."""
    outcome = run(attack, TARGETS[target], size, 600, random=Random(1978))
    assert is_due_to(outcome.theory, outcome.succeeded, outcome.trials)


def test_published_rates_are_measured() -> None:
    """More than half of the payees win with 27 requests, more than nine in ten with 50."""
    few = run(COLLISION, TARGETS["first"], 27, 1500, random=Random(27))
    many = run(COLLISION, TARGETS["first"], 50, 1500, random=Random(50))
    assert few.rate == pytest.approx(0.52, abs=0.035)
    assert many.rate == pytest.approx(0.92, abs=0.035)


def test_a_run_tells_how_far_it_is() -> None:
    """Progress is told at most a hundred times, the last time when all is done."""
    told: list[tuple[int, int]] = []
    run(
        GUESS,
        TARGETS["first"],
        1,
        750,
        random=Random(1),
        tell=lambda done, all_: told.append((done, all_)),
    )
    assert told[-1] == (750, 750)
    assert len(told) <= 100

"""Network conditions: ranges, outages, and fates drawn from the seed."""

from __future__ import annotations

from math import inf, nan
from random import Random
from typing import Any

import pytest

from dtns.gateway.errors import ConditionsError
from dtns.gateway.loopback.conditions import Conditions, Passage, draw_passages

MESSAGES = 10_000


def draw(conditions: Conditions, seed: int = 1) -> list[tuple[Passage, ...]]:
    """Draw the fates of `MESSAGES` messages."""
    random = Random(seed)
    return [draw_passages(conditions, random) for _ in range(MESSAGES)]


def assert_rate(count: int, probability: float) -> None:
    """Assert that *count* of `MESSAGES` is within four standard deviations of its mean."""
    deviation = (MESSAGES * probability * (1 - probability)) ** 0.5
    assert abs(count - MESSAGES * probability) < 4 * deviation


@pytest.mark.parametrize(
    "values",
    [
        *({"loss": -0.1}, {"loss": 1.1}, {"duplication": nan}, {"reordering": 2}, {"delay": -1}),
        *({"delay": inf}, {"jitter": 1}, {"delay": 1, "jitter": 1.5}, {"hold": -1}),
        *({"outages": ((-1, 1),)}, {"outages": ((0, 0),)}, {"outages": ((0, inf),)}),
    ],
)
def test_ranges(values: dict[str, Any]) -> None:
    """A value outside its range is refused."""
    with pytest.raises(ConditionsError):
        Conditions(**values)


def test_all_faults_at_once() -> None:
    """The message names every fault there is."""
    with pytest.raises(ConditionsError, match=r"loss .*duplication .*delay .*outage"):
        Conditions(loss=2, duplication=2, delay=-1, outages=((5, 0),))


def test_changed() -> None:
    """Changed conditions keep the rest; a change out of range is refused."""
    conditions = Conditions(loss=0.5).changed({"delay": 1, "outages": [[0, 5]]})
    assert conditions == Conditions(loss=0.5, delay=1, outages=((0, 5),))
    with pytest.raises(ConditionsError):
        conditions.changed({"loss": 7})


@pytest.mark.parametrize(
    ("elapsed", "returns"), [(0, None), (10, 25), (14, 25), (15, 25), (24.9, 25), (25, None)]
)
def test_outages(elapsed: float, returns: float | None) -> None:
    """Outages that touch or overlap are one; the end is outside."""
    conditions = Conditions(outages=((15, 10), (10, 5), (12, 1)))
    assert conditions.signal_returns(elapsed) == returns


def test_switched_off() -> None:
    """With the signal switched off nobody knows when it returns."""
    assert Conditions(signal=False).signal_returns(0) == inf


def test_perfect_network() -> None:
    """By default a message arrives once, at once, in order."""
    assert set(draw(Conditions())) == {(Passage(0.0, overtaken=False),)}


@pytest.mark.parametrize("probability", [0.05, 0.2, 0.9])
def test_rates(probability: float) -> None:
    """Loss, duplication and reordering come as often as they should, independently."""
    lost = draw(Conditions(loss=probability))
    assert_rate(sum(not passages for passages in lost), probability)
    doubled = draw(Conditions(duplication=probability))
    assert_rate(sum(len(passages) == 2 for passages in doubled), probability)
    reordered = draw(Conditions(reordering=probability))
    assert_rate(sum(passages[0].overtaken for passages in reordered), probability)
    both = draw(Conditions(loss=probability, duplication=probability))
    assert_rate(sum(not passages for passages in both), probability * (1 - probability))


def test_certainties() -> None:
    """Probability 1 is always, probability 0 never."""
    assert not any(draw(Conditions(loss=1)))
    assert all(len(passages) == 2 for passages in draw(Conditions(duplication=1)))
    assert all(passage.overtaken for (passage,) in draw(Conditions(reordering=1)))


def test_delay_is_uniform_about_its_mean() -> None:
    """Delays lie within the jitter of the mean, and average to it."""
    delays = [passage.delay for (passage,) in draw(Conditions(delay=10, jitter=4))]
    assert min(delays) >= 6
    assert max(delays) <= 14
    assert abs(sum(delays) / MESSAGES - 10) < 4 * (4 / 3**0.5) / MESSAGES**0.5


def test_a_fate_depends_on_its_turn_alone() -> None:
    """The fate of a message is the same whatever conditions the ones before it met."""
    perfect, awful = Random(7), Random(7)
    for _ in range(10):
        draw_passages(Conditions(), perfect)
        draw_passages(Conditions(delay=1, loss=0.9, duplication=0.9, reordering=0.5), awful)
    conditions = Conditions(delay=3, jitter=2, loss=0.3, duplication=0.3, reordering=0.3)
    assert draw_passages(conditions, perfect) == draw_passages(conditions, awful)
    assert draw(conditions, seed=1) == draw(conditions, seed=1) != draw(conditions, seed=2)

"""What waits leaves by urgency, fairly between parties, and no faster than allowed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from dtns.gateway.queue import FairQueue, Pace


def test_ten_thousand_answers_drain_in_order() -> None:
    """Fresh answers before repeats, and no party's second before every other party's first."""
    queue: FairQueue[tuple[str, int, int]] = FairQueue()
    for number in range(10_000):
        party = "greedy" if number % 2 else f"party {number % 500}"
        queue.put((party, number % 3 == 0, number), party, number % 3 == 0)
    drained = [queue.take() for _ in range(10_000)]
    urgencies = [urgency for _, urgency, _ in drained]
    assert urgencies == sorted(urgencies)
    first = [party for party, urgency, _ in drained if not urgency][:251]
    assert max(Counter(first).values()) == 1
    for party in ("greedy", "party 2"):
        own = [number for each, urgency, number in drained if each == party and not urgency]
        assert own == sorted(own)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.booleans())))
def test_nothing_is_lost_or_doubled(puts: list[tuple[str, int, bool]]) -> None:
    """What goes in comes out, once."""
    queue: FairQueue[int] = FairQueue()
    for number, (party, urgency, first) in enumerate(puts):
        queue.put(number, party, urgency, first=first)
    assert sorted(queue.empty()) == list(range(len(puts)))
    assert len(queue) == 0
    with pytest.raises(IndexError):
        queue.take()


def test_what_is_given_back_leaves_next() -> None:
    """A message that was not sent goes before all others of its urgency."""
    queue: FairQueue[str] = FairQueue()
    queue.put("other", "a", 0)
    queue.put("returned", "b", 0, first=True)
    assert queue.take() == "returned"


@pytest.mark.parametrize("per_minute", [10, 60, 0.5, 7.5])
def test_the_pace_of_a_minute(per_minute: float) -> None:
    """No minute has more sends than allowed, and none is wasted while something waits."""
    clock, pace, sent = Clock(), Pace(per_minute), []
    while clock.seconds() < 3600:
        clock.advance(max(0.0, pace.ready_at(clock.seconds()) - clock.seconds()))
        pace.spend(clock.seconds())
        sent.append(clock.seconds())
    for start in range(len(sent)):
        minute = [at for at in sent[start:] if at < sent[start] + 60]
        assert len(minute) <= max(1, int(per_minute))
    assert len(sent) >= 59 * (int(per_minute) or per_minute)


def test_no_limit() -> None:
    """Without a limit everything may leave at once."""
    pace = Pace(0)
    for _ in range(100):
        assert pace.ready_at(5.0) == 5.0
        pace.spend(5.0)
    assert pace.room(5.0) > 10**9


@given(st.floats(0.5, 30.0), st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(0, 9))))
def test_room(per_minute: float, steps: list[tuple[float, int]]) -> None:
    """As many may begin at once as may begin one after another."""
    one, many, now = Pace(per_minute), Pace(per_minute), 0.0
    for wait, wanted in steps:
        now += wait
        count = min(wanted, many.room(now))
        many.spend(now, count)
        for _ in range(count):
            assert one.ready_at(now) == now
            one.spend(now)
        assert (one.ready_at(now) == now) == (one.room(now) > 0) == (many.room(now) > 0)

"""Turns among connections: a line of each, a few in a turn of the reactor."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from dtns.gateway.loopback.turns import LINES_A_TURN, Turns


class Talker:
    """Somebody with so many lines to say, into the events of all."""

    def __init__(self, name: str, lines: int, events: list[str]) -> None:
        self.name, self.left, self.events = name, lines, events

    def serve_next(self) -> bool:
        """Say one line."""
        self.left -= 1
        self.events.append(self.name)
        return self.left > 0


def test_a_line_of_each_in_turn() -> None:
    """Whoever has many lines waits for whoever has few."""
    clock, events = Clock(), list[str]()
    turns = Turns(clock)
    for name, lines in (("a", 100), ("b", 3), ("c", 1)):
        turns.join(Talker(name, lines, events))
    clock.pump([0, 0])
    assert events[:8] == ["a", "b", "c", "a", "b", "a", "b", "a"]


@pytest.mark.parametrize("talkers", [1, 50])
def test_a_turn_of_the_reactor_is_short(talkers: int) -> None:
    """However much waits, the reactor does other things between a few lines and the next few."""
    clock, events = Clock(), list[str]()
    turns = Turns(clock)
    for _ in range(talkers):
        turns.join(Talker("flood", 100, events))

    def do_something_else() -> None:
        events.append("else")
        clock.callLater(0, do_something_else) if len(events) < 60 else turns.stop()

    clock.callLater(0, do_something_else)
    clock.advance(0)
    assert events[: 5 * (LINES_A_TURN + 1)] == (["flood"] * LINES_A_TURN + ["else"]) * 5


def test_at_rest_nothing_is_due() -> None:
    """Once all is said, and after a stop, no call of the reactor's is left."""
    clock, events = Clock(), list[str]()
    turns = Turns(clock)
    turns.join(Talker("a", 2, events))
    clock.pump([0, 0, 0])
    assert (events, clock.getDelayedCalls()) == (["a", "a"], [])
    turns.join(Talker("b", 2, events))
    turns.stop()
    assert clock.getDelayedCalls() == []

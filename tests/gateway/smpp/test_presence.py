"""Whether binds should be there: starts, stops, suspensions, in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from dtns.gateway.smpp.presence import Presence


class Steps:
    """A presence, its steps as a list; `ending` fires the end that is under way."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.ending: Deferred[None] | None = None
        self.presence = Presence(lambda: self.steps.append("begin"), self._end)

    async def _end(self, state: str) -> None:
        self.steps.append(state)
        self.ending = Deferred()
        await self.ending
        self.ending = None

    def done(self) -> None:
        """Let the end under way be over."""
        if self.ending is not None:
            self.ending.callback(None)


def test_a_suspension_outlives_a_restart() -> None:
    """What the operator suspended stays down when the carrier is started anew."""
    told = Steps()
    told.presence.start()
    told.presence.suspend()
    assert not told.presence.here
    told.done()
    Deferred.fromCoroutine(told.presence.stop())
    told.presence.start()
    assert (told.steps, told.presence.here) == (["begin", "suspended"], False)
    told.presence.resume()
    assert (told.steps, told.presence.here) == (["begin", "suspended", "begin"], True)


def test_resumed_while_it_ends() -> None:
    """It ends wholly, then begins; in between nothing is here."""
    told = Steps()
    told.presence.start()
    told.presence.suspend()
    told.presence.resume()
    assert (told.steps, told.presence.here) == (["begin", "suspended"], False)
    told.done()
    assert (told.steps, told.presence.here) == (["begin", "suspended", "begin"], True)


@given(st.lists(st.sampled_from(["start", "stop", "suspend", "resume", "done"]), max_size=30))
def test_any_order(orders: list[str]) -> None:
    """Beginnings and ends take turns, and the last wish holds once all is done."""
    told = Steps()
    started, wanted = False, True
    for order in orders:
        started = {"start": True, "stop": False}.get(order, started)
        wanted = {"resume": True, "suspend": False}.get(order, wanted)
        step: Any = told.done if order == "done" else getattr(told.presence, order)
        outcome = step()
        if order == "stop":
            Deferred.fromCoroutine(outcome)
    while told.ending is not None:
        told.done()
    assert told.presence.here == (started and wanted)
    assert told.steps[::2] == ["begin"] * len(told.steps[::2])
    assert set(told.steps[1::2]) <= {"stopped", "suspended"}
    assert len(told.steps) % 2 == told.presence.here

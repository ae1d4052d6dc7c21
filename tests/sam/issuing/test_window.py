"""The replay window."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dtns.sam.issuing.window import WINDOW_BITS, Sighting, Window

COUNTERS = st.integers(1, 0xFFFFFFFF)


def test_a_fresh_window_has_seen_nothing() -> None:
    """Every counter is new to a party that was never heard from."""
    assert Window().sighting(1) is Sighting.NEW
    assert Window().sighting(0xFFFFFFFF) is Sighting.NEW


def test_the_edge_of_the_window() -> None:
    """A counter 63 below the highest can still be told, one 64 below cannot."""
    window = Window().with_seen(100)
    assert window.sighting(100 - 63) is Sighting.NEW
    assert window.sighting(100 - 64) is Sighting.OLD
    assert window.with_seen(100 - 63).sighting(100 - 63) is Sighting.SEEN


@given(COUNTERS, COUNTERS)
def test_a_leap_forgets_only_what_falls_out(first: int, second: int) -> None:
    """After two counters each is seen, or older than the window: never new again."""
    low, high = sorted((first, second))
    window = Window().with_seen(low).with_seen(high)
    assert window.sighting(high) is Sighting.SEEN
    expected = Sighting.SEEN if high - low < WINDOW_BITS else Sighting.OLD
    assert window.sighting(low) is expected


class WindowAgainstSet(RuleBasedStateMachine):
    """The window tells what a set of all counters ever seen would tell."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window()
        self.seen: set[int] = set()

    @property
    def highest(self) -> int:
        """The highest counter seen."""
        return max(self.seen, default=0)

    def expected(self, counter: int) -> Sighting:
        """What the set tells."""
        if counter <= self.highest - WINDOW_BITS:
            return Sighting.OLD
        return Sighting.SEEN if counter in self.seen else Sighting.NEW

    def see(self, counter: int) -> None:
        """Show the window a counter, as the issuer does."""
        assert self.window.sighting(counter) is self.expected(counter)
        if self.expected(counter) is Sighting.NEW:
            self.window = self.window.with_seen(counter)
            self.seen.add(counter)

    @rule(step=st.integers(1, 130))
    def ahead(self, step: int) -> None:
        """A counter ahead of all."""
        self.see(self.highest + step)

    @precondition(lambda self: self.highest > 1)
    @rule(data=st.data())
    def around(self, data: st.DataObject) -> None:
        """A counter around the window."""
        low = max(1, self.highest - WINDOW_BITS - 2)
        self.see(data.draw(st.integers(low, self.highest)))

    @invariant()
    def fits(self) -> None:
        """The map never grows beyond its 64 bits, and its lowest bit is the highest counter."""
        assert self.window.bits < 1 << WINDOW_BITS
        assert self.window.highest == self.highest
        assert self.window.bits & 1 == (1 if self.seen else 0)


TestWindowAgainstSet = WindowAgainstSet.TestCase
TestWindowAgainstSet.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

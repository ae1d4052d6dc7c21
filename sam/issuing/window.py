"""The replay window: which of a party's request counters Sam has seen."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

WINDOW_BITS: Final = 64
_MASK: Final = (1 << WINDOW_BITS) - 1


class Sighting(Enum):
    """What a counter is to the window."""

    NEW = "new"
    SEEN = "seen"
    OLD = "old"


class Window(NamedTuple):
    """The highest counter seen and, bit by bit, the 64 up to it; bit 0 is the highest itself."""

    highest: int = 0
    bits: int = 0

    def sighting(self, counter: int) -> Sighting:
        """Tell whether *counter* (from 1) is new, seen, or too old to tell."""
        age = self.highest - counter
        if age < 0:
            return Sighting.NEW
        if age >= WINDOW_BITS:
            return Sighting.OLD
        return Sighting.SEEN if self.bits >> age & 1 else Sighting.NEW

    def with_seen(self, counter: int) -> Window:
        """Return the window after *counter*, which must not be old, was seen."""
        age = self.highest - counter
        if age >= 0:
            return Window(self.highest, self.bits | 1 << age)
        return Window(counter, (self.bits << -age | 1) & _MASK if -age < WINDOW_BITS else 1)

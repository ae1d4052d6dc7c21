"""Messages that wait to be sent, in order of urgency and fairly between parties; sans-I/O."""

from __future__ import annotations

import sys
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_T = TypeVar("_T")

MINUTE_SECONDS: Final = 60.0


class FairQueue(Generic[_T]):
    """The more urgent first; among equals one of each party in turn, a party's own in order."""

    def __init__(self) -> None:
        self._levels: dict[int, OrderedDict[str, deque[_T]]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, item: _T, party: str, urgency: int, *, first: bool = False) -> None:
        """Add an item of *party*; the lowest *urgency* leaves first, and a *first* item at once."""
        level = self._levels.setdefault(urgency, OrderedDict())
        items = level.setdefault(party, deque())
        if first:
            items.appendleft(item)
            level.move_to_end(party, last=False)
        else:
            items.append(item)
        self._length += 1

    def take(self) -> _T:
        """Remove and return the next item.

        Raises:
            IndexError: there is none.
        """
        if not self._levels:
            raise IndexError("the queue is empty")
        urgency = min(self._levels)
        level = self._levels[urgency]
        party, items = level.popitem(last=False)
        item = items.popleft()
        if items:
            level[party] = items
        elif not level:
            del self._levels[urgency]
        self._length -= 1
        return item

    def empty(self) -> Iterator[_T]:
        """Remove and yield everything."""
        while self._length:
            yield self.take()


class Pace:
    """At most *rate* sends in any minute, or any *window* seconds; 0 for as many as may be."""

    def __init__(self, rate: float, window: float = MINUTE_SECONDS) -> None:
        self._room = int(max(1.0, rate)) if rate else 0
        self._window = max(window, window / rate) if rate else 0.0
        self._latest: deque[float] = deque(maxlen=self._room)

    def ready_at(self, now: float) -> float:
        """Tell when the next send may begin: *now* at the earliest."""
        if not self._room or len(self._latest) < self._room:
            return now
        return max(now, self._latest[0] + self._window)

    def room(self, now: float) -> int:
        """Tell how many sends may begin *now*."""
        if not self._room:
            return sys.maxsize
        return self._room - sum(at + self._window > now for at in self._latest)

    def spend(self, now: float, count: int = 1) -> None:
        """Count sends."""
        if self._room:
            self._latest.extend([now] * count)

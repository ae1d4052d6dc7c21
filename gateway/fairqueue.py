"""Fair turns among senders: what waits of each is taken one at a time, newcomers' first."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

_T = TypeVar("_T", bound="Hashable")

NEWCOMERS: Final = 8
"""Most newcomers served in a row while others wait."""


def has_room(own: int, taken: int, limit: int) -> bool:
    """Tell whether a sender with *own* of *taken* places may take one more of *limit*.

    Nobody has more places than are free, so that one sender fills half of them at most and two a
    third each, and newcomers find room (dynamic thresholds: Choudhury and Hahne 1998).
    """
    return own + taken < limit


class FairQueue(Generic[_T]):
    """Items of many senders, each sender's in order.

    Senders take turns, an item a turn. Who has nothing waiting and brings something is a newcomer:
    it comes before the others, up to `NEWCOMERS` in a row, and joins them at their end (after
    FQ-CoDel, RFC 8290, section 4). So a sender that seldom brings anything does not wait for
    those that always do, however many they are. Each operation but `put_back` takes constant time
    over many; memory is bounded by the items. What comes is put in order only when something has
    to wait for another turn.
    """

    def __init__(self) -> None:
        self._fresh: list[tuple[str, _T]] = []
        self._items: dict[str, OrderedDict[_T, None]] = {}
        self._newcomers: OrderedDict[str, None] = OrderedDict()
        self._others: OrderedDict[str, None] = OrderedDict()
        self._in_a_row = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count + len(self._fresh)

    def of(self, sender: str) -> int:
        """Count what waits of *sender*."""
        self._put_in_order()
        return len(self._items.get(sender, ()))

    def add(self, sender: str, item: _T) -> None:
        """Take in *item*, which does not wait yet."""
        self._fresh.append((sender, item))

    def _put_in_order(self) -> None:
        fresh, self._fresh = self._fresh, []
        for sender, item in fresh:
            self._add(sender, item)

    def _add(self, sender: str, item: _T) -> None:
        if sender not in self._items:
            self._items[sender] = OrderedDict()
            self._newcomers[sender] = None
        self._items[sender][item] = None
        self._count += 1

    def put_back(self, items: Iterable[tuple[str, _T]]) -> None:
        """Take in again what was taken, in the order it was taken, before all that waits."""
        self._put_in_order()
        waiting = [
            (sender, item)
            for sender in (*self._newcomers, *self._others)
            for item in self._items[sender]
        ]
        for senders in (self._items, self._newcomers, self._others):
            senders.clear()
        self._count = 0
        for sender, item in (*items, *waiting):
            self._add(sender, item)

    def discard(self, sender: str, item: _T) -> None:
        """Drop *item* if it waits."""
        self._put_in_order()
        items = self._items.get(sender)
        if items is None or item not in items:
            return
        del items[item]
        self._count -= 1
        if not items:
            del self._items[sender]
            self._newcomers.pop(sender, None)
            self._others.pop(sender, None)

    def take(self) -> _T:
        """Take out the next item.

        Raises:
            IndexError: nothing waits.
        """
        self._put_in_order()
        while True:
            others_turn = not self._newcomers or (self._others and self._in_a_row >= NEWCOMERS)
            turn = self._others if others_turn else self._newcomers
            sender, _ = turn.popitem(last=False)
            if items := self._items[sender]:
                break
            del self._items[sender]
        self._in_a_row = 0 if others_turn else self._in_a_row + 1
        self._others[sender] = None
        item, _ = items.popitem(last=False)
        self._count -= 1
        return item

    def take_all(self) -> list[_T]:
        """Take out everything; in the order it came, where nothing had to wait before."""
        in_order = self._count > 0
        taken = [self.take() for _ in range(len(self))] if in_order else [i for _, i in self._fresh]
        self._fresh = []
        for senders in (self._items, self._newcomers, self._others):
            senders.clear()
        return taken

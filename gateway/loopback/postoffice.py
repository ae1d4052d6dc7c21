"""All mailboxes of a network and the agenda of what falls due or expires in them, sans-I/O."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, Final

from dtns.gateway.loopback.mailbox import Item, Mailbox

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

_STALE_AGENDA: Final = 1000


class PostOffice:
    """Keeps items until they are settled, and knows which line holds which number.

    A *line* is any hashable that stands for a connection; times are in seconds by the caller's
    clock. Nothing here is bounded: the caller asks `count` and `__len__` before it adds.
    """

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._agenda: list[tuple[float, int, Item]] = []
        self._ticks = itertools.count()
        self._mailboxes: dict[str, Mailbox] = {}
        self._numbers: dict[Hashable, dict[str, None]] = {}
        self._ready: dict[str, None] = {}
        self.attached = 0

    def __len__(self) -> int:
        return len(self._items)

    def count(self, number: str, kind: str) -> int:
        """Count the unsettled items of one kind (an item's `kind`) for *number*."""
        mailbox = self._mailboxes.get(number)
        return mailbox.counts[kind] if mailbox else 0

    def count_of(self, sender: str, number: str) -> int:
        """Count the unsettled messages of *sender* for *number*."""
        mailbox = self._mailboxes.get(number)
        return mailbox.by_sender[sender] if mailbox else 0

    def holder(self, number: str) -> Hashable | None:
        """Return the line that holds *number*, if one does."""
        mailbox = self._mailboxes.get(number)
        return mailbox.line if mailbox else None

    def numbers(self, line: Hashable) -> list[str]:
        """List the numbers that *line* holds."""
        return list(self._numbers.get(line, ()))

    def attach(self, line: Hashable, number: str, window: int) -> None:
        """Give *number* to *line*, whoever holds it now; what was handed over waits again."""
        self.detach(self.holder(number), number)
        self._mailbox(number).attach(line, window)
        self._numbers.setdefault(line, {})[number] = None
        self._ready[number] = None
        self.attached += 1

    def detach(self, line: Hashable | None, number: str) -> None:
        """Take *number* from *line*, if *line* holds it."""
        if line is None or self.holder(number) != line:
            return
        del self._numbers[line][number]
        if not self._numbers[line]:
            del self._numbers[line]
        self._mailboxes[number].detach()
        self._ready.pop(number, None)
        self.attached -= 1
        self._forget_if_idle(number)

    def add(self, item: Item, *, in_order: bool) -> None:
        """Take *item* in; *in_order*, it falls due no earlier than those added so before it."""
        mailbox = self._mailbox(item.address)
        if in_order:
            item.due = mailbox.latest_due = max(item.due, mailbox.latest_due)
        mailbox.note(item)
        self._items[item.key] = item
        self._note(min(item.due, item.expires), item)

    def settle(self, line: Hashable, key: str) -> Item | None:
        """Remove and return an item that was handed over to *line*; None if there is none."""
        item = self._items.get(key)
        if item is None or self.holder(item.address) != line:
            return None
        mailbox = self._mailboxes[item.address]
        if key not in mailbox.handed_over:
            return None
        self._remove(item)
        if mailbox.waiting:
            self._ready[item.address] = None
        return item

    def pass_time(self, now: float) -> Iterator[Item]:
        """Let items fall due; remove and yield those that expire."""
        while self._agenda and self._agenda[0][0] <= now:
            _, _, item = heapq.heappop(self._agenda)
            if not self._holds(item):
                continue
            if item.expires <= now:
                self._remove(item)
                yield item
            else:
                self._mailboxes[item.address].waiting.add(item.sender, item)
                self._ready[item.address] = None
                self._note(item.expires, item)

    def hand_over(self) -> Iterator[tuple[Hashable, Item]]:
        """Yield what is due for attached lines, as far as their windows allow."""
        ready, self._ready = self._ready, {}
        for number in ready:
            mailbox = self._mailboxes.get(number)
            if mailbox is not None and mailbox.line is not None:
                for item in mailbox.take():
                    yield mailbox.line, item

    @property
    def has_ready(self) -> bool:
        """Whether `hand_over` may have something."""
        return bool(self._ready)

    def next_time(self) -> float | None:
        """Tell when `pass_time` may next have something to do."""
        return self._agenda[0][0] if self._agenda else None

    def _mailbox(self, number: str) -> Mailbox:
        return self._mailboxes.setdefault(number, Mailbox())

    def _holds(self, item: Item) -> bool:
        return self._items.get(item.key) is item

    def _note(self, time: float, item: Item) -> None:
        heapq.heappush(self._agenda, (time, next(self._ticks), item))
        if len(self._agenda) > 2 * len(self._items) + _STALE_AGENDA:
            self._agenda = [entry for entry in self._agenda if self._holds(entry[2])]
            heapq.heapify(self._agenda)

    def _remove(self, item: Item) -> None:
        del self._items[item.key]
        self._mailboxes[item.address].forget(item)
        self._forget_if_idle(item.address)

    def _forget_if_idle(self, number: str) -> None:
        if self._mailboxes[number].idle:
            del self._mailboxes[number]
            self._ready.pop(number, None)

"""What waits for one number: due, handed over but not acknowledged, or still on its way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dtns.gateway.fairqueue import FairQueue
from dtns.gateway.loopback import operations as op

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(slots=True, eq=False)
class Item:
    """A message or a report on its way to one number, until acknowledged or expired.

    `report_as` is the submitter's id of the message if it wants a report. Times are in seconds by
    the network's clock.
    """

    operation: op.Deliver | op.Report
    due: float
    expires: float
    report_as: str | None = None

    @property
    def address(self) -> str:
        """The number the item is for."""
        return self.operation.recipient

    @property
    def sender(self) -> str:
        """Whose turn it takes: the sender's number, or nobody's for a report."""
        return self.operation.sender if isinstance(self.operation, op.Deliver) else ""

    @property
    def kind(self) -> str:
        """`message` or `report`; the two have limits of their own."""
        return "message" if isinstance(self.operation, op.Deliver) else "report"

    @property
    def key(self) -> str:
        """The item's name among all: a message and its report share their network id."""
        return item_key(self.kind, self.operation.network_id)


def item_key(kind: str, network_id: str) -> str:
    """Name the item of one kind with this network id."""
    return f"{kind} {network_id}"


@dataclass(slots=True)
class Mailbox:
    """One number: the line that holds it, and its items, those that are due in fair turns.

    `counts`, by kind, and `by_sender` also have those that are not due yet.
    """

    line: Hashable | None = None
    window: int = 0
    latest_due: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    by_sender: Counter[str] = field(default_factory=Counter)
    waiting: FairQueue[Item] = field(default_factory=FairQueue)
    handed_over: dict[str, Item] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether nobody is attached and nothing is on its way, so that it can be forgotten."""
        return self.line is None and not self.counts.total()

    def note(self, item: Item) -> None:
        """Count an item that is on its way."""
        self.counts[item.kind] += 1
        self.by_sender[item.sender] += 1

    def forget(self, item: Item) -> None:
        """Drop an item, wherever it is."""
        self.waiting.discard(item.sender, item)
        self.handed_over.pop(item.key, None)
        self.counts[item.kind] -= 1
        self.by_sender[item.sender] -= 1
        if not self.by_sender[item.sender]:
            del self.by_sender[item.sender]

    def attach(self, line: Hashable, window: int) -> None:
        """Give the number to *line*, at most *window* items unacknowledged at a time."""
        self.line, self.window = line, window

    def detach(self) -> None:
        """Take the number from its line; what was not acknowledged waits again, first."""
        self.line = None
        self.waiting.put_back((item.sender, item) for item in self.handed_over.values())
        self.handed_over = {}

    def take(self) -> list[Item]:
        """Hand over what waits, as far as the window allows; each sender's first due first."""
        room = max(0, self.window - len(self.handed_over))
        items = [self.waiting.take() for _ in range(min(room, len(self.waiting)))]
        self.handed_over |= {item.key: item for item in items}
        return items

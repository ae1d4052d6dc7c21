"""Long messages that come in parts: joined in any order, days apart; sans-I/O.

A part belongs to the message with its carrier, sender, reference and total. A part that says
another total under the same reference is of another message. One that comes again with another
text begins its message anew, for senders use references again. What waits too long, or is too
much, is dropped, the oldest message first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dtns.gateway.carrier import Inbound

EXPIRY_SECONDS: Final = 7 * 24 * 3600
PARTS_PER_SENDER: Final = 32
PARTS_IN_ALL: Final = 10_000
CHARACTERS: Final = 160
"""Most characters of one part."""


class MessageKey(NamedTuple):
    """What tells one message in parts from another."""

    carrier: str
    sender: str
    reference: int
    total: int


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A part that waits for the others; `came_at` is in seconds by the caller's clock."""

    key: MessageKey = field(repr=False)
    number: int
    identity: str
    text: str = field(repr=False)
    came_at: float


@dataclass(frozen=True, slots=True)
class Whole:
    """A message of which every part has come; `identities` are those of its parts, in order."""

    identities: tuple[str, ...]
    text: str = field(repr=False)


class PartRecords(Protocol):
    """Where parts wait; durable if its owner acknowledges parts before their message is whole."""

    def of(self, key: MessageKey) -> list[HeldPart]:
        """Return the parts of a message, in any order."""

    def keep(self, part: HeldPart) -> None:
        """Keep a part."""

    def drop(self, key: MessageKey) -> int:
        """Drop all parts of a message and return how many there were."""

    def oldest(self, sender: str | None = None) -> HeldPart | None:
        """Return the part that was kept first, of one sender or of all; None if there is none."""

    def count(self, sender: str | None = None) -> int:
        """Count the parts of one sender, or all."""


class MemoryPartRecords:
    """Parts in memory."""

    def __init__(self, parts: Iterable[HeldPart] = ()) -> None:
        self._parts = list(parts)

    def of(self, key: MessageKey) -> list[HeldPart]:
        """Return the parts of a message."""
        return [part for part in self._parts if part.key == key]

    def keep(self, part: HeldPart) -> None:
        """Keep a part."""
        self._parts.append(part)

    def drop(self, key: MessageKey) -> int:
        """Drop all parts of a message."""
        before = len(self._parts)
        self._parts = [part for part in self._parts if part.key != key]
        return before - len(self._parts)

    def oldest(self, sender: str | None = None) -> HeldPart | None:
        """Return the part that was kept first."""
        return next(iter(self._of_sender(sender)), None)

    def count(self, sender: str | None = None) -> int:
        """Count parts."""
        return len(self._of_sender(sender))

    def _of_sender(self, sender: str | None) -> list[HeldPart]:
        return [part for part in self._parts if sender in (None, part.key.sender)]


class Joining:
    """Joins what comes in parts, over *records*; drops what waits for longer than *expiry*.

    Attributes:
        dropped: how many parts were dropped without their message: orphans, and those beyond
            the bounds.
    """

    def __init__(
        self,
        records: PartRecords,
        *,
        expiry: float = EXPIRY_SECONDS,
        per_sender: int = PARTS_PER_SENDER,
        in_all: int = PARTS_IN_ALL,
    ) -> None:
        self._records = records
        self._expiry = expiry
        self._per_sender = per_sender
        self._in_all = in_all
        self.dropped = 0

    def take(self, message: Inbound, now: float) -> Whole | None:
        """Take in a part and return its message if that is whole now; its parts are then dropped.

        A message without a `part` is whole. A part that came before, or can be of no message,
        changes nothing. *now* is in seconds by a clock that does not go back.
        """
        part = message.part
        if part is None:
            return Whole((message.identity,), message.text)
        self.expire(now)
        if not self._is_possible(message.text, part.total, part.number):
            self.dropped += 1
            return None
        key = MessageKey(message.carrier, message.sender, part.reference, part.total)
        arrived = HeldPart(key, part.number, message.identity, message.text, now)
        return self._take(arrived)

    def expire(self, now: float) -> None:
        """Drop the messages whose first part has waited too long."""
        while (oldest := self._records.oldest()) and oldest.came_at <= now - self._expiry:
            self.dropped += self._records.drop(oldest.key)

    def _is_possible(self, text: str, total: int, number: int) -> bool:
        return 1 <= number <= total <= self._per_sender and len(text) <= CHARACTERS

    def _take(self, arrived: HeldPart) -> Whole | None:
        held = {part.number: part for part in self._records.of(arrived.key)}
        before = held.get(arrived.number)
        if before is not None and before.text == arrived.text:
            return None
        if before is not None:
            self.dropped += self._records.drop(arrived.key)
            held = {}
        held[arrived.number] = arrived
        if len(held) == arrived.key.total:
            self._records.drop(arrived.key)
            parts = [held[number] for number in sorted(held)]
            return Whole(
                tuple(part.identity for part in parts), "".join(part.text for part in parts)
            )
        self._records.keep(arrived)
        self._make_room(arrived.key.sender)
        return None

    def _make_room(self, sender: str) -> None:
        for whose, bound in ((sender, self._per_sender), (None, self._in_all)):
            while self._records.count(whose) > bound:
                oldest = self._records.oldest(whose)
                assert oldest is not None
                self.dropped += self._records.drop(oldest.key)

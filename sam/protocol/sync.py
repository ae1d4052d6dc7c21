"""Sam's own messages to a party: time, epoch, marks, unlocking, keys, loads (section 12)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from attrs import field, frozen

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.payments import Payment, read_payment
from dtns.sam.protocol.primitives import BLOCK_OCTETS, siv_open, siv_seal
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.wire import MAX_TEXT, MalformedError, Reader, from_text

_COUNTER_OCTETS: Final = 4
_HEADER_OCTETS: Final = 2 + _COUNTER_OCTETS
_FIXED_OCTETS: Final = _HEADER_OCTETS + BLOCK_OCTETS + 4
ROOM_OCTETS: Final = MAX_TEXT * 5 // 8 - _FIXED_OCTETS
"""Octets of items that one message holds."""


@frozen
class Floor:
    """Take nothing of an epoch below this one."""

    epoch: int

    @property
    def octets(self) -> bytes:
        """Kind 1, epoch 2."""
        return b"\1" + self.epoch.to_bytes(2)


@frozen
class Mark:
    """Take no key of this asker at or below its generation, this epoch and n."""

    asker: Party
    epoch: int
    n: int

    @property
    def octets(self) -> bytes:
        """Kind 2, number field, generation 2, epoch 2, n 1."""
        return b"\2" + self.asker.octets + self.epoch.to_bytes(2) + self.n.to_bytes(1)


@frozen
class Unlock:
    """End the lock with this number: a SIM counts its locks from 1."""

    lock: int

    @property
    def octets(self) -> bytes:
        """Kind 3, lock 2."""
        return b"\3" + self.lock.to_bytes(2)


@frozen
class NewExchangeKeys:
    """The keys of a new generation for asks and answers; of use with NewTicketKeys only."""

    generation: int
    ask: Key = field(converter=Key)
    answer: Key = field(converter=Key)

    @property
    def octets(self) -> bytes:
        """Kind 4, generation 2, ask key 16, answer key 32."""
        return b"\4" + self.generation.to_bytes(2) + bytes(self.ask) + bytes(self.answer)


@frozen
class NewTicketKeys:
    """The keys of a new generation for tickets and for messages like this one."""

    generation: int
    ticket: Key = field(converter=Key)
    seal: Key = field(converter=Key)
    sync: Key = field(converter=Key)

    @property
    def octets(self) -> bytes:
        """Kind 5, generation 2, ticket key 16, seal key 16, sync key 32."""
        keys = bytes(self.ticket) + bytes(self.seal) + bytes(self.sync)
        return b"\5" + self.generation.to_bytes(2) + keys


@frozen
class Load:
    """Put money into the purse, unless the last load had this number (1 to 2^32 - 1) or more."""

    number: int
    payment: Payment

    @property
    def octets(self) -> bytes:
        """Kind 6, number 4, currency 3, amount 5."""
        return b"\6" + self.number.to_bytes(4) + self.payment.octets


@frozen
class UnlockPin:
    """End the PIN's lock with this number; forget has the next PIN set without the old one."""

    lock: int
    forget: bool = False

    @property
    def octets(self) -> bytes:
        """Kind 7, lock 2, forget 1."""
        return b"\7" + self.lock.to_bytes(2) + self.forget.to_bytes(1)


@frozen
class NewUniversalKey:
    """The key of a later period for small payments."""

    period: int
    key: Key = field(converter=Key)

    @property
    def octets(self) -> bytes:
        """Kind 8, period 1, key 16."""
        return b"\x08" + self.period.to_bytes(1) + bytes(self.key)


@frozen
class Filed:
    """The log's entries up to this serial are on Sam's record."""

    serial: int

    @property
    def octets(self) -> bytes:
        """Kind 9, serial 4."""
        return b"\x09" + self.serial.to_bytes(4)


PurseItem: TypeAlias = Load | UnlockPin | NewUniversalKey | Filed
Item: TypeAlias = Floor | Mark | Unlock | NewExchangeKeys | NewTicketKeys | PurseItem


@frozen
class Sync:
    """One message. counter (1 to 2^32 - 1) rises strictly; week and epoch are Sam's."""

    counter: int
    week: int
    epoch: int
    items: tuple[Item, ...] = ()

    def seal(self, sync_key: bytes) -> bytes:
        """Return the message: version, type, counter 4, then AES-SIV over the rest.

        ValueError if the items need more than ROOM_OCTETS.
        """
        items = b"".join(item.octets for item in self.items)
        if len(items) > ROOM_OCTETS:
            raise ValueError(f"items have {ROOM_OCTETS} octets of room, not {len(items)}")
        header = Label.SYNC.prefix + self.counter.to_bytes(_COUNTER_OCTETS)
        body = self.week.to_bytes(2) + self.epoch.to_bytes(2) + items
        return header + siv_seal(sync_key, body, [header])


@frozen
class ReceivedSync:
    """A message as it came in, not yet opened."""

    counter: int
    octets: bytes

    def open(self, sync_key: bytes) -> Sync | None:
        """Return the message if Sam made it for the holder of the key, else None."""
        header, sealed = self.octets[:_HEADER_OCTETS], self.octets[_HEADER_OCTETS:]
        body = siv_open(sync_key, sealed, [header])
        return None if body is None else _unpack(self.counter, body)


def read_sync(text: str) -> ReceivedSync:
    """Parse the SMS text of a message of Sam's own; MalformedError if it is none."""
    octets = from_text(text)
    reader = Reader(octets)
    if reader.take(2) != Label.SYNC.prefix:
        raise MalformedError("not a message of Sam's own in this version")
    return ReceivedSync(reader.integer(_COUNTER_OCTETS), octets)


def fitting(items: Sequence[Item]) -> int:
    """Return how many of the first *items* fit into one message."""
    room = ROOM_OCTETS
    for count, item in enumerate(items):
        room -= len(item.octets)
        if room < 0:
            return count
    return len(items)


def read_items(octets: bytes) -> tuple[Item, ...]:
    """Return the items that *octets* spell; MalformedError if they are of no known kind."""
    reader = Reader(octets)
    items: list[Item] = []
    while reader.left:
        read = _KINDS.get(reader.integer(1))
        if read is None:
            raise MalformedError("an unknown kind of item")
        items.append(read(reader))
    return tuple(items)


def _unpack(counter: int, body: bytes) -> Sync | None:
    try:
        reader = Reader(body)
        week, epoch = reader.integer(2), reader.integer(2)
        return Sync(counter, week, epoch, read_items(reader.rest()))
    except MalformedError:
        return None


def _key(reader: Reader, octets: int = BLOCK_OCTETS) -> Key:
    return Key(reader.take(octets))


def _flag(reader: Reader) -> bool:
    value = reader.integer(1)
    if value > 1:
        raise MalformedError("a flag is 0 or 1")
    return value == 1


_KINDS: Final[dict[int, Callable[[Reader], Item]]] = {
    1: lambda r: Floor(r.integer(2)),
    2: lambda r: Mark(Party(r.number(), r.integer(2)), r.integer(2), r.integer(1)),
    3: lambda r: Unlock(r.integer(2)),
    4: lambda r: NewExchangeKeys(r.integer(2), _key(r), _key(r, 32)),
    5: lambda r: NewTicketKeys(r.integer(2), _key(r), _key(r), _key(r, 32)),
    6: lambda r: Load(r.integer(4), read_payment(r)),
    7: lambda r: UnlockPin(r.integer(2), _flag(r)),
    8: lambda r: NewUniversalKey(r.integer(1), _key(r)),
    9: lambda r: Filed(r.integer(4)),
}

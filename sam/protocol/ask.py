"""M1, the ask: a party wants a key with another (section 4)."""

from __future__ import annotations

import hmac
from enum import IntEnum
from struct import Struct
from typing import Final

from attrs import frozen

from dtns.sam.protocol.keys import WITNESS_OCTETS
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.limits import MAX_LIMIT_CLASS
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.primitives import Prf
from dtns.sam.protocol.session import NONCE_BITS, Direction, Party, nonce_field
from dtns.sam.protocol.wire import MalformedError, Reader, from_text, number_field

MAC_OCTETS: Final = 8
MAX_COUNTER: Final = 0xFFFFFFFF
_NONCE_OCTETS = 4
_ASKER: Final = Struct(">HI")
_TERMS: Final = Struct(">BB")
_END: Final = Struct(f">HB{WITNESS_OCTETS}sI{MAC_OCTETS}s")


class Form(IntEnum):
    """How the asker can hand the key on."""

    DERIVED = 0
    """By the ticket of 20 digits alone."""
    BOTH = 1
    """By that, or by the long sealed ticket that carries the same key."""
    RANDOM = 2
    """By the sealed ticket alone, its key random and not derived."""


_MEANINGS: Final = {
    limit << 3 | direction.value << 2 | form: (limit, direction, form)
    for limit in range(MAX_LIMIT_CLASS + 1)
    for direction in Direction
    for form in Form
}
"""What the octet of the terms says, for each that says anything."""


@frozen
class Seen:
    """The highest key that the asker has of the pair, with Sam's proof of having issued it."""

    epoch: int = 0
    n: int = 0
    witness: bytes = bytes(WITNESS_OCTETS)


@frozen
class Ask:
    """One request. counter (1 to 2^32 - 1) rises with each and is the asker's nonce.

    limit is the class wanted, life the weeks wanted (0: Sam's default), nonce the holder's J,
    synced the counter of the last message of Sam's own that was obeyed.
    """

    asker: Party
    counter: int
    holder: Number
    limit: int
    direction: Direction
    form: Form
    life: int
    nonce: int | None = None
    seen: Seen = Seen()
    synced: int = 0

    @property
    def body(self) -> bytes:
        """The octets that the MAC covers: all but itself."""
        terms = self.limit << 3 | self.direction.value << 2 | self.form
        return b"%b%b%b%b%b%b%b%b%b%b" % (
            Label.ASK.prefix,
            self.asker.octets,
            self.counter.to_bytes(4),
            number_field(self.holder),
            bytes([terms, self.life]),
            nonce_field(self.nonce),
            self.seen.epoch.to_bytes(2),
            self.seen.n.to_bytes(1),
            self.seen.witness,
            self.synced.to_bytes(4),
        )

    def seal(self, ask_key: bytes) -> bytes:
        """Return the message: the body and the first 8 octets of its CMAC."""
        return self.body + ask_mac(ask_key, self.body)


@frozen
class ReceivedAsk:
    """An ask as it came in, its MAC not yet checked."""

    ask: Ask
    octets: bytes

    @property
    def mac(self) -> bytes:
        """The MAC that the message carries."""
        return self.octets[-MAC_OCTETS:]

    def is_authentic(self, ask_key: bytes) -> bool:
        """Tell whether the asker's SIM made the message, in constant time."""
        return hmac.compare_digest(ask_mac(ask_key, self.octets[:-MAC_OCTETS]), self.mac)


def ask_mac(ask_key: bytes, body: bytes) -> bytes:
    """Return the 8-octet MAC of an ask's body."""
    return Prf(ask_key).mac(body)[:MAC_OCTETS]


def read_ask(text: str) -> ReceivedAsk:
    """Parse the SMS text of an ask; MalformedError names what breaks the layout."""
    octets = from_text(text)
    return ReceivedAsk(parse_ask(octets), octets)


def parse_ask(octets: bytes) -> Ask:
    """Parse the octets of an ask, its MAC not looked at; MalformedError as read_ask."""
    reader = Reader(octets)
    if reader.take(2) != Label.ASK.prefix:
        raise MalformedError("not an ask of this version")
    number, (generation, counter) = reader.number(), reader.unpack(_ASKER)
    holder, (terms, life) = reader.number(), reader.unpack(_TERMS)
    nonce, (epoch, n, witness, synced, _) = _nonce(reader), reader.unpack(_END)
    reader.end()
    if terms not in _MEANINGS:
        raise MalformedError("an unknown form of ticket")
    if counter == 0 or generation == 0:
        raise MalformedError("a counter or generation of nought")
    asker, seen = Party(number, generation), Seen(epoch, n, witness)
    return Ask(asker, counter, holder, *_MEANINGS[terms], life, nonce, seen, synced)


def _nonce(reader: Reader) -> int | None:
    match reader.integer(1):
        case 0:
            return None
        case 4:
            nonce = reader.integer(_NONCE_OCTETS)
            if nonce >> NONCE_BITS == 0:
                return nonce
    raise MalformedError("not a nonce")

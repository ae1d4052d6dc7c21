"""M1, the ask: a party wants a key with another (section 4)."""

from __future__ import annotations

import hmac
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from dtns.sam.protocol.keys import WITNESS_OCTETS
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.limits import MAX_LIMIT_CLASS
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.primitives import cmac
from dtns.sam.protocol.session import NONCE_BITS, Direction, Party, nonce_field
from dtns.sam.protocol.wire import MalformedError, from_text, number_at, number_field

MAC_OCTETS: Final = 8
MAX_COUNTER: Final = 0xFFFFFFFF
_PREFIX: Final = Label.ASK.prefix
_ASKER: Final = Struct(">HI")
"""Generation, counter: what comes between the two numbers."""
_END: Final = f"HB{WITNESS_OCTETS}sI"
_SEEN: Final = Struct(f">{_END}")
"""What the asker has seen: epoch, n and witness of a key, the counter of a message."""
_RESTS: Final = {
    rest.size: rest for rest in (Struct(f">BBB{nonce}s{_END}{MAC_OCTETS}s") for nonce in (0, 4))
}
"""What follows the numbers, by its length: terms, life, nonce, what was seen, MAC."""


class Form(IntEnum):
    """How the asker can hand the key on."""

    DERIVED = 0
    """By the ticket of 20 digits alone."""
    BOTH = 1
    """By that, or by the long sealed ticket that carries the same key."""
    RANDOM = 2
    """By the sealed ticket alone, its key random and not derived."""


_MEANINGS: Final = {
    limit << 3 | direction << 2 | form: (limit, direction, form)
    for limit in range(MAX_LIMIT_CLASS + 1)
    for direction in Direction
    for form in Form
}
"""What the octet of the terms says, for each that says anything."""


class Seen(NamedTuple):
    """The highest key that the asker has of the pair, with Sam's proof of having issued it."""

    epoch: int = 0
    n: int = 0
    witness: bytes = bytes(WITNESS_OCTETS)


class Ask(NamedTuple):
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
        terms = self.limit << 3 | self.direction << 2 | self.form
        seen = self.seen
        return b"%b%b%b%b%b%b%b" % (
            _PREFIX,
            self.asker.octets,
            self.counter.to_bytes(4),
            number_field(self.holder),
            bytes([terms, self.life]),
            nonce_field(self.nonce),
            _SEEN.pack(seen.epoch, seen.n, seen.witness, self.synced),
        )

    def seal(self, ask_key: bytes) -> bytes:
        """Return the message: the body and the first 8 octets of its CMAC."""
        body = self.body
        return body + ask_mac(ask_key, body)


class ReceivedAsk(NamedTuple):
    """An ask as it came in, its MAC not yet checked."""

    ask: Ask
    octets: bytes

    @property
    def mac(self) -> bytes:
        """The MAC that the message carries."""
        return self.octets[-MAC_OCTETS:]

    def is_authentic(self, ask_key: bytes) -> bool:
        """Tell whether the asker's SIM made the message, in constant time."""
        octets = self.octets
        return hmac.compare_digest(ask_mac(ask_key, octets[:-MAC_OCTETS]), octets[-MAC_OCTETS:])


def ask_mac(ask_key: bytes, body: bytes) -> bytes:
    """Return the 8-octet MAC of an ask's body."""
    return cmac(ask_key, body)[:MAC_OCTETS]


def read_ask(text: str) -> ReceivedAsk:
    """Parse the SMS text of an ask; MalformedError names what breaks the layout."""
    octets = from_text(text)
    return ReceivedAsk(parse_ask(octets), octets)


def parse_ask(octets: bytes) -> Ask:
    """Parse the octets of an ask, its MAC not looked at; MalformedError as read_ask."""
    if not octets.startswith(_PREFIX):
        raise MalformedError("not an ask of this version")
    number, end = number_at(octets, len(_PREFIX))
    holder, rest = number_at(octets, end + _ASKER.size)
    generation, counter = _ASKER.unpack_from(octets, end)
    layout = _RESTS.get(len(octets) - rest)
    if layout is None:
        raise MalformedError("too short or too long")
    terms, life, count, nonce, epoch, n, witness, synced, _ = layout.unpack_from(octets, rest)
    if terms not in _MEANINGS:
        raise MalformedError("an unknown form of ticket")
    if counter == 0 or generation == 0:
        raise MalformedError("a counter or generation of nought")
    if count != len(nonce):
        raise MalformedError("not a nonce")
    limit, direction, form = _MEANINGS[terms]
    asker, seen, bound = Party(number, generation), Seen(epoch, n, witness), _read_nonce(nonce)
    return Ask(asker, counter, holder, limit, direction, form, life, bound, seen, synced)


def _read_nonce(octets: bytes) -> int | None:
    nonce = int.from_bytes(octets)
    if nonce >> NONCE_BITS:
        raise MalformedError("not a nonce")
    return nonce if octets else None

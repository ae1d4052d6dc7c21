"""M1 typed: an ask that a person types, 12 digits beside the holder's number (section 4)."""

from __future__ import annotations

import hmac
from typing import Final

from attrs import frozen

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.primitives import cmac, top_bits
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.wire import MalformedError, Reader, number_field

COUNTER_BITS: Final = 6
TYPED_MAC_BITS: Final = 33
_MAC_OCTETS: Final = 5


@frozen
class TypedAsk:
    """A request of which the person types the counter's low bits and a MAC.

    What it wants beside the holder is left to Sam. counter (1 to 2^32 - 1) is one of the same
    count as that of asks by SMS.
    """

    asker: Party
    counter: int
    holder: Number

    @property
    def body(self) -> bytes:
        """The octets that the MAC covers, both parties and the whole counter among them."""
        return b"%b%b%b%b" % (
            Label.TYPED_ASK.prefix,
            self.asker.octets,
            self.counter.to_bytes(4),
            number_field(self.holder),
        )

    def seal(self, ask_key: bytes) -> bytes:
        """Return the whole ask: the body and its MAC, 33 bits in 5 octets."""
        mac = top_bits(cmac(ask_key, self.body), TYPED_MAC_BITS)
        return self.body + mac.to_bytes(_MAC_OCTETS)

    def is_proved_by(self, ask_key: bytes, mac: int) -> bool:
        """Tell whether *mac* is that of this ask, in constant time."""
        return hmac.compare_digest(self.seal(ask_key)[-_MAC_OCTETS:], mac.to_bytes(_MAC_OCTETS))


def typed_bits(octets: bytes) -> int:
    """Return the 39 bits that are typed of a whole ask: the counter's low 6, the MAC."""
    counter = parse_typed_ask(octets).counter % (1 << COUNTER_BITS)
    return counter << TYPED_MAC_BITS | int.from_bytes(octets[-_MAC_OCTETS:])


def split_typed(bits: int) -> tuple[int, int]:
    """Return the counter's low 6 bits and the MAC of the 39 bits that were typed."""
    return bits >> TYPED_MAC_BITS, bits & ((1 << TYPED_MAC_BITS) - 1)


def is_typed(octets: bytes) -> bool:
    """Tell whether a whole ask is one to be typed."""
    return octets.startswith(Label.TYPED_ASK.prefix)


def parse_typed_ask(octets: bytes) -> TypedAsk:
    """Read a whole ask, its MAC not looked at; MalformedError if it is none of this version."""
    reader = Reader(octets)
    if reader.take(2) != Label.TYPED_ASK.prefix:
        raise MalformedError("not a typed ask of this version")
    asker = Party(reader.number(), reader.integer(2))
    ask = TypedAsk(asker, reader.integer(4), reader.number())
    if reader.integer(_MAC_OCTETS) >> TYPED_MAC_BITS:
        raise MalformedError("not a MAC of 33 bits")
    reader.end()
    if ask.counter == 0 or asker.generation == 0:
        raise MalformedError("a counter or generation of nought")
    return ask

"""The key that two parties share: its context, its derivation, and what is made under it."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple, TypeAlias

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.primitives import BLOCK_OCTETS, cmac, derive, top_bits
from dtns.sam.protocol.wire import number_field

Order: TypeAlias = tuple[int, int, int, int]
"""A key's place: the generation of the SIM that keeps it, of the other, the epoch, n."""

NO_ORDER: Final[Order] = (0, 0, 0, 0)
"""A place before that of any key."""

MAX_N: Final = 0xFF
NONCE_BITS: Final = 26
_TAIL: Final = Struct(">HBHBB")
"""What follows the parties in a context: epoch, n, expiry, limit, direction."""


class Direction(IntEnum):
    """Who pays on a key; it never changes for that key."""

    ASKER_PAYS = 0
    HOLDER_PAYS = 1


class Terms(NamedTuple):
    """What a key is good for: a limit class 0 to 31, a direction, an expiry week 0 to 65535.

    A key has expired once its expiry week has begun.
    """

    limit: int
    direction: Direction
    expiry: int


class Party(NamedTuple):
    """One end of a key: a number and the generation of its SIM."""

    number: Number
    generation: int

    @property
    def octets(self) -> bytes:
        """Number field, then the generation in two octets."""
        number, generation = self
        return number_field(number) + generation.to_bytes(2)


class Context(NamedTuple):
    """Everything that a session key is bound to (sam/README.md, section 5).

    asker asked Sam for the key, holder gets it by ticket; n is 1 to 255; nonce is the
    holder's J of 26 bits where the 1987 mode was used.
    """

    asker: Party
    holder: Party
    epoch: int
    n: int
    terms: Terms
    nonce: int | None = None

    @property
    def octets(self) -> bytes:
        """The canonical form that every derivation and MAC of the key takes in."""
        asker, holder, epoch, n, terms, nonce = self
        return context_octets(asker.octets, holder.octets, epoch, n, terms, nonce=nonce)

    @property
    def order(self) -> Order:
        """Where the key stands among those that its holder has of its asker.

        The holder's generation comes first, for n starts anew with each.
        """
        return (self.holder.generation, self.asker.generation, self.epoch, self.n)


def context_octets(
    asker: bytes, holder: bytes, epoch: int, n: int, terms: Terms, *, nonce: int | None
) -> bytes:
    """Return the canonical form of a context, given the octets of its parties."""
    limit, direction, expiry = terms
    tail = _TAIL.pack(epoch, n, expiry, limit, direction)
    return asker + holder + tail + nonce_field(nonce)


def nonce_field(nonce: int | None) -> bytes:
    """Encode J: its length in octets, 0 or 4, then its value."""
    return b"\0" if nonce is None else b"\4" + nonce.to_bytes(4)


def session_key(ticket_key: bytes, context: bytes) -> Key:
    """Derive the session key with a context of these octets: 16, below the holder's ticket key."""
    return derive(ticket_key, Label.SESSION, context)


def code(session: bytes, label: Label, context: Context, bits: int, extra: bytes = b"") -> int:
    """Return the first *bits* bits of the MAC that a digit code carries.

    The MAC key is derived from the session key under the code's own label; the input is
    version, type, the whole context, then what the code adds.
    """
    key = derive(session, label, b"")
    return top_bits(cmac(key, label.prefix + context.octets + extra), bits)


def key_check_value(session: bytes) -> str:
    """Return the key check value: 6 hex digits of AES-CMAC over one zero block."""
    return cmac(session, bytes(BLOCK_OCTETS)).hex()[:6]

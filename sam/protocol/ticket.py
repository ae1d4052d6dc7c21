"""M3, the ticket: 66 bits from which the holder's SIM derives the key (section 7)."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.limits import LIMIT_BITS
from dtns.sam.protocol.session import Context, Direction, Terms, code

HEADER_BITS: Final = 26
TAG_BITS: Final = 40
GENERATION_BITS: Final = 2
EPOCH_BITS: Final = 2
N_BITS: Final = 8
WEEK_BITS: Final = 8


@frozen
class Header:
    """The 26 bits that open every ticket, each field cut to what the holder cannot know.

    generation low 2, epoch low 2, n 8, expiry week low 8, limit class 5, direction 1.
    """

    generation_low: int
    epoch_low: int
    n: int
    expiry_low: int
    limit: int
    direction: Direction

    @classmethod
    def of(cls, context: Context) -> Header:
        """Return the header of the key with this context."""
        return cls(
            generation_low=context.asker.generation % (1 << GENERATION_BITS),
            epoch_low=context.epoch % (1 << EPOCH_BITS),
            n=context.n,
            expiry_low=context.terms.expiry % (1 << WEEK_BITS),
            limit=context.terms.limit,
            direction=context.terms.direction,
        )

    @classmethod
    def unpack(cls, bits: int) -> Header:
        """Read 26 bits; every value is a header, though n = 0 is never issued."""
        bits, direction = divmod(bits, 2)
        bits, limit = divmod(bits, 1 << LIMIT_BITS)
        bits, expiry_low = divmod(bits, 1 << WEEK_BITS)
        bits, n = divmod(bits, 1 << N_BITS)
        generation_low, epoch_low = divmod(bits, 1 << EPOCH_BITS)
        return cls(generation_low, epoch_low, n, expiry_low, limit, Direction(direction))

    def pack(self) -> int:
        """Return the header as an integer of 26 bits."""
        bits = self.generation_low << EPOCH_BITS | self.epoch_low
        bits = bits << N_BITS | self.n
        bits = bits << WEEK_BITS | self.expiry_low
        bits = bits << LIMIT_BITS | self.limit
        return bits << 1 | self.direction.value

    def terms(self, expiry: int) -> Terms:
        """Return the terms of the key, its expiry week read in full by the caller."""
        return Terms(limit=self.limit, direction=self.direction, expiry=expiry)


def ticket(session: bytes, context: Context) -> int:
    """Return the ticket's 66 bits: the header, then a 40-bit tag under the session key."""
    return Header.of(context).pack() << TAG_BITS | ticket_tag(session, context)


def split_ticket(bits: int) -> tuple[Header, int]:
    """Return the header and the tag of a ticket's 66 bits."""
    return Header.unpack(bits >> TAG_BITS), bits & ((1 << TAG_BITS) - 1)


def ticket_tag(session: bytes, context: Context) -> int:
    """Return the 40-bit tag by which a ticket proves its key."""
    return code(session, Label.TICKET, context, TAG_BITS)

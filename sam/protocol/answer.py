"""M2, Sam's answer: the key, or an authenticated refusal, sealed for the asker (section 6)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from attrs import frozen

from dtns.sam.protocol.keys import WITNESS_OCTETS
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.primitives import BLOCK_OCTETS, Key, siv_open, siv_seal
from dtns.sam.protocol.sealed import SEALED_OCTETS, Sealed
from dtns.sam.protocol.session import Direction, Terms
from dtns.sam.protocol.wire import MalformedError, Reader, from_text

_COUNTER_OCTETS: Final = 4
_HEADER_OCTETS: Final = 2 + _COUNTER_OCTETS
_GRANTED: Final = 0


class Reason(IntEnum):
    """Why Sam refuses an authentic ask; the numbers are the protocol's."""

    UNKNOWN = 1
    """The other number is not enrolled."""
    SUSPENDED = 2
    """The asker is suspended."""
    PEER_SUSPENDED = 3
    """The other party is suspended."""
    SELF = 4
    """A party asked for a key with itself."""
    QUOTA = 5
    """The asker has had its share of keys for the day."""
    EXHAUSTED = 6
    """All 255 keys of this pair are used; a new SIM generation is needed."""
    COUNTER_REUSED = 7
    """The counter belongs to another ask."""
    CHANGED = 8
    """A party's standing has changed since the key was issued."""
    BEHIND = 9
    """Sam's records are older than the asker's; the operator has to look."""

    @property
    def code(self) -> str:
        """The reason as JSON output and logs spell it."""
        return self.name.lower().replace("_", "-")


@frozen
class Grant:
    """A key issued: what the asker needs to hold it and to hand it on.

    week is Sam's time. derived tells whether the holder can derive the session key from the
    short ticket; sealed is there where the long ticket was asked for, and always if not derived.
    """

    holder_generation: int
    epoch: int
    n: int
    terms: Terms
    week: int
    witness: bytes
    session: Key
    sealed: Sealed | None = None
    derived: bool = True


@frozen
class Refusal:
    """Sam will not issue a key for this ask; week is Sam's time."""

    reason: Reason
    week: int


def seal_answer(answer_key: bytes, asked: bytes, counter: int, answer: Grant | Refusal) -> bytes:
    """Return the answer to the ask whose whole octets are *asked*.

    Layout: version, type, counter 4, then AES-SIV over the body with the header and the ask
    as associated data. The same inputs give the same octets.
    """
    header = Label.ANSWER.prefix + counter.to_bytes(_COUNTER_OCTETS)
    body = _pack_grant(answer) if isinstance(answer, Grant) else _pack_refusal(answer)
    return header + siv_seal(answer_key, body, [header, asked])


@frozen
class ReceivedAnswer:
    """An answer as it came in, not yet opened; counter says which ask it may belong to."""

    counter: int
    octets: bytes

    def open(self, answer_key: bytes, asked: bytes) -> Grant | Refusal | None:
        """Return the answer if Sam made it for the ask *asked*, else None."""
        header, sealed = self.octets[:_HEADER_OCTETS], self.octets[_HEADER_OCTETS:]
        body = siv_open(answer_key, sealed, [header, asked])
        return None if body is None else _unpack(body)


def read_answer(text: str) -> ReceivedAnswer:
    """Parse the SMS text of an answer; MalformedError if it is none of this version."""
    octets = from_text(text)
    reader = Reader(octets)
    if reader.take(2) != Label.ANSWER.prefix:
        raise MalformedError("not an answer of this version")
    return ReceivedAnswer(reader.integer(_COUNTER_OCTETS), octets)


def _pack_refusal(refusal: Refusal) -> bytes:
    return bytes([refusal.reason]) + refusal.week.to_bytes(2)


def _pack_grant(grant: Grant) -> bytes:
    terms = grant.terms
    flags = terms.limit << 3 | terms.direction.value << 2 | grant.derived << 1
    return b"%b%b%b%b%b%b" % (
        bytes([_GRANTED]),
        grant.holder_generation.to_bytes(2) + grant.epoch.to_bytes(2),
        bytes([grant.n]) + terms.expiry.to_bytes(2) + bytes([flags | (grant.sealed is not None)]),
        grant.week.to_bytes(2) + grant.witness,
        grant.session,
        b"" if grant.sealed is None else grant.sealed.pack(),
    )


def _unpack(body: bytes) -> Grant | Refusal | None:
    """Read a body whose seal was good; None if a later version of Sam wrote it."""
    try:
        reader = Reader(body)
        status = reader.integer(1)
        answer = _unpack_grant(reader) if status == _GRANTED else _unpack_refusal(status, reader)
        reader.end()
    except (MalformedError, ValueError):
        return None
    return answer


def _unpack_refusal(status: int, reader: Reader) -> Refusal:
    return Refusal(Reason(status), reader.integer(2))


def _unpack_grant(reader: Reader) -> Grant:
    generation, epoch, n = reader.integer(2), reader.integer(2), reader.integer(1)
    expiry, flags = reader.integer(2), reader.integer(1)
    week, witness = reader.integer(2), reader.take(WITNESS_OCTETS)
    session = Key(reader.take(BLOCK_OCTETS))
    return Grant(
        holder_generation=generation,
        epoch=epoch,
        n=n,
        terms=Terms(limit=flags >> 3, direction=Direction(flags >> 2 & 1), expiry=expiry),
        week=week,
        witness=witness,
        session=session,
        sealed=Sealed.unpack(reader.take(SEALED_OCTETS)) if flags & 1 else None,
        derived=bool(flags & 2),
    )

"""M2, Sam's answer: the key, or an authenticated refusal, sealed for the asker (section 6)."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from attrs import frozen

from dtns.sam.protocol.keys import WITNESS_OCTETS
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.primitives import BLOCK_OCTETS, siv_open, siv_seal
from dtns.sam.protocol.sealed import SEALED_OCTETS, Sealed
from dtns.sam.protocol.session import Direction, Terms
from dtns.sam.protocol.wire import MalformedError, Reader, from_text

_PREFIX: Final = Label.ANSWER.prefix
_COUNTER_OCTETS: Final = 4
_HEADER_OCTETS: Final = 2 + _COUNTER_OCTETS
_HEADER: Final = Struct(">2sI")
_GRANTED: Final = 0
_REFUSAL: Final = Struct(">BH")
_GRANT: Final = Struct(f">BHHBHBH{WITNESS_OCTETS}s{BLOCK_OCTETS}s")
"""Status, holder's generation, epoch, n, expiry, flags, week, witness, session key."""


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


class Grant(NamedTuple):
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


class Refusal(NamedTuple):
    """Sam will not issue a key for this ask; week is Sam's time."""

    reason: Reason
    week: int


def seal_answer(answer_key: bytes, asked: bytes, counter: int, answer: Grant | Refusal) -> bytes:
    """Return the answer to the ask whose whole octets are *asked*.

    Layout: version, type, counter 4, then AES-SIV over the body with the header and the ask
    as associated data. The same inputs give the same octets.
    """
    header = _HEADER.pack(_PREFIX, counter)
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
    if reader.take(2) != _PREFIX:
        raise MalformedError("not an answer of this version")
    return ReceivedAnswer(reader.integer(_COUNTER_OCTETS), octets)


def _pack_refusal(refusal: Refusal) -> bytes:
    return _REFUSAL.pack(refusal.reason, refusal.week)


def _pack_grant(grant: Grant) -> bytes:
    generation, epoch, n, terms, week, witness, session, sealed, derived = grant
    flags = terms.limit << 3 | terms.direction << 2 | derived << 1 | (sealed is not None)
    fixed = _GRANT.pack(_GRANTED, generation, epoch, n, terms.expiry, flags, week, witness, session)
    return fixed if sealed is None else fixed + sealed.pack()


def _unpack(body: bytes) -> Grant | Refusal | None:
    """Read a body whose seal was good; None if a later version of Sam wrote it."""
    try:
        reader, granted = Reader(body), body[:1] == bytes([_GRANTED])
        answer = _unpack_grant(reader) if granted else _unpack_refusal(reader)
        reader.end()
    except (MalformedError, ValueError):
        return None
    return answer


def _unpack_refusal(reader: Reader) -> Refusal:
    status, week = reader.unpack(_REFUSAL)
    return Refusal(Reason(status), week)


def _unpack_grant(reader: Reader) -> Grant:
    _, generation, epoch, n, expiry, flags, week, witness, session = reader.unpack(_GRANT)
    return Grant(
        holder_generation=generation,
        epoch=epoch,
        n=n,
        terms=Terms(limit=flags >> 3, direction=Direction(flags >> 2 & 1), expiry=expiry),
        week=week,
        witness=witness,
        session=Key(session),
        sealed=Sealed.unpack(reader.take(SEALED_OCTETS)) if flags & 1 else None,
        derived=bool(flags & 2),
    )

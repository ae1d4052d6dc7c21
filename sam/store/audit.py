"""The audit chain: every decision sealed in its place, so that no change goes unnoticed.

Sealed are the values that never change. What a purge takes away was sealed by its digest, and the
digest stays (sam/README.md, section 16).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.primitives import BLOCK_OCTETS, Prf

_DIGEST, _LINK, _PURGE = (Label.AUDIT.prefix + bytes([kind]) for kind in range(3))
_INTEGER: Final = struct.Struct(">cq")
_REAL: Final = struct.Struct(">cd")
_LENGTH: Final = struct.Struct(">cI")


@frozen
class Head:
    """Where the log ends: how many decisions it has, and the seal over all of them in order."""

    count: int = 0
    seal: bytes = bytes(BLOCK_OCTETS)


@frozen
class Sealed:
    """A new decision's place in the log, from 1, its seals, and the head after it."""

    place: int
    master_id: int
    digest: bytes
    head: Head = field(repr=False)


class AuditChain:
    """Makes and checks the seals; *current* is the id of the master key for new ones."""

    def __init__(self, master_keys: Mapping[int, MasterKey], current: int) -> None:
        self._prfs = {
            master_id: Prf(master.audit_key()) for master_id, master in master_keys.items()
        }
        self._current = current

    def seal(self, head: Head, values: Sequence[Any]) -> Sealed:
        """Seal the immutable values of the decision that comes next after *head*."""
        place = head.count + 1
        digest = self.digest(self._current, place, values)
        return Sealed(place, self._current, digest, self.next(self._current, head, digest))

    def knows(self, master_id: int) -> bool:
        """Tell whether seals under this master key can be checked."""
        return master_id in self._prfs

    def digest(self, master_id: int, place: int, values: Sequence[Any]) -> bytes:
        """Return the seal of one decision's values in its place."""
        return self._prfs[master_id].mac(_DIGEST + place.to_bytes(8) + _octets(values))

    def next(self, master_id: int, head: Head, digest: bytes) -> Head:
        """Return the head after one more decision with this digest."""
        place = head.count + 1
        message = b"%b%b%b%b" % (_LINK, place.to_bytes(8), head.seal, digest)
        return Head(place, self._prfs[master_id].mac(message))

    def purge_mark(self, master_id: int, place: int, digest: bytes, values: Sequence[Any]) -> bytes:
        """Return what marks a decision as purged by Sam itself; *values* are what is left."""
        message = b"%b%b%b%b" % (_PURGE, place.to_bytes(8), digest, _octets(values))
        return self._prfs[master_id].mac(message)


def _octets(values: Sequence[Any]) -> bytes:
    """Write values, each with its kind and, where that varies, its length."""
    return b"".join(map(_value, values))


def _value(value: object) -> bytes:
    if value is None:
        return b"n"
    if isinstance(value, int):
        return _INTEGER.pack(b"i", value)
    if isinstance(value, float):
        return _REAL.pack(b"r", value)
    if isinstance(value, str):
        octets = value.encode("utf-8", "surrogatepass")
        return _LENGTH.pack(b"t", len(octets)) + octets
    assert isinstance(value, bytes)
    return _LENGTH.pack(b"b", len(value)) + value

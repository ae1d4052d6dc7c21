"""The audit chain: every decision sealed in its place, so that no change goes unnoticed.

Sealed are the values that never change. What a purge takes away was sealed by its digest, and the
digest stays (sam/README.md, section 16).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from struct import Struct
from typing import Any, Final, NamedTuple

from attrs import frozen

from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.primitives import BLOCK_OCTETS, Prf

_DIGEST, _LINK, _PURGE = (Label.AUDIT.prefix + bytes([kind]) for kind in range(3))
_PLACE: Final = Struct(">3sQ")
_NUMBERS: Final = {"i": "q", "r": "d"}
_LONG: Final = "tb"


@frozen
class Head:
    """Where the log ends: how many decisions it has, and the seal over all of them in order."""

    count: int = 0
    seal: bytes = bytes(BLOCK_OCTETS)


class Sealed(NamedTuple):
    """A new decision's place in the log, from 1, its seals, and the head after it."""

    place: int
    master_id: int
    digest: bytes
    head: Head


class AuditChain:
    """Makes and checks the seals; *current* is the id of the master key for new ones."""

    def __init__(self, master_keys: Mapping[int, MasterKey], current: int) -> None:
        self._prfs = {
            master_id: Prf(master.audit_key()) for master_id, master in master_keys.items()
        }
        self._current = current

    def seal(self, head: Head, values: Sequence[Any]) -> Sealed:
        """Seal the immutable values of the decision that comes next after *head*."""
        place, master_id = head.count + 1, self._current
        digest = self.digest(master_id, place, values)
        return Sealed(place, master_id, digest, self.next(master_id, head, digest))

    def knows(self, master_id: int) -> bool:
        """Tell whether seals under this master key can be checked."""
        return master_id in self._prfs

    def digest(self, master_id: int, place: int, values: Sequence[Any]) -> bytes:
        """Return the seal of one decision's values in its place."""
        return self._prfs[master_id].mac(_PLACE.pack(_DIGEST, place) + _octets(values))

    def next(self, master_id: int, head: Head, digest: bytes) -> Head:
        """Return the head after one more decision with this digest."""
        place = head.count + 1
        message = _PLACE.pack(_LINK, place) + head.seal + digest
        return Head(place, self._prfs[master_id].mac(message))

    def purge_mark(self, master_id: int, place: int, digest: bytes, values: Sequence[Any]) -> bytes:
        """Return what marks a decision as purged by Sam itself; *values* are what is left."""
        message = _PLACE.pack(_PURGE, place) + digest + _octets(values)
        return self._prfs[master_id].mac(message)


def _octets(values: Sequence[Any]) -> bytes:
    """Write values: the kind of each, the lengths of texts and octets, the numbers, then those."""
    types = tuple(map(type, values))
    layout = _LAYOUTS.get(types)
    if layout is None:
        layout = _LAYOUTS[types] = _layout(values)
    kinds, fixed, is_number, is_long = layout
    long = [
        value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        for value in compress(values, is_long)
    ]
    return b"".join(
        (kinds, fixed.pack(*map(len, long), *compress(values, is_number)), *long),
    )


class _Layout(NamedTuple):
    """How values of these types are written: the letters of all their kinds, the fixed part.

    Told for each: whether it is in the fixed part, or is of a length of its own.
    """

    kinds: bytes
    fixed: Struct
    is_number: list[bool]
    is_long: list[bool]


_LAYOUTS: Final[dict[tuple[type, ...], _Layout]] = {}
"""By the types of the values: a decision's are few, by what of it there is."""


def _layout(values: Sequence[Any]) -> _Layout:
    kinds = "".join(map(_kind, values))
    is_number, is_long = ([kind in of for kind in kinds] for of in (_NUMBERS, _LONG))
    lengths = "I" * sum(is_long)
    numbers = "".join(_NUMBERS.get(kind, "") for kind in kinds)
    return _Layout(f"{kinds}.".encode(), Struct(f">{lengths}{numbers}"), is_number, is_long)


def _kind(value: object) -> str:
    if value is None:
        return "n"
    if isinstance(value, int):
        return "i"
    if isinstance(value, float):
        return "r"
    return "b" if isinstance(value, bytes) else "t"

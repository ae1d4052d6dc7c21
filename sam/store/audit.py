"""The audit chain: every decision sealed in its place, so that no change goes unnoticed.

Sealed are the values that never change. What a purge takes away was sealed by its digest, and the
digest stays (sam/README.md, section 16).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from itertools import compress
from struct import Struct
from typing import Any, Final, NamedTuple

from attrs import frozen

from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.primitives import BLOCK_OCTETS, Prf

_DIGEST, _END, _PURGE = (Label.AUDIT.prefix + bytes([kind]) for kind in range(3))
_PLACED: Final = Struct(f">3sQ{BLOCK_OCTETS}s")
"""What a MAC is for, a place in the log, the digest of the decision before or there."""
NOTHING: Final = bytes(BLOCK_OCTETS)
"""What stands for the digest before the first decision."""
_NUMBERS: Final = {"i": "q", "r": "d"}
_LONG: Final = "tb"


@frozen
class Head:
    """Where the log ends: how many decisions it has, and the digest of the last, thus of all."""

    count: int = 0
    digest: bytes = NOTHING


class AuditChain:
    """Makes and checks the seals; *current* is the id of the master key for new ones."""

    def __init__(self, master_keys: Mapping[int, MasterKey], current: int) -> None:
        self._prfs = {
            master_id: Prf(master.audit_key()) for master_id, master in master_keys.items()
        }
        self.current = current

    def knows(self, master_id: int) -> bool:
        """Tell whether seals under this master key can be checked."""
        return master_id in self._prfs

    def next(self, master_id: int, head: Head, values: Sequence[Any]) -> Head:
        """Return the head after one more decision, of which *values* never change."""
        place = head.count + 1
        message = _PLACED.pack(_DIGEST, place, head.digest) + _octets(values)
        return Head(place, self._prfs[master_id].mac(message))

    def is_next(self, master_id: int, head: Head, values: Sequence[Any], digest: bytes) -> bool:
        """Tell whether this is the digest of a decision with these values after *head*."""
        return hmac.compare_digest(self.next(master_id, head, values).digest, digest)

    def seal(self, master_id: int, head: Head) -> bytes:
        """Return the seal of a log that ends at *head*: no digest in the log tells it."""
        return self._prfs[master_id].mac(_PLACED.pack(_END, head.count, head.digest))

    def is_sealed(self, head: Head, seal: bytes) -> bool:
        """Tell whether this is the seal, under any key known, of a log that ends at *head*."""
        return any(hmac.compare_digest(self.seal(each, head), seal) for each in self._prfs)

    def purge_mark(self, master_id: int, head: Head, digest: bytes, left: Sequence[Any]) -> bytes:
        """Return what marks a decision as purged by Sam itself.

        *head* is the one before the decision, *digest* its own, *left* are the values left of it.
        """
        message = _PLACED.pack(_PURGE, head.count + 1, head.digest) + digest + _octets(left)
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

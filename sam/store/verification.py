"""The log of decisions checked against its seals and the journal: the first that is wrong."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from attrs import frozen

from dtns.sam.store.audit import AuditChain, Head
from dtns.sam.store.database import Meta, read_meta
from dtns.sam.store.entries import Entry
from dtns.sam.store.rows import SEALED_COLUMNS

_ROWS: Final = (
    f"SELECT id, audit_key, digest, purged, {SEALED_COLUMNS}"  # noqa: S608 (constants)
    " FROM decision ORDER BY id"
)
_STRIDE: Final = 1000


@frozen
class Fault:
    """The first decision that is not as Sam made it, and what is wrong with it."""

    decision: int
    reason: str


@frozen
class Verified:
    """What was checked; fault is None if all of it is whole.

    entries counts the journal's, each of which fixes the log up to where it had come.
    """

    decisions: int
    purged: int
    entries: int
    fault: Fault | None = None


class Anchors:
    """The entries of a journal that fix a store's log, by the length that it had at each.

    What was journalled on a line of history that a restore ended does not bear on the log.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        found = list(entries)
        self.entries = len(found)
        self.conflict: Fault | None = None
        self._by_count: dict[int, Entry] = {}
        for entry in _line_of(found):
            self._add(entry)
            if _overtakes_what_was_done(entry, found):
                reason = f"entry {entry.seq} of the journal is of a store put back to entry "
                self.conflict = Fault(entry.head.count + 1, f"{reason}{entry.base}")

    @property
    def last(self) -> int:
        """The greatest length that any entry tells of."""
        return max(self._by_count, default=0)

    def at(self, count: int) -> Entry | None:
        """Return the entry that fixes the log up to this length, if there is one."""
        return self._by_count.get(count)

    def _add(self, entry: Entry) -> None:
        count = entry.head.count
        known = self._by_count.setdefault(count, entry)
        if known.head != entry.head and self.conflict is None:
            reason = f"entries {entry.seq} and {known.seq} of the journal differ about it"
            self.conflict = Fault(count, reason)


def _line_of(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield, last to first, the entries that the store has come through."""
    seq = len(entries) - 1
    while seq >= 0:
        entry = entries[seq]
        yield entry
        before = entry.base if entry.restored is None else entry.restored
        seq = before if seq else -1


def _overtakes_what_was_done(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Tell whether an entry since its base, which failed if it is right, was built upon."""
    overtaken = () if entry.restored is not None else entries[entry.base + 1 : entry.seq]
    return any(each.base != entry.base for each in overtaken)


def verify_log(
    connection: sqlite3.Connection,
    chain: AuditChain,
    anchors: Anchors,
    progress: Callable[[int], None] = lambda _done: None,
) -> Verified:
    """Check every decision of a store that *connection* sees as it is at one moment.

    *anchors* must have been read before. *progress* is told how many decisions are done.
    """
    log = _Log(chain, anchors)
    for place, master_id, digest, mark, *values in connection.execute(_ROWS):
        fault = log.take(place, master_id, digest, mark, values)
        if fault is not None:
            return Verified(log.head.count, log.purged, anchors.entries, fault)
        if log.head.count % _STRIDE == 0:
            progress(log.head.count)
    progress(log.head.count)
    fault = anchors.conflict or log.objection_to_end(read_meta(connection))
    return Verified(log.head.count, log.purged, anchors.entries, fault)


class _Log:
    def __init__(self, chain: AuditChain, anchors: Anchors) -> None:
        self._chain = chain
        self._anchors = anchors
        self.head = Head()
        self.purged = 0

    def take(
        self, place: int, master_id: int, digest: bytes, mark: bytes | None, values: Sequence[Any]
    ) -> Fault | None:
        """Take the next decision into account, or return what is wrong with it."""
        expected = self.head.count + 1
        if place != expected:
            return Fault(min(place, expected), "it was added" if place < 1 else "it is missing")
        reason = self._objection(master_id, digest, mark, values)
        if reason is not None:
            return Fault(place, reason)
        self.head = Head(place, digest)
        self.purged += mark is not None
        anchor = self._anchors.at(place)
        if anchor is not None and anchor.head != self.head:
            return Fault(
                place,
                f"up to it, the log is not the one that entry {anchor.seq} of the journal saw",
            )
        return None

    def objection_to_end(self, meta: Meta) -> Fault | None:
        """Return what is wrong with the end of the log, given what the store says of it."""
        head = meta.head
        if self.head.count < max(head.count, self._anchors.last):
            return Fault(self.head.count + 1, "it is missing, and all after it")
        if self.head.count > head.count:
            return Fault(head.count + 1, "it was added, or the store's head of the log was edited")
        if self.head != head or not self._chain.is_sealed(head, meta.log_seal):
            return Fault(head.count, "the store's head of the log does not fit it")
        return None

    def _objection(
        self, master_id: int, digest: bytes, mark: bytes | None, values: Sequence[Any]
    ) -> str | None:
        if digest is None or master_id is None:
            return "it has no seal: it was added"
        if not self._chain.knows(master_id):
            return f"it was sealed under master key {master_id}, which the key file lacks"
        if mark is None:
            good = self._chain.is_next(master_id, self.head, values, digest)
            return None if good else "it was edited, moved or replaced"
        right = self._chain.purge_mark(master_id, self.head, digest, values)
        good = hmac.compare_digest(right, mark)
        return None if good else "it was blanked or edited, and not by Sam"

"""What a journal knows beyond a store that is to be restored, and what nobody can know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from attrs import define

from dtns.sam.errors import StoreError
from dtns.sam.protocol.keys import MasterKey
from dtns.sam.store.database import Meta
from dtns.sam.store.entries import Change, Entry, EpochRaised
from dtns.sam.store.journal import Journal
from dtns.sam.store.journalfile import Disk
from dtns.sam.store.recovery import committed, insist_same_instance

LOST: Final = """\
parties enrolled, given a new SIM, suspended or resumed since this copy was made: enrol, rekey, \
suspend or resume them again
epochs begun since this copy was made by another restore: if there were any, name a higher one \
with --epoch; a phone that has seen a later one stops Sam, which says so\
""".splitlines()
"""What cannot be known without the journal."""


@define
class Knowledge:
    """What a journal adds to a store. journal is None where none is left.

    place is the entry to which the store had come, -1 if it is in no entry of this journal. epoch
    is the highest that any entry tells of, decisions the greatest length of the log.
    """

    journal: Journal | None
    place: int = 0
    changes: tuple[Change, ...] = ()
    epoch: int = 0
    decisions: int = 0
    unknown: Sequence[str] = ()

    def close(self) -> None:
        """Close the journal."""
        if self.journal is not None:
            self.journal.close()


def look_into_journal(
    path: Path,
    master_keys: Mapping[int, MasterKey],
    meta: Meta,
    made_at: float | None,
    disk: Disk,
) -> Knowledge:
    """Return what the journal knows beyond a store that says *meta* of itself.

    made_at is when the store was copied, None if it is the one in use. Raises StoreError where the
    journal is missing or damaged, or does not go on from this store.
    """
    journal = Journal.open(path, master_keys, disk)
    try:
        insist_same_instance(journal, meta, "the store to be restored")
        entries = list(committed(journal.entries()))
        epoch = max((_epoch(entry) for entry in journal.entries()), default=0)
        decisions = max(entry.head.count for entry in entries)
        start = _start(entries, meta)
        unknown: Sequence[str] = ()
        if start is None and made_at is not None and made_at <= journal.began_at:
            start, unknown = 0, LOST
        changes = _changes_from(start, entries, path)
    except BaseException:
        journal.close()
        raise
    place = entries[start - 1].seq if start else -1
    return Knowledge(journal, place, changes, epoch, decisions, unknown)


def do_without_journal(
    path: Path,
    master_keys: Mapping[int, MasterKey],
    meta: Meta,
    made_at: float | None,
    disk: Disk,
) -> Knowledge:
    """Return what is left to know where the journal is lost; StoreError if it is not."""
    try:
        known = look_into_journal(path, master_keys, meta, made_at, disk)
    except StoreError:
        pass
    else:
        known.close()
        raise StoreError(f"the journal {path} is whole: leave --new-journal out")
    epoch = 0
    try:
        journal = Journal.open(path, master_keys)
    except StoreError:
        return Knowledge(None, unknown=LOST)
    if journal.instance == meta.instance:
        epoch = max((_epoch(entry) for entry in journal.entries()), default=0)
    journal.close()
    return Knowledge(None, epoch=epoch, unknown=LOST)


def new_journal(
    path: Path, master_keys: Mapping[int, MasterKey], meta: Meta, now: float, disk: Disk
) -> tuple[Journal, Path | None]:
    """Make a journal that goes on from a store; what stood in its place is renamed.

    Returns the new one and the place of the old one.
    """
    replaced = None
    if path.exists():
        replaced = free_name(path, now)
        disk.rename(path, replaced)
    Journal.create(path, master_keys, meta.instance, head=meta.head, now=now, disk=disk)
    return Journal.open(path, master_keys, disk), replaced


def free_name(path: Path, now: float) -> Path:
    """Return an unused name for what is moved out of the place *path* at a POSIX time."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = path.with_name(f"{path.name}.replaced-{stamp}")
    count = 1
    while name.exists():
        count += 1
        name = path.with_name(f"{path.name}.replaced-{stamp}-{count}")
    return name


def _start(entries: list[Entry], meta: Meta) -> int | None:
    """Return the index of the first entry beyond the store's place, None if that is not there."""
    for index, entry in enumerate(entries):
        if entry.place == meta.place:
            return index + 1
    return None


def _changes_from(start: int | None, entries: list[Entry], path: Path) -> tuple[Change, ...]:
    if start is None:
        raise StoreError(
            f"the journal {path} does not go on from this store: put the right journal back; if "
            "it is lost, --new-journal goes on without what it knew"
        )
    return tuple(change for entry in entries[start:] for change in entry.changes)


def _epoch(entry: Entry) -> int:
    return max((c.epoch for c in entry.changes if isinstance(c, EpochRaised)), default=0)

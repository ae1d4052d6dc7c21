"""Restores: a backup in the store's place, or the store as it is, in an epoch of its own.

What the journal knows and the restored store does not is done again: parties, generations,
suspensions. The new epoch is above every known one, so that no key can be made a second time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from dtns.sam.errors import StoreError
from dtns.sam.protocol.keys import MAX_EPOCH
from dtns.sam.store.backup import Manifest, Progress, read_backup
from dtns.sam.store.database import BUSY_SECONDS, Meta, fold, read_meta
from dtns.sam.store.entries import EpochRaised
from dtns.sam.store.faults import is_busy
from dtns.sam.store.journalfile import Disk
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.knowledge import (
    LOST,
    Knowledge,
    do_without_journal,
    free_name,
    look_into_journal,
    new_journal,
)
from dtns.sam.store.recovery import follow
from dtns.sam.store.snapshot import snapshot
from dtns.sam.store.store import Store

_BESIDE: Final = ("-wal", "-shm", "-journal")


@frozen
class Site:
    """Where a Sam keeps what it knows, the keys to it, and a clock for POSIX time.

    The caller holds the store's lock.
    """

    store: Path
    journal: Path
    key_file: Path
    master_keys: MasterKeys = field(repr=False)
    clock: Callable[[], float]
    disk: Disk = field(factory=Disk)


@frozen
class Order:
    """What is wanted: a backup to install, or None to go on with the store that is there.

    new_journal makes a new journal in place of one that is lost. The new epoch is *least_epoch*,
    or higher. With *dry* nothing is changed.
    """

    backup: Path | None = None
    new_journal: bool = False
    least_epoch: int = 1
    dry: bool = False


@frozen
class Restoration:
    """What a restore did, or would do.

    decisions are those in the restored store, forgotten those known to have been made since; done
    counts what the journal added; replaced and replaced_journal are where the former ones stand.
    """

    manifest: Manifest | None
    decisions: int
    forgotten: int
    done: Mapping[str, int]
    epoch: int
    unknown: Sequence[str]
    replaced: Path | None = None
    replaced_journal: Path | None = None


class _OnlyPlannedError(Exception):
    """Undoes a restore that is not to be done."""

    def __init__(self, plan: Restoration) -> None:
        super().__init__("a dry run")
        self.plan = plan


def restore(site: Site, order: Order, progress: Progress = lambda _done, _all: None) -> Restoration:
    """Do what *order* says, or find out what would be done.

    The former store stays in its place until the last step; after a crash a restore is run again.
    Raises StoreError, or KeyFileError, where it cannot be done; then no store was replaced.
    """
    if order.backup is None:
        with Store.open(site.store) as store:
            return _bring_forward(store, site, order)
    scratch = site.store.with_name(f"{site.store.name}.restoring")
    try:
        manifest = _unpack(order.backup, scratch, site, progress)
        with Store.open(scratch) as store:
            done = _bring_forward(store, site, order, manifest)
            fold(store.connection, scratch)
        if order.dry:
            return done
        replaced = _put_aside(site)
        site.disk.rename(scratch, site.store)
    except OSError as fault:
        raise StoreError(f"cannot restore to {site.store}: {fault.strerror}") from fault
    finally:
        _clear(scratch)
    return evolve(done, replaced=replaced)


def _bring_forward(
    store: Store, site: Site, order: Order, manifest: Manifest | None = None
) -> Restoration:
    """Do in *store* what the journal knows, begin a new epoch, the journal going ahead."""
    with store.transaction():
        meta = store.meta()
        site.master_keys.insist_on(store.registry.master_keys(), site.key_file)
    former = _meta(site.store, meta)
    look = do_without_journal if order.new_journal else look_into_journal
    made_at = None if manifest is None else manifest.made_at
    known = look(site.journal, site.master_keys.keys, meta, made_at, site.disk)
    try:
        with store.transaction():
            done = follow(store, known.changes, site.master_keys)
            plan = Restoration(
                manifest=manifest,
                decisions=meta.head.count,
                forgotten=max(known.decisions, former.head.count) - meta.head.count,
                done=done,
                epoch=_new_epoch(order, known, (meta, former)),
                unknown=known.unknown or (LOST if _is_short(known, former) else ()),
            )
            return _journal(store, site, order, known, plan)
    except _OnlyPlannedError as end:
        return end.plan
    finally:
        known.close()


def _journal(
    store: Store, site: Site, order: Order, known: Knowledge, plan: Restoration
) -> Restoration:
    """Begin the new epoch, in the journal first."""
    if order.dry:
        raise _OnlyPlannedError(plan)
    meta, now = store.meta(), site.clock()
    if known.journal is None:
        known.journal, replaced = new_journal(
            site.journal, site.master_keys.keys, meta, now, site.disk
        )
        plan = evolve(plan, replaced_journal=replaced)
    changes = (EpochRaised(plan.epoch),)
    base = known.journal.tip.seq
    place = known.journal.append(base, now, meta.head, changes, restored=known.place)
    store.raise_epoch(plan.epoch)
    store.restart_messages()
    store.set_place(place)
    return plan


def _is_short(known: Knowledge, former: Meta) -> bool:
    """Tell whether the store in use had come further than the journal, whose end is then lost."""
    return known.journal is not None and former.place.seq > known.journal.tip.seq


def _new_epoch(order: Order, known: Knowledge, metas: tuple[Meta, Meta]) -> int:
    highest = max(known.epoch, *(max(meta.epoch, meta.proved_epoch) for meta in metas))
    torn = known.journal is not None and known.journal.torn > 0
    # the entry whose half is left may have begun an epoch that nothing else tells of
    epoch = max(highest + (2 if torn else 1), order.least_epoch)
    if epoch > MAX_EPOCH:
        raise StoreError(f"there is no epoch after {MAX_EPOCH}")
    return epoch


def _unpack(backup: Path, scratch: Path, site: Site, progress: Progress) -> Manifest:
    """Write the verified copy that is in a backup to *scratch*, mode 0600, durable."""
    _clear(scratch)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        manifest = read_backup(backup, site.master_keys.keys, file, progress)
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _meta(path: Path, other: Meta) -> Meta:
    """Return what the store in use says of itself, or *other* where it can say nothing.

    Raises StoreError if the two are of different Sams.
    """
    try:
        with snapshot(path) as connection:
            meta = read_meta(connection)
    except (StoreError, sqlite3.Error):
        return other
    if meta.instance != other.instance:
        raise StoreError(
            f"the backup is of another Sam than the store {path}: move that away first, and its "
            "journal, if this is meant"
        )
    return meta


def _put_aside(site: Site) -> Path | None:
    """Rename the store in use, whole or damaged, and return its new place."""
    _insist_unused(site.store)
    aside = free_name(site.store, site.clock())
    found = [suffix for suffix in ("", *_BESIDE) if _beside(site.store, suffix).exists()]
    for suffix in found:
        site.disk.rename(_beside(site.store, suffix), _beside(aside, suffix))
    return aside if "" in found else None


def _insist_unused(path: Path) -> None:
    """Fold what SQLite keeps beside a store into it; StoreError if a program has it open."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            fold(connection, path)
    except sqlite3.DatabaseError as fault:
        if is_busy(fault):
            raise StoreError(f"the store {path} is open in another program: close it") from fault


def _clear(scratch: Path) -> None:
    for path in scratch.parent.glob(f"{scratch.name}*"):
        with suppress(OSError):
            path.unlink()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)

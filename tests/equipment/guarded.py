"""A world whose Sam keeps a journal, and can be killed, backed up and restored."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from world import World

from dtns.sam.store.audit import AuditChain
from dtns.sam.store.backup import make_backup
from dtns.sam.store.journal import Journal
from dtns.sam.store.journalfile import Disk
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.recovery import Mended, begin_journal, join_journal
from dtns.sam.store.restoring import Order, Restoration, Site, restore
from dtns.sam.store.snapshot import snapshot
from dtns.sam.store.verification import Anchors, Verified, verify_log


class KilledError(BaseException):
    """The process ends here; no handler of Exception may go on."""


class FailingDisk(Disk):
    """A disk that fails at a call to come: *left* calls still go well.

    fault is an errno, or None to be killed; half of what is written then gets there. Files can be
    shortened on a full disk. With *late* it fails once the call is done.
    """

    def __init__(
        self, left: int | None = None, fault: int | None = errno.ENOSPC, *, late: bool = False
    ) -> None:
        self.left = left
        self.fault = fault
        self.late = late

    def write(self, descriptor: int, octets: bytes) -> int:
        """Write, or write half and fail."""
        if self._fails():
            os.write(descriptor, octets if self.late else octets[: len(octets) // 2])
            self._fail()
        return super().write(descriptor, octets)

    def sync(self, descriptor: int) -> None:
        """Make durable, or fail."""
        if self._fails():
            self._fail()
        super().sync(descriptor)

    def cut(self, descriptor: int, length: int) -> None:
        """Shorten, or fail."""
        if self.fault != errno.ENOSPC and self._fails():
            self._fail()
        super().cut(descriptor, length)

    def rename(self, old: Path, new: Path) -> None:
        """Rename, or fail before or after."""
        fails = self._fails()
        if self.late or not fails:
            super().rename(old, new)
        if fails:
            self._fail()

    def _fails(self) -> bool:
        if self.left is None:
            return False
        self.left -= 1
        return self.left < 0

    def _fail(self) -> None:
        if self.fault is None:
            raise KilledError
        raise OSError(self.fault, os.strerror(self.fault))


class GuardedWorld(World):
    """One Sam with a journal, and its phones."""

    disk: Disk = Disk()
    mended: Mended | None = None

    @property
    def keys(self) -> MasterKeys:
        """The key file."""
        return MasterKeys({1: self.master}, {1: "00000000"})

    @property
    def path(self) -> Path:
        """Where the store stands."""
        return self.folder / "sam.sqlite"

    @property
    def journal(self) -> Path:
        """Where the journal stands."""
        return self.folder / "sam.journal"

    def open_store(self, path: Path) -> None:
        """Let Sam start on this store."""
        super().open_store(path)
        try:
            if self.journal.exists():
                self.mended = join_journal(self.store, self.journal, self.keys, lambda: self.now)
            else:
                begin_journal(self.store, self.journal, self.keys, lambda: self.now)
        except BaseException:
            self.store.close()
            raise
        assert self.store.guard is not None
        self.store.guard.journal._file._disk = self.disk

    def start(self) -> None:
        """Let Sam start again."""
        self.open_store(self.path)

    def kill(self) -> None:
        """End Sam without a word; what was not committed is gone."""
        self.store.close()

    def restart(self) -> None:
        """Kill Sam and let it start again."""
        self.kill()
        self.start()

    def anchor(self) -> None:
        """Journal the head of the log, as Sam does when it starts and stops."""
        with self.store.transaction():
            assert self.store.guard is not None
            self.store.guard.anchor()

    def backup(self) -> Path:
        """Make a backup while Sam serves."""
        path = self.folder / f"backup-{self.dice.getrandbits(32):x}"
        make_backup(self.path, path, self.master, self.now)
        return path

    def restore(self, backup: Path | None = None, **order: Any) -> Restoration:
        """Stop Sam, restore, and start it again, unless nothing was to be done."""
        self.kill()
        key_file = self.folder / "master.key"
        site = Site(self.path, self.journal, key_file, self.keys, lambda: self.now, self.disk)
        done = restore(site, Order(backup, **order))
        self.start()
        return done

    def verified(self) -> Verified:
        """Verify the log beside the running Sam."""
        journal = Journal.open(self.journal, self.keys.keys)
        anchors = Anchors(journal.entries())
        journal.close()
        with snapshot(self.path) as connection:
            return verify_log(connection, AuditChain(self.keys.keys, 1), anchors)

    def issued(self) -> list[tuple[Any, ...]]:
        """Return, of every key on record, asker, holder, their generations, epoch and n."""
        rows = self.store.connection.execute(
            "SELECT asker, asker_generation, holder, holder_generation, epoch, n FROM decision"
            " WHERE n IS NOT NULL ORDER BY id"
        )
        return rows.fetchall()

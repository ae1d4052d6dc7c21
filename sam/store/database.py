"""The SQLite file: created whole, opened only if it is ours, upgraded after a backup."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from attrs import frozen

from dtns.sam.errors import NoStoreError, StoreError
from dtns.sam.store.audit import Head
from dtns.sam.store.connection import Connection
from dtns.sam.store.entries import Place
from dtns.sam.store.faults import store_faults
from dtns.sam.store.schema import APPLICATION_ID, Schema, current_schema

BUSY_SECONDS: Final = 1.0
WAL_OCTETS_KEPT: Final = 64 * 1024 * 1024
WAL_PAGES: Final = 4000
"""Pages in the write-ahead log, after which they are copied into the file: each only once then."""
_INSTANCE_OCTETS: Final = 8


@frozen
class Meta:
    """What the store says of itself. created_at is a POSIX time, week the last gone by.

    proved_epoch is the latest of which a phone has proved that keys were issued and forgotten.
    place is the entry of the journal that the store has come to, head the end of its log,
    log_seal the seal of that, last_parcel the highest id that any answer in the outbox was given.
    """

    schema_version: int
    instance: str
    epoch: int
    behind: bool
    week: int
    proved_epoch: int
    created_at: float
    place: Place
    head: Head
    log_seal: bytes
    last_parcel: int


class Database:
    """An open store file and its one transaction at a time. Closes with the `with` statement."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self.connection = connection

    @classmethod
    def create(cls, path: Path, now: float, schema: Schema | None = None) -> None:
        """Make an empty store at *path*, mode 0600; all of it or, after a fault, none.

        Raises StoreError if there is a file already or none can be made.
        """
        if path.exists():
            raise StoreError(f"there is a store at {path} already: it is never overwritten")
        scratch = path.with_name(path.name + ".new")
        try:
            scratch.unlink(missing_ok=True)
            os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with store_faults(scratch):
                _fill(scratch, schema or current_schema(), now)
            scratch.rename(path)
            sync_folder(path.parent)
        except OSError as fault:
            raise StoreError(f"cannot make a store at {path}: {fault.strerror}") from fault
        finally:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)

    @classmethod
    def open(cls, path: Path, schema: Schema | None = None) -> Self:
        """Open the store at *path*, upgraded to *schema* (by default the current one).

        Raises StoreError where it is missing, no store of ours, damaged, in use or newer.
        """
        if not path.exists():
            raise NoStoreError(path)
        with store_faults(path):
            connection = _connect(path)
            try:
                insist_ours(connection, path)
                _configure(connection)
                _bring_up_to(connection, path, schema or current_schema())
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        with store_faults(self.path):
            self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Do all that happens inside durably, or none of it.

        Raises StoreError where the disk or the file does not let it be done.
        """
        with store_faults(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self
                self.connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def meta(self) -> Meta:
        """Return what the store says of itself."""
        return read_meta(self.connection)

    def _roll_back(self) -> None:
        self.connection.forget()
        if self.connection.in_transaction:
            with suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable; OSError if the disk does not let it be done."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fold(connection: sqlite3.Connection, path: Path) -> None:
    """Bring all of the write-ahead log into the file at *path*; StoreError if it is in use."""
    (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreError(f"the store {path} is open in another program: close it")


def _connect(path: Path) -> Connection:
    """Open *path*, which must exist; changes nothing."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        factory=Connection,
    )


def _configure(connection: sqlite3.Connection) -> None:
    """Set everything that durability needs."""
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "temp_store = MEMORY",
        f"journal_size_limit = {WAL_OCTETS_KEPT}",
        f"wal_autocheckpoint = {WAL_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _fill(path: Path, schema: Schema, now: float) -> None:
    with closing(_connect(path)) as connection:
        _configure(connection)
        connection.executescript(
            f"BEGIN IMMEDIATE; {schema.creation}; PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        )
        connection.execute(
            "INSERT INTO meta (only_row, schema_version, instance, epoch, created_at)"
            " VALUES (1, ?, ?, 1, ?)",
            (schema.version, secrets.token_hex(_INSTANCE_OCTETS), now),
        )


def insist_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError unless the file is one that this module made."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError(f"{path} is an SQLite file but no dtns store: check the path")


def _bring_up_to(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    (found,) = connection.execute("SELECT schema_version FROM meta").fetchone()
    if found > schema.version:
        raise StoreError(
            f"the store {path} has version {found} and this dtns knows versions up to "
            f"{schema.version}: use the newer dtns that wrote it"
        )
    if found < schema.version:
        _back_up(connection, path.with_name(f"{path.name}.v{found}-backup"))
        for version in range(found + 1, schema.version + 1):
            _upgrade(connection, schema.upgrades[version], version)


def _upgrade(connection: sqlite3.Connection, script: str, version: int) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {script}")
        connection.execute("UPDATE meta SET schema_version = ?", (version,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the store to *path*, mode 0600, durable before this returns."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        with store_faults(path), closing(sqlite3.connect(path)) as copy:
            connection.backup(copy)
        sync_folder(path.parent)
    except OSError as fault:
        raise StoreError(f"cannot back the store up to {path}: {fault.strerror}") from fault


def read_meta(connection: sqlite3.Connection) -> Meta:
    """Return what a store says of itself."""
    version, instance, epoch, behind, week, proved, created_at, *rest = connection.execute(
        "SELECT schema_version, instance, epoch, behind, week, proved_epoch, created_at,"
        " journal_seq, journal_mac, log_count, log_digest, log_seal, last_parcel FROM meta"
    ).fetchone()
    ends = Place(*rest[:2]), Head(*rest[2:4]), *rest[4:]
    return Meta(version, instance, epoch, bool(behind), week, proved, created_at, *ends)

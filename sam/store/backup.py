"""Backups: a copy of the store as it was at one moment, with a trailer that proves it whole.

A backup is the SQLite file and, after it, one block of JSON: what it is a copy of, its length and
checksum, and a MAC by which Sam knows its own. The master keys are not in it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import cattrs
from attrs import asdict, evolve, field, frozen

from dtns.sam.errors import StoreError
from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.primitives import cmac
from dtns.sam.store.database import read_meta, sync_folder
from dtns.sam.store.faults import store_faults
from dtns.sam.store.snapshot import snapshot

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""

TRAILER_OCTETS: Final = 1024
_PAGES: Final = 256
_CHUNK: Final = 1 << 20
_FORMAT: Final = 1


@frozen
class Manifest:
    """What a backup says of itself. octets is the copy's length; made_at is a POSIX time."""

    octets: int
    sha256: str
    instance: str
    schema_version: int
    epoch: int
    journal_entry: int
    decisions: int
    parties: int
    made_at: float
    master_id: int
    mac: str = field(default="", repr=False)


def make_backup(
    store: Path,
    target: Path,
    master: MasterKey,
    now: float,
    progress: Progress = lambda _done, _all: None,
) -> Manifest:
    """Copy the store as it is now to *target*, mode 0600, whole and durable or not at all.

    Sam may go on serving. Raises StoreError if *target* exists, or nothing can be written there.
    """
    if os.path.lexists(target):
        raise StoreError(f"{target} is there already: a backup overwrites nothing")
    with _appearing(target) as scratch:
        facts = _copy(store, scratch, progress)
        with scratch.open("r+b") as file:
            octets, sha256 = _checksum(file, _length(file))
            manifest = Manifest(octets, sha256, **facts, made_at=now, master_id=master.master_id)
            manifest = evolve(manifest, mac=_mac(master, manifest))
            file.write(_trailer(manifest))
            file.flush()
            os.fsync(file.fileno())
    return manifest


def read_backup(
    path: Path,
    master_keys: Mapping[int, MasterKey] | None,
    copy: BinaryIO | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Manifest:
    """Verify a backup to its last octet, copying it to *copy*, and return what it says of itself.

    Without master keys only damage is noticed; with them, what is not Sam's own as well. Raises
    StoreError for what is no whole backup of this Sam's.
    """
    try:
        with path.open("rb") as file:
            octets = _length(file) - TRAILER_OCTETS
            manifest = _read_trailer(path, file, octets)
            file.seek(0)
            found = _checksum(file, octets, copy, progress)
    except OSError as fault:
        raise StoreError(f"cannot read the backup {path}: {fault.strerror}") from fault
    if found != (manifest.octets, manifest.sha256):
        raise StoreError(f"the backup {path} is damaged: its checksum is wrong; use another")
    if master_keys is not None:
        _insist_own(path, manifest, master_keys)
    return manifest


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Yield a private file in the same folder that gets the name *target* once it is done."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(descriptor)
        scratch = Path(name)
        try:
            yield scratch
            _name(scratch, target)
        finally:
            for suffix in ("", "-journal", "-wal", "-shm"):
                with suppress(OSError):
                    scratch.with_name(scratch.name + suffix).unlink(missing_ok=True)
        sync_folder(target.parent)
    except OSError as fault:
        raise StoreError(f"cannot write the backup {target}: {fault.strerror}") from fault


def _name(scratch: Path, target: Path) -> None:
    """Give a file its name, unless there is one of that name by now."""
    try:
        os.link(scratch, target)
    except FileExistsError:
        raise
    except OSError:
        if target.exists():
            raise
        scratch.rename(target)


def _copy(store: Path, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Copy a moment of the store, a few pages at a time, and return facts about it."""
    with (
        snapshot(store) as source,
        store_faults(scratch),
        closing(sqlite3.connect(scratch)) as copy,
    ):
        copy.execute("PRAGMA synchronous = OFF")
        meta = read_meta(source)
        (parties,) = source.execute("SELECT count(*) FROM party").fetchone()
        source.backup(
            copy, pages=_PAGES, progress=lambda _, left, pages: progress(pages - left, pages)
        )
    return {
        "instance": meta.instance,
        "schema_version": meta.schema_version,
        "epoch": meta.epoch,
        "journal_entry": meta.place.seq,
        "decisions": meta.head.count,
        "parties": parties,
    }


def _checksum(
    file: BinaryIO,
    octets: int,
    copy: BinaryIO | None = None,
    progress: Progress = lambda _done, _all: None,
) -> tuple[int, str]:
    """Read *octets* on, copying them, and return how many there were, and their SHA-256."""
    digest, done = hashlib.sha256(), 0
    while chunk := file.read(min(_CHUNK, octets - done)):
        digest.update(chunk)
        if copy is not None:
            copy.write(chunk)
        done += len(chunk)
        progress(done, octets)
    return done, digest.hexdigest()


def _length(file: BinaryIO) -> int:
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    return length


def _trailer(manifest: Manifest) -> bytes:
    values = {"dtns_backup": _FORMAT, **asdict(manifest)}
    return b"\n" + json.dumps(values).encode().ljust(TRAILER_OCTETS - 2) + b"\n"


def _read_trailer(path: Path, file: BinaryIO, octets: int) -> Manifest:
    try:
        file.seek(max(octets, 0))
        values = json.loads(file.read(TRAILER_OCTETS))
        found = values.pop("dtns_backup")
        manifest = cattrs.structure(values, Manifest)
    except (ValueError, KeyError, AttributeError, cattrs.BaseValidationError):
        raise StoreError(
            f"{path} is no backup by `dtns backup`, or its end is missing: use another"
        ) from None
    if found != _FORMAT:
        raise StoreError(f"the backup {path} was made by a newer dtns: use that")
    return manifest


def _insist_own(path: Path, manifest: Manifest, master_keys: Mapping[int, MasterKey]) -> None:
    master = master_keys.get(manifest.master_id)
    if master is None:
        raise StoreError(
            f"the backup {path} was made under master key {manifest.master_id}, which the key "
            "file lacks: put it back first"
        )
    if not hmac.compare_digest(_mac(master, manifest), manifest.mac):
        raise StoreError(f"the backup {path} is not this Sam's own, or was changed: use another")


def _mac(master: MasterKey, manifest: Manifest) -> str:
    values = json.dumps(asdict(evolve(manifest, mac=""))).encode()
    return cmac(master.backup_key(), Label.BACKUP.prefix + values).hex()

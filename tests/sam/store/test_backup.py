"""Backups: whole, private, never overwriting, and known again when they are read."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from guarded import GuardedWorld

from dtns.sam.errors import StoreError
from dtns.sam.protocol.keys import MasterKey
from dtns.sam.store.backup import TRAILER_OCTETS, Manifest, make_backup, read_backup
from dtns.sam.store.database import Database
from dtns.sam.store.snapshot import snapshot


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GuardedWorld]:
    """A Sam with two parties and a key."""
    made = GuardedWorld(tmp_path)
    made.key(made.phone(), made.phone())
    yield made
    made.kill()


def read(world: GuardedWorld, path: Path) -> Manifest:
    """Read a backup with the world's keys."""
    return read_backup(path, world.keys.keys)


def test_a_backup_is_private_and_says_what_it_is_of(world: GuardedWorld) -> None:
    """Mode 0600; instance, epoch, journal entry, decisions and parties are in it."""
    path = world.backup()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    manifest = read(world, path)
    with world.store.transaction():
        meta = world.store.meta()
    assert manifest.instance == meta.instance
    assert (manifest.epoch, manifest.decisions, manifest.parties) == (1, 1, 2)
    assert (manifest.journal_entry, manifest.made_at) == (meta.place.seq, world.now)
    assert manifest.octets == path.stat().st_size - TRAILER_OCTETS
    assert sorted(entry.name for entry in world.folder.iterdir() if entry.name[0] == ".") == []


def test_the_copy_is_a_store(world: GuardedWorld) -> None:
    """What stands before the trailer is an SQLite file with everything that was committed."""
    copy = io.BytesIO()
    read_backup(world.backup(), world.keys.keys, copy)
    path = world.folder / "copy"
    path.write_bytes(copy.getvalue())
    with closing(Database.open(path)) as store:
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert store.connection.execute("SELECT count(*) FROM decision").fetchone() == (1,)


def test_no_master_key_is_in_it(world: GuardedWorld) -> None:
    """Nor is any key of a party."""
    octets = world.backup().read_bytes()
    assert bytes(range(32)) not in octets
    for phone in world.phones:
        for key in (phone.sim.keys.ask, phone.sim.keys.ticket, phone.sim.keys.answer):
            assert key not in octets


def test_a_backup_overwrites_nothing(world: GuardedWorld) -> None:
    """Not a file, and not what a link points to."""
    path = world.backup()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="overwrites nothing"):
        make_backup(world.path, path, world.master, world.now)
    (world.folder / "link").symlink_to(world.folder / "nowhere")
    with pytest.raises(StoreError, match="overwrites nothing"):
        make_backup(world.path, world.folder / "link", world.master, world.now)
    assert path.read_bytes() == before


def test_sam_goes_on_while_the_copy_is_of_one_moment(world: GuardedWorld) -> None:
    """Between any two steps of the copying Sam can commit; none of it is in the backup."""
    alice, bob = world.phones
    for _ in range(30):
        world.answer(world.ask(alice, bob))
    world.store.connection.execute("CREATE TABLE filler (x)")
    world.store.connection.execute("INSERT INTO filler VALUES (zeroblob(8000000))")
    with world.store.transaction():
        before = world.store.meta().head.count
    seen: list[int] = []

    def go_on(done: int, _everything: int) -> None:
        seen.append(done)
        if len(seen) < 6:
            world.answer(world.ask(bob, alice))

    path = world.folder / "b"
    manifest = make_backup(world.path, path, world.master, world.now, go_on)
    assert len(seen) > 6
    assert seen == sorted(seen)
    assert manifest.decisions == before
    assert world.verified().decisions == before + 5
    restored = world.restore(path)
    assert (restored.decisions, restored.forgotten) == (before, 5)


def test_damage_anywhere_is_noticed(world: GuardedWorld) -> None:
    """An octet changed, or any part of the end missing, with the keys at hand or not."""
    path = world.backup()
    whole = path.read_bytes()
    length = len(whole)
    for place in (0, 5000, length - TRAILER_OCTETS - 1, length - TRAILER_OCTETS + 60):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match=r"damaged|no backup"):
            read_backup(path, None)
    for cut in (1, 500, TRAILER_OCTETS, TRAILER_OCTETS + 1, length - 1, length):
        path.write_bytes(whole[: length - cut])
        with pytest.raises(StoreError, match=r"damaged|no backup|cannot read"):
            read_backup(path, None)
    path.write_bytes(whole)
    assert read_backup(path, None) == read(world, path)


def test_a_backup_that_was_edited_or_is_of_another_sam_is_refused(world: GuardedWorld) -> None:
    """A right checksum is not enough: Sam knows its own."""
    path = world.backup()
    octets = path.read_bytes()
    path.write_bytes(octets.replace(b'"epoch": 1', b'"epoch": 7'))
    read_backup(path, None)
    with pytest.raises(StoreError, match="not this Sam's own, or was changed"):
        read(world, path)
    path.write_bytes(octets)
    with pytest.raises(StoreError, match="not this Sam's own"):
        read_backup(path, {1: MasterKey(1, bytes(32))})
    with pytest.raises(StoreError, match="under master key 1, which the key file lacks"):
        read_backup(path, {2: MasterKey(2, bytes(32))})
    path.write_bytes(octets.replace(b'"dtns_backup": 1', b'"dtns_backup": 2'))
    with pytest.raises(StoreError, match="newer dtns"):
        read(world, path)
    with pytest.raises(StoreError, match="cannot read the backup"):
        read(world, world.folder / "nowhere")


def test_a_backup_that_fails_leaves_nothing(
    world: GuardedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room, no folder, no store: a message, and no file of any name."""
    before = sorted(world.folder.iterdir())
    with pytest.raises(StoreError, match="cannot write the backup"):
        make_backup(world.path, world.folder / "no" / "b", world.master, world.now)
    with pytest.raises(StoreError, match="there is no store"):
        make_backup(world.folder / "no", world.folder / "b", world.master, world.now)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot write the backup .*No space left"):
        make_backup(world.path, world.folder / "b", world.master, world.now)
    assert sorted(world.folder.iterdir()) == before


def test_a_killed_sam_s_store_can_be_backed_up(world: GuardedWorld, tmp_path: Path) -> None:
    """What a killed Sam had committed is in the backup, though it stands beside the store yet."""
    alice, bob = world.phones
    world.answer(world.ask(bob, alice))
    aside = tmp_path / "killed"
    aside.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{world.path}{suffix}", aside)
    before = sorted(entry.read_bytes() for entry in aside.iterdir())
    manifest = make_backup(aside / "sam.sqlite", tmp_path / "b", world.master, world.now)
    assert manifest.decisions == 2
    kept = [entry for entry in aside.iterdir() if not entry.name.endswith("-shm")]
    assert sorted(entry.read_bytes() for entry in kept) == before


def test_a_snapshot_reads_only_our_stores_of_this_version(world: GuardedWorld) -> None:
    """Others are named and left alone; nothing can be written through it."""
    with snapshot(world.path) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("UPDATE meta SET epoch = 2")
    (world.folder / "x").write_bytes(b"")
    with pytest.raises(StoreError, match="no dtns store"), snapshot(world.folder / "x"):
        pass
    world.store.connection.execute("UPDATE meta SET schema_version = 99")
    with pytest.raises(StoreError, match="has version 99"), snapshot(world.path):
        pass
    world.store.connection.execute("UPDATE meta SET schema_version = 1")

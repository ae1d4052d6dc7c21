"""The store's file: made whole, opened only if it is ours, and its faults in plain words."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dtns.sam.errors import StoreError
from dtns.sam.store.schema import Schema, current_schema, load_schema
from dtns.sam.store.store import Store

NOW = 1_800_000_000.0
HOLD = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def newer() -> Schema:
    """A made-up version 2: one more column, given a value from the old ones."""
    script = """
        ALTER TABLE party ADD COLUMN name TEXT NOT NULL DEFAULT '';
        UPDATE party SET name = 'party ' || number;
    """
    now = current_schema()
    return Schema(2, now.creation, {2: script})


def fill(path: Path, number: int = 254700000001) -> None:
    """Put one party into a store, behind its back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO party (number, generation, epoch, master_id, enrolled_at)"
            " VALUES (?, 1, 1, 1, 0)",
            (number,),
        )


def parties(path: Path, columns: str = "number") -> list[tuple[object, ...]]:
    """Read the parties of a store, behind its back."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {columns} FROM party ORDER BY number").fetchall()


def test_a_new_store_is_private_empty_and_of_epoch_1(path: Path) -> None:
    """Creation leaves one file, mode 0600, and nothing beside it."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with Store.open(path) as store, store.transaction():
        meta = store.meta()
    assert (meta.schema_version, meta.epoch, meta.behind) == (1, 1, False)
    assert meta.created_at == NOW
    assert len(meta.instance) == 16


def test_the_journal_is_private_too(store: Store) -> None:
    """What SQLite puts beside the store is as private as the store."""
    store.connection.execute("UPDATE meta SET behind = 1")
    beside = sorted(entry for entry in store.path.parent.iterdir() if entry != store.path)
    assert [entry.name for entry in beside] == ["sam.sqlite-shm", "sam.sqlite-wal"]
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in beside} == {0o600}


def test_a_store_is_never_overwritten(path: Path) -> None:
    """Creating where a store stands is refused and leaves it as it was."""
    before = path.read_bytes()
    with pytest.raises(StoreError, match="never overwritten"):
        Store.create(path, NOW)
    assert path.read_bytes() == before


def test_two_stores_are_two_instances(tmp_path: Path) -> None:
    """Every store has an id of its own."""
    instances = set()
    for name in ("a", "b"):
        Store.create(tmp_path / name, NOW)
        with Store.open(tmp_path / name) as store, store.transaction():
            instances.add(store.meta().instance)
    assert len(instances) == 2


def test_a_creation_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A store is there whole or not at all."""
    broken = Schema(1, "CREATE TABLE meta (x); CREATE TABLE meta (x);", {})
    with pytest.raises(sqlite3.OperationalError):
        Store.create(tmp_path / "s", NOW, broken)
    with pytest.raises(StoreError, match="cannot make a store"):
        Store.create(tmp_path / "no" / "folder", NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_crash_in_creation_is_no_obstacle(tmp_path: Path) -> None:
    """What a crashed creation left is cleared away by the next one."""
    (tmp_path / "s.new").write_bytes(b"half a store")
    Store.create(tmp_path / "s", NOW)
    Store.open(tmp_path / "s").close()


def test_a_missing_store_is_not_made_by_opening(tmp_path: Path) -> None:
    """Opening nothing says what makes a store, and makes none."""
    with pytest.raises(StoreError, match="dtns init"):
        Store.open(tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no dtns store"),
        (b"hello, this is a letter and not a database " * 50, "no dtns store"),
        (b"SQLite format 3\0" + b"\xff" * 4000, "no dtns store|is damaged"),
    ],
)
def test_what_is_no_store_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """A file that is no store of ours is named, and left as it is."""
    path = tmp_path / "s"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=words) as caught:
        Store.open(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    """A directory in the store's place gets a plain message."""
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(tmp_path)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """An SQLite file of somebody else's is not touched."""
    with closing(sqlite3.connect(tmp_path / "s")) as connection:
        connection.execute("CREATE TABLE meta (schema_version)")
    before = (tmp_path / "s").read_bytes()
    with pytest.raises(StoreError, match="no dtns store"):
        Store.open(tmp_path / "s")
    assert (tmp_path / "s").read_bytes() == before


def test_a_damaged_page_is_noticed_in_plain_words(path: Path) -> None:
    """Damage in the middle of the file is a StoreError that names the file and a remedy."""
    for number in range(254700000001, 254700000600):
        fill(path, number)
    octets = bytearray(path.read_bytes())
    for page in range(4096, len(octets), 4096):
        octets[page : page + 200] = b"\xa5" * 200
    path.write_bytes(octets)
    with (
        pytest.raises(StoreError, match=r"sam\.sqlite is damaged: put back"),
        Store.open(path) as store,
        store.transaction(),
    ):
        store.registry.parties("*", None, 1000)


def test_a_newer_store_is_refused(path: Path) -> None:
    """A store of a newer version is refused, both versions named, and not touched."""
    Store.open(path, newer()).close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="version 2 and this dtns knows versions up to 1"):
        Store.open(path)
    assert path.read_bytes() == before


def test_an_older_store_is_upgraded_after_a_backup(path: Path) -> None:
    """The upgrade keeps what was there, and the store as it was stands beside it, private."""
    fill(path)
    with Store.open(path, newer()) as store, store.transaction():
        assert store.meta().schema_version == 2
    assert parties(path, "name") == [("party 254700000001",)]
    backup = path.with_name("sam.sqlite.v1-backup")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert parties(backup) == [(254700000001,)]
    Store.open(backup).close()


def test_a_failing_upgrade_changes_nothing(path: Path) -> None:
    """An upgrade that breaks half way leaves the old version, whole."""
    fill(path)
    broken = Schema(2, "", {2: "DROP TABLE load; INSERT INTO nowhere VALUES (1);"})
    with pytest.raises(sqlite3.OperationalError):
        Store.open(path, broken)
    with Store.open(path) as store, store.transaction():
        assert store.meta().schema_version == 1
        assert store.connection.execute("SELECT count(*) FROM load").fetchone() == (0,)


def test_several_versions_are_climbed_in_turn(path: Path) -> None:
    """From version 1 to 3 both scripts run, in order."""
    scripts = {2: newer().upgrades[2], 3: "ALTER TABLE party RENAME COLUMN name TO called;"}
    Store.open(path, Schema(3, "", scripts)).close()
    assert parties(path, "called") == []


def test_schema_files_are_found_by_their_names(tmp_path: Path) -> None:
    """The newest creation script and all upgrade scripts of a folder make up the schema."""
    for name in ("schema-v1.sql", "schema-v2.sql", "upgrade-to-v2.sql", "notes.txt"):
        (tmp_path / name).write_text(name)
    schema = load_schema(tmp_path)
    assert schema == Schema(2, "schema-v2.sql", {2: "upgrade-to-v2.sql"})


def test_the_current_schema_can_be_reached_from_every_older_one() -> None:
    """No version is without the script that leads to it."""
    schema = current_schema()
    assert sorted(schema.upgrades) == list(range(2, schema.version + 1))


def test_what_raises_in_a_transaction_is_undone(store: Store) -> None:
    """An exception leaves nothing of the transaction, neither on disk nor in memory."""

    def note_and_fail() -> None:
        with store.transaction():
            store.note_behind(1)
            assert store.behind / 0

    with pytest.raises(ZeroDivisionError):
        note_and_fail()
    with store.transaction():
        assert not store.behind


def _write_much(store: Store) -> None:
    with store.transaction():
        store.note_behind(1)
        for master_id in range(1, 200):
            store.registry.note_master_key(master_id, "x" * 4000)


def test_a_full_disk_is_told_and_nothing_is_half_done(store: Store) -> None:
    """When the file cannot grow, the transaction is undone and the next one works."""
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="its disk is full"):
        _write_much(store)
    with store.transaction():
        assert not store.behind
        assert store.registry.master_keys() == {}
        store.note_behind(1)
    store.connection.execute("PRAGMA max_page_count = 100000")
    with store.transaction():
        store.registry.note_master_key(1, "x" * 4000)
        assert store.behind


def test_a_store_that_cannot_be_written_is_told(store: Store) -> None:
    """Read-only, the store refuses to write and goes on once it may again."""
    store.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="cannot be written"), store.transaction():
        store.note_behind(1)
    store.connection.execute("PRAGMA query_only = OFF")
    with store.transaction():
        store.note_behind(1)


def test_a_lock_by_another_program_is_told(path: Path) -> None:
    """Another program's write lock ends in a message, not in a wait for ever."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with Store.open(path) as store:
            with pytest.raises(StoreError, match="locked by another"), store.transaction():
                store.note_behind(1)
            holder.communicate(b"")
            with store.transaction():
                store.note_behind(1)


def test_a_commit_is_on_disk_when_it_returns(store: Store) -> None:
    """Durability is not left to chance: WAL, synchronous FULL, foreign keys."""
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for name, value in pragmas.items():
        assert store.connection.execute(f"PRAGMA {name}").fetchone() == (value,)

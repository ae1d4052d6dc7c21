"""The disk that fails takes away what was not synchronised, and nothing else."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from sqlitedisk import available

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not available(), reason="SQLite is built into this Python")
CONTENT = "a" * 10_000

PROGRAM = """
import os, sqlite3, sys
from pathlib import Path
sys.path.insert(0, {here!r})
import osdisk, sqlitedisk
from disk import Disk, Fault, Kind
folder = Path({folder!r})
disk = Disk(folder, Fault({at}, Kind.{kind}, 7, 60.0) if {at} else None)
osdisk.install(disk)
sqlitedisk.install(disk)
{work}
print(disk.steps)
"""

DURABLE = """
with (folder / "new").open("w") as file:
    file.write("a" * 10_000); file.flush(); os.fsync(file.fileno())
os.replace(folder / "new", folder / "file")
os.fsync(os.open(folder, os.O_RDONLY))
"""
NOT_DURABLE = DURABLE.replace("os.fsync(file.fileno())", "")

MANY = """
from dtns.sam.handset.documents import write_documents
write_documents(folder, {"file": b"a" * 10_000, "other": b"a" * 10_000})
"""

COMMIT = """
store = sqlite3.connect(folder / "store", isolation_level=None)
store.execute("PRAGMA journal_mode = WAL")
store.execute("PRAGMA synchronous = {synchronous}")
store.execute("CREATE TABLE fact (text TEXT)")
store.execute("INSERT INTO fact VALUES ('a')")
(folder / "told").write_text("yes")
"""


def run(folder: Path, work: str, at: int = 0, kind: str = "LOST") -> tuple[int, str]:
    """Do *work* on a disk that fails at a step; return the exit code and what was printed."""
    text = PROGRAM.format(here=str(HERE), folder=str(folder), at=at, kind=kind, work=work)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode <= 0 or "Error" in done.stderr, done.stderr
    return done.returncode, done.stdout or done.stderr


def each_cut(folder: Path, work: str, kind: str) -> list[Path]:
    """Cut the power before every step of *work*, and once after the last; return the folders."""
    steps = int(run(_new(folder / "whole"), work)[1])
    cut = [_new(folder / str(at)) for at in range(1, steps + 2)]
    for at, place in enumerate(cut, 1):
        code, _ = run(place, f"{work}\ndisk.step('end')", at, kind)
        assert code == -signal.SIGKILL
    return cut


def _new(folder: Path) -> Path:
    folder.mkdir()
    (folder / "file").write_text("before")
    return folder


@pytest.mark.parametrize("kind", ["KEPT", "LOST", "TORN"])
def test_a_synchronised_file_is_old_or_new(tmp_path: Path, kind: str) -> None:
    """With fsync before and after the renaming, every cut leaves the old content or the new."""
    found = [(place / "file").read_text() for place in each_cut(tmp_path, DURABLE, kind)]
    assert set(found) == {"before", CONTENT}
    assert found[-1] == CONTENT, "all was synchronised, and something is gone"


@pytest.mark.parametrize("kind", ["KEPT", "LOST", "TORN"])
def test_documents_written_together_are_each_old_or_new(tmp_path: Path, kind: str) -> None:
    """One synchronisation of the whole disk before they are renamed is enough for all."""
    places = each_cut(tmp_path, MANY, kind)
    others = [place / "other" for place in places]
    assert {(place / "file").read_text() for place in places} == {"before", CONTENT}
    assert {other.read_text() for other in others if other.exists()} == {CONTENT}
    assert others[-1].exists()


def test_an_unsynchronised_file_is_lost(tmp_path: Path) -> None:
    """Without fsync the name survives the power cut and the content does not."""
    found = [(place / "file").read_text() for place in each_cut(tmp_path, NOT_DURABLE, "LOST")]
    assert found[-1] == ""


def test_an_unsynchronised_file_is_torn(tmp_path: Path) -> None:
    """Some cuts leave a part of the pages."""
    found = [(place / "file").read_bytes() for place in each_cut(tmp_path, NOT_DURABLE, "TORN")]
    assert set(found) - {b"before", CONTENT.encode()}


def _facts(place: Path) -> int:
    store = sqlite3.connect(place / "store")
    try:
        return int(store.execute("SELECT count(*) FROM fact").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        store.close()


def _told(place: Path) -> bool:
    return (place / "told").exists()


@pytest.mark.parametrize("kind", ["LOST", "TORN"])
def test_sqlite_keeps_what_it_synchronised(tmp_path: Path, kind: str) -> None:
    """With synchronous = FULL no cut takes away a commit that was told of."""
    cut = each_cut(tmp_path, COMMIT.format(synchronous="FULL"), kind)
    assert all(_facts(place) for place in cut if _told(place))
    assert not all(_facts(place) for place in cut)


def test_sqlite_loses_what_it_did_not_synchronise(tmp_path: Path) -> None:
    """With synchronous = OFF a commit that was told of is gone after some cut."""
    cut = each_cut(tmp_path, COMMIT.format(synchronous="OFF"), "LOST")
    assert not _facts(cut[-1])


@pytest.mark.parametrize(
    ("kind", "word"), [("EIO", "Input/output"), ("ENOSPC", "No space"), ("EROFS", "Read-only")]
)
def test_an_error_reaches_the_program(tmp_path: Path, kind: str, word: str) -> None:
    """Each error is the system's own, and the file keeps its old content."""
    code, said = run(_new(tmp_path / "d"), DURABLE, 1, kind)
    assert code == 1
    assert word in said
    assert (tmp_path / "d" / "file").read_text() == "before"


@pytest.mark.parametrize(
    ("kind", "word"), [("EIO", "disk I/O"), ("ENOSPC", "is full"), ("EROFS", "unable to open")]
)
def test_an_error_reaches_sqlite(tmp_path: Path, kind: str, word: str) -> None:
    """SQLite sees a failing disk as it sees a real one."""
    code, said = run(_new(tmp_path / "d"), COMMIT.format(synchronous="FULL"), 1, kind)
    assert code == 1
    assert word in said

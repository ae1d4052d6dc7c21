"""Private documents: whole after any crash, noticed when damaged, read by their owner alone."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dtns.sam.errors import SimFileError
from dtns.sam.handset import documents
from dtns.sam.handset.documents import (
    document,
    read_document,
    sync_all,
    write_document,
    write_documents,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KIND = "dtns trial 1"
OLD = {"counter": 1, "keys": ["00" * 8], "note": 'quoted "thus" \\'}
NEW = {"counter": 2, "keys": ["ff" * 16] * 30, "note": ""}
DIES = 77


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A document that holds OLD."""
    path = tmp_path / "document"
    write_document(path, KIND, OLD)
    return path


def test_what_is_written_is_read(path: Path) -> None:
    """A document comes back as it was, and its replacement in its place."""
    assert read_document(path, KIND) == OLD
    write_document(path, KIND, NEW)
    assert read_document(path, KIND) == NEW
    assert [file.name for file in path.parent.iterdir()] == ["document"]


def test_a_document_that_is_not_there_is_none(tmp_path: Path) -> None:
    """Absence is an answer, not a fault."""
    assert read_document(tmp_path / "nothing", KIND) is None


def _is_noticed(path: Path) -> bool:
    try:
        read_document(path, KIND)
    except SimFileError:
        return True
    return False


def test_no_byte_can_be_damaged_unnoticed(path: Path) -> None:
    """Any octet changed, lost or doubled is noticed, or else was white space that says nothing."""
    whole = path.read_bytes()
    for place, octet in enumerate(whole):
        rest = whole[place + 1 :]
        changes = [bytes([octet ^ bit]) for bit in (1, 0x20, 0x80)]
        for change in [*changes, b"", b"0", b" "]:
            damaged = whole[:place] + change + rest
            if damaged == whole:
                continue
            path.write_bytes(damaged)
            if not _is_noticed(path):
                assert chr(octet).isspace() or change.isspace(), (place, change)
                assert read_document(path, KIND) == OLD


def test_a_document_cut_short_is_noticed(path: Path) -> None:
    """No beginning of a document passes for the whole."""
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(SimFileError, match="damaged"):
            read_document(path, KIND)


@pytest.mark.parametrize(
    "octets",
    [b"", b"null", b"[]", b'{"kind": 1}', b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b"{}" * 3],
)
def test_what_is_no_document_is_damaged(path: Path, octets: bytes) -> None:
    """Whatever a file holds, reading it says that it is damaged, and nothing else happens."""
    path.write_bytes(octets)
    with pytest.raises(SimFileError, match="damaged"):
        read_document(path, KIND)


def test_another_kind_is_refused(path: Path) -> None:
    """A document of another kind, or of a later version, is not taken for this one."""
    with pytest.raises(SimFileError, match="no dtns trial 2"):
        read_document(path, "dtns trial 2")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_document_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    """A file with keys that others may read is refused with what to do."""
    path.chmod(mode)
    with pytest.raises(SimFileError, match="chmod 600"):
        read_document(path, KIND)


def test_a_document_is_its_owners_whatever_the_umask(tmp_path: Path) -> None:
    """A document is never readable by others, not for a moment, under the widest umask."""
    before = os.umask(0)
    try:
        write_document(tmp_path / "document", KIND, OLD)
    finally:
        os.umask(before)
    assert (tmp_path / "document").stat().st_mode & 0o777 == 0o600


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    """A folder where a document should be is told as what it is."""
    with pytest.raises(SimFileError, match="directory"):
        read_document(tmp_path, KIND)


def test_a_document_that_cannot_be_written_leaves_the_old_one(path: Path) -> None:
    """Where the folder is gone, or a folder stands in the way, there is a message."""
    with pytest.raises(SimFileError, match="cannot write"):
        write_document(path / "below" / "document", KIND, NEW)
    (path.parent / "document.new").mkdir()
    with pytest.raises(SimFileError, match="cannot write"):
        write_document(path, KIND, NEW)
    assert read_document(path, KIND) == OLD


def test_a_link_in_the_way_is_not_followed(path: Path) -> None:
    """What stands where the scratch file goes is replaced, never written through."""
    other = path.parent / "other"
    other.write_text("mine")
    (path.parent / "document.new").symlink_to(other)
    write_document(path, KIND, NEW)
    assert other.read_text() == "mine"
    assert read_document(path, KIND) == NEW


def _die_at(step: int) -> None:
    """End the process at the step-th thing that it asks of the file system from now on."""
    left = iter(range(step))

    def hook(event: str, _arguments: tuple[Any, ...]) -> None:
        if (event == "open" or event.startswith("os.")) and next(left, None) is None:
            os._exit(DIES)

    sys.addaudithook(hook)


def test_a_crash_at_any_step_leaves_old_or_new(
    path: Path, in_child: Callable[[Callable[[], None]], int]
) -> None:
    """Wherever a process ends while it writes, what is read afterwards is the old or the new."""
    found: list[Any] = []
    for step in range(20):
        write_document(path, KIND, OLD)

        def work(step: int = step) -> None:
            _die_at(step)
            write_document(path, KIND, NEW)

        ended = in_child(work)
        found.append(read_document(path, KIND))
        assert found[-1] in (OLD, NEW)
        if ended == 0:
            break
        assert ended == DIES
    assert found[0] == OLD
    assert found[-1] == NEW
    assert len(found) >= 4
    assert sorted(found, key=lambda document: document["counter"]) == found


def test_a_disk_that_fills_at_any_octet_leaves_the_old_one(
    path: Path, in_child: Callable[[Callable[[], None]], int]
) -> None:
    """Wherever the disk is full there is a message, and the old document stands."""

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for room in (0, 1, 100, 1000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            with contextlib.suppress(SimFileError):
                write_document(path, KIND, NEW)
                os._exit(1)
            assert read_document(path, KIND) == OLD

    assert in_child(work) == 0
    assert read_document(path, KIND) == OLD
    write_document(path, KIND, NEW)
    assert read_document(path, KIND) == NEW


def test_a_message_never_holds_what_was_in_the_document(path: Path) -> None:
    """No text of a fault shows any content of a document with keys."""
    path.write_bytes(path.read_bytes().replace(b"0000", b"00z0", 1))
    with pytest.raises(SimFileError) as fault:
        read_document(path, KIND)
    assert "00" * 4 not in str(fault.value)


def test_documents_are_written_together(tmp_path: Path) -> None:
    """Each is there, for its owner alone; what a crash left half done is written anew."""
    (tmp_path / "b.new").write_bytes(b"half")
    write_documents(tmp_path, {"a": document(KIND, OLD), "b": document(KIND, NEW)})
    assert read_document(tmp_path / "a", KIND) == OLD
    assert read_document(tmp_path / "b", KIND) == NEW
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b"]


def test_a_disk_that_failed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be made durable does not take its name."""
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_all(-1)

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(documents, "sync_all", fail)
    with pytest.raises(SimFileError, match="Input/output error"):
        write_documents(tmp_path, {"a": document(KIND, OLD)})
    assert not (tmp_path / "a").exists()


def test_all_is_synchronised_where_one_disk_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without syncfs, sync does it."""
    called: list[str] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    monkeypatch.setattr(os, "sync", lambda: called.append("sync"))
    sync_all(-1)
    assert called == ["sync"]

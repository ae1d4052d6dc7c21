"""A socket's path: taken from the dead, never from the living."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback.socketfile import SocketFile


def listen(path: Path) -> socket.socket:
    """Listen at *path*, as a server that knows nothing of locks."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    """A claimed path cannot be claimed until it is released, which leaves no file."""
    first, second = (SocketFile(str(tmp_path / "sock")) for _ in range(2))
    first.claim()
    with pytest.raises(AddressTakenError, match="already listens"):
        second.claim()
    first.release()
    first.release()
    assert list(tmp_path.iterdir()) == []
    second.claim()
    second.release()


def test_stale_socket_is_removed(tmp_path: Path) -> None:
    """The socket of a dead server is removed."""
    path = tmp_path / "sock"
    listen(path).close()
    SocketFile(str(path)).claim()
    assert not path.exists()


def test_live_server_is_left_alone(tmp_path: Path) -> None:
    """A server that listens without the lock keeps its socket, and the lock is given up."""
    path = tmp_path / "sock"
    with listen(path) as server:
        with pytest.raises(AddressTakenError, match="another server listens"):
            SocketFile(str(path)).claim()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        server.accept()[0].close()
    SocketFile(str(path)).claim()


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_socket_is_left_alone(tmp_path: Path, kind: str) -> None:
    """A file, a directory or a symbolic link at the path is refused and kept."""
    path = tmp_path / "sock"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("elsewhere")
    with pytest.raises(AddressTakenError, match="left alone"):
        SocketFile(str(path)).claim()
    assert list(tmp_path.iterdir()) == [path]


def test_lock_is_no_link(tmp_path: Path) -> None:
    """A symbolic link in place of the lock is not followed."""
    (tmp_path / "sock.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(AddressTakenError, match="cannot listen"):
        SocketFile(str(tmp_path / "sock")).claim()
    assert not (tmp_path / "victim").exists()


def test_missing_directory(tmp_path: Path) -> None:
    """A directory that does not exist is named."""
    with pytest.raises(AddressTakenError, match="nowhere/sock: No such file or directory"):
        SocketFile(str(tmp_path / "nowhere" / "sock")).claim()


def test_lock_of_a_dead_server(tmp_path: Path) -> None:
    """A lock file that nobody holds, left by a kill, is no obstacle."""
    (tmp_path / "sock.lock").touch()
    SocketFile(str(tmp_path / "sock")).claim()

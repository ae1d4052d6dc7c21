"""systemd is told by datagrams, on the socket and at the pace that it names."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from dtns.sam.service.notifying import READY, Supervisor


@pytest.fixture
def listening(tmp_path: Path) -> socket.socket:
    """Return a datagram socket as systemd's."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(os.fspath(tmp_path / "notify"))
    listener.settimeout(5)
    return listener


def test_it_hears_of_readiness_and_of_life(listening: socket.socket) -> None:
    """READY once, then a sign of life three times in each watchdog's time."""
    environment = {"NOTIFY_SOCKET": listening.getsockname(), "WATCHDOG_USEC": "6000000"}
    supervisor, clock = Supervisor.of(environment), Clock()
    supervisor.tell(READY)
    loop = supervisor.keep_alive(clock)
    assert loop is not None
    clock.pump([1.0] * 6)
    assert listening.recv(99) == b"READY=1"
    assert [listening.recv(99) for _ in range(4)] == [b"WATCHDOG=1"] * 4
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):
        listening.recv(99)
    listening.close()


def test_an_abstract_socket_is_reached() -> None:
    """A name that starts with @ is in no file system."""
    name = f"dtns-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(5)
        Supervisor.of({"NOTIFY_SOCKET": f"@{name}"}).tell(READY)
        assert listener.recv(99) == b"READY=1"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "/nowhere/at/all"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "junk"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "1000"},
    ],
)
def test_without_systemd_nothing_happens(environment: dict[str, str]) -> None:
    """No socket, none that listens, no watchdog or another process's: all is let be."""
    supervisor = Supervisor.of(environment)
    supervisor.tell(READY)
    assert supervisor.keep_alive(Clock()) is None

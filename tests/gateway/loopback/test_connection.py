"""One connection: which of its lines are served at once, and which wait for their turn."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from twisted.internet.testing import StringTransport

from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.connection import FREE_LINES, Connection
from dtns.gateway.loopback.turns import Turns
from dtns.gateway.loopback.wire import encode

if TYPE_CHECKING:
    from dtns.gateway.loopback.turns import Talker

PING = encode(op.Ping())
RECEIVED = encode(op.Received("run-1"))


class Transport(StringTransport):
    """A transport that has the handle of a Unix socket."""

    def getHandle(self) -> Any:  # noqa: N802 # Twisted's name
        """Return what is asked for its family."""
        return SimpleNamespace(family=socket.AF_UNIX)


class Queue(Turns):
    """Turns that are taken by hand."""

    def __init__(self) -> None:
        self.waiting: list[Talker] = []

    def join(self, talker: Talker) -> None:
        """Note who waits."""
        self.waiting.append(talker)


class Spoken:
    """A connection, what was served of it, and whether it ended."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.queue, self.transport = Queue(), Transport()
        self.connection = Connection(
            lambda: 0.0,
            self.queue,
            lambda _: None,
            lambda _, operation: self.served.append(type(operation).__name__),
            lambda _: self.served.append("lost"),
        )
        self.connection.makeConnection(self.transport)


def test_one_line_at_a_time() -> None:
    """The first is served at once, each further one in its turn; until then nothing is read."""
    spoken = Spoken()
    spoken.connection.dataReceived(PING * 3)
    assert spoken.served == ["Ping"]
    assert spoken.transport.producerState == "paused"
    (talker,) = spoken.queue.waiting
    assert [talker.serve_next(), talker.serve_next()] == [True, False]
    assert spoken.served == ["Ping"] * 3
    assert spoken.transport.producerState == "producing"


def test_who_acknowledges_may_answer() -> None:
    """An acknowledgement takes no turn, and neither does one line for each."""
    spoken = Spoken()
    spoken.connection.dataReceived(RECEIVED * 3 + PING * 5)
    assert spoken.served == ["Received"] * 3 + ["Ping"] * 4
    assert len(spoken.queue.waiting) == 1


def test_free_lines_are_bounded() -> None:
    """Nobody holds up others by acknowledging without end, or by what it earned so."""
    spoken = Spoken()
    spoken.connection.dataReceived(RECEIVED * 1000 + PING * 1000)
    assert len(spoken.served) == FREE_LINES
    (talker,) = spoken.queue.waiting
    while "Ping" not in spoken.served:
        before = len(spoken.served)
        talker.serve_next()
        assert len(spoken.served) - before <= FREE_LINES
    talker.serve_next()
    talker.serve_next()
    assert spoken.served.count("Ping") <= 2 * FREE_LINES + 2


def test_a_client_that_does_not_read_is_not_served() -> None:
    """Its turn passes it by until it reads; then it waits for one again."""
    spoken = Spoken()
    spoken.connection.dataReceived(PING * 3)
    (talker,) = spoken.queue.waiting
    spoken.connection.pauseProducing()
    assert not talker.serve_next()
    assert (spoken.served, spoken.transport.producerState) == (["Ping"], "paused")
    spoken.connection.resumeProducing()
    assert len(spoken.queue.waiting) == 2
    assert talker.serve_next()
    assert not talker.serve_next()
    assert (spoken.served, spoken.transport.producerState) == (["Ping"] * 3, "producing")


def test_the_end_comes_after_what_was_said() -> None:
    """A connection that is gone is served to the end and then told of, once; cut off, at once."""
    spoken = Spoken()
    spoken.connection.dataReceived(PING * 2)
    spoken.connection.connectionLost()
    assert spoken.served == ["Ping"]
    assert not spoken.queue.waiting[0].serve_next()
    assert spoken.served == ["Ping", "Ping", "lost"]
    cut = Spoken()
    cut.connection.dataReceived(PING * 2)
    cut.connection.abort()
    cut.connection.connectionLost()
    assert not cut.queue.waiting[0].serve_next()
    assert cut.served == ["Ping", "lost"]

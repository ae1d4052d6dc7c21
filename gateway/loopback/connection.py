"""One connection to the network's server: lines in, lines out, bounded both ways."""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from zope.interface import implementer

from dtns.gateway.errors import WireError
from dtns.gateway.loopback.operations import Error, Noted, Received
from dtns.gateway.loopback.wire import Lines, decode_from_client, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from dtns.gateway.loopback.operations import FromClient, FromNetwork
    from dtns.gateway.loopback.turns import Turns

BACKLOG_OCTETS: Final = 1 << 21
FREE_LINES: Final = 64
"""Most lines of a connection that cost it no turn, in one turn."""
_KEEPALIVE: Final = (
    (socket.TCP_KEEPIDLE, 60),
    (socket.TCP_KEEPINTVL, 20),
    (socket.TCP_KEEPCNT, 3),
)


@implementer(IPushProducer)
class Connection(Protocol):
    """A client of the network.

    While the client does not read, nothing it sends is served either; a client with more than
    `BACKLOG_OCTETS` unread is cut off. What it says beyond one line at a time waits for *turns*,
    and nothing more is read from it until then. Acknowledgements cost it no turn, and each earns
    one line that costs none: what was acknowledged had its turn when it was submitted, and may
    be answered. `busy_at` is when it last was of use, by *clock*.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        turns: Turns,
        made: Callable[[Connection], None],
        received: Callable[[Connection, FromClient], None],
        lost: Callable[[Connection], None],
    ) -> None:
        self._clock = clock
        self._turns = turns
        self._made = made
        self._received = received
        self._lost = lost
        self._lines = Lines()
        self._unserved: deque[bytes] = deque()
        self._earned = 0
        self._waits = False
        self._faulty: str | None = None
        self._open = False
        self._gone = False
        self._backlog: int | None = None
        self.busy_at = clock()

    @property
    def stalled(self) -> bool:
        """Whether the client leaves unread what was written to it, perhaps its last line."""
        return self._backlog is not None or not self._open

    def connectionMade(self) -> None:  # noqa: N802 # Twisted's name
        """Begin to watch the client's reading, and whether it is still there."""
        self._open = True
        transport = self._transport()
        transport.registerProducer(self, streaming=True)
        handle = transport.getHandle()
        if handle.family != socket.AF_UNIX:
            transport.setTcpKeepAlive(True)
            for option, value in _KEEPALIVE:
                handle.setsockopt(socket.IPPROTO_TCP, option, value)
        self._made(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 # Twisted's name
        """Serve the first line that *data* completes, and the others in their turn."""
        try:
            self._unserved.extend(self._lines.feed(data))
        except WireError as error:
            self._faulty = str(error)
        if not self._waits and self.serve_next():
            self._waits = True
            self._transport().pauseProducing()
            self._turns.join(self)

    def serve_next(self) -> bool:
        """Serve the lines that cost no turn and one that does; tell whether more can be served."""
        for _ in range(FREE_LINES):
            if not self._servable or not self._is_free(self._serve_one()):
                break
        if not self._unserved and self._faulty is not None and self._open:
            self.refuse(self._faulty)
        if self._servable:
            return True
        self._rest()
        return False

    @property
    def _servable(self) -> bool:
        return bool(self._unserved) and (self._backlog is None or self._gone)

    def _serve_one(self) -> FromClient | None:
        try:
            operation = decode_from_client(self._unserved.popleft())
        except WireError as error:
            self.write(Error(str(error)))
            return None
        self.busy_at = self._clock()
        self._received(self, operation)
        return operation

    def _is_free(self, served: FromClient | None) -> bool:
        acknowledged = isinstance(served, Received | Noted)
        self._earned = max(-1, min(self._earned + (1 if acknowledged else -1), FREE_LINES))
        if self._earned < 0:
            self._earned = 0
            return False
        return True

    def _rest(self) -> None:
        """Wait for no turn any more: all is served, or the client does not read."""
        waited, self._waits = self._waits, False
        if self._gone:
            self._lost(self)
        elif waited and self._open and self._backlog is None:
            self._transport().resumeProducing()

    def write(self, operation: FromNetwork) -> None:
        """Write one line, unless the connection is going away."""
        if not self._open:
            return
        line = encode(operation)
        self._transport().write(line)
        if self._backlog is not None:
            self._backlog += len(line)
            if self._backlog > BACKLOG_OCTETS:
                self.abort()

    def refuse(self, reason: str) -> None:
        """Tell the client why, and hang up."""
        self.write(Error(reason))
        self._unserved.clear()
        if self._open:
            self._open = False
            self._transport().unregisterProducer()
            self._transport().loseConnection()

    def abort(self) -> None:
        """Hang up at once; what is unread or unserved is dropped."""
        self._open = False
        self._unserved.clear()
        self._transport().abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002, N802 # Twisted's
        """Tell the server, once all that the client said is served."""
        self._open = False
        self._gone = True
        if self._unserved and not self._waits:
            self._waits = True
            self._turns.join(self)
        elif not self._waits:
            self._lost(self)

    def pauseProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Stop reading until the client reads; called again with every write until then."""
        if self._backlog is None:
            self._backlog = 0
            self.busy_at = self._clock()
            self._transport().pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Go on serving, then reading: the client has read everything."""
        self._backlog = None
        if self._unserved and not self._waits:
            self._waits = True
            self._turns.join(self)
        elif not self._waits:
            self._transport().resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Nothing more can be written; the transport reports the loss itself."""
        self._open = False

    def _transport(self) -> Any:
        return self.transport  # producing, aborting and its socket are beyond ITransport

"""One connection to the network's server: lines in, lines out, bounded both ways."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from zope.interface import implementer

from dtns.gateway.errors import WireError
from dtns.gateway.loopback.operations import Error
from dtns.gateway.loopback.wire import Lines, decode_from_client, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from dtns.gateway.loopback.operations import FromClient, FromNetwork

BACKLOG_OCTETS: Final = 1 << 21
_KEEPALIVE: Final = (
    (socket.TCP_KEEPIDLE, 60),
    (socket.TCP_KEEPINTVL, 20),
    (socket.TCP_KEEPCNT, 3),
)


@implementer(IPushProducer)
class Connection(Protocol):
    """A client of the network.

    While the client does not read, nothing it sends is read either; a client with more than
    `BACKLOG_OCTETS` unread is cut off. `busy_at` is when it last was of use, by *clock*.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        made: Callable[[Connection], None],
        received: Callable[[Connection, FromClient], None],
        lost: Callable[[Connection], None],
    ) -> None:
        self._clock = clock
        self._made = made
        self._received = received
        self._lost = lost
        self._lines = Lines()
        self._open = False
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
        """Serve the lines that *data* completes."""
        try:
            for line in self._lines.feed(data):
                if not self._open:
                    return
                self._serve(line)
        except WireError as error:
            self.refuse(str(error))

    def _serve(self, line: bytes) -> None:
        try:
            operation = decode_from_client(line)
        except WireError as error:
            self.write(Error(str(error)))
            return
        self.busy_at = self._clock()
        self._received(self, operation)

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
        if self._open:
            self._open = False
            self._transport().unregisterProducer()
            self._transport().loseConnection()

    def abort(self) -> None:
        """Hang up at once; what is unread is dropped."""
        self._open = False
        self._transport().abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002, N802 # Twisted's
        """Tell the server."""
        self._open = False
        self._lost(self)

    def pauseProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Stop reading until the client reads; called again with every write until then."""
        if self._backlog is None:
            self._backlog = 0
            self.busy_at = self._clock()
            self._transport().pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Go on reading: the client has read everything."""
        self._backlog = None
        self._transport().resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Nothing more can be written; the transport reports the loss itself."""
        self._open = False

    def _transport(self) -> Any:
        return self.transport  # producing, aborting and its socket are beyond ITransport

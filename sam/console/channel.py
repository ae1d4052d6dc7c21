"""HTTP connections that are bounded: in number, in size, and in the time that a request takes."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.web.http import HTTPChannel

CONNECTIONS: Final = 64
REQUEST_SECONDS: Final = 20.0
"""How long a request may take to arrive, from its connection or the response before it on."""
MAX_BODY: Final = 64 * 1024
"""Most octets in a request's body."""


class BoundedChannel(HTTPChannel):
    """One connection; hung up when a request does not arrive whole in time.

    A site has CONNECTIONS of them at most. For a further one that goes which has been waiting
    longest for a request, so that idle ones lock nobody out; if none waits, the new one goes.
    """

    site: Any
    """The site whose connection this is."""
    _deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        """Begin to wait for a request, if there is room."""
        super().connectionMade()
        self.site.channels.add(self)
        if len(self.site.channels) > CONNECTIONS:
            waiting = [each for each in self.site.channels if each.waits_until is not None]
            min(waiting, key=lambda each: each.waits_until, default=self).abort()
        if self in self.site.channels:
            self._wait()

    def connectionLost(self, reason: Any = connectionDone) -> None:  # noqa: N802 (Twisted's name)
        """Forget the connection."""
        self.site.channels.discard(self)
        self._arrived()
        super().connectionLost(reason)

    def allContentReceived(self) -> None:  # noqa: N802 (Twisted's name)
        """Stop the clock: what now takes time is the response."""
        self._arrived()
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:  # noqa: N802 (Twisted's name)
        """Wait for the next request, which may have come already."""
        if self in self.site.channels:
            self._wait()
        super().requestDone(request)

    @property
    def waits_until(self) -> float | None:
        """When the request that this connection waits for must be here; None while it has one."""
        return None if self._deadline is None else self._deadline.getTime()

    def refuse(self, status: bytes) -> None:
        """Answer with a bare status line and hang up, whatever is still to come."""
        transport: Any = self.transport
        transport.write(b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status)
        self.loseConnection()

    def abort(self) -> None:
        """Cut the connection off."""
        self.site.channels.discard(self)
        self._arrived()
        transport: Any = self.transport
        transport.abortConnection()

    def _wait(self) -> None:
        self._arrived()
        self._deadline = self.site.reactor.callLater(REQUEST_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        """Close once what was answered has left; cut off who does not take it."""
        self._deadline = self.site.reactor.callLater(REQUEST_SECONDS, self.abort)
        self.loseConnection()

    def _arrived(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

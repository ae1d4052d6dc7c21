"""One viewer's stream of events: server-sent events, bounded for a viewer who does not read."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import LoopingCall
from twisted.web.server import Request
from zope.interface import implementer

UNREAD: Final = 1000
"""Events that wait for a viewer who does not read; then the stream ends."""
BEAT_SECONDS: Final = 15.0


@implementer(IPushProducer)
class Stream:
    """Writes events to *request* until the viewer goes, or cannot keep up; *over* fires then."""

    def __init__(self, request: Request, reactor: Any) -> None:
        self._request = request
        self._waiting: list[bytes] = []
        self._paused = False
        self.over: Deferred[None] = Deferred()
        request.setHeader("Content-Type", "text/event-stream; charset=utf-8")
        request.notifyFinish().addErrback(lambda _: self._end())
        request.registerProducer(self, True)
        self._beat = LoopingCall(lambda: self._write(b":\n\n"))
        self._beat.clock = reactor
        self._beat.start(BEAT_SECONDS)

    def send(self, text: str) -> None:
        """Send one event: a JSON text on one line."""
        self._write(b"data: %b\n\n" % text.encode())

    def _write(self, octets: bytes) -> None:
        if self.over.called:
            return
        if not self._paused:
            self._request.write(octets)
            return
        self._waiting.append(octets)
        if len(self._waiting) > UNREAD:
            self.close()

    def close(self) -> None:
        """Hang up."""
        if not self.over.called:
            channel: Any = self._request.channel
            channel.abort()

    def _end(self) -> None:
        self._beat.stop()
        self._waiting.clear()
        self.over.callback(None)

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Keep back what comes."""
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Write what was kept back."""
        self._paused = False
        waiting, self._waiting = self._waiting, []
        for octets in waiting:
            self._write(octets)

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Keep nothing more: the connection reports its loss itself."""
        self._paused = True

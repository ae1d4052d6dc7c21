"""Responses that are made while they are read, no faster than the browser takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Cooperator
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IPushProducer)
class Stream:
    """Writes pieces to a request one a turn, and waits while its connection is full.

    Ends early, quietly, where the browser goes away. Where a piece cannot be made the connection
    is cut off, so that nobody takes what came for the whole.
    """

    _log = Logger()

    def __init__(self, request: Any, pieces: Iterator[bytes], reactor: Any) -> None:
        self._request = request
        self._cooperator = Cooperator(scheduler=lambda work: reactor.callLater(0, work))
        self._task = self._cooperator.cooperate(map(request.write, pieces))
        self._paused = False
        self._gone = False

    async def run(self) -> bool:
        """Write everything; tell whether the browser was there to the end."""
        self._request.notifyFinish().addErrback(self._leave)
        self._request.registerProducer(self, streaming=True)
        done: Deferred[Any] = self._task.whenDone()
        await done.addErrback(self._failed)
        if not self._gone:
            self._request.unregisterProducer()
        return not self._gone

    def _failed(self, failure: Failure) -> None:
        if not self._gone:
            self._log.failure("an export broke off", failure=failure, event="export-broken")
            self._gone = True
            self._request.unregisterProducer()
            self._request.channel.abort()

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Wait: what was written has not left yet."""
        if not self._paused:
            self._paused = True
            self._task.pause()

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Go on."""
        if self._paused:
            self._paused = False
            self._task.resume()

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Stop: nobody is there any more."""

    def _leave(self, _failure: Any) -> None:
        if not self._gone:
            self._gone = True
            self._task.stop()

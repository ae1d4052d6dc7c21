"""The stage as its viewers have it: a `dtns simulator` of its own, and what it has told so far."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger

COMMAND: Final = (sys.executable, "-m", "dtns.sam", "simulator")
REMEMBERED: Final = 400
"""Events that a viewer who comes later is told."""
STOP_SECONDS: Final = 15.0

Told = dict[str, Any]


class StageProcess:
    """Runs one stage at a time; watchers get every object that it tells, as a JSON text."""

    def __init__(self, reactor: Any, command: tuple[str, ...] = COMMAND) -> None:
        self._reactor = reactor
        self._command = command
        self._child: _Child | None = None
        self._wanted = False
        self._latest: dict[str, str] = {}
        self._events: deque[str] = deque(maxlen=REMEMBERED)
        self.watchers: set[Callable[[str], None]] = set()

    def start(self) -> None:
        """Put up a stage, if there is none; after one that is just being taken down, another."""
        self._wanted = True
        if self._child is None:
            self._child = _Child(self._told, self._ended, self._reactor)
            self._reactor.spawnProcess(
                self._child, self._command[0], self._command, env=dict(os.environ)
            )

    async def stop(self) -> None:
        """Take the stage down; nothing of it is left."""
        self._wanted = False
        if self._child is not None:
            await self._child.stop()

    async def restart(self) -> None:
        """Take the stage down and put up another."""
        await self.stop()
        self._pass_on(json.dumps({"restarted": True}))
        self.start()

    def order(self, order: Mapping[str, Any]) -> bool:
        """Give the stage an order; False if there is no stage."""
        if self._child is None or self._child.stopping:
            return False
        self._child.tell(order)
        return True

    def past(self) -> list[str]:
        """Return what a viewer who comes now has to know: how things are, and what happened."""
        return [*self._latest.values(), *self._events]

    def _told(self, line: bytes) -> None:
        text = line.decode()
        told: Told = json.loads(text)
        if "screen" in told or "off" in told:
            self._latest[f"phone {told['phone']}"] = text
        elif "network" in told:
            self._latest["network"] = text
        elif "refused" not in told:
            self._events.append(text)
        self._pass_on(text)

    def _ended(self, last_words: str) -> None:
        """Tell that the stage is down; *last_words* where that was not wanted."""
        self._child = None
        self._latest.clear()
        self._events.clear()
        self._pass_on(json.dumps({"down": True, "why": last_words}))
        if self._wanted and not last_words:
            self.start()

    def _pass_on(self, text: str) -> None:
        for watcher in list(self.watchers):
            watcher(text)


class _Child(ProcessProtocol):
    _log = Logger()

    def __init__(
        self, told: Callable[[bytes], None], ended: Callable[[str], None], reactor: Any
    ) -> None:
        self._told = told
        self._ended = ended
        self._reactor = reactor
        self._unread = b""
        self._words = ""
        self.stopping = False
        self._over: Deferred[None] = Deferred()

    def tell(self, order: Mapping[str, Any]) -> None:
        transport: Any = self.transport
        transport.write(json.dumps(order).encode() + b"\n")

    def outReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._told(line)

    def errReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        for line in data.decode(errors="replace").splitlines():
            self._words = line

    def processEnded(self, reason: Any) -> None:  # noqa: ARG002, N802 (Twisted's name)
        if not self.stopping:
            self._log.error("the two phones stopped: {words}", words=self._words, event="stage")
        self._ended("" if self.stopping else self._words or "they ended by themselves.")
        self._over.callback(None)

    async def stop(self) -> None:
        transport: Any = self.transport
        if not self.stopping:
            self.stopping = True
            transport.closeStdin()
        late = self._reactor.callLater(STOP_SECONDS, self._kill)
        await self._over
        if late.active():
            late.cancel()

    def _kill(self) -> None:
        transport: Any = self.transport
        try:
            transport.signalProcess("KILL")
        except ProcessExitedAlready:
            return

"""A phone on the stage: a `dtns phone` of its own that takes keys and tells its screens."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger

_DTNS: Final = (sys.executable, "-m", "dtns.sam")
STOP_SECONDS: Final = 5.0


class PhoneProcess(ProcessProtocol):
    """Starts the phone of a SIM file; *told* gets every object that it tells."""

    _log = Logger()

    def __init__(
        self,
        sim: Path,
        network: str,
        contacts: Mapping[str, str],
        told: Callable[[dict[str, Any]], None],
        reactor: Any,
    ) -> None:
        self._told = told
        self._reactor = reactor
        self._unread = b""
        self.ended: Deferred[None] = Deferred()
        names = [f"--contact={name}={number}" for name, number in contacts.items()]
        command = [*_DTNS, "phone", str(sim), "--network", network, "keypad", *names]
        self._process = reactor.spawnProcess(self, command[0], command, env=dict(os.environ))

    def tell(self, order: Mapping[str, Any]) -> None:
        """Tell the phone one thing."""
        transport: Any = self.transport
        transport.write(json.dumps(order).encode() + b"\n")

    def outReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Pass on what the phone tells."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._told(json.loads(line))

    def errReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Log what the phone complains of."""
        self._log.warn("a phone says: {text}", text=data.decode(errors="replace"), event="phone")

    def processEnded(self, reason: Any) -> None:  # noqa: ARG002, N802 (Twisted's name)
        """Tell that the phone is off."""
        self._told({"off": True})
        self.ended.callback(None)

    async def stop(self) -> None:
        """Switch the phone off, kindly at first."""
        transport: Any = self.transport
        transport.closeStdin()
        late = self._reactor.callLater(STOP_SECONDS, self.kill)
        await self.ended
        if late.active():
            late.cancel()

    def kill(self) -> None:
        """Pull the battery out, whatever the phone is at."""
        try:
            self._process.signalProcess("KILL")
        except ProcessExitedAlready:
            return

"""The stage as a process: orders on standard input, what is seen on standard output."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.python.failure import Failure

from dtns.gateway.steady import use_steady_clock
from dtns.sam.configuration import Config
from dtns.sam.service.logs import begin_logging
from dtns.sam.simulator.orders import OrderError, read_order
from dtns.sam.simulator.stage import Stage

LINE_OCTETS: Final = 1024


class Lines(Protocol):
    """Reads orders until their end, and writes what is told."""

    def __init__(self, config: Config, sims: Mapping[str, Path], reactor: Any) -> None:
        self.stage = Stage(config, sims, self.tell, reactor)
        self._reactor = reactor
        self._unread = b""

    def tell(self, told: Mapping[str, Any]) -> None:
        """Write one object."""
        transport: Any = self.transport
        transport.write(json.dumps(told).encode() + b"\n")

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Obey or refuse each line; what is too long is refused as a whole."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            whole, self._unread = self._unread + line, b""
            self._obey(whole)
        self._unread = (self._unread + rest)[: LINE_OCTETS + 1]

    def _obey(self, line: bytes) -> None:
        try:
            if len(line) > LINE_OCTETS:
                raise OrderError(f"an order has at most {LINE_OCTETS} octets")  # noqa: TRY301 (one place refuses)
            self.stage.obey(read_order(line, self.stage.phones))
        except OrderError as fault:
            self.tell({"refused": str(fault)})

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002, N802 (Twisted's name)
        """End when nobody gives orders any more."""
        if self._reactor.running:
            self._reactor.stop()


def run_stage(config: Config, sims: Mapping[str, Path]) -> None:
    """Run the stage until standard input ends; raises what kept it from starting."""
    os.umask(0o077)
    reactor: Any = _reactor
    use_steady_clock(reactor)
    begin_logging()
    lines = Lines(config, sims, reactor)
    standard_io: Any = StandardIO
    faults: list[Failure] = []

    def failed(failure: Failure) -> None:
        faults.append(failure)
        reactor.stop()

    def begin() -> None:
        standard_io(lines, reactor=reactor)
        Deferred.fromCoroutine(lines.stage.start()).addErrback(failed)

    reactor.callWhenRunning(begin)
    reactor.addSystemEventTrigger(
        "before", "shutdown", lambda: Deferred.fromCoroutine(lines.stage.stop())
    )
    reactor.run()
    if faults:
        faults[0].raiseException()

"""Run a loopback network as a process of its own."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from dtns.gateway.loopback.server import LoopbackServer
from dtns.gateway.steady import use_steady_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from dtns.gateway.loopback.address import Address
    from dtns.gateway.loopback.conditions import Conditions


def announce_ready(address: Address) -> None:
    """Print the `ready` event, one JSON object on a line, to stderr."""
    event = {"event": "ready", "component": "network", "address": str(address)}
    sys.stderr.write(json.dumps(event) + "\n")
    sys.stderr.flush()


def serve_network(
    address: Address,
    conditions: Conditions,
    seed: int,
    reactor: Any,
    announce: Callable[[Address], None] = announce_ready,
) -> None:
    """Run *reactor* with a network until SIGTERM; tell *announce* the address once it listens.

    Raises:
        AddressTakenError: the address cannot be listened at.
        KeyboardInterrupt: SIGINT stopped it, as cleanly as SIGTERM does.
    """
    use_steady_clock(reactor)
    server = LoopbackServer(reactor, address, conditions, seed)
    faults: list[Failure] = []
    interrupts: list[int] = []

    def failed(failure: Failure) -> None:
        faults.append(failure)
        reactor.stop()

    def start() -> None:
        Deferred.fromCoroutine(server.start()).addCallback(announce).addErrback(failed)

    def interrupt(number: int, _frame: object) -> None:
        if not interrupts:
            reactor.callFromThread(reactor.stop)
        interrupts.append(number)

    def stop() -> Deferred[None]:
        return Deferred.fromCoroutine(server.stop())

    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", stop)
    signal.signal(signal.SIGINT, interrupt)
    reactor.run()
    if faults:
        faults[0].raiseException()
    if interrupts:
        raise KeyboardInterrupt

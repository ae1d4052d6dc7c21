"""The two-phone page on its own: `dtns demo --web`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.stdio import StandardIO
from twisted.python.failure import Failure

from dtns.gateway.loopback.address import Address, TcpAddress
from dtns.gateway.steady import use_steady_clock
from dtns.sam.console.simulator import TwoPhones, alone
from dtns.sam.console.simulator_door import Door
from dtns.sam.console.simulator_stage import StageProcess
from dtns.sam.console.site import GuardedSite, WebServer, url_of


def serve_two_phones(port: int, show: Callable[[str], None]) -> None:
    """Serve the page on 127.0.0.1 until SIGINT or SIGTERM; port 0 takes any that is free.

    *show* is called with a link that opens once, and with another for each line on a terminal's
    standard input. Raises AddressTakenError where the port is another's.
    """
    os.umask(0o077)
    reactor: Any = _reactor
    use_steady_clock(reactor)
    stage = StageProcess(reactor)
    door = Door(reactor.seconds)
    page = TwoPhones(stage, door, reactor)
    site = GuardedSite(alone(page), reactor, refused=page.refused)
    server = WebServer(site, TcpAddress("127.0.0.1", port), reactor)
    faults: list[Failure] = []

    def failed(failure: Failure) -> None:
        faults.append(failure)
        reactor.stop()

    def begin() -> None:
        Deferred.fromCoroutine(server.start()).addCallbacks(started, failed)

    def started(address: Address) -> None:
        def link() -> None:
            show(f"{url_of(address)}#{door.link()}")

        stage.start()
        link()
        if sys.stdin.isatty():
            standard_io: Any = StandardIO
            standard_io(_Enter(link), reactor=reactor)

    async def end() -> None:
        page.close()
        await server.stop()
        await stage.stop()

    reactor.callWhenRunning(begin)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(end()))
    reactor.run()
    os.set_blocking(0, True)  # a terminal keeps what is set on it
    if faults:
        faults[0].raiseException()


class _Enter(Protocol):
    """Calls *pressed* for each line."""

    def __init__(self, pressed: Callable[[], None]) -> None:
        self._pressed = pressed

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        if b"\n" in data:
            self._pressed()

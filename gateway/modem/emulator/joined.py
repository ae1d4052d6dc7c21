"""An emulated modem inside the process of a loopback network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from dtns.gateway.modem.emulator.control import listen
from dtns.gateway.modem.emulator.dialects import DIALECTS
from dtns.gateway.modem.emulator.modem import EmulatedModem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dtns.gateway.loopback.address import Address


def with_modem(
    announce: Callable[[Address], None],
    reactor: Any,
    *,
    pty: Path,
    number: str,
    dialect: str,
    control: Path | None,
) -> Callable[[Address], None]:
    """Return an *announce* that first starts a modem, under *number* on the network announced."""

    def start(address: Address) -> None:
        modem = EmulatedModem(
            reactor, pty.absolute(), DIALECTS[dialect], address=address, number=number
        )
        reactor.addSystemEventTrigger("before", "shutdown", modem.stop)
        if control is None:
            announce(address)
            return
        listening = Deferred.fromCoroutine(listen(reactor, control, modem))
        listening.addCallback(lambda _: announce(address))

    return start

"""Run an emulated modem: `python -m dtns.gateway.modem.emulator --pty PATH`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred

from dtns.gateway.loopback.address import parse_address
from dtns.gateway.modem.emulator.control import listen
from dtns.gateway.modem.emulator.dialects import DIALECTS
from dtns.gateway.modem.emulator.modem import ICCID, EmulatedModem


def main() -> None:
    """Run until SIGTERM; print the event `ready` as a line of JSON on stderr."""
    parser = argparse.ArgumentParser(prog="python -m dtns.gateway.modem.emulator")
    parser.add_argument("--pty", type=Path, required=True, help="link to make to the terminal")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="huawei")
    parser.add_argument("--control", type=Path, help="Unix socket to take orders at")
    parser.add_argument("--network", type=parse_address, help="loopback network to join")
    parser.add_argument("--number", default="7267", help="the modem's number there")
    parser.add_argument("--iccid", default=ICCID, help="the SIM card's number")
    options = parser.parse_args()
    reactor: Any = _reactor
    modem = EmulatedModem(
        reactor,
        options.pty.absolute(),
        DIALECTS[options.dialect],
        address=options.network,
        number=options.number,
        iccid=options.iccid,
    )

    def ready(_: object) -> None:
        event = {"event": "ready", "component": "modem", "pty": str(options.pty.absolute())}
        sys.stderr.write(json.dumps(event) + "\n")
        sys.stderr.flush()

    async def start() -> None:
        if options.control is not None:
            await listen(reactor, options.control, modem)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(start()).addCallback(ready))
    reactor.addSystemEventTrigger("before", "shutdown", modem.stop)
    reactor.run()


if __name__ == "__main__":
    main()

"""`dtns serve`: run Sam in the foreground until it is told to stop."""

from __future__ import annotations

import gc
import linecache
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from dtns.gateway.steady import use_steady_clock
from dtns.sam.configuration import Config
from dtns.sam.service.beside import Companion
from dtns.sam.service.logs import announce, begin_logging
from dtns.sam.service.notifying import READY, STOPPING, Supervisor
from dtns.sam.service.server import Sam

_log = Logger()
COLLECT_AFTER: Final = 20_000
"""Objects made and not let go of before Python looks for cycles: serving leaves hardly any."""


def serve(config: Config, *, trust_clock: bool = False, beside: Sequence[Companion] = ()) -> None:
    """Run Sam until SIGTERM or SIGINT; announce `ready` on stderr, and to systemd, once it is.

    Raises what kept Sam from starting.
    """
    os.umask(0o077)
    reactor: Any = _reactor
    use_steady_clock(reactor)
    begin_logging()
    sam = Sam(config, reactor, trust_clock=trust_clock, beside=beside)
    supervisor = Supervisor.of()
    faults: list[Failure] = []

    def failed(failure: Failure) -> None:
        faults.append(failure)
        reactor.stop()

    def started(facts: dict[str, Any]) -> None:
        announce(sys.stderr, facts)
        supervisor.tell(READY)
        supervisor.keep_alive(reactor)
        _settle()

    def stop() -> Deferred[None]:
        if not faults:
            _log.info("stopping", event="stopping")
            supervisor.tell(STOPPING)
        return Deferred.fromCoroutine(sam.stop())

    reactor.callWhenRunning(
        lambda: Deferred.fromCoroutine(sam.start()).addCallback(started).addErrback(failed)
    )
    reactor.addSystemEventTrigger("before", "shutdown", stop)
    reactor.run()
    if faults:
        faults[0].raiseException()


def _settle() -> None:
    """Let go of what only starting needed; no later collection goes through what stays."""
    linecache.clearcache()  # the sources of generated methods
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)

"""The watchdog: carriers that stall are noticed, told of, and stopped and started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from dtns.sam.service.requests import CarrierRecord
from dtns.sam.service.route import Route

TICK_SECONDS: Final = 10.0
STOP_SECONDS: Final = 30.0
_ONE_SEND: Final = 10
"""How many times the patience with a carrier a single send is given while others are answered."""

STALLED: Final = "carrier-stalled"
"""Counter of the times that a carrier was found to have stalled."""


@frozen
class Patience:
    """After what a carrier counts as stalled, beside its own patience; in seconds.

    deafness: it was connected and brought nothing for so long, while another carrier of its
    network brought something in the latter half of that time.
    """

    deafness: float = 1800.0


class Watchdog:
    """Looks at every carrier of *routes* from `start` to `stop`."""

    _log = Logger()

    def __init__(
        self,
        routes: Mapping[str, Route],
        *,
        counters: Counter[str],
        reactor: Any,
        patience: Patience | None = None,
    ) -> None:
        self._routes = routes
        self._counters = counters
        self._reactor = reactor
        self._patience = patience or Patience()
        self._since: dict[str, float] = {}
        self._restarting: set[str] = set()
        self._loop = LoopingCall(self.look)
        self._loop.clock = reactor

    def start(self) -> None:
        """Begin to look."""
        self._loop.start(TICK_SECONDS, now=False)

    def stop(self) -> None:
        """Look no more; a carrier that is being started again is left stopped."""
        if self._loop.running:
            self._loop.stop()

    def look(self) -> None:
        """Look once: begin to stop and start each carrier that has stalled."""
        facts = {name: route.facts() for name, route in self._routes.items()}
        for name, route in self._routes.items():
            if name in self._restarting:
                continue
            if not facts[name].connected:
                self._since[name] = self._reactor.seconds()
            elif reason := self._complaint(name, route, facts):
                self._stalled(route, reason)
            else:
                route.give_up(_ONE_SEND * route.patience)

    def _complaint(self, name: str, route: Route, facts: Mapping[str, CarrierRecord]) -> str | None:
        now = self._reactor.seconds()
        if route.silence() >= route.patience:
            return "it answers no sending"
        own, deafness = facts[name], self._patience.deafness
        connected_for = now - self._since.setdefault(name, now)
        quiet_for = min(
            connected_for, connected_for if own.since_inbound is None else own.since_inbound
        )
        others = [
            other.since_inbound
            for each, other in facts.items()
            if each != name and other.network == own.network and other.since_inbound is not None
        ]
        if quiet_for >= deafness and min(others, default=deafness) < deafness / 2:
            return "it brings nothing while others do"
        return None

    def _stalled(self, route: Route, reason: str) -> None:
        route.stalls += 1
        self._counters[STALLED] += 1
        self._log.error(
            "carrier {carrier} has stalled: {reason}; it is stopped and started",
            event="carrier-stalled",
            carrier=route.name,
            reason=reason,
        )
        self._restarting.add(route.name)
        Deferred.fromCoroutine(self._restart(route)).addBoth(self._restarted, route)

    async def _restart(self, route: Route) -> None:
        stopping = Deferred.fromCoroutine(_stop(route))
        try:
            await stopping.addTimeout(STOP_SECONDS, self._reactor)
        except (DeferredTimeout, CancelledError):
            self._log.error("it does not stop", event="carrier-stalled", carrier=route.name)
        route.give_up()
        if self._loop.running:
            await route.carrier.start()

    def _restarted(self, result: Any, route: Route) -> None:
        self._restarting.discard(route.name)
        self._since[route.name] = self._reactor.seconds()
        if result is not None:
            self._log.failure("it does not start", failure=result, event="fault")


async def _stop(route: Route) -> None:
    await route.carrier.stop()

"""All messages of a running Sam: one intake and one outbox, and the carriers that share them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from dtns.gateway.carrier import Carrier, Inbound, Report
from dtns.sam.issuing.issuer import Issuer
from dtns.sam.issuing.typed import TypedAsks
from dtns.sam.ledger.filing import Filing
from dtns.sam.service.commits import GroupCommit
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.intake import Intake
from dtns.sam.service.outbox import Outbox
from dtns.sam.service.requests import CarrierRecord
from dtns.sam.service.route import IN_FLIGHT, PATIENCE_SECONDS, Route
from dtns.sam.service.servicetime import ServiceTime
from dtns.sam.service.watchdog import Patience, Watchdog
from dtns.sam.store.store import Store

if TYPE_CHECKING:
    from dtns.gateway.carrier import Settled

DRAIN_SECONDS: Final = 5.0
LAST_WORDS_SECONDS: Final = 1.0
_BUSY_MILLISECONDS: Final = 100
"""How long a locked store may hold the reactor up; the commit is tried again later anyway."""


class CarrierSink:
    """Where one carrier puts what comes in."""

    def __init__(self, carrier: str, intake: Intake, outbox: Outbox) -> None:
        self._carrier = carrier
        self._intake = intake
        self._outbox = outbox

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Settle messages once decided on, or kept as parts that wait; all of it durable."""
        self._outbox.routes[self._carrier].note_inbound()
        self._intake.received(messages, settled)

    def reported(self, report: Report) -> Awaitable[None]:
        """Complete once the report is stored, or known to be of no use."""
        return self._outbox.reported(self._carrier, report)


@frozen
class Rates:
    """How much a carrier may carry; messages a minute, 0 for no limit.

    patience is for how many seconds it may owe answers to sends and give none; a carrier that
    has a rate of its own needs more than the longest pause that this makes.
    """

    send_per_minute: float = 0.0
    receive_per_minute: float = 0.0
    in_flight: int = IN_FLIGHT
    patience: float = PATIENCE_SECONDS


class Traffic:
    """Intake, outbox and watchdog over one store. *clock* gives POSIX time.

    *reactor* gives every other time; its clock should be one that nobody sets.
    """

    def __init__(
        self,
        store: Store,
        issuer: Issuer,
        *,
        clock: Callable[[], float],
        random: Random,
        counters: Counter[str],
        reactor: Any,
        patience: Patience | None = None,
        exchanges: ExchangeLog | None = None,
        filing: Filing | None = None,
        typed: TypedAsks | None = None,
    ) -> None:
        store.connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        self.issuer = issuer
        self._random = random
        self._reactor = reactor
        with store.transaction():
            served = ServiceTime(store.connection, reactor.seconds)
        self.commits = GroupCommit(store, reactor)
        shared: dict[str, Any] = {
            "clock": clock,
            "served": served,
            "counters": counters,
            "reactor": reactor,
            "exchanges": exchanges,
        }
        self.outbox = Outbox(store, self.commits, random=random, **shared)
        self.intake = Intake(
            store, self.commits, issuer, self.outbox, filing=filing, typed=typed, **shared
        )
        self._watchdog = Watchdog(
            self.outbox.routes, counters=counters, reactor=reactor, patience=patience
        )

    def start(self) -> None:
        """Begin to send and to watch; StoreError where the store cannot be written."""
        self.outbox.start()
        self._watchdog.start()

    def sink(self, carrier: str) -> CarrierSink:
        """Return the sink for the carrier of this name."""
        return CarrierSink(carrier, self.intake, self.outbox)

    async def add(self, carrier: Carrier, network: str, rates: Rates | None = None) -> None:
        """Start a carrier and use it for the phones of *network*, beside others of that network."""
        rates = rates or Rates()
        self.intake.limit(carrier.name, rates.receive_per_minute)
        route = Route(
            carrier,
            network,
            reactor=self._reactor,
            random=self._random,
            in_flight=rates.in_flight,
            per_minute=rates.send_per_minute,
            patience=rates.patience,
        )
        self.outbox.attach(route)
        await carrier.start()
        self.outbox.wake()

    async def stop(self) -> None:
        """Take nothing more in, send for some seconds what is due, then stop all carriers."""
        self._watchdog.stop()
        self.intake.close()
        await self.outbox.drain(DRAIN_SECONDS)
        self.outbox.stop()
        for route in self.outbox.routes.values():
            await route.carrier.stop()
        await self.outbox.drain(LAST_WORDS_SECONDS)

    def carriers(self) -> Mapping[str, CarrierRecord]:
        """Return how each carrier is doing, by its name."""
        return {name: route.facts() for name, route in self.outbox.routes.items()}

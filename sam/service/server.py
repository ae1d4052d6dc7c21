"""Sam running: the store, the admin socket, the embedded network and the carriers together."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import deferLater
from twisted.logger import Logger

from dtns.gateway.loopback.address import Address, parse_address
from dtns.sam.configuration import Config
from dtns.sam.issuing.issuer import Issuer, Outcome, Silence
from dtns.sam.issuing.typed import TypedAsks
from dtns.sam.issuing.vault import Vault
from dtns.sam.ledger.filing import Filing
from dtns.sam.service.accounting import Accounting
from dtns.sam.service.administration import Administration
from dtns.sam.service.adminsocket import AdminSocket
from dtns.sam.service.beside import Companion, RunningSam
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.gateways import CarrierGateway, Gateways
from dtns.sam.service.modems import GSM, MODEM, make_modems
from dtns.sam.service.opening import open_store
from dtns.sam.service.route import PATIENCE_SECONDS
from dtns.sam.service.smpp import SMPP, make_smpp
from dtns.sam.service.telling import Telling, at_once
from dtns.sam.service.timekeeping import keep_time
from dtns.sam.service.traffic import Rates, Traffic
from dtns.sam.service.upkeep import Upkeep, UpkeepLoop
from dtns.sam.service.vitals import Pulse
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.lock import StoreInUseError, StoreLock
from dtns.sam.store.store import Store

if TYPE_CHECKING:
    from dtns.gateway.smpp.carrier import SmppCarrier

CONNECT_SECONDS: Final = 2.0
LOCK_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.1
_MINUTE_SECONDS: Final = 60.0
LOOPBACK: Final = "loopback"


class Sam:
    """The whole service. *clock* gives POSIX time; with trust_clock any leap of it is believed."""

    _log = Logger()

    def __init__(
        self,
        config: Config,
        reactor: Any,
        clock: Callable[[], float] = time.time,
        *,
        trust_clock: bool = False,
        beside: Sequence[Companion] = (),
    ) -> None:
        self._config = config
        self._reactor = reactor
        self._clock = clock
        self._trust_clock = trust_clock
        self._beside = beside
        self._started_at = reactor.seconds()
        self._random = random.Random()  # noqa: S311 (jitter)
        self._gateways = Gateways(running=True)
        self.counters = Counter({kind.value: 0 for kind in (*Silence, *Outcome)})
        self._smpp: SmppCarrier | None = None
        self._stops: list[Callable[[], Any]] = []
        self._stopped: Deferred[None] | None = None

    async def start(self) -> dict[str, Any]:
        """Start everything and return what is worth announcing.

        After a fault everything is stopped again. Raises ConfigError, KeyFileError, StoreError,
        ClockError, or GatewayError where a network address cannot be used.
        """
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop in the reverse order of starting; may be called again."""
        while self._stops:
            result = self._stops.pop()()
            if result is not None:
                await result

    async def _start(self) -> dict[str, Any]:
        self._stops.append((await self._take_lock()).release)
        store, master_keys = open_store(self._config, self._clock)
        self._stops.append(store.close)
        upkeep = Upkeep(store, self._clock, self._config.sam.retention_days)
        loop = UpkeepLoop(store, upkeep, self._reactor)
        loop.start()
        self._stops.append(loop.stop)
        self._stops.append(keep_time(store, self._clock, self._reactor, trusted=self._trust_clock))
        vault = Vault(master_keys.keys, secrets.token_bytes)
        issuer = Issuer(vault, self._config.policy, trust_clock=self._trust_clock)
        traffic = Traffic(
            store,
            issuer,
            clock=self._clock,
            random=self._random,
            counters=self.counters,
            reactor=self._reactor,
            exchanges=self._exchange_log(store),
            filing=Filing(vault, self._config.policy, trust_clock=self._trust_clock),
            typed=TypedAsks(issuer, vault, self._config.policy),
        )
        administration = await self._start_admin_socket(store, master_keys, vault, traffic, upkeep)
        network = await self._start_network() if self._config.network.embedded else None
        traffic.start()
        self._stops.append(lambda: Deferred.fromCoroutine(traffic.stop()))
        connected = False
        if self._config.loopback.enabled:
            connected = await self._start_loopback(traffic, network)
        carriers = {LOOPBACK: connected} if self._config.loopback.enabled else {}
        carriers |= await self._start_modems(traffic)
        carriers |= await self._start_smpp(traffic)
        ussd = await self._start_ussd(store, vault, issuer, traffic, network)
        running = RunningSam(
            config=self._config,
            administration=administration,
            counters=self.counters,
            durations=traffic.commits.durations,
            clock=self._clock,
            reactor=self._reactor,
        )
        return {
            "event": "ready",
            "component": "sam",
            "pid": os.getpid(),
            "service_number": self._config.sam.service_number,
            "admin_socket": str(self._config.admin_socket),
            "network": None if network is None else str(network),
            "carriers": carriers,
            "ussd": ussd,
            **await self._start_beside(running),
        }

    def _exchange_log(self, store: Store) -> ExchangeLog | None:
        return ExchangeLog(store.connection) if self._config.sam.log_exchanges else None

    async def _start_beside(self, running: RunningSam) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for companion in self._beside:
            facts |= await companion.start(running)
            self._stops.append(partial(_stop, companion))
        return facts

    async def _take_lock(self) -> StoreLock:
        """Take the store's lock, if need be after waiting a little for a command to end."""
        lock, patience = StoreLock(self._config.lock), LOCK_SECONDS
        while True:
            try:
                lock.acquire()
            except StoreInUseError:
                if patience <= 0:
                    raise
                patience -= _PAUSE_SECONDS
                await deferLater(self._reactor, _PAUSE_SECONDS)
            else:
                return lock

    async def _start_admin_socket(
        self,
        store: Store,
        master_keys: MasterKeys,
        vault: Vault,
        traffic: Traffic,
        upkeep: Upkeep,
    ) -> Administration:
        tell = at_once(store, vault, traffic.outbox, self._clock)
        telling = Telling(store, master_keys, self._config.master_key, tell)
        administration = Administration(
            store,
            master_keys,
            self._clock,
            self.counters,
            carriers=traffic.carriers,
            gateways=self._gateways,
            telling=telling,
            accounting=Accounting(store, self._clock, tell),
            upkeep=upkeep,
            pulse=Pulse(store, self._clock, self.counters, traffic.carriers, self._up_for),
            outbox=traffic.outbox,
            issuer=traffic.issuer,
        )
        admin = AdminSocket(self._config.admin_socket, administration, self._reactor)
        await admin.start()
        self._stops.append(lambda: Deferred.fromCoroutine(admin.stop()))
        return administration

    def _up_for(self) -> float:
        return float(self._reactor.seconds() - self._started_at)

    async def _start_network(self) -> Address:
        from dtns.gateway.loopback.server import LoopbackServer  # noqa: PLC0415 (for those with one)

        section = self._config.network
        seed = secrets.randbits(32) if section.seed is None else section.seed
        address = parse_address(self._config.network_endpoint)
        network = LoopbackServer(self._reactor, address, section.conditions, seed)
        listening = await network.start()
        self._stops.append(lambda: Deferred.fromCoroutine(network.stop()))
        return listening

    async def _start_loopback(self, traffic: Traffic, network: Address | None) -> bool:
        """Start the loopback carrier; tell whether it reached its network before long."""
        from dtns.gateway.loopback.carrier import (  # noqa: PLC0415 (for those who use it)
            IN_FLIGHT,
            LoopbackCarrier,
        )

        section = self._config.loopback
        own = section.endpoint is None and network is not None
        carrier = LoopbackCarrier(
            LOOPBACK,
            network if own and network else parse_address(self._config.loopback_endpoint),
            self._config.sam.service_number,
            traffic.sink(LOOPBACK),
            reactor=self._reactor,
            random=self._random,
        )
        rates = Rates(section.send_per_minute, section.receive_per_minute, IN_FLIGHT)
        await traffic.add(carrier, LOOPBACK, rates)
        under_way = lambda: traffic.carriers()[LOOPBACK].under_way  # noqa: E731 (asked anew)
        self._gateways.add(LOOPBACK, CarrierGateway(carrier, under_way))
        try:
            await carrier.when_connected().addTimeout(CONNECT_SECONDS, self._reactor)
        except DeferredTimeout:
            self._log.warn("the network is not there yet; Sam goes on trying", event="no-network")
        return carrier.connected

    async def _start_ussd(
        self,
        store: Store,
        vault: Vault,
        issuer: Issuer,
        traffic: Traffic,
        network: Address | None,
    ) -> dict[str, str]:
        """Start all USSD gateways; return where each is reached, by its name."""
        if not self._config.takes_ussd:
            return {}
        from dtns.sam.service.ussd import UssdGateways  # noqa: PLC0415 (menus, desks, all codes)

        gateways = UssdGateways(
            store=store,
            asks=TypedAsks(issuer, vault, self._config.policy),
            exchanges=self._exchange_log(store),
            policy=self._config.policy,
            traffic=traffic,
            clock=self._clock,
            counters=self.counters,
            reactor=self._reactor,
            random=self._random,
        )
        self._stops.append(lambda: Deferred.fromCoroutine(gateways.stop()))
        if self._smpp is not None:
            gateways.start_smpp(SMPP, self._smpp, self._config.smscs)
        loopback = self._config.loopback
        if loopback.enabled and loopback.ussd_code:
            own = loopback.endpoint is None and network is not None
            address = network if own and network else parse_address(self._config.loopback_endpoint)
            await gateways.start_loopback(LOOPBACK, address, loopback)
        for name, section in self._config.ussd.items():
            if section.enabled:
                await gateways.start_callback(name, section, self._config.folder)
        for name, hlr in self._config.hlrs.items():
            if hlr.enabled:
                await gateways.start_gsup(name, hlr)
        for carrier, sessions in gateways.running:
            self._gateways.add(carrier.name, CarrierGateway(carrier, sessions.__len__))
        return gateways.reached

    async def _start_modems(self, traffic: Traffic) -> dict[str, bool]:
        """Start the carrier of all modems, if there are any; they connect in their own time."""
        modems = make_modems(
            self._config, traffic.sink(MODEM), reactor=self._reactor, random=self._random
        )
        if modems is None:
            return {}
        self._gateways.add_modems(modems)
        slowest = min(
            (modem.per_minute or 1.0 for modem in self._config.modems.values()), default=1
        )
        pause = _MINUTE_SECONDS / min(1.0, slowest)
        await traffic.add(modems, GSM, Rates(patience=PATIENCE_SECONDS + pause))
        return {MODEM: modems.connected}

    async def _start_smpp(self, traffic: Traffic) -> dict[str, bool]:
        """Start the carrier of all SMSCs, if there are any; they are bound in their own time."""
        smpp = make_smpp(
            self._config, traffic.sink(SMPP), reactor=self._reactor, random=self._random
        )
        if smpp is None:
            return {}
        self._smpp = smpp
        self._gateways.add_smscs(smpp)
        await traffic.add(smpp, GSM, Rates(in_flight=smpp.windows, patience=smpp.patience))
        return {SMPP: smpp.connected}


def _stop(companion: Companion) -> Deferred[None]:
    return Deferred.fromCoroutine(companion.stop())

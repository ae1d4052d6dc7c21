"""The USSD gateways of a running Sam: each with its sessions, its menu and its desk."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger

from dtns.gateway.loopback.address import Address, TcpAddress, parse_address
from dtns.gateway.loopback.carrier import client_endpoint
from dtns.gateway.ussd.dialects import DIALECTS
from dtns.gateway.ussd.loopback import LoopbackUssd
from dtns.gateway.ussd.pages import SCREEN_CHARACTERS
from dtns.gateway.ussd.sessions import Sessions
from dtns.sam.configuration.gsup import GsupSection
from dtns.sam.configuration.sections import LoopbackSection
from dtns.sam.configuration.smpp import SmppSection
from dtns.sam.configuration.ussd import UssdSection, parse_sources
from dtns.sam.errors import ConfigError
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.typed import TypedAsks
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.gateways import Stoppable
from dtns.sam.service.secretfile import read_secret
from dtns.sam.service.traffic import Traffic
from dtns.sam.service.ussddesk import Desk
from dtns.sam.service.ussdmenu import Menu
from dtns.sam.store.store import Store

if TYPE_CHECKING:
    from dtns.gateway.smpp.carrier import SmppCarrier

_Section: TypeAlias = LoopbackSection | UssdSection | SmppSection | GsupSection

CONNECT_SECONDS: Final = 2.0
SECRET: Final = re.compile("[A-Za-z0-9_-]{16,128}")


class UssdGateways:
    """Starts gateways and stops them; reached tells where each is reached, by its name."""

    _log = Logger()

    def __init__(
        self,
        *,
        store: Store,
        asks: TypedAsks,
        exchanges: ExchangeLog | None,
        policy: Policy,
        traffic: Traffic,
        clock: Callable[[], float],
        counters: Counter[str],
        reactor: Any,
        random: Random,
    ) -> None:
        self._parts: dict[str, Any] = {
            "store": store,
            "commits": traffic.commits,
            "asks": asks,
            "exchanges": exchanges,
            "policy": policy,
            "outbox": traffic.outbox,
            "clock": clock,
            "counters": counters,
        }
        self._carriers = traffic.outbox.routes
        self._counters = counters
        self._reactor = reactor
        self._random = random
        self.running: list[tuple[Stoppable, Sessions]] = []
        self.reached: dict[str, str] = {}

    async def start_loopback(self, sms: str, address: Address, section: LoopbackSection) -> None:
        """Serve the loopback network's USSD code; answers leave by the carrier *sms*."""
        name, code = f"ussd.{sms}", section.ussd_code
        menu = self._menu(name, sms, section)
        sessions = self._sessions(menu, SCREEN_CHARACTERS)
        carrier = LoopbackUssd(
            name, address, code, sessions, reactor=self._reactor, random=self._random
        )
        await self._start(carrier, sessions)
        self.reached[name] = code
        try:
            await carrier.when_connected().addTimeout(CONNECT_SECONDS, self._reactor)
        except DeferredTimeout:
            self._log.warn("the network is not there yet; Sam goes on trying", event="no-network")

    async def start_callback(self, own: str, section: UssdSection, folder: Path) -> None:
        """Serve an aggregator's callbacks.

        Raises ConfigError where the path or the carrier is not there, GatewayError where the
        address cannot be used.
        """
        from dtns.gateway.ussd.callback import CallbackUssd  # noqa: PLC0415 (klein takes long)

        name = f"ussd.{own}"
        self._insist_on_carrier(name, section.sms)
        address = parse_address(section.listen)
        assert isinstance(address, TcpAddress)
        assert section.path_file is not None
        secret = read_path(folder / section.path_file)
        menu = self._menu(name, section.sms, section)
        sessions = self._sessions(menu, section.screen_characters)
        carrier = CallbackUssd(
            name,
            address,
            sessions,
            secret=secret,
            sources=parse_sources(section.sources),
            reactor=self._reactor,
            count=self._count,
        )
        self.reached[name] = str(await self._start(carrier, sessions))

    async def start_gsup(self, own: str, section: GsupSection) -> None:
        """Serve the USSD that an HLR routes here; ConfigError where the carrier is not there."""
        from dtns.gateway.gsup.control import number_of_imsi  # noqa: PLC0415 (needed here alone)
        from dtns.gateway.gsup.entity import GsupUssd  # noqa: PLC0415 (the same)

        name = f"gsup.{own}"
        self._insist_on_carrier(name, section.sms)
        control = client_endpoint(self._reactor, parse_address(section.control))
        sessions = self._sessions(self._menu(name, section.sms, section), SCREEN_CHARACTERS)
        carrier = GsupUssd(
            name,
            section.euse,
            client_endpoint(self._reactor, parse_address(section.hlr)),
            section.ussd_code,
            sessions,
            number_of=lambda imsi: number_of_imsi(control, imsi, self._reactor),
            reactor=self._reactor,
            random=self._random,
            count=self._count,
        )
        await self._start(carrier, sessions)
        self.reached[name] = section.ussd_code

    def start_smpp(
        self, sms: str, carrier: SmppCarrier, sections: Mapping[str, SmppSection]
    ) -> None:
        """Serve USSD sessions of each SMSC that has a code; answers leave by the carrier *sms*."""
        from dtns.gateway.ussd.smpp import SmppUssd  # noqa: PLC0415 (imports the codec)

        for own in carrier.smscs:
            section = sections[own]
            if section.ussd_code:
                name = f"ussd.{sms}.{own}"
                ussd = SmppUssd(
                    DIALECTS[section.ussd_dialect],
                    section.ussd_code,
                    self._sessions(self._menu(name, sms, section), SCREEN_CHARACTERS),
                    reactor=self._reactor,
                    count=self._count,
                )
                carrier.ussd[own] = ussd.take
                self.reached[name] = section.ussd_code

    async def stop(self) -> None:
        """Stop them all."""
        for carrier, _ in self.running:
            await carrier.stop()

    def _insist_on_carrier(self, name: str, sms: str) -> None:
        if sms not in self._carriers:
            known = ", ".join(self._carriers) or "none"
            raise ConfigError(f"gateway.{name}.sms: there is no such carrier; there are: {known}")

    async def _start(self, carrier: Stoppable, sessions: Sessions) -> Any:
        reached = await carrier.start()
        self.running.append((carrier, sessions))
        return reached

    def _menu(self, name: str, sms: str, section: _Section) -> Menu:
        return Menu(Desk(name, sms, **self._parts), section.language, section.home_country)

    def _sessions(self, menu: Menu, characters: int) -> Sessions:
        return Sessions(menu, reactor=self._reactor, count=self._count, characters=characters)

    def _count(self, what: str) -> None:
        self._counters[what] += 1


def read_path(path: Path) -> str:
    """Read the last part of a callback's path; ConfigError if it is none, or others may read it."""
    text = read_secret(path, "path")
    if SECRET.fullmatch(text) is None:
        raise ConfigError(f"{path} must hold 16 to 128 letters, digits, - or _, and nothing else")
    return text

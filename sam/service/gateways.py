"""The gateways of a running Sam as the operator sees and moves them, one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from dtns.sam.service import requests as ask
from dtns.sam.service.requests import Refusal

if TYPE_CHECKING:
    from dtns.gateway.modem.carrier import ModemCarrier
    from dtns.gateway.modem.modem import Modem
    from dtns.gateway.smpp.carrier import SmppCarrier
    from dtns.gateway.smpp.smsc import Smsc

NOT_RUNNING: Final = Refusal("no Sam is running on this configuration: `dtns serve` runs it")
_ACTIONS: Final = ("suspend", "resume", "drain")


class Gateway(Protocol):
    """One gateway to be shown, suspended, resumed and drained."""

    def record(self) -> ask.GatewayRecord:
        """Tell how it is."""

    def suspend(self) -> None:
        """Leave it alone until it is resumed."""

    def resume(self) -> None:
        """Use it again."""

    def drain(self) -> None:
        """Send nothing more by it, then suspend it."""


class ModemGateway:
    """One modem of a carrier."""

    def __init__(self, carrier: ModemCarrier, modem: Modem) -> None:
        self._carrier = carrier
        self._modem = modem
        self.suspend = modem.suspend
        self.resume = modem.resume
        self.drain = modem.drain

    def record(self) -> ask.GatewayRecord:
        """Tell how the modem is; the queue is that of all modems."""
        condition = self._modem.condition
        return ask.GatewayRecord(
            name=f"modem.{self._modem.name}",
            state=condition.state,
            connected=self._modem.connected,
            reason=condition.reason,
            device=condition.device,
            model=condition.model,
            network=condition.network,
            roaming=condition.roaming,
            signal=condition.signal,
            stored=condition.used,
            room=condition.size,
            queue=self._carrier.waiting,
            sent=condition.sent,
            received=condition.received,
            failed=condition.failed,
            last_received=condition.last_received,
            last_sent=condition.last_sent,
        )


class SmscGateway:
    """The binds to one SMSC."""

    def __init__(self, carrier: SmppCarrier, smsc: Smsc) -> None:
        self._carrier = carrier
        self._smsc = smsc
        self.suspend = smsc.suspend
        self.resume = smsc.resume
        self.drain = smsc.drain

    def record(self) -> ask.GatewayRecord:
        """Tell how the SMSC is; the queue is that of all SMSCs, and what waits for its answer."""
        condition = self._smsc.condition
        return ask.GatewayRecord(
            name=f"{self._carrier.name}.{self._smsc.name}",
            state=condition.state,
            connected=self._smsc.connected,
            reason=condition.reason,
            device=self._smsc.settings.place,
            model=condition.smsc,
            queue=self._carrier.waiting + self._smsc.under_way,
            sent=condition.sent,
            received=condition.received,
            failed=condition.failed,
            last_received=condition.last_received,
            last_sent=condition.last_sent,
            counts=dict(condition.counts),
        )


class Stoppable(Protocol):
    """What a gateway has to be for the operator to stop and start it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def connected(self) -> bool:
        """Whether it is of use now."""

    async def start(self) -> Any:
        """Start it."""

    async def stop(self) -> None:
        """Stop it."""


class CarrierGateway:
    """A carrier that is one gateway; draining it is suspending it, for it holds no queue."""

    _log = Logger()

    def __init__(self, carrier: Stoppable, under_way: Callable[[], int]) -> None:
        self._carrier = carrier
        self._under_way = under_way
        self._suspended = False
        self._moving: Deferred[None] | None = None

    def record(self) -> ask.GatewayRecord:
        """Tell how the carrier is."""
        connected = self._carrier.connected
        state = "suspended" if self._suspended else "up" if connected else "down"
        return ask.GatewayRecord(
            name=self._carrier.name,
            state=state,
            connected=connected,
            queue=self._under_way(),
        )

    def suspend(self) -> None:
        """Stop the carrier."""
        self._move(suspended=True)

    drain = suspend

    def resume(self) -> None:
        """Start the carrier."""
        self._move(suspended=False)

    def _move(self, *, suspended: bool) -> None:
        if suspended == self._suspended:
            return
        self._suspended = suspended
        before, move = self._moving, self._carrier.stop if suspended else self._carrier.start

        async def after() -> None:
            if before is not None:
                await before
            await move()

        self._moving = Deferred.fromCoroutine(after()).addErrback(
            lambda failure: self._log.failure("a carrier did not move", failure, event="fault")
        )


class Gateways:
    """All gateways by their names; *running* tells whether there is a Sam to have any."""

    def __init__(self, *, running: bool = False) -> None:
        self._running = running
        self._gateways: dict[str, Gateway] = {}

    @property
    def answers(self) -> Mapping[type[Any], Callable[[Any], Any]]:
        """The requests that are answered here."""
        return {ask.ListGateways: self._list, ask.MoveGateway: self._move}

    def add(self, name: str, gateway: Gateway) -> None:
        """Add a gateway."""
        self._gateways[name] = gateway

    def add_modems(self, carrier: ModemCarrier) -> None:
        """Add each modem of a carrier."""
        for name, modem in carrier.modems.items():
            self.add(f"modem.{name}", ModemGateway(carrier, modem))

    def add_smscs(self, carrier: SmppCarrier) -> None:
        """Add each SMSC of a carrier."""
        for name, smsc in carrier.smscs.items():
            self.add(f"{carrier.name}.{name}", SmscGateway(carrier, smsc))

    def _list(self, _request: ask.ListGateways) -> ask.GatewayRecords | Refusal:
        if not self._running:
            return NOT_RUNNING
        return ask.GatewayRecords(tuple(each.record() for each in self._gateways.values()))

    def _move(self, request: ask.MoveGateway) -> ask.GatewayRecord | Refusal:
        if not self._running:
            return NOT_RUNNING
        gateway = self._gateways.get(request.name)
        if gateway is None:
            known = ", ".join(self._gateways) or "none"
            return Refusal(f"there is no gateway of this name; there are: {known}")
        if request.action not in _ACTIONS:
            return Refusal(f"a gateway can {', '.join(_ACTIONS)}")
        getattr(gateway, request.action)()
        return gateway.record()

"""The stage: a network, a Sam and phones, what is told to them and what is seen of them."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.address import parse_address
from dtns.gateway.loopback.carrier import client_endpoint
from dtns.gateway.loopback.conditions import Conditions
from dtns.gateway.loopback.link import Link
from dtns.gateway.loopback.network import Sighting
from dtns.gateway.loopback.server import LoopbackServer
from dtns.sam.configuration import Config
from dtns.sam.issuing.issuer import Outcome, Silence
from dtns.sam.protocol.numbers import Number, parse_number
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import LoadPurse
from dtns.sam.service.server import Sam
from dtns.sam.simulator.children import PhoneProcess
from dtns.sam.simulator.clock import StageClock
from dtns.sam.simulator.onlooker import altered, overheard
from dtns.sam.simulator.orders import (
    BOUNDS,
    Again,
    Attack,
    Battery,
    Order,
    OrderError,
    Pass,
    Press,
    Signal,
    Weather,
)
from dtns.sam.simulator.trials import Trials

DELAY_SECONDS: Final = 0.8
REST_SECONDS: Final = 0.7
REMEMBERED: Final = 500
"""Messages that can be sent again."""
PURSES: Final = {"alice": 1_000_000}
"""Money that Sam loads into purses at the beginning, in minor units."""
LISTENER: Final = "+254799999999"
"""The number of who listens, and sends what it heard."""
_DECISIONS: Final = (*Outcome, *Silence)

Tell = Callable[[dict[str, Any]], None]


class Stage:
    """Everything runs in *config*'s folder. *sims* are the phones' SIM files by their names.

    *tell* gets every object that is worth showing: screens and events of the phones, sightings
    on the network with what Sam decided, and the weather and date when they changed.
    """

    _log = Logger()

    def __init__(self, config: Config, sims: Mapping[str, Path], tell: Tell, reactor: Any) -> None:
        self._config = config
        self._tell = tell
        self._reactor = reactor
        self._clock = StageClock()
        self._numbers = {name: f"+{sim.stem}" for name, sim in sims.items()}
        self._network = LoopbackServer(
            reactor,
            parse_address(config.loopback_endpoint),
            Conditions(delay=DELAY_SECONDS, allow_spoofing=True),
            secrets.randbits(32),
            clock=self._clock.steady,
            watch=self._seen,
        )
        self._sam = Sam(config, reactor, self._clock.posix, trust_clock=True)
        self._sims = sims
        self._phones: dict[str, PhoneProcess] = {}
        self._stopping = False
        self._listener: Link | None = None
        self._texts: dict[str, op.Deliver] = {}
        self._latest: deque[str] = deque()
        self._ids = itertools.count(1)
        self._trials = Trials(tell, reactor)
        self._sent_again: deque[tuple[str, str, bool]] = deque(maxlen=REMEMBERED)
        self._decided: Counter[str] = Counter()
        self._untold: deque[str] = deque()

    @property
    def phones(self) -> frozenset[str]:
        """The phones' names."""
        return frozenset(self._sims)

    async def start(self) -> None:
        """Start the network, then Sam, then the phones; raises what kept one from starting."""
        await self._network.start()
        await self._sam.start()
        endpoint = client_endpoint(self._reactor, parse_address(self._config.loopback_endpoint))
        listener = Factory.forProtocol(lambda: Link(self._reactor, LISTENER, _Deaf()))
        self._listener = await endpoint.connect(listener)
        self._tell_stage()
        for name in self._sims:
            self._phones[name] = self._switched_on(name)
        for name, amount in PURSES.items():
            await deferToThread(self._load, parse_number(self._numbers[name]), amount)

    def _load(self, number: Number, amount: int) -> None:
        """Have Sam put money into a purse, as the operator does: by its admin socket."""
        with reach(self._config) as sam:
            sam.answer(LoadPurse(number, self._config.payments.currency, amount))

    def _switched_on(self, name: str) -> PhoneProcess:
        phone = PhoneProcess(
            self._sims[name],
            self._config.loopback_endpoint,
            {known.capitalize(): number for known, number in self._numbers.items()},
            lambda told: self._tell({"phone": name, **told}),
            self._reactor,
        )
        phone.ended.addCallback(lambda _: self._went_off(name))
        return phone

    def _went_off(self, name: str) -> None:
        """Switch a phone on again that went off by itself; it goes on from what it had kept."""
        if self._phones.pop(name, None) is not None and not self._stopping:
            self._reactor.callLater(REST_SECONDS, self._switch_on, name)

    def _switch_on(self, name: str) -> None:
        if not self._stopping:
            self._phones[name] = self._switched_on(name)

    async def stop(self) -> None:
        """Stop everything in the reverse order."""
        await self._trials.end()
        self._stopping = True
        for phone in list(self._phones.values()):
            await phone.stop()
        if self._listener is not None:
            self._listener.abort()
        await self._sam.stop()
        await self._network.stop()

    def obey(self, order: Order) -> None:
        """Do what is ordered; OrderError where it cannot be done now."""
        match order:
            case Press(phone, key):
                self._phone(phone).tell({"press": key})
            case Signal(phone, on):
                self._phone(phone).tell({"signal": on})
            case Battery(phone):
                self._phone(phone).kill()
            case Weather(changes):
                self._network.change(**changes)
                self._tell_stage()
            case Pass(days):
                if not self._clock.forward(days):
                    raise OrderError("time has come as far as it can here")
                self._network.pass_time()
                self._tell_stage()
            case Again(message, with_a_change):
                self._send_again(message, change=with_a_change)
            case Attack(name):
                self._trials.begin(name)

    def _phone(self, name: str) -> PhoneProcess:
        if name not in self._phones:
            raise OrderError("the phones are being switched on")
        return self._phones[name]

    def _send_again(self, name: str, *, change: bool) -> None:
        message = self._texts.get(name)
        if message is None or self._listener is None:
            raise OrderError("that message is no longer at hand")
        text = altered(message.text) if change else message.text
        self._sent_again.append((message.sender, text, change))
        submission = op.Submit(f"again-{next(self._ids)}", message.sender, message.recipient, text)
        answer: Deferred[Any] = self._listener.submit(submission)
        answer.addErrback(lambda failure: self._log.failure("not sent again", failure))

    def _seen(self, sighting: Sighting) -> None:
        """Tell what was seen on the network, and with an ask that arrived, what Sam made of it."""
        message = sighting.message
        told: dict[str, Any] = {
            "id": message.network_id,
            "what": sighting.what,
            "from": self._who(message.sender),
            "to": self._who(message.recipient),
        }
        if sighting.what in {"carried", "lost"}:
            self._remember(message)
            told |= {"seconds": sighting.seconds, "seen": overheard(message.text)}
            told |= self._origin(message)
        if sighting.what == "delivered" and told["to"] == "sam":
            told["sam"] = self._decision()
        self._tell({"sms": told})

    def _remember(self, message: op.Deliver) -> None:
        self._texts[message.network_id] = message
        self._latest.append(message.network_id)
        if len(self._latest) > REMEMBERED:
            del self._texts[self._latest.popleft()]

    def _origin(self, message: op.Deliver) -> dict[str, bool]:
        """Tell whether a message is one that was ordered to be sent again."""
        for change in (False, True):
            sent = message.sender, message.text, change
            if sent in self._sent_again:
                self._sent_again.remove(sent)
                return {"again": True, "altered": change}
        return {"again": False, "altered": False}

    def _decision(self) -> str:
        """Return what Sam made of the message that has just arrived, if anything.

        What came in one turn was decided on together: each message is told one decision.
        """
        now = Counter({kind.value: self._sam.counters[kind.value] for kind in _DECISIONS})
        since, self._decided = now - self._decided, now
        self._untold.extend(sorted(since.elements()))
        return self._untold.popleft() if self._untold else ""

    def _who(self, number: str) -> str:
        if number == self._config.sam.service_number:
            return "sam"
        known = (name for name, other in self._numbers.items() if other == number)
        return next(known, "somebody")

    def _tell_stage(self) -> None:
        conditions = self._network.conditions
        today = datetime.fromtimestamp(self._clock.posix(), UTC).date()
        self._tell(
            {
                "network": {name: getattr(conditions, name) for name in BOUNDS},
                "today": today.isoformat(),
                "numbers": self._numbers,
            }
        )


class _Deaf:
    """Takes no notice of what comes to the listener's own number."""

    def attached(self, link: Link) -> None:
        """Do nothing."""

    def delivered(self, message: op.Deliver) -> None:
        """Do nothing."""

    def reported(self, report: op.Report) -> None:
        """Do nothing."""

    def lost(self, link: Link) -> None:
        """Do nothing."""

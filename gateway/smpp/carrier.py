"""SMPP binds as a carrier: one queue, shared between SMSCs."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.logger import Logger

from dtns.gateway import gsm7
from dtns.gateway.carrier import Accepted, Failed, Inbound
from dtns.gateway.intake import Intake
from dtns.gateway.outstanding import Outstanding, one_by_one
from dtns.gateway.queue import FairQueue
from dtns.gateway.smpp.arrivals import Arrivals
from dtns.gateway.smpp.content import read_content
from dtns.gateway.smpp.messages import number_of
from dtns.gateway.smpp.pdu import Tag, first
from dtns.gateway.smpp.smsc import Job, Smsc
from dtns.gateway.smpp.status import Status
from dtns.gateway.smpp.timing import USUAL, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from random import Random

    from dtns.gateway.carrier import Answered, Outbound, Report, Sink
    from dtns.gateway.smpp.link import Link
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.settings import Settings

    TakeUssd = Callable[[Smsc, Delivery, Callable[[Status], object]], None]

MOST_WAITING: Final = 100
"""How many sendings of one delivery wait for it to be stored; further ones are not answered."""
MOST_AT_SINK: Final = 2_000
"""How many messages and reports may be at the sink; further ones are refused for now."""
PATIENCE_SECONDS: Final = 120.0
USSD: Final = "USSD"


class SmppCarrier:
    """A `dtns.gateway.carrier.Carrier` over binds to one or more SMSCs.

    Messages to send wait in one queue, and leave by the SMSC whose windows are emptiest. *random*
    gives jitter, *quiet* by SMSC the seconds of silence after which it is asked, *clock* POSIX
    time, *reactor* every other time and the connections.

    Attributes:
        ussd: by SMSC, what takes its deliveries that are USSD, each with what acknowledges it
            with a status; those of other SMSCs are refused.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        smscs: Mapping[str, Settings],
        sink: Sink,
        *,
        random: Random,
        reactor: Any,
        timing: Timing = USUAL,
        quiet: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._clock = clock
        self._reactor = reactor
        self.ussd: dict[str, TakeUssd] = {}
        self._queue: FairQueue[Job] = FairQueue()
        self._intake = Intake(sink, self._stored, reactor)
        self._outstanding = Outstanding(one_by_one(self._submit))
        self._arrivals = Arrivals()
        self._waiting: dict[str, tuple[Smsc, list[tuple[Link, Delivery]]]] = {}
        self._reports = 0
        self._running = False
        self._turn = 0
        self._alarm: Any = None
        self.smscs = {
            own: Smsc(
                own,
                settings,
                self,
                timing=replace(timing, quiet=(quiet or {}).get(own, timing.quiet)),
                random=random,
                clock=clock,
                reactor=reactor,
            )
            for own, settings in smscs.items()
        }

    @property
    def name(self) -> str:
        """The carrier's name, as configured."""
        return self._name

    @property
    def connected(self) -> bool:
        """Whether at least one SMSC can be sent to."""
        return self._running and any(smsc.connected for smsc in self.smscs.values())

    @property
    def waiting(self) -> int:
        """How many messages wait for room in a window."""
        return len(self._queue)

    @property
    def windows(self) -> int:
        """How many messages fit all windows."""
        return sum(each.settings.window * each.settings.binds for each in self.smscs.values())

    @property
    def patience(self) -> float:
        """The most seconds that a message waits for its answer, by rights."""
        slowest = min((each.settings.per_second or 1.0 for each in self.smscs.values()), default=1)
        return PATIENCE_SECONDS + 1.0 / min(1.0, slowest)

    async def start(self) -> None:
        """Begin to connect."""
        self._running = True
        self._intake.start()
        for smsc in self.smscs.values():
            smsc.start()

    async def stop(self) -> None:
        """Wait for what is at the sink, and for answers under way, at most 5 s each; unbind.

        What waits is answered as not sent, what has no answer by then as `maybe_sent`.
        """
        await self._intake.stop()
        self._running = False
        self._fail_all("stopped")
        stops = [Deferred.fromCoroutine(smsc.stop()) for smsc in self.smscs.values()]
        await gatherResults(stops)
        self._waiting.clear()
        self._set_alarm(None)

    def send_all(self, messages: Sequence[Outbound], answered: Answered) -> None:
        """Submit *messages* once each; see `dtns.gateway.carrier.Carrier.send_all`."""
        self._outstanding.send_all(messages, answered)

    def send(self, message: Outbound) -> Deferred[Accepted | Failed]:
        """Submit *message* once; see `dtns.gateway.carrier.Carrier.send`."""
        return self._outstanding.send(message)

    def _submit(self, message: Outbound) -> Deferred[Accepted | Failed]:
        if reason := gsm7.refusal(message.text):
            return succeed(Failed(message.reference, permanent=True, reason=reason))
        if not self.connected:
            return succeed(Failed(message.reference, permanent=False, reason="no SMSC is bound"))
        job = Job(message)
        self._queue.put(job, message.recipient, message.urgency)
        self._pump()
        return job.answer

    def changed(self) -> None:
        """Send what can be sent now; once no SMSC is bound, answer what waits: it was not sent."""
        if not self._queue:
            return
        if self.connected:
            self._pump()
        else:
            self._fail_all("no SMSC is bound")

    def _pump(self) -> None:
        """Hand out what waits, each to the SMSC with the emptiest windows; take turns if equal."""
        while self._queue:
            now = self._reactor.seconds()
            ready = [
                (at, smsc) for smsc in self.smscs.values() if (at := smsc.ready_at(now)) is not None
            ]
            free = [smsc for at, smsc in ready if at <= now]
            if not free:
                self._set_alarm(min((at - now for at, _ in ready), default=None))
                return
            self._turn += 1
            turn = self._turn % len(free)
            min(free[turn:] + free[:turn], key=lambda smsc: smsc.load).send(self._queue.take())

    def arrived(self, smsc: Smsc, link: Link, delivery: Delivery) -> None:
        """Have a message stored, then acknowledge it, however often it came meanwhile."""
        if delivery.service_type == USSD or first(delivery.tlvs, Tag.USSD_SERVICE_OP) is not None:
            self._take_ussd(smsc, link, delivery)
            return
        identity = self._arrivals.identify(delivery, self._clock())
        if identity not in self._waiting and len(self._intake) >= MOST_AT_SINK:
            smsc.condition.counts["too-many-deliveries"] += 1
            link.acknowledge(delivery, Status.RMSGQFUL)
            return
        _, waiting = self._waiting.setdefault(identity, (smsc, []))
        if len(waiting) < MOST_WAITING:
            waiting.append((link, delivery))
        text, part = read_content(delivery)
        inbound = Inbound(
            self._name, identity, number_of(delivery.source), text, self._clock(), part
        )
        self._intake.take([inbound])

    def _stored(self, messages: Sequence[Inbound]) -> None:
        for message in messages:
            known = self._waiting.pop(message.identity, None)
            if known is None:
                continue  # stored after a stop that did not wait for it
            smsc, waiting = known
            smsc.condition.received += 1
            smsc.condition.last_received = self._clock()
            for link, delivery in waiting:
                if count := link.acknowledge(delivery):
                    self._arrivals.acknowledged(delivery, link, count)

    def _take_ussd(self, smsc: Smsc, link: Link, delivery: Delivery) -> None:
        take = self.ussd.get(smsc.name)
        if take is None:
            smsc.condition.counts["ussd"] += 1
            link.acknowledge(delivery, Status.RX_P_APPN)
        else:
            try:
                take(smsc, delivery, partial(link.acknowledge, delivery))
            except Exception:  # noqa: BLE001 (a fault there may not cost the bind)
                self._log.failure("USSD failed", event="fault")
                link.acknowledge(delivery, Status.RX_T_APPN)

    def reported(self, smsc: Smsc, report: Report, answer: Callable[[Status], object]) -> None:
        """Have a report stored, then answer it."""
        if len(self._intake) >= MOST_AT_SINK:
            smsc.condition.counts["too-many-deliveries"] += 1
            answer(Status.RMSGQFUL)
            return
        self._reports += 1

        def stored() -> None:
            smsc.condition.reports += 1
            answer(Status.ROK)

        self._intake.take_report(f"{smsc.name} {self._reports}", report, stored)

    def heard(self, link: Hashable, count: int) -> None:
        """Note which acknowledgements an SMSC has read."""
        self._arrivals.heard(link, count)

    def lost(self, link: Hashable) -> None:
        """Note that a link is gone: what it did not acknowledge comes again."""
        self._arrivals.lost(link)
        for _, waiting in self._waiting.values():
            waiting[:] = [each for each in waiting if each[0] is not link]

    def _fail_all(self, reason: str) -> None:
        for job in list(self._queue.empty()):
            job.done(Failed(job.message.reference, permanent=False, reason=reason))

    def _set_alarm(self, seconds: float | None) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None
        if seconds is not None:
            self._alarm = self._reactor.callLater(seconds, self.changed)

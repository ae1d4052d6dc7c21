"""SMPP binds as a carrier: one queue, shared between SMSCs."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from dtns.gateway import gsm7
from dtns.gateway.carrier import Accepted, Failed, Inbound
from dtns.gateway.intake import Intake
from dtns.gateway.outstanding import Outstanding
from dtns.gateway.queue import FairQueue
from dtns.gateway.smpp.arrivals import Arrivals, digest
from dtns.gateway.smpp.content import read_content
from dtns.gateway.smpp.messages import number_of
from dtns.gateway.smpp.pdu import Tag, first
from dtns.gateway.smpp.sharing import share_out
from dtns.gateway.smpp.smsc import Smsc
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
"""How many sendings of one delivery wait for it to be stored; further ones are refused for now."""
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
        self._queue: FairQueue[Outbound] = FairQueue()
        self._intake = Intake(sink, self._stored, reactor)
        self._outstanding = Outstanding(self._submit)
        self._arrivals = Arrivals()
        self._waiting: dict[str, tuple[Smsc, list[tuple[Link, Delivery, bytes]]]] = {}
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

    def _submit(self, messages: Sequence[Outbound]) -> None:
        """Hand out messages, at once if all can leave now; else they wait in the queue."""
        connected = self.connected
        refused, good = [], []
        for message in messages:
            if reason := gsm7.refusal(message.text):
                refused.append(Failed(message.reference, permanent=True, reason=reason))
            elif connected:
                good.append(message)
            else:
                reason = "no SMSC is bound"
                refused.append(Failed(message.reference, permanent=False, reason=reason))
        shares = self._shares(len(good)) if good and not self._queue else []
        if sum(count for _, count in shares) == len(good):
            refused += self._send(good, shares)
        else:
            for message in good:
                self._queue.put(message, message.recipient, message.urgency)
        if refused:
            self._outstanding.answered(refused)
        self._pump()

    def changed(self) -> None:
        """Send what can be sent now; once no SMSC is bound, answer what waits: it was not sent."""
        if not self._queue:
            return
        if self.connected:
            self._pump()
        else:
            self._fail_all("no SMSC is bound")

    def _pump(self) -> None:
        """Hand out what waits, as much as can leave now."""
        while self._queue:
            shares = self._shares(len(self._queue))
            count = sum(count for _, count in shares)
            if not count:
                now = self._reactor.seconds()
                ready = [smsc.ready_at(now) for smsc in self.smscs.values()]
                self._set_alarm(min((at - now for at in ready if at is not None), default=None))
                return
            if refused := self._send([self._queue.take() for _ in range(count)], shares):
                self._outstanding.answered(refused)

    def _shares(self, count: int) -> list[tuple[Smsc, int]]:
        """Share out so many messages, each to the SMSC with the emptiest windows, in turns."""
        now, smscs = self._reactor.seconds(), list(self.smscs.values())
        self._turn = (self._turn + 1) % len(smscs)
        smscs = smscs[self._turn :] + smscs[: self._turn]
        windows = [smsc.window(now) for smsc in smscs]
        return list(zip(smscs, share_out(count, windows), strict=True))

    def _send(self, messages: list[Outbound], shares: list[tuple[Smsc, int]]) -> list[Failed]:
        refused, start = [], 0
        for smsc, count in shares:
            if count:
                refused += smsc.send(messages[start : start + count])
            start += count
        return refused

    def answered(self, answers: Sequence[Accepted | Failed]) -> None:
        """Tell what became of messages."""
        self._outstanding.answered(answers)

    def arrived(self, smsc: Smsc, link: Link, deliveries: Sequence[Delivery]) -> None:
        """Have messages stored, then acknowledge them, however often they came meanwhile."""
        messages = []
        for delivery in deliveries:
            if _is_ussd(delivery):
                self._take_ussd(smsc, link, delivery)
            else:
                messages.append(delivery)
        now, room = self._clock(), MOST_AT_SINK - len(self._intake)
        said = [digest(delivery.body) for delivery in messages]
        identities = self._arrivals.identify(said, now)
        fresh: list[Inbound] = []
        for delivery, own, identity in zip(messages, said, identities, strict=True):
            known = self._waiting.get(identity)
            if known is None:
                if len(fresh) >= room:
                    self._refuse(smsc, link, delivery)
                    continue
                known = self._waiting[identity] = smsc, []
                text, part = read_content(delivery)
                sender = number_of(delivery.source)
                fresh.append(Inbound(self._name, identity, sender, text, now, part))
            waiting = known[1]
            if len(waiting) < MOST_WAITING:
                waiting.append((link, delivery, own))
            else:
                self._refuse(smsc, link, delivery)
        if fresh:
            self._intake.take(fresh)

    @staticmethod
    def _refuse(smsc: Smsc, link: Link, delivery: Delivery) -> None:
        smsc.condition.counts["too-many-deliveries"] += 1
        link.acknowledge((delivery,), Status.RMSGQFUL)

    def _stored(self, messages: Sequence[Inbound]) -> None:
        now = self._clock()
        by_link: dict[Link, list[tuple[Delivery, bytes]]] = {}
        for message in messages:
            known = self._waiting.pop(message.identity, None)
            if known is None:
                continue  # stored after a stop that did not wait for it
            smsc, waiting = known
            smsc.condition.received += 1
            smsc.condition.last_received = now
            for link, delivery, said in waiting:
                by_link.setdefault(link, []).append((delivery, said))
        for link, stored in by_link.items():
            deliveries, said_on_it = zip(*stored, strict=True)
            if count := link.acknowledge(deliveries):
                self._arrivals.acknowledged(said_on_it, link, count)

    def _take_ussd(self, smsc: Smsc, link: Link, delivery: Delivery) -> None:
        take = self.ussd.get(smsc.name)
        if take is None:
            smsc.condition.counts["ussd"] += 1
            link.acknowledge((delivery,), Status.RX_P_APPN)
        else:
            try:
                take(smsc, delivery, partial(link.acknowledge, (delivery,)))
            except Exception:  # noqa: BLE001 (a fault there may not cost the bind)
                self._log.failure("USSD failed", event="fault")
                link.acknowledge((delivery,), Status.RX_T_APPN)

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
        waited = [message.reference for message in self._queue.empty()]
        self._outstanding.answered(
            [Failed(each, permanent=False, reason=reason) for each in waited]
        )

    def _set_alarm(self, seconds: float | None) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None
        if seconds is not None:
            self._alarm = self._reactor.callLater(seconds, self.changed)


def _is_ussd(delivery: Delivery) -> bool:
    operation = first(delivery.tlvs, Tag.USSD_SERVICE_OP) if delivery.tlvs else None
    return delivery.service_type == USSD or operation is not None

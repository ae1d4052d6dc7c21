"""GSM modems as a carrier: one queue, shared between them."""

from __future__ import annotations

import time
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from dtns.gateway import gsm7
from dtns.gateway.carrier import Accepted, Failed, Inbound
from dtns.gateway.intake import Intake
from dtns.gateway.modem.job import Job
from dtns.gateway.modem.modem import Modem
from dtns.gateway.modem.timing import USUAL, Timing
from dtns.gateway.outstanding import one_by_one
from dtns.gateway.queue import FairQueue, Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from dtns.gateway.carrier import Answered, Outbound, Report, Sink
    from dtns.gateway.modem.card import RefusedPins
    from dtns.gateway.modem.inbox import Message
    from dtns.gateway.modem.session import Settings

IN_FLIGHT: Final = 20_000
"""How many messages may wait here: what waits here leaves in order of urgency, and fairly."""
_REMEMBERED: Final = 10_000


class ModemCarrier:
    """A `dtns.gateway.carrier.Carrier` over one or more GSM modems.

    Messages to send wait in one queue; each modem takes the next as soon as it may send, so a
    modem that is gone leaves its share to the others. *modems* gives each modem's settings and
    the most messages it may send in a minute (0: no limit); *refused* remembers SIM cards that
    refused a PIN.
    """

    def __init__(
        self,
        name: str,
        modems: Mapping[str, tuple[Settings, float]],
        sink: Sink,
        refused: RefusedPins,
        *,
        random: Random,
        reactor: Any,
        timing: Timing = USUAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._clock = clock
        self._queue: FairQueue[Job] = FairQueue()
        self._intake = Intake(sink, self._acknowledge, reactor)
        self._outstanding = one_by_one(self._submit)
        self._erase: dict[str, tuple[str, Callable[[], object]]] = {}
        self._stored: OrderedDict[str, None] = OrderedDict()
        self._running = False
        self.modems = {
            own: Modem(
                own,
                settings,
                refused,
                _Office(self, own),
                pace=Pace(per_minute),
                timing=timing,
                random=random,
                clock=clock,
                reactor=reactor,
            )
            for own, (settings, per_minute) in modems.items()
        }

    @property
    def name(self) -> str:
        """The carrier's name, as configured."""
        return self._name

    @property
    def connected(self) -> bool:
        """Whether at least one modem serves."""
        return self._running and any(modem.connected for modem in self.modems.values())

    @property
    def waiting(self) -> int:
        """How many messages wait for a modem."""
        return len(self._queue)

    async def start(self) -> None:
        """Begin to look for the modems."""
        self._running = True
        self._intake.start()
        for modem in self.modems.values():
            modem.start()

    async def stop(self) -> None:
        """Wait for what is at the sink, at most 5 s, then close the ports.

        What waits is answered as not sent, what was under way for more than 5 s as `maybe_sent`.
        """
        await self._intake.stop()
        self._erase.clear()
        self._running = False
        for modem in self.modems.values():
            await modem.stop()
        self._fail_all("stopped")

    def send_all(self, messages: Sequence[Outbound], answered: Answered) -> None:
        """Submit *messages* once each; see `dtns.gateway.carrier.Carrier.send_all`."""
        self._outstanding.send_all(messages, answered)

    async def send(self, message: Outbound) -> Accepted | Failed:
        """Submit *message* once; see `dtns.gateway.carrier.Carrier.send`."""
        return await self._outstanding.send(message)

    async def _submit(self, message: Outbound) -> Accepted | Failed:
        if reason := gsm7.refusal(message.text):
            return Failed(message.reference, permanent=True, reason=reason)
        if not self.connected:
            return Failed(message.reference, permanent=False, reason="no modem is connected")
        job = Job(message)
        self._queue.put(job, message.recipient, message.urgency)
        for modem in self.modems.values():
            modem.wake()
        return await job.answer

    def next_job(self) -> Job | None:
        """Return the next message to send."""
        return self._queue.take() if self._queue else None

    def give_back(self, job: Job) -> None:
        """Put a message that was not sent in front again, for the next modem that can."""
        self._queue.put(job, job.message.recipient, job.message.urgency, first=True)
        for modem in self.modems.values():
            modem.wake()

    def changed(self) -> None:
        """Once no modem serves any more, answer what waits: it was not sent."""
        if not self.connected:
            self._fail_all("no modem is connected")

    def arrived(self, modem: str, message: Message, erase: Callable[[], object]) -> None:
        """Have a message stored, then erased; one that was stored before is erased at once."""
        if message.identity in self._stored:
            erase()
            return
        inbound = Inbound(self._name, message.identity, message.sender, message.text, self._clock())
        self._erase[message.identity] = modem, erase
        self._intake.take([inbound])

    def _acknowledge(self, messages: Sequence[Inbound]) -> None:
        for message in messages:
            self._stored[message.identity] = None
            if len(self._stored) > _REMEMBERED:
                self._stored.popitem(last=False)
            known = self._erase.pop(message.identity, None)
            if known is None:
                continue  # stored after a stop that did not wait for it
            modem, erase = known
            condition = self.modems[modem].condition
            condition.received += 1
            condition.last_received = self._clock()
            erase()

    def reported(self, modem: str, report: Report, slot: str, erase: Callable[[], object]) -> None:
        """Have a report stored, then erased."""

        def acknowledge() -> None:
            self.modems[modem].condition.reports += 1
            erase()

        self._intake.take_report(slot, report, acknowledge)

    def _fail_all(self, reason: str) -> None:
        for job in list(self._queue.empty()):
            job.done(Failed(job.message.reference, permanent=False, reason=reason))


class _Office:
    """The carrier, as one of its modems sees it."""

    def __init__(self, carrier: ModemCarrier, modem: str) -> None:
        self._carrier = carrier
        self._modem = modem
        self.next_job = carrier.next_job
        self.give_back = carrier.give_back
        self.changed = carrier.changed
        self.arrived = partial(carrier.arrived, modem)
        self.reported = partial(carrier.reported, modem)

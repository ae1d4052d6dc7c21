"""One SMSC, by one or more binds: what leaves by it, what comes from it, and how it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

from twisted.internet.defer import Deferred

from dtns.gateway import gsm7
from dtns.gateway.carrier import Accepted, Failed
from dtns.gateway.queue import Pace
from dtns.gateway.smpp.bind import Bind
from dtns.gateway.smpp.condition import Condition
from dtns.gateway.smpp.errors import PduError
from dtns.gateway.smpp.events import Answered
from dtns.gateway.smpp.messages import Submission, address_of, number_of, relative_period
from dtns.gateway.smpp.pdu import Tag
from dtns.gateway.smpp.presence import Presence
from dtns.gateway.smpp.receipts import is_receipt, read_receipt
from dtns.gateway.smpp.settings import ROLES, Account
from dtns.gateway.smpp.status import BUSY, HOPELESS, UNSURE, Status, name_of
from dtns.gateway.smpp.submissions import Submissions

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from random import Random

    from dtns.gateway.carrier import Outbound, Report
    from dtns.gateway.smpp.events import Unanswered
    from dtns.gateway.smpp.link import Link
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.receipts import Receipt
    from dtns.gateway.smpp.settings import Settings
    from dtns.gateway.smpp.submissions import Submitted
    from dtns.gateway.smpp.timing import Timing


@dataclass(slots=True, eq=False)
class Job:
    """A message to send, and where its answer goes; it is `done` once."""

    message: Outbound
    answer: Deferred[Accepted | Failed] = field(default_factory=Deferred)

    def done(self, answer: Accepted | Failed) -> None:
        """Give the answer, unless it was given."""
        if not self.answer.called:
            self.answer.callback(answer)


@dataclass(slots=True, eq=False)
class _Passed:
    """A submission that is no message of the carrier's, and where its answer goes."""

    answer: Deferred[Answered | Unanswered] = field(default_factory=Deferred)


class Office(Interface):
    """What the carrier does for its SMSCs."""

    def changed(self) -> None:
        """Note that something may be sent now, or no longer."""

    def arrived(self, smsc: Smsc, link: Link, delivery: Delivery) -> None:
        """Take in a message, to be acknowledged on *link*."""

    def reported(self, smsc: Smsc, report: Report, answer: Callable[[Status], object]) -> None:
        """Have a report stored, then answer it."""

    def heard(self, link: Hashable, count: int) -> None:
        """Note which acknowledgements an SMSC has read."""

    def lost(self, link: Hashable) -> None:
        """Note that a link is gone."""


class Smsc:
    """Sends what it is given by the bind with the most room; what comes goes to *office*.

    `start`, `stop`, `suspend`, `resume` and `drain` are those of a `Presence`; before its binds
    are taken down answers under way are waited for.

    *clock* gives POSIX time, *reactor* every other, *random* the jitter of pauses.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        office: Office,
        *,
        timing: Timing,
        random: Random,
        clock: Callable[[], float],
        reactor: Any,
    ) -> None:
        self.name = name
        self.settings = settings
        self.condition = Condition()
        self._office = office
        self._timing = timing
        self._random = random
        self._clock = clock
        self._reactor = reactor
        self._pace = Pace(settings.per_second, window=1.0)
        self._submissions = Submissions(name)
        self._refusals = 0
        self._rest_until = 0.0
        self._idle: Deferred[None] | None = None
        self._presence = presence = Presence(self._begin, self._end)
        self.start = presence.start
        self.stop = presence.stop
        self.suspend = self.drain = presence.suspend
        self.resume = presence.resume
        self.binds = [
            Bind(
                name,
                Account(role, settings.system_id, settings.password, settings.system_type),
                settings.endpoint,
                self,
                window=settings.window,
                timing=timing,
                counts=self.condition.counts,
                random=random,
                reactor=reactor,
            )
            for _ in range(settings.binds)
            for role in ROLES[settings.kind]
        ]

    @property
    def connected(self) -> bool:
        """Whether a message given to it now would be sent, or wait its turn here."""
        return self._presence.here and any(
            bind.bound and bind.account.transmits for bind in self.binds
        )

    @property
    def under_way(self) -> int:
        """How many submissions wait for their answer."""
        return sum(bind.under_way for bind in self.binds)

    @property
    def load(self) -> float:
        """How full its windows are, 0 to 1; 1 where nothing can be sent now."""
        size = sum(bind.window for bind in self.binds if bind.bound and bind.account.transmits)
        return self.under_way / size if size and self._presence.here else 1.0

    def ready_at(self, now: float) -> float | None:
        """Tell when the next message may leave; None if no window has room."""
        if not self._presence.here or not any(bind.room for bind in self.binds):
            return None
        return max(self._pace.ready_at(now), self._rest_until)

    def _begin(self) -> None:
        self.condition.state = "starting"
        for bind in self.binds:
            bind.start()

    async def _end(self, state: str) -> None:
        """Send nothing more, wait for answers under way, some seconds at most, and unbind."""
        self._office.changed()
        if self.under_way:
            self._idle = Deferred()
            self._idle.addTimeout(self._timing.stop, self._reactor)
            await self._idle.addErrback(lambda _: None)
            self._idle = None
        for bind in self.binds:
            await bind.stop()
        self.condition.state, self.condition.reason = state, ""

    def send(self, job: Job) -> None:
        """Submit a message by the bind with the most room; `ready_at` said that it may leave."""
        message = job.message
        if reason := gsm7.refusal(message.text):
            job.done(Failed(message.reference, permanent=True, reason=reason))
            return
        submitted = self._submissions.begin(message.reference, message.recipient)
        user_reference = submitted.user_reference.to_bytes(2, "big")
        submission = Submission(
            self.settings.source,
            address_of(message.recipient),
            gsm7.encode(message.text),
            validity_period=relative_period(message.validity_seconds),
            tlvs=((Tag.USER_MESSAGE_REFERENCE, user_reference),),
        )
        try:
            self._submit(submission, (job, submitted))
        except PduError as fault:
            self._submissions.forget(message.reference)
            job.done(Failed(message.reference, permanent=True, reason=str(fault)))

    def pass_on(self, submission: Submission) -> Deferred[Answered | Unanswered] | None:
        """Submit what is no message of the seam's, a USSD screen; None if there is no room.

        Raises:
            PduError: SMPP cannot hold it.
        """
        ready = self.ready_at(self._reactor.seconds())
        if ready is None or ready > self._reactor.seconds():
            return None
        passed = _Passed()
        self._submit(submission, passed)
        return passed.answer

    def _submit(self, submission: Submission, token: Any) -> None:
        self._pace.spend(self._reactor.seconds())
        max(self.binds, key=lambda bind: bind.room / bind.window).submit(submission, token)

    def answered(self, _bind: Bind, event: Answered | Unanswered) -> None:
        """Tell what became of a submission."""
        if isinstance(event.token, _Passed):
            event.token.answer.callback(event)
        else:
            job, submitted = event.token
            answer = self._outcome(event, submitted)
            self.condition.failed += isinstance(answer, Failed)
            job.done(answer)
        if self._idle is not None and not self.under_way and not self._idle.called:
            self._idle.callback(None)
        self._office.changed()

    def _outcome(self, event: Answered | Unanswered, submitted: Submitted) -> Accepted | Failed:
        reference = submitted.reference
        if not isinstance(event, Answered):
            return Failed(reference, permanent=False, reason=event.reason, maybe_sent=True)
        if event.status == Status.ROK:
            if self._refusals:
                self._refusals = 0
                self._describe()
            self.condition.sent += 1
            self.condition.last_sent = self._clock()
            return Accepted(reference, self._submissions.accepted(submitted, event.message_id))
        reason = f"the SMSC refuses: {name_of(event.status)}"
        if event.status in UNSURE:
            return Failed(reference, permanent=False, reason=reason, maybe_sent=True)
        self._submissions.forget(reference)
        permanent = event.status in HOPELESS
        if not permanent:
            self._rest(event.status, reason)
        return Failed(reference, permanent, reason)

    def _rest(self, status: int, reason: str) -> None:
        """Send nothing for a while; several refusals of one window make one pause."""
        self.condition.counts["throttled" if status in BUSY else "refused"] += 1
        self.condition.reason = reason
        now = self._reactor.seconds()
        if now < self._rest_until:
            return
        pause = min(
            self._timing.first_rest * 2.0 ** min(self._refusals, 30), self._timing.longest_rest
        )
        self._rest_until = now + pause * self._random.uniform(0.5, 1.0)
        self._refusals += 1

    def delivered(self, link: Link, delivery: Delivery) -> None:
        """Tell messages from receipts."""
        if not is_receipt(delivery):
            self._office.arrived(self, link, delivery)
            return
        receipt, report = read_receipt(delivery), None
        if receipt is not None:
            report = self._submissions.report(receipt, number_of(delivery.source))
        if report is not None:
            self._office.reported(self, report, partial(link.acknowledge, delivery))
            return
        self.condition.counts[_kind_of(receipt)] += 1
        link.acknowledge(delivery)

    def heard(self, link: Link, count: int) -> None:
        """Pass on which acknowledgements the SMSC has read."""
        self._office.heard(link, count)

    def lost(self, link: Link) -> None:
        """Pass on that a link is gone."""
        self._office.lost(link)

    def changed(self, _bind: Bind) -> None:
        """Note how the binds are."""
        if self._presence.here:
            self._describe()
            self._office.changed()

    def _describe(self) -> None:
        condition = self.condition
        down = [bind for bind in self.binds if not bind.bound]
        reasons = dict.fromkeys(bind.reason for bind in down if bind.reason)
        if self.connected:
            condition.state = "up"
        elif reasons:
            condition.state = "down"
        condition.reason = "; ".join(reasons)
        if down and len(down) < len(self.binds):
            missing = f"{len(down)} of {len(self.binds)} binds are missing"
            condition.reason = f"{missing}: {condition.reason}" if reasons else missing
        condition.smsc = next((bind.smsc for bind in self.binds if bind.smsc), "")


def _kind_of(receipt: Receipt | None) -> str:
    """Return how a receipt of no use is counted."""
    if receipt is None:
        return "unreadable-receipt"
    return "still-trying" if receipt.state is None else "unmatched-receipt"

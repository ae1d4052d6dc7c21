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
from dtns.gateway.smpp.messages import (
    RECEIPT_WANTED,
    Submission,
    address_of,
    number_of,
    relative_period,
)
from dtns.gateway.smpp.pdu import Tag
from dtns.gateway.smpp.presence import Presence
from dtns.gateway.smpp.receipts import is_receipt, read_receipt
from dtns.gateway.smpp.settings import ROLES, Account
from dtns.gateway.smpp.sharing import Window, share_out
from dtns.gateway.smpp.status import BUSY, HOPELESS, UNSURE, Status, name_of
from dtns.gateway.smpp.submissions import Submissions, user_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from random import Random

    from dtns.gateway.carrier import Outbound, Report
    from dtns.gateway.smpp.events import Unanswered
    from dtns.gateway.smpp.link import Link
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.receipts import Receipt
    from dtns.gateway.smpp.settings import Settings
    from dtns.gateway.smpp.timing import Timing


@dataclass(slots=True, eq=False)
class _Passed:
    """A submission that is no message of the carrier's, and where its answer goes."""

    answer: Deferred[Answered | Unanswered] = field(default_factory=Deferred)


class Office(Interface):
    """What the carrier does for its SMSCs."""

    def changed(self) -> None:
        """Note that something may be sent now, or no longer."""

    def answered(self, answers: Sequence[Accepted | Failed]) -> None:
        """Take what became of messages that an SMSC was given."""

    def arrived(self, smsc: Smsc, link: Link, deliveries: Sequence[Delivery]) -> None:
        """Take in messages, to be acknowledged on *link*."""

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

    def window(self, now: float) -> Window:
        """Tell how full its windows are, and how many messages may leave by them *now*."""
        binds = [bind for bind in self.binds if bind.bound and bind.account.transmits]
        used = sum(bind.under_way for bind in binds)
        size = sum(bind.window for bind in binds)
        if not self._presence.here or now < self._rest_until:
            return Window(used, size, 0)
        return Window(used, size, min(max(0, size - used), self._pace.room(now)))

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

    def send(self, messages: Sequence[Outbound]) -> list[Failed]:
        """Submit messages, for which `window` said that there is room; return those refused here.

        What becomes of the others the office is told.
        """
        submissions, refused = [], []
        begin, source = self._submissions.begin, self.settings.source
        for reference, recipient, text, validity_seconds, _ in messages:
            number = begin(reference, recipient)
            tlvs = ((Tag.USER_MESSAGE_REFERENCE, user_reference(number)),)
            content, period = gsm7.encode(text), relative_period(validity_seconds)
            submission = Submission(
                source, address_of(recipient), content, 0, 0, RECEIPT_WANTED, period, "", 0, tlvs
            )
            try:
                submissions.append((submission.encode(), (reference, number)))
            except PduError as fault:
                self._submissions.forget(number)
                refused.append(Failed(reference, permanent=True, reason=str(fault)))
        self._submit(submissions)
        return refused

    def pass_on(self, submission: Submission) -> Deferred[Answered | Unanswered] | None:
        """Submit what is no message of the seam's, a USSD screen; None if there is no room.

        Raises:
            PduError: SMPP cannot hold it.
        """
        body = submission.encode()
        if not self.window(self._reactor.seconds()).room:
            return None
        passed = _Passed()
        self._submit([(body, passed)])
        return passed.answer

    def _submit(self, submissions: Sequence[tuple[bytes, Any]]) -> None:
        self._pace.spend(self._reactor.seconds(), len(submissions))
        windows = [Window(bind.under_way, bind.window, bind.room) for bind in self.binds]
        start = 0
        for bind, count in zip(self.binds, share_out(len(submissions), windows), strict=True):
            if count:
                bind.submit(submissions[start : start + count])
            start += count
        assert start == len(submissions)

    def answered(self, _bind: Bind, outcomes: Sequence[Answered | Unanswered]) -> None:
        """Tell what became of submissions."""
        answers: list[Accepted | Failed] = []
        for outcome in outcomes:
            if isinstance(outcome.token, _Passed):
                outcome.token.answer.callback(outcome)
            else:
                answers.append(self._answer(outcome))
        if answers:
            self._count(answers)
            self._office.answered(answers)
        if self._idle is not None and not self.under_way and not self._idle.called:
            self._idle.callback(None)
        self._office.changed()

    def _count(self, answers: Sequence[Accepted | Failed]) -> None:
        failed = sum(isinstance(answer, Failed) for answer in answers)
        self.condition.failed += failed
        if failed < len(answers):
            self.condition.sent += len(answers) - failed
            self.condition.last_sent = self._clock()

    def _answer(self, outcome: Answered | Unanswered) -> Accepted | Failed:
        reference, number = outcome.token
        if not isinstance(outcome, Answered):
            return Failed(reference, permanent=False, reason=outcome.reason, maybe_sent=True)
        if outcome.status == Status.ROK:
            if self._refusals:
                self._refusals = 0
                self._describe()
            carrier_id = self._submissions.accepted(number, reference, outcome.message_id)
            return Accepted(reference, carrier_id)
        reason = f"the SMSC refuses: {name_of(outcome.status)}"
        if outcome.status in UNSURE:
            return Failed(reference, permanent=False, reason=reason, maybe_sent=True)
        self._submissions.forget(number)
        permanent = outcome.status in HOPELESS
        if not permanent:
            self._rest(outcome.status, reason)
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

    def delivered(self, link: Link, deliveries: Sequence[Delivery]) -> None:
        """Tell messages from receipts."""
        messages = []
        for delivery in deliveries:
            if is_receipt(delivery):
                self._take_receipt(link, delivery)
            else:
                messages.append(delivery)
        if messages:
            self._office.arrived(self, link, messages)

    def _take_receipt(self, link: Link, delivery: Delivery) -> None:
        receipt, report = read_receipt(delivery), None
        if receipt is not None:
            report = self._submissions.report(receipt, number_of(delivery.source))
        if report is not None:
            self._office.reported(self, report, partial(link.acknowledge, (delivery,)))
            return
        self.condition.counts[_kind_of(receipt)] += 1
        link.acknowledge((delivery,))

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

"""Sam's decision on each ask: authenticate, look for a replay, apply the policy, issue."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from dtns.sam.issuing.clock import credible_week
from dtns.sam.issuing.notices import acknowledge, message, renew, renewed
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.records import Decision, Granted, Records, Registration, Share
from dtns.sam.issuing.standing import change_since, objection
from dtns.sam.issuing.vault import Vault
from dtns.sam.issuing.window import Sighting
from dtns.sam.protocol.answer import Grant, Reason, Refusal
from dtns.sam.protocol.ask import Ask, Form, ReceivedAsk, read_ask
from dtns.sam.protocol.limits import highest_class_within, limit_of
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import MAX_N, Direction, Terms
from dtns.sam.protocol.weeks import MAX_WEEK, week_of
from dtns.sam.protocol.wire import MalformedError, to_text

DAY_SECONDS: Final = 24 * 3600
_REFUSALS: Final = 2
"""Asks beyond the day's share are refused until there were so many times as many of them."""


class Silence(Enum):
    """Why an ask gets no answer at all; each is a counter for the operator."""

    MALFORMED = "malformed"
    NOT_ENROLLED = "not-enrolled"
    GENERATION = "generation"
    FORGED = "forged"
    OLD = "old"
    REPEATS = "repeats"
    WAITING = "waiting"
    REDELIVERED = "redelivered"
    """The carrier brought a message again that was decided on before."""
    SHARE = "share"
    LOCKED = "locked"


class Outcome(Enum):
    """What became of an ask that is answered."""

    ISSUED = "issued"
    REFUSED = "refused"
    REPEATED = "repeated"
    FILED = "filed"
    """A log, of which Sam has everything up to the serial in the answer."""


class Answer(NamedTuple):
    """An answer to send to the asker's enrolled number, for the ask with this counter.

    notice, where it is not empty, is a message of Sam's own to send there too. issue is the number
    in the log of the decision that the answer tells, 0 where it tells none.
    """

    recipient: Number
    generation: int
    counter: int
    text: str
    outcome: Outcome
    notice: str = ""
    issue: int = 0

    @property
    def aside(self) -> Answer:
        """The notice as a message of its own, which belongs to no ask."""
        return Answer(self.recipient, self.generation, 0, self.notice, self.outcome)


class Issuer:
    """Decides on asks. Nothing is written, and no one is answered, before the MAC was good.

    trust_clock has it believe any leap of the clock; see issuing.clock.
    """

    def __init__(self, vault: Vault, policy: Policy, *, trust_clock: bool = False) -> None:
        self._vault = vault
        self._policy = policy
        self._trust_clock = trust_clock

    def decide(
        self, records: Records, text: str, carrier: str, now: float, *, identity: str = ""
    ) -> Answer | Silence:
        """Decide on the ask whose SMS text is *text*, at the POSIX time *now*.

        *identity* is the carrier's for the message, empty if it has none: one that comes again is
        not answered again. Reads and writes *records*, whose transaction must be durable before
        the answer leaves.
        """
        try:
            received = read_ask(text)
        except MalformedError:
            return Silence.MALFORMED
        return self.decide_read(records, received, carrier, now, identity=identity)

    def decide_read(
        self,
        records: Records,
        received: ReceivedAsk,
        carrier: str,
        now: float,
        *,
        identity: str = "",
    ) -> Answer | Silence:
        """Decide on an ask that was read, as decide does."""
        registration = self._authenticated(records, received)
        if isinstance(registration, Silence):
            return registration
        return self.decide_authentic(
            records, registration, received, carrier, now, identity=identity
        )

    def decide_authentic(
        self,
        records: Records,
        registration: Registration,
        received: ReceivedAsk,
        carrier: str,
        now: float,
        *,
        identity: str = "",
    ) -> Answer | Silence:
        """Decide on an ask whose MAC was good for this registration, as decide does."""
        registration = registration.on(int(now // DAY_SECONDS))
        ask = received.ask
        sighting = registration.window.sighting(ask.counter)
        if sighting is Sighting.NEW:
            return self._first(records, registration, received, carrier, now, identity=identity)
        if sighting is Sighting.OLD:
            return Silence.OLD
        if identity and records.came_before(ask.asker, ask.counter, carrier, identity):
            return Silence.REDELIVERED
        return self._repeat(records, registration, received)

    def _authenticated(self, records: Records, received: ReceivedAsk) -> Registration | Silence:
        asker = received.ask.asker
        registration = records.registration(asker.number)
        if registration is None:
            return Silence.NOT_ENROLLED
        for enrolment in (registration.enrolment, registration.renewal):
            if enrolment is not None and enrolment.generation == asker.generation:
                if not self._vault.is_authentic(enrolment, received):
                    return Silence.FORGED
                is_new = enrolment == registration.renewal
                return renewed(records, registration) if is_new else registration
        return Silence.GENERATION

    def _first(
        self,
        records: Records,
        registration: Registration,
        received: ReceivedAsk,
        carrier: str,
        now: float,
        *,
        identity: str,
    ) -> Answer | Silence:
        ask = received.ask
        if registration.share.asks >= _REFUSALS * self._policy.asks_per_day:
            return Silence.SHARE
        week = self._week(records, now)
        holder = records.registration(ask.holder)
        if ask.seen.n and holder is not None:
            self._look_for_lost_keys(records, registration, holder, ask)
        reason = objection(records, self._policy, registration, holder, ask)
        granted: Granted | None = None
        if reason is None and holder is not None:
            granted = self._grant(records, holder, ask, week)
            reason = Reason.EXHAUSTED if granted is None else None
        decision = Decision(
            ask.asker, ask.counter, received.mac, ask.holder, week, now, carrier, granted, reason
        )
        octets = self._seal(registration, holder, received, decision)
        if granted is not None and granted.form is Form.RANDOM:
            decision = decision._replace(answer=octets)
        issue = records.add(decision, identity)
        registration = registration.heard(ask.counter)
        registration, notice = self._notice(records, registration, ask, week)
        records.save(registration)
        outcome = Outcome.REFUSED if reason else Outcome.ISSUED
        return _answer(ask, octets, outcome, issue, notice)

    def _repeat(
        self, records: Records, registration: Registration, received: ReceivedAsk
    ) -> Answer | Silence:
        ask, share = received.ask, registration.share
        if records.answer_waits(ask.asker, ask.counter):
            return Silence.WAITING
        decision = records.decision(ask.asker, ask.counter)
        if decision is None or not self._may_repeat(decision, share):
            return Silence.REPEATS
        issue = records.count_repeat(ask.asker, ask.counter)
        records.save(registration.repeated())
        reason = change_since(records, registration, decision)
        if decision.ask_mac != received.mac:
            reason = Reason.COUNTER_REUSED
        if reason is not None:
            decision = decision._replace(granted=None, reason=reason, answer=None)
        holder = records.registration(decision.holder)
        octets = self._seal(registration, holder, received, decision)
        return _answer(ask, octets, Outcome.REPEATED, issue)

    def _week(self, records: Records, now: float) -> int:
        last, shown = records.week, week_of(now)
        if shown == last:
            return last
        week = credible_week(last, shown, trusted=self._trust_clock)
        if week != last:
            records.note_week(week)
        return week

    def _notice(
        self, records: Records, registration: Registration, ask: Ask, week: int
    ) -> tuple[Registration, str]:
        """Return what to tell the party while it has signal; a retired master key is renewed.

        A suspended party is told nothing, and gets no new keys. Nor is one beyond its asks of the
        day: each notice costs a message.
        """
        if registration.suspended:
            return registration, ""
        acknowledge(records, registration, ask.synced)
        if ask.synced > registration.told:
            # a restored Sam goes on above what the SIM has obeyed, or it would never obey again
            registration = registration._replace(told=ask.synced)
        if registration.share.asks > self._policy.asks_per_day:
            return registration, ""
        if registration.enrolment.master_id != self._vault.current:
            registration = renew(records, registration, self._vault.current) or registration
        return message(records, self._vault, registration, week)

    def _may_repeat(self, decision: Decision, share: Share) -> bool:
        lost = decision.answer is None and decision.granted and decision.granted.form is Form.RANDOM
        within = decision.repeats < self._policy.repeats_per_ask
        return within and share.repeats < self._policy.repeats_per_day and not lost

    def _look_for_lost_keys(
        self, records: Records, registration: Registration, holder: Registration, ask: Ask
    ) -> None:
        epoch = records.epoch
        last_n = records.last_n(ask.asker, holder.party, epoch)
        if self._vault.proves_more(registration, holder, ask, (epoch, last_n)):
            records.note_behind(ask.seen.epoch)

    def _grant(self, records: Records, holder: Registration, ask: Ask, week: int) -> Granted | None:
        """Return the key granted, None where the pair has used up all that it can have."""
        epoch, party, policy = records.epoch, holder.party, self._policy
        n = records.last_n(ask.asker, party, epoch) + 1
        if n > MAX_N:
            return None
        expiry = min(week + policy.life(ask.life), MAX_WEEK)
        terms = Terms(self._limit(records, ask, week, expiry), ask.direction, expiry)
        form = Form.RANDOM if policy.random_keys else ask.form
        return Granted(party.generation, epoch, n, terms, form)

    def _limit(self, records: Records, ask: Ask, week: int, expiry: int) -> int:
        """Return the limit class granted, and count it to what the payer may pay in all."""
        limit, bound = min(ask.limit, self._policy.highest_limit_class), self._policy.exposure_limit
        if not bound:
            return limit
        asker_pays = ask.direction is Direction.ASKER_PAYS
        payer = ask.asker.number if asker_pays else ask.holder
        limit = min(limit, highest_class_within(bound - records.exposure(payer, week)))
        records.expose(payer, expiry, limit_of(limit))
        return limit

    def _seal(
        self,
        registration: Registration,
        holder: Registration | None,
        received: ReceivedAsk,
        decision: Decision,
    ) -> bytes:
        """Return the octets of the answer that tells the decision, the same for the same one."""
        if decision.answer is not None:
            return decision.answer
        answer: Grant | Refusal
        if decision.granted is None:
            assert decision.reason is not None
            answer = Refusal(decision.reason, decision.week)
        else:
            assert holder is not None
            answer = self._vault.grant(
                registration, holder, received.ask, decision.granted, decision.week
            )
        return self._vault.seal(registration, received, answer)


def _answer(ask: Ask, octets: bytes, outcome: Outcome, issue: int, notice: str = "") -> Answer:
    asker, text = ask.asker, to_text(octets)
    return Answer(asker.number, asker.generation, ask.counter, text, outcome, notice, issue)

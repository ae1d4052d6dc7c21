"""Sam's decision on an ask that a person typed: which counter, which key, and the answer in digits.

Specified in sam/README.md, sections 4 and 6. From the MAC on a typed ask goes the way of all asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import field, frozen

from dtns.sam.issuing.issuer import DAY_SECONDS, Answer, Issuer, Silence
from dtns.sam.issuing.notices import renewed
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.records import Decision, Records, Registration
from dtns.sam.issuing.standing import change_since
from dtns.sam.issuing.vault import Vault
from dtns.sam.issuing.window import WINDOW_BITS
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import MAX_COUNTER, Ask, Form, ReceivedAsk
from dtns.sam.protocol.keys import Enrolment
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Context, Direction, Party
from dtns.sam.protocol.typedanswer import seal_typed
from dtns.sam.protocol.typedask import COUNTER_BITS, TypedAsk, split_typed

BAD_A_DAY: Final = 10
"""Bad typed asks for a party in a day; beyond it no typed ask of that party is looked at."""
MOST_COMPARED: Final = 4
"""Counters and generations that one typed ask is compared with at most."""


@frozen
class Typing:
    """What came in: who is said to ask, for a key with whom, and the 39 bits that were typed."""

    asker: Number
    holder: Number
    bits: int = field(repr=False)


@frozen
class TypedDecision:
    """What became of an authentic typed ask.

    answer is Sam's answer by SMS, None where a copy of it waits to leave already; reason is why
    there is no key, None where there is one; digits are the 199 bits of the answer to be typed,
    None where there is no key or it is a random one.
    """

    party: Party
    counter: int
    answer: Answer | None
    reason: Reason | None
    digits: int | None = field(repr=False)


class TypedAsks:
    """Decides on typed asks as the issuer decides on others, of whose counters they are."""

    def __init__(self, issuer: Issuer, vault: Vault, policy: Policy) -> None:
        self._issuer = issuer
        self._vault = vault
        self._policy = policy

    def decide(
        self, records: Records, typing: Typing, carrier: str, now: float
    ) -> TypedDecision | Silence:
        """Decide on a typed ask at the POSIX time *now*.

        Reads and writes *records*, whose transaction must be durable before anything is shown: a
        bad ask is counted there, and after ten of a party and day none is looked at any more.
        """
        registration = records.registration(typing.asker)
        if registration is None:
            return Silence.NOT_ENROLLED
        day = int(now // DAY_SECONDS)
        if records.bad_typed(typing.asker, day) >= BAD_A_DAY:
            return Silence.LOCKED
        found = self._authentic(registration, typing)
        if found is None:
            records.count_bad_typed(typing.asker, day)
            return Silence.FORGED
        enrolment, ask = found
        if enrolment == registration.renewal:
            registration = renewed(records, registration)
        received = self._received(enrolment, ask)
        answer = self._issuer.decide_authentic(records, registration, received, carrier, now)
        if isinstance(answer, Silence) and answer is not Silence.WAITING:
            return answer
        sent = answer if isinstance(answer, Answer) else None
        return self._decided(records, registration, received, sent)

    def count_sending(self, records: Records, number: Number, now: float) -> bool:
        """Count that the digits of an answer go to a party by SMS; False beyond the day's share.

        They share it with the answers that are given again.
        """
        registration = records.registration(number)
        if registration is None:
            return False
        registration = registration.on(int(now // DAY_SECONDS))
        if registration.share.repeats >= self._policy.repeats_per_day:
            return False
        records.save(registration.repeated())
        return True

    def _authentic(
        self, registration: Registration, typing: Typing
    ) -> tuple[Enrolment, TypedAsk] | None:
        """Return the ask that the party's SIM made, if it is one, by its counter in full."""
        low, mac = split_typed(typing.bits)
        found = None
        for enrolment in (registration.enrolment, registration.renewal):
            if enrolment is None:
                continue
            ask_key = self._vault.party_keys(enrolment).ask
            party = Party(enrolment.number, enrolment.generation)
            for counter in counters(registration.window.highest, low):
                ask = TypedAsk(party, counter, typing.holder)
                if ask.is_proved_by(ask_key, mac) and found is None:
                    found = enrolment, ask
        return found

    def _received(self, enrolment: Enrolment, typed: TypedAsk) -> ReceivedAsk:
        """Return the ask with what it leaves to Sam; its octets are those of the typed form."""
        policy = self._policy
        ask = Ask(
            asker=typed.asker,
            counter=typed.counter,
            holder=typed.holder,
            limit=min(policy.typed_limit_class, policy.highest_limit_class),
            direction=Direction.ASKER_PAYS,
            form=Form.BOTH,
            life=0,
        )
        return ReceivedAsk(ask, typed.seal(self._vault.party_keys(enrolment).ask))

    def _decided(
        self,
        records: Records,
        registration: Registration,
        received: ReceivedAsk,
        answer: Answer | None,
    ) -> TypedDecision | Silence:
        ask = received.ask
        decision = records.decision(ask.asker, ask.counter)
        if decision is None:
            return Silence.REPEATS
        reason = decision.reason or change_since(records, registration, decision)
        if decision.ask_mac != received.mac:
            reason = Reason.COUNTER_REUSED
        digits = None if reason else self._digits(records, registration, received, decision)
        return TypedDecision(ask.asker, ask.counter, answer, reason, digits)

    def _digits(
        self,
        records: Records,
        registration: Registration,
        received: ReceivedAsk,
        decision: Decision,
    ) -> int | None:
        """Return the answer to be typed: the same for the same decision, None for a random key."""
        granted = decision.granted
        holder = records.registration(decision.holder)
        assert granted is not None
        assert holder is not None
        if granted.form is Form.RANDOM:
            return None
        ask = received.ask
        grant = self._vault.grant(registration, holder, ask, granted, decision.week)
        context = Context(ask.asker, holder.party, granted.epoch, granted.n, granted.terms)
        answer_key = self._vault.party_keys(registration.enrolment).answer
        return seal_typed(answer_key, received.octets, context, grant.session).pack()


def counters(highest: int, low: int) -> Iterator[int]:
    """Yield the counters that end in these 6 bits, one in the window and one in the 64 above it."""
    step = 1 << COUNTER_BITS
    assert step == WINDOW_BITS
    first = highest - WINDOW_BITS + 1
    in_window = first + ((low - first) % step)
    for counter in (in_window, in_window + step):
        if 1 <= counter <= MAX_COUNTER:
            yield counter

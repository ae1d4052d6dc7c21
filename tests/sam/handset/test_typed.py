"""Asks and answers in digits, on the phone."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from dtns.codecs.digits import PROFILES, Status, encode, parity_groups, show
from dtns.codecs.entry import Entry
from dtns.sam.errors import SimFileError
from dtns.sam.handset.exchanges import Asked
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.state import AskOutcome
from dtns.sam.issuing.typed import TypedAsks, TypedDecision, Typing
from dtns.sam.protocol.typedask import typed_bits

ANSWER = PROFILES["answer"]


def shown(phone: Handset, holder: Handset, **options: bool) -> str:
    """Return the digits of a typed ask."""
    asked = phone.ask_typed(holder.sim.number, 0.0, **options)
    assert isinstance(asked, Asked)
    return asked.text


def answered(world: Any, phone: Handset, holder: Handset) -> int:
    """Let a phone ask anew and Sam decide; return the 199 bits of the answer."""
    shown(phone, holder, anew=True)
    typing = Typing(
        phone.sim.number, holder.sim.number, typed_bits(phone.card.state.asks[-1].octets)
    )
    asks = TypedAsks(world.issuer, world.issuer._vault, world.policy)
    with world.store.transaction():
        decided = asks.decide(world.store, typing, "ussd", world.now)
    assert isinstance(decided, TypedDecision)
    assert decided.digits is not None
    return decided.digits


def test_the_same_ask_is_shown_until_it_is_answered(
    world: Any, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """Twelve digits, the same again, others for another holder or when asked anew."""
    first = shown(alice, bob)
    assert len(first.replace(" ", "")) == 12
    assert shown(alice, bob) == first
    assert len({first, shown(alice, carol), shown(alice, bob, anew=True)}) == 3


def test_an_ask_is_durable_before_it_is_shown(alice: Handset, bob: Handset) -> None:
    """Where the card keeps nothing, no digits come out, and the counter is not used up."""
    alice.card.keeps_left = 0  # type: ignore[attr-defined]
    with pytest.raises(SimFileError):
        alice.ask_typed(bob.sim.number, 0.0)
    alice.card.keeps_left = None  # type: ignore[attr-defined]
    shown(alice, bob)
    assert alice.card.state.counter == 1


def test_typed_asks_do_not_go_out_by_sms(alice: Handset, bob: Handset) -> None:
    """A phone that repeats what waits leaves them out."""
    shown(alice, bob)
    assert [asked.may_be_sent for asked in alice.waiting()] == [False]


def test_own_number(alice: Handset) -> None:
    """A phone asks for no key with itself."""
    assert alice.ask_typed(alice.sim.number, 0.0) == "self"


def test_a_slip_is_repaired_and_a_missing_group_asked_for(
    world: Any, alice: Handset, bob: Handset
) -> None:
    """With the parity group that is shown, one slip is repaired against the tag."""
    groups = encode(ANSWER, answered(world, alice, bob))
    digits = show(groups)
    wrong = f"{(int(digits[0]) + 1) % 10}{digits[1:]}"
    entered = alice.enter_answer(wrong)
    assert entered.status in {Status.REPAIRED, Status.SAY_AGAIN, Status.MORE}
    if entered.key is None:
        assert alice.enter_answer(digits).key is not None


def test_half_a_code_is_kept_and_gone_on_with(world: Any, alice: Handset, bob: Handset) -> None:
    """What was typed stays on the card, as boxes or as text."""
    digits = show(encode(ANSWER, answered(world, alice, bob)))
    half, rest = digits[:39], digits[40:]
    assert alice.enter_answer(half).key is None
    assert alice.answer_draft == half
    assert alice.enter_answer(f"{alice.answer_draft} {rest}").key is not None
    assert alice.answer_draft == ""
    entry = Entry.begin(ANSWER).typed(half)
    alice.keep_answer_draft(entry.saved)
    assert Entry.resume(ANSWER, alice.answer_draft).typed(f" {rest}").complete


def test_more_parity_can_be_given_later(world: Any, alice: Handset, bob: Handset) -> None:
    """Two wrong groups are repaired once two more groups are typed."""
    bits = answered(world, alice, bob)
    groups = [f"{group:04d}" for group in encode(ANSWER, bits)]
    spoiled = [f"{(int(groups[0]) + 17) % 9973:04d}", f"{(int(groups[1]) + 29) % 9973:04d}"]
    more = [f"{group:04d}" for group in parity_groups(ANSWER, bits, 1, 2)]
    entered = alice.enter_answer(" ".join([*spoiled, *groups[2:], *more]))
    assert entered.status is Status.REPAIRED
    assert entered.reading.changed == (1, 2)


def test_the_latest_asks_are_tried(world: Any, alice: Handset, bob: Handset) -> None:
    """An answer is found among several open asks, and only its own is answered."""
    bits = [answered(world, alice, bob) for _ in range(3)]
    assert alice.enter_answer(show(encode(ANSWER, bits[1]))).key is not None
    outcomes = [sent.outcome for sent in alice.card.state.asks]
    assert outcomes == [AskOutcome.WAITING, AskOutcome.ANSWERED, AskOutcome.WAITING]


def test_an_answer_to_nobody_is_refused(world: Any, alice: Handset, bob: Handset) -> None:
    """Without an ask nothing is compared; another party's answer is no one's."""
    bits = answered(world, alice, bob)
    assert bob.enter_answer(show(encode(ANSWER, bits))).reason == "no-ask"
    shown(bob, alice)
    entered = bob.enter_answer(show(encode(ANSWER, bits)))
    assert (entered.status, entered.key) == (Status.REFUSED, None)


def test_a_cancelled_ask_takes_no_answer(world: Any, alice: Handset, bob: Handset) -> None:
    """Given up is given up, also for digits."""
    bits = answered(world, alice, bob)
    assert alice.cancel(bob.sim.number) == 1
    assert alice.enter_answer(show(encode(ANSWER, bits))).reason == "no-ask"


def test_comparisons_are_paid_before_they_are_made(
    world: Any, alice: Handset, bob: Handset
) -> None:
    """Junk spends the strangers' budget alone, until it is used up; tickets of peers go on."""
    bits = answered(world, alice, bob)
    before = alice.card.state.guesses
    assert alice.enter_answer(show(encode(ANSWER, bits ^ 1))).key is None
    after = alice.card.state.guesses
    assert after.spent - before.spent == after.strangers - before.strangers == 1 << 24
    state = alice.card.state
    spent = evolve(after, spent=1 << 36, strangers=1 << 36)
    alice.card.keep(evolve(state, guesses=spent))
    entered = alice.enter_answer(show(encode(ANSWER, bits)))
    assert (entered.reason, entered.lock) == ("locked", 1)


def test_a_power_cut_at_any_write_loses_nothing(world: Any, alice: Handset, bob: Handset) -> None:
    """After a cut between any two writes the digits can be typed again, and bring the key."""
    digits = show(encode(ANSWER, answered(world, alice, bob)))
    for keeps in range(2):
        alice.card.keeps_left = keeps  # type: ignore[attr-defined]
        with pytest.raises(SimFileError):
            alice.enter_answer(digits)
    alice.card.keeps_left = None  # type: ignore[attr-defined]
    assert alice.enter_answer(digits).key is not None


def test_a_key_without_witness_is_not_told_of(world: Any, alice: Handset, bob: Handset) -> None:
    """The next ask by SMS shows the latest key that came with Sam's witness, or none."""
    assert alice.enter_answer(show(encode(ANSWER, answered(world, alice, bob)))).key is not None
    asked = world.ask(alice, bob)
    assert alice.card.state.asks[-1].ask.seen.n == 0  # type: ignore[union-attr]
    assert alice.receive(world.answer(asked)).key is not None
    assert alice.enter_answer(show(encode(ANSWER, answered(world, alice, bob)))).key is not None
    world.ask(alice, bob)
    assert alice.card.state.asks[-1].ask.seen.n == 2  # type: ignore[union-attr]


def test_a_silent_holder_of_a_later_generation(world: Any, alice: Handset, bob: Handset) -> None:
    """Five bits of the holder's generation are read from the highest one known."""
    newer = bob
    for _ in range(4):
        newer = world.renewed(newer)
    entered = alice.enter_answer(show(encode(ANSWER, answered(world, alice, newer))))
    assert entered.key is not None
    assert entered.key.context.holder.generation == 5

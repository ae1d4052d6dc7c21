"""Asks that a person types: which counter they have, what bad ones do, the answer in digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, decode, encode, show
from dtns.sam.handset.exchanges import Asked
from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.issuer import Answer, Outcome, Silence
from dtns.sam.issuing.notices import renew
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.typed import BAD_A_DAY, TypedAsks, TypedDecision, Typing, counters
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.typedanswer import TypedAnswer
from dtns.sam.protocol.wire import to_text

DAY = 24 * 3600


class Typist:
    """Types what phones show to Sam, and what Sam shows to phones."""

    def __init__(self, world: Any) -> None:
        self.world = world

    def shown(self, asker: Handset, holder: Handset) -> str:
        """Return the 12 digits of a new ask."""
        asked = asker.ask_typed(holder.sim.number, self.world.now, anew=True)
        assert isinstance(asked, Asked)
        return asked.text

    def type(self, asker: Handset, holder: Handset, digits: str) -> TypedDecision | Silence:
        """Type digits to Sam as this caller, for this holder."""
        bits = decode(PROFILES["ask"], digits).payload
        assert bits is not None
        typing = Typing(asker.sim.number, holder.sim.number, bits)
        asks = TypedAsks(self.world.issuer, self.world.issuer._vault, self.world.policy)
        with self.world.store.transaction():
            return asks.decide(self.world.store, typing, "ussd", self.world.now)

    def good(self, asker: Handset, holder: Handset, digits: str) -> TypedDecision:
        """Type digits that must be good."""
        decided = self.type(asker, holder, digits)
        assert isinstance(decided, TypedDecision), decided
        return decided

    def bad(self, asker: Handset, holder: Handset, digits: str) -> str:
        """Return digits near to these that prove nothing."""
        bits = decode(PROFILES["ask"], digits).payload
        assert bits is not None
        return show(encode(PROFILES["ask"], bits ^ 1))


@pytest.fixture
def typist(world: Any) -> Typist:
    """Somebody with a keypad."""
    return Typist(world)


def _digits(decided: TypedDecision) -> str:
    assert decided.digits is not None
    return show(encode(PROFILES["answer"], decided.digits))


@given(highest=st.integers(0, 2**32 - 1), low=st.integers(0, 63))
def test_six_bits_stand_for_one_counter_in_the_window_and_one_above(highest: int, low: int) -> None:
    """Every counter that the window can tell of, or one of the 64 to come, is found once."""
    found = list(counters(highest, low))
    expected = [
        counter
        for counter in range(highest - 63, highest + 65)
        if counter % 64 == low and 1 <= counter < 2**32
    ]
    assert found == expected


def test_the_answer_comes_by_sms(typist: Typist, alice: Handset, bob: Handset) -> None:
    """A typed ask is answered as any other: the phone opens the SMS with the ask it remembers."""
    decided = typist.good(alice, bob, typist.shown(alice, bob))
    assert isinstance(decided.answer, Answer)
    assert decided.answer.recipient == alice.sim.number
    received = alice.receive(decided.answer.text)
    assert received.outcome == "answered"
    assert received.key is not None
    assert received.key.sealed is not None
    ticket = typist.world.ticket(alice, bob)
    entered = bob.enter(alice.sim.number, ticket)
    assert entered.key is not None
    assert entered.key.session == received.key.session


def test_the_answer_comes_in_digits(typist: Typist, alice: Handset, bob: Handset) -> None:
    """The digits bring the key that the holder derives, and the phone's time rises by them."""
    decided = typist.good(alice, bob, typist.shown(alice, bob))
    entered = alice.enter_answer(_digits(decided))
    assert entered.key is not None
    assert entered.peer == bob.sim.number
    held = bob.enter(alice.sim.number, typist.world.ticket(alice, bob))
    assert held.key is not None
    assert held.key.session == entered.key.session


def test_both_forms_carry_one_key(typist: Typist, alice: Handset, bob: Handset) -> None:
    """Whichever comes second changes nothing."""
    decided = typist.good(alice, bob, typist.shown(alice, bob))
    assert decided.answer is not None
    assert alice.enter_answer(_digits(decided)).key is not None
    assert alice.receive(decided.answer.text).reason == "known"
    assert alice.enter_answer(_digits(decided)).reason == "known"


def test_a_recorded_code_gets_the_same_answer(typist: Typist, alice: Handset, bob: Handset) -> None:
    """Typed again, a code issues nothing: the digits and the SMS are those that were given."""
    code = typist.shown(alice, bob)
    first, again = (typist.good(alice, bob, code) for _ in range(2))
    assert first.digits == again.digits
    assert first.answer is not None
    assert again.answer is not None
    assert first.answer.text == again.answer.text
    assert again.answer.outcome is Outcome.REPEATED
    with typist.world.store.transaction():
        assert typist.world.store.registry.count_issues() == (1, 1)


def test_a_recorded_code_is_old_once_the_window_has_passed(
    typist: Typist, alice: Handset, bob: Handset
) -> None:
    """Its six bits then stand for other counters, of which it proves none."""
    code = typist.shown(alice, bob)
    typist.good(alice, bob, code)
    for _ in range(64):
        asked = typist.world.ask(alice, bob)
        typist.world.tell(asked.text)
    assert typist.type(alice, bob, code) is Silence.FORGED


def test_a_code_is_for_one_holder_and_one_asker(
    typist: Typist, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """Beside another number, or from another caller, it proves nothing."""
    code = typist.shown(alice, bob)
    assert typist.type(alice, carol, code) is Silence.FORGED
    assert typist.type(carol, bob, code) is Silence.FORGED
    assert typist.type(bob, alice, code) is Silence.FORGED
    assert isinstance(typist.type(alice, bob, code), TypedDecision)


def test_a_typed_ask_counts_with_the_others(typist: Typist, alice: Handset, bob: Handset) -> None:
    """A typed ask overtakes asks by SMS that are still under way, and they are new all the same."""
    slow = [typist.world.ask(alice, bob) for _ in range(5)]
    typist.good(alice, bob, typist.shown(alice, bob))
    outcomes = [typist.world.tell(asked.text) for asked in slow]
    assert [answer.outcome for answer in outcomes] == [Outcome.ISSUED] * 5


def test_a_phone_that_ran_ahead(typist: Typist, alice: Handset, bob: Handset) -> None:
    """Sixty-four asks that never came are bridged; after more an ask by SMS puts it right."""
    for _ in range(63):
        typist.shown(alice, bob)
    typist.good(alice, bob, typist.shown(alice, bob))
    for _ in range(64):
        typist.shown(alice, bob)
    assert typist.type(alice, bob, typist.shown(alice, bob)) is Silence.FORGED
    typist.world.answer(typist.world.ask(alice, bob))
    typist.good(alice, bob, typist.shown(alice, bob))


def test_ten_bad_ones_a_day_lock_the_typed_form_alone(
    typist: Typist, alice: Handset, bob: Handset
) -> None:
    """Then a good code is not looked at, asks by SMS go on, and the next day begins anew."""
    code = typist.shown(alice, bob)
    bad = typist.bad(alice, bob, code)
    outcomes = [typist.type(alice, bob, bad) for _ in range(BAD_A_DAY + 3)]
    assert outcomes == [Silence.FORGED] * BAD_A_DAY + [Silence.LOCKED] * 3
    assert typist.type(alice, bob, code) is Silence.LOCKED
    assert isinstance(typist.world.tell(typist.world.ask(alice, bob).text), Answer)
    typist.world.now += DAY
    assert isinstance(typist.type(alice, bob, code), TypedDecision)


def test_bad_ones_are_durable(typist: Typist, alice: Handset, bob: Handset) -> None:
    """Neither a good code in between nor a restart of Sam forgets them."""
    bad = typist.bad(alice, bob, typist.shown(alice, bob))
    for _ in range(BAD_A_DAY - 1):
        assert typist.type(alice, bob, bad) is Silence.FORGED
    typist.good(alice, bob, typist.shown(alice, bob))
    path = typist.world.store.path
    typist.world.store.close()
    typist.world.open_store(path)
    assert typist.type(alice, bob, bad) is Silence.FORGED
    assert typist.type(alice, bob, bad) is Silence.LOCKED


def test_whoever_is_not_enrolled_leaves_nothing(
    typist: Typist, alice: Handset, bob: Handset
) -> None:
    """A caller nobody knows costs no write."""
    code = typist.shown(alice, bob)
    before = typist.world.store.connection.total_changes
    bits = decode(PROFILES["ask"], code).payload
    assert bits is not None
    asks = TypedAsks(typist.world.issuer, typist.world.issuer._vault, typist.world.policy)
    with typist.world.store.transaction():
        typing = Typing(alice.sim.number[:-1], bob.sim.number, bits)  # type: ignore[arg-type]
        silence = asks.decide(typist.world.store, typing, "ussd", typist.world.now)
    assert silence is Silence.NOT_ENROLLED
    assert typist.world.store.connection.total_changes == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("holder renewed", Reason.CHANGED),
        ("holder suspended", Reason.PEER_SUSPENDED),
        ("asker suspended", Reason.SUSPENDED),
    ],
)
def test_no_digits_after_a_change(
    typist: Typist, alice: Handset, bob: Handset, change: str, reason: Reason
) -> None:
    """The same code after a party's standing changed brings a refusal and no second answer."""
    code = typist.shown(alice, bob)
    typist.good(alice, bob, code)
    if change == "holder renewed":
        typist.world.renewed(bob)
    else:
        typist.world.suspend(bob if "holder" in change else alice)
    again = typist.good(alice, bob, code)
    assert (again.reason, again.digits) == (reason, None)


def test_no_cipher_key_is_used_for_two_answers(
    typist: Typist, alice: Handset, bob: Handset
) -> None:
    """Under one ask decided twice, for Sam lost the first decision, all of the answer differs."""
    code = typist.shown(alice, bob)
    copies = [typist.world.copy_of_store() for _ in range(4)]
    first = typist.good(alice, bob, code)
    blocks = {TypedAnswer.unpack(first.digits or 0).block}
    for lost, copy in enumerate(copies):
        typist.world.store.close()
        typist.world.open_store(copy)
        for _ in range(lost):
            typist.world.raise_epoch()
        again = typist.good(alice, bob, code)
        assert (again.digits == first.digits) is (lost == 0)
        blocks.add(TypedAnswer.unpack(again.digits or 0).block)
    assert len(blocks) == 4


def test_random_keys_have_no_digits(make_world: Callable[..., Any]) -> None:
    """Under a policy of random keys the answer comes by SMS alone."""
    typist = Typist(make_world(Policy(random_keys=True)))
    alice, bob = typist.world.phone(), typist.world.phone()
    decided = typist.good(alice, bob, typist.shown(alice, bob))
    assert decided.digits is None
    assert decided.reason is None
    assert decided.answer is not None
    received = alice.receive(decided.answer.text)
    assert received.key is not None
    assert not received.key.derived


def test_the_whole_ask_does_not_come_by_sms(typist: Typist, alice: Handset, bob: Handset) -> None:
    """By SMS its 33 bits could be guessed without end, so it is not an ask there."""
    typist.shown(alice, bob)
    whole = alice.card.state.asks[-1].octets
    assert typist.world.tell(to_text(whole)) is Silence.MALFORMED


def test_the_share_of_a_day_holds_for_typed_asks(make_world: Callable[..., Any]) -> None:
    """Beyond it they are refused, beyond twice it they meet silence."""
    typist = Typist(make_world(Policy(asks_per_day=2)))
    alice, bob = typist.world.phone(), typist.world.phone()
    outcomes = [typist.type(alice, bob, typist.shown(alice, bob)) for _ in range(5)]
    reasons = [each.reason if isinstance(each, TypedDecision) else each for each in outcomes]
    assert reasons == [None, None, Reason.QUOTA, Reason.QUOTA, Silence.SHARE]


def test_a_typed_ask_ends_a_renewal(typist: Typist, alice: Handset, bob: Handset) -> None:
    """A phone that has become a new generation shows it by a typed ask as by any other.

    The second half of its keys takes an ask by SMS, which says that the first half came.
    """
    store = typist.world.store
    with store.transaction():
        known = store.registration(alice.sim.number)
        assert known is not None
        assert renew(store, known, 1) is not None
    notice = typist.good(alice, bob, typist.shown(alice, bob)).answer
    assert notice is not None
    assert alice.receive(notice.notice).outcome == "obeyed"
    more = typist.world.tell(typist.world.ask(alice, bob).text)
    assert alice.receive(more.notice).outcome == "obeyed"
    decided = typist.good(alice, bob, typist.shown(alice, bob))
    assert decided.party.generation == 2
    entered = alice.enter_answer(_digits(decided))
    assert entered.key is not None
    assert entered.key.context.asker.generation == 2
    with store.transaction():
        assert store.registration(alice.sim.number).enrolment.generation == 2

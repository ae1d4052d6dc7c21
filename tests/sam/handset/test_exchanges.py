"""Asks out, answers in: what a phone and Sam agree on, whatever the network does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.sentences import sentence
from dtns.sam.handset.state import MAX_ASKS, MAX_HOLDERS, AskOutcome
from dtns.sam.issuing.issuer import Answer, Outcome, Silence
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import MAX_COUNTER, Form, Seen, read_ask
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.wire import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World

    from dtns.sam.handset.handset import Handset


def _ask(phone: Handset, holder: Handset, wish: Wish | None = None, *, anew: bool = False) -> Asked:
    asked = phone.ask(holder.sim.number, wish or Wish(), 0.0, anew=anew)
    assert isinstance(asked, Asked)
    return asked


def test_the_same_ask_again_is_the_same_message(alice: Handset, bob: Handset) -> None:
    """While an ask waits, the same wish repeats it octet for octet, under the same counter."""
    first = _ask(alice, bob)
    assert _ask(alice, bob) == first
    assert alice.card.state.counter == first.counter == 1
    assert alice.waiting() == [first]


@pytest.mark.parametrize(
    "other",
    [
        Wish(limit=3),
        Wish(direction=Direction.HOLDER_PAYS),
        Wish(life=4),
        Wish(nonce=7),
    ],
)
def test_another_wish_is_another_ask(alice: Handset, bob: Handset, other: Wish) -> None:
    """A wish that differs in anything gets a counter of its own."""
    first, second = _ask(alice, bob), _ask(alice, bob, other)
    assert second.counter == first.counter + 1
    assert read_ask(second.text).ask.nonce == other.nonce


def test_anew_asks_anew_while_the_same_ask_waits(alice: Handset, bob: Handset) -> None:
    """With anew, the same wish is a new ask under the next counter; both wait."""
    first, second = _ask(alice, bob), _ask(alice, bob, anew=True)
    assert [asked.counter for asked in alice.waiting()] == [first.counter, second.counter] == [1, 2]


def test_an_answered_ask_is_not_repeated(world: World, alice: Handset, bob: Handset) -> None:
    """Once the answer is in, the same wish is a new ask."""
    first = _ask(alice, bob)
    alice.receive(world.answer(first))
    assert _ask(alice, bob).counter == first.counter + 1


def test_no_ask_for_a_key_with_oneself(alice: Handset) -> None:
    """A phone does not ask for a key with its own number, and uses up no counter on it."""
    assert alice.ask(alice.sim.number, Wish(), 0.0) == "self"
    assert alice.card.state.counter == 0


def test_the_counter_ends_where_it_would_repeat(alice: Handset, bob: Handset) -> None:
    """After 2^32 - 1 asks there is a reason instead of a counter that comes round again."""
    alice.card.keep(evolve(alice.card.state, counter=MAX_COUNTER - 1))
    assert _ask(alice, bob).counter == MAX_COUNTER
    assert alice.ask(bob.sim.number, Wish(), 0.0, anew=True) == "used-up"
    assert "new SIM" in sentence("ask", "used-up")


def test_an_ask_is_durable_before_it_is_shown(alice: Handset, bob: Handset) -> None:
    """No counter is used for two asks, even if the power goes right after the first is shown."""
    first = _ask(alice, bob)
    assert alice.card.history[-1].counter == first.counter
    assert alice.card.history[-1].asks[0].octets == read_ask(first.text).octets


def test_sendings_are_counted(alice: Handset, bob: Handset) -> None:
    """The phone knows how often the network took each ask; one it has forgotten is no matter."""
    asked = _ask(alice, bob)
    alice.count_sending(asked.counter)
    alice.count_sending(asked.counter)
    alice.count_sending(99)
    assert [waiting.sent for waiting in alice.waiting()] == [2]


def test_no_more_asks_are_remembered_than_sam_can_tell_apart(alice: Handset, bob: Handset) -> None:
    """Of more asks than Sam's window is wide the oldest are forgotten; the counter goes on."""
    for _ in range(MAX_ASKS + 3):
        _ask(alice, bob, anew=True)
    assert [asked.counter for asked in alice.waiting()] == list(range(4, MAX_ASKS + 4))


def test_an_ask_tells_sam_the_latest_key_seen(world: World, alice: Handset, bob: Handset) -> None:
    """An ask carries the highest (epoch, n) held with that party, and the witness to it."""
    assert read_ask(_ask(alice, bob).text).ask.seen == Seen()
    key = [world.key(alice, bob) for _ in range(2)][-1]
    seen = read_ask(_ask(alice, bob, anew=True).text).ask.seen
    assert (seen.epoch, seen.n, seen.witness) == (1, 2, key.witness)


def test_an_ask_tells_nothing_of_keys_with_others(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """What is seen is of the pair that the ask is about."""
    world.key(alice, bob)
    assert read_ask(_ask(alice, carol).text).ask.seen == Seen()


def test_the_answer_brings_the_key_that_sam_derives(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A grant is kept with the terms, the epoch and the witness in it, and raises the week."""
    world.pass_weeks(3)
    key = world.key(alice, bob, limit=7, life=5, direction=Direction.HOLDER_PAYS)
    assert key.context.asker == alice.sim.party
    assert key.context.holder == bob.sim.party
    assert (key.context.epoch, key.context.n) == (1, 1)
    terms = key.context.terms
    assert (terms.limit, terms.direction, terms.expiry) == (7, Direction.HOLDER_PAYS, 108)
    assert alice.card.state.week == 103
    assert alice.card.state.asked[bob.sim.number] == (key,)


def test_a_duplicate_answer_changes_nothing(world: World, alice: Handset, bob: Handset) -> None:
    """An answer that comes again is passed over; the key's counts are not reset by it."""
    text = world.answer(world.ask(alice, bob))
    alice.receive(text)
    bob.enter(alice.sim.number, world.ticket(alice, bob))
    world.confirm(alice, bob)
    before = alice.card.state
    again = alice.receive(text)
    assert (again.outcome, again.reason) == ("ignored", "known")
    assert alice.card.state == before


def test_answers_out_of_order_all_count(world: World, alice: Handset, bob: Handset) -> None:
    """An answer that was overtaken is taken in all the same; the newest key shows its ticket."""
    texts = [world.answer(world.ask(alice, bob)) for _ in range(3)]
    for text in reversed(texts):
        assert alice.receive(text).outcome == "answered"
    assert [key.context.n for key in alice.card.state.asked[bob.sim.number]] == [1, 2, 3]
    shown = alice.ticket(bob.sim.number)
    assert not isinstance(shown, str)
    assert shown.context.n == 3


def test_a_late_answer_brings_no_key_below_a_confirmed_one(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A key that comes after a later one of the pair was confirmed is dropped."""
    late = world.answer(world.ask(alice, bob))
    world.hand_over(alice, bob)
    world.confirm(alice, bob)
    received = alice.receive(late)
    assert (received.outcome, received.reason, received.key) == ("answered", "late", None)
    assert [key.context.n for key in alice.card.state.asked[bob.sim.number]] == [2]


def test_an_answer_after_its_key_has_expired_brings_none(
    world: World, alice: Handset, bob: Handset
) -> None:
    """An answer so late that its key's time is over settles the ask and leaves no key."""
    late = world.answer(world.ask(alice, bob, life=2))
    world.pass_weeks(3)
    world.key(alice, bob)
    received = alice.receive(late)
    assert (received.outcome, received.reason, received.key) == ("answered", "late", None)
    assert [key.context.n for key in alice.card.state.asked[bob.sim.number]] == [2]
    assert alice.waiting() == []


def test_a_refusal_is_kept_with_its_reason(world: World, alice: Handset, bob: Handset) -> None:
    """An authentic refusal ends the ask and tells why; the week in it counts."""
    world.suspend(bob)
    world.pass_weeks(1)
    asked = world.ask(alice, bob)
    received = alice.receive(world.answer(asked))
    assert (received.outcome, received.reason) == ("refused", "peer-suspended")
    assert alice.card.state.asks[-1].outcome is AskOutcome.REFUSED
    assert alice.card.state.week == 101
    assert alice.waiting() == []


def test_a_refusal_never_takes_a_key_away(world: World, alice: Handset, bob: Handset) -> None:
    """Whichever comes first, the grant or the refusal under one counter, the key stays."""
    asked = world.ask(alice, bob)
    grant = world.answer(asked)
    world.suspend(bob)
    refusal = world.answer(asked)
    alice.receive(grant)
    assert alice.receive(refusal).outcome == "refused"
    assert alice.card.state.asked[bob.sim.number]
    assert alice.card.state.asks[-1].outcome is AskOutcome.ANSWERED


def test_a_grant_that_a_refusal_overtook_still_counts(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A grant that comes after the refusal of a repeat brings its key."""
    asked = world.ask(alice, bob)
    grant = world.answer(asked)
    world.suspend(bob)
    alice.receive(world.answer(asked))
    assert alice.receive(grant).outcome == "answered"
    assert alice.card.state.asked[bob.sim.number]


def test_sam_repeats_the_same_octets(world: World, alice: Handset, bob: Handset) -> None:
    """The same ask gets the same answer, octet for octet, weeks later and for random keys too."""
    for wish in ({}, {"form": Form.RANDOM}):
        asked = world.ask(alice, bob, **wish)
        first = world.answer(asked)
        world.pass_weeks(2)
        again = world.tell(asked.text)
        assert isinstance(again, Answer)
        assert (again.text, again.outcome) == (first, Outcome.REPEATED)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_of_sams_has_a_sentence(reason: Reason) -> None:
    """A person is told what every refusal means, in words and not in codes."""
    assert not sentence("ask", reason.code).startswith("Refused:")


def test_a_forged_answer_changes_nothing(world: World, alice: Handset, bob: Handset) -> None:
    """No answer with any character changed is taken for Sam's, and none of them raises."""
    asked = world.ask(alice, bob)
    text = world.answer(asked)
    before = alice.card.state
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        received = alice.receive(text[:place] + other + text[place + 1 :])
        assert received.outcome == "ignored"
        assert received.reason in {"malformed", "unknown-ask", "not-authentic"}
    assert alice.card.state == before


def test_an_answer_to_another_ask_is_not_taken(world: World, alice: Handset, bob: Handset) -> None:
    """An answer moved to another counter does not open: the counter and the ask are sealed in."""
    first, second = world.ask(alice, bob), world.ask(alice, bob, limit=3)
    octets = from_text(world.answer(first))
    moved = octets[:2] + second.counter.to_bytes(4) + octets[6:]
    assert alice.receive(to_text(moved)).reason == "not-authentic"


def test_an_answer_to_another_phone_is_not_taken(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """An answer misdelivered to a phone with the same counter open is passed over."""
    text = world.answer(world.ask(alice, bob))
    world.ask(carol, bob)
    assert carol.receive(text).reason == "not-authentic"
    assert carol.card.state.asked == {}


@pytest.mark.parametrize(
    "text",
    ["", "hello", "A", "AEBA====", "É", "AEBAAAAAAE", "AAAAAAAA" * 60, "\ud800", "AE BA"],
)
def test_junk_is_passed_over(alice: Handset, text: str) -> None:
    """A message that is no answer of ours is passed over, whatever it is."""
    before = alice.card.state
    assert alice.receive(text).reason in {"malformed", "unknown-ask"}
    assert alice.card.state == before


def test_an_answer_to_a_forgotten_ask_is_passed_over(
    world: World, alice: Handset, bob: Handset
) -> None:
    """An answer to an ask that made room for 64 others brings no key and no harm."""
    text = world.answer(world.ask(alice, bob))
    for _ in range(MAX_ASKS):
        _ask(alice, bob, anew=True)
    assert alice.receive(text).reason == "unknown-ask"


def test_a_power_cut_before_an_answer_is_kept_loses_nothing(
    world: World, alice: Handset, bob: Handset
) -> None:
    """An answer that could not be kept is taken in when it comes again."""
    text = world.answer(world.ask(alice, bob))
    alice.card.keeps_left = 0
    with pytest.raises(Exception, match="power"):
        alice.receive(text)
    alice.card.keeps_left = None
    assert alice.receive(text).outcome == "answered"


def test_sam_is_silent_beyond_its_repeats(
    make_world: Callable[..., World],
) -> None:
    """After the 32 repeats of the policy Sam says nothing more to the same ask."""
    world = make_world()
    alice, bob = world.phone(), world.phone()
    asked = world.ask(alice, bob)
    answers = [world.tell(asked.text) for _ in range(34)]
    assert answers[-1] is Silence.REPEATS
    assert len({answer.text for answer in answers if isinstance(answer, Answer)}) == 1


def test_a_cancelled_ask_brings_nothing(world: World, alice: Handset, bob: Handset) -> None:
    """What was given up is not sent again, its answer is passed over, a new ask is a new one."""
    asked = _ask(alice, bob)
    answer = world.answer(asked)
    assert alice.cancel(bob.sim.number) == 1
    assert alice.waiting() == []
    assert alice.receive(answer).reason == "cancelled"
    assert alice.keys() == []
    assert _ask(alice, bob).counter == asked.counter + 1
    assert alice.cancel(bob.sim.number) == 1
    assert alice.cancel(bob.sim.number) == 0


def test_keys_with_too_many_numbers_make_room(world: World, alice: Handset, bob: Handset) -> None:
    """The number whose last key expires first gives way; the state stays bounded."""
    first = world.key(alice, bob, life=52)
    state = alice.card.state
    for i in range(MAX_HOLDERS + 5):
        context = first.context._replace(terms=first.context.terms._replace(expiry=500 + i))
        state = state.with_asked(Number(str(300000000 + i)), evolve(first, context=context))
    assert len(state.asked) == MAX_HOLDERS
    assert bob.sim.number not in state.asked
    assert Number("300000004") not in state.asked
    assert Number("300000005") in state.asked

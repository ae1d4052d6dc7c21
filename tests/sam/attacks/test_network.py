"""Attacks by whoever carries the messages, and by parties on Sam.

Each docstring names the attack and what stands against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dtns.sam.handset.exchanges import Wish
from dtns.sam.issuing.issuer import Answer, Outcome, Silence
from dtns.sam.issuing.policy import Policy
from dtns.sam.protocol.ask import Ask, Form, Seen
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.wire import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World

    from dtns.sam.handset.handset import Handset


def _forged(by: Handset, *, as_: Handset, holder: Handset, counter: int = 1, **seen: object) -> str:
    request = Ask(
        asker=as_.sim.party,
        counter=counter,
        holder=holder.sim.number,
        limit=16,
        direction=Direction.ASKER_PAYS,
        form=Form.BOTH,
        life=0,
        seen=Seen(**seen),  # type: ignore[arg-type] (what the test wants told)
    )
    return to_text(request.seal(by.sim.keys.ask))


def test_a_spoofed_sender(world: World, alice: Handset, bob: Handset, carol: Handset) -> None:
    """Carol, or an insider at the gateway, asks in Alice's name from any number she likes.

    Against it: the MAC under Alice's ask key is the identity, not the sender of the SMS; and the
    answer goes to the enrolled number, sealed for Alice's SIM.
    """
    assert world.tell(_forged(carol, as_=alice, holder=bob)) is Silence.FORGED
    asked = world.ask(alice, bob)
    answer = world.tell(asked.text)
    assert isinstance(answer, Answer)
    assert answer.recipient == alice.sim.number
    assert carol.receive(answer.text).key is None


def test_an_ask_bent_on_the_way(world: World, alice: Handset, bob: Handset) -> None:
    """The network turns the holder, the limit or the counter of an ask into others.

    Against it: the MAC covers every octet; a bent ask is silence and leaves nothing behind.
    """
    octets = from_text(world.ask(alice, bob).text)
    for place in range(len(octets)):
        bent = octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]
        assert isinstance(world.tell(to_text(bent)), Silence)
    assert isinstance(world.tell(to_text(octets)), Answer)


def test_an_answer_for_another_holder(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """Lowe-style misdirection of M2: the answer about Carol is brought for the ask about Bob.

    Against it: the answer is sealed with the whole ask as associated data.
    """
    for_bob, for_carol = world.ask(alice, bob), world.ask(alice, carol)
    octets = from_text(world.answer(for_carol))
    moved = octets[:2] + for_bob.counter.to_bytes(4) + octets[6:]
    assert alice.receive(to_text(moved)).key is None
    received = alice.receive(to_text(octets))
    assert received.key is not None
    assert received.key.context.holder == carol.sim.party


def test_an_answer_for_another_ask_under_the_same_counter(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A SIM put back asks about Carol under the counter of its ask about Bob, whose answer comes.

    Against it: the whole ask is sealed into the answer, not its counter alone.
    """
    old = alice.card.state
    for_bob = world.answer(world.ask(alice, bob))
    alice.card.state = old
    assert world.ask(alice, carol).counter == 1
    assert alice.receive(for_bob).reason == "not-authentic"
    assert alice.card.state.asked == {}


def test_answers_replayed_duplicated_reordered(world: World, alice: Handset, bob: Handset) -> None:
    """Store and forward brings messages twice, late and in any order, both ways.

    Against it: the same ask gets the same answer, octet for octet, and issues nothing new; the
    phone keeps each key once.
    """
    asks = [world.ask(alice, bob) for _ in range(4)]
    texts = {asked.counter: world.answer(asked) for asked in reversed(asks)}
    for asked in asks:
        again = world.tell(asked.text)
        assert isinstance(again, Answer)
        assert (again.text, again.outcome) == (texts[asked.counter], Outcome.REPEATED)
    for text in [*texts.values(), *reversed(texts.values())]:
        alice.receive(text)
    keys = alice.card.state.asked[bob.sim.number]
    assert [key.context.n for key in keys] == [1, 2, 3, 4]
    assert world.key(alice, bob).context.n == 5


def test_an_old_ask_replayed(world: World, alice: Handset, bob: Handset) -> None:
    """A recorded ask is sent again long after, so that Sam issues another key or repeats an old.

    Against it: Sam's window of 64 counters; what is below it is silence.
    """
    old = world.ask(alice, bob)
    world.answer(old)
    for _ in range(64):
        world.now += 24 * 3600
        world.answer(world.ask(alice, bob))
    assert world.tell(old.text) is Silence.OLD
    assert world.key(alice, bob).context.n == 66


def test_a_counter_used_for_two_asks(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A copied or rolled-back SIM asks for something else under a counter that was used.

    Against it: Sam tells by the MAC that it is another ask, refuses, and issues nothing.
    """
    alice.receive(world.answer(world.ask(alice, bob)))
    answer = world.tell(_forged(alice, as_=alice, holder=carol, counter=1))
    assert isinstance(answer, Answer)
    assert world.key(alice, carol).context.n == 1
    world.ask(alice, carol)
    assert alice.receive(answer.text).key is None


def test_a_flood_of_asks_by_a_party(make_world: Callable[..., World]) -> None:
    """A party burns n and SMS money by asking all day.

    Against it: a daily share of new keys, then as many refusals, then silence; n ends at 255.
    """
    world = make_world(Policy(asks_per_day=5))
    alice, bob, carol = world.phone(), world.phone(), world.phone()
    outcomes = [world.tell(world.ask(alice, bob).text) for _ in range(30)]
    kinds = [answer.outcome if isinstance(answer, Answer) else answer for answer in outcomes]
    assert kinds[:5] == [Outcome.ISSUED] * 5
    assert set(kinds[5:10]) == {Outcome.REFUSED}
    assert set(kinds[15:]) == {Silence.SHARE}
    assert world.key(carol, bob).context.n == 1
    world.now += 24 * 3600
    assert world.key(alice, bob).context.n == 6


def test_a_flood_of_recorded_asks(world: World, alice: Handset, bob: Handset) -> None:
    """An outsider sends a recorded ask all day: SMS pumping, and Alice's share is used up by it.

    Against it: repeats are limited by ask and by day, and counted apart from Alice's own asks.
    """
    asked = world.ask(alice, bob)
    answers = [world.tell(asked.text) for _ in range(300)]
    assert sum(isinstance(answer, Answer) for answer in answers) <= 33
    assert world.key(alice, bob).context.n == 2


def test_a_flood_of_forged_asks(world: World, alice: Handset, bob: Handset, carol: Handset) -> None:
    """Forged asks by the hundred use up someone's share, window or counters.

    Against it: before the MAC was good nothing is written and nobody is answered.
    """
    for counter in range(1, 300):
        forged = _forged(carol, as_=alice, holder=bob, counter=counter)
        assert world.tell(forged) is Silence.FORGED
    assert world.key(alice, bob).context.n == 1


@pytest.mark.parametrize("lie", [(1, 200), (2, 1), (65535, 255)])
def test_a_lying_seen(
    world: World, alice: Handset, bob: Handset, carol: Handset, lie: tuple[int, int]
) -> None:
    """One phone says that it has seen keys which Sam does not know of, so that Sam stops for all.

    Against it: Sam believes it only with its own witness of that very epoch and n of that pair.
    """
    mine = world.key(carol, bob)
    yours = world.key(alice, bob)
    for witness in (bytes(6), mine.witness, yours.witness):
        text = _forged(
            carol,
            as_=carol,
            holder=bob,
            counter=50 + witness[0] % 9,
            epoch=lie[0],
            n=lie[1],
            witness=witness,
        )
        assert isinstance(world.tell(text), Answer)
    assert world.key(alice, bob).context.n == 2


def test_sam_put_back(world: World, alice: Handset, bob: Handset, carol: Handset) -> None:
    """Sam's store is put back to an older state, by accident or not: n would be issued twice.

    Against it: the first phone that asks again proves with Sam's own witness that Sam forgot; Sam
    issues nothing until its epoch is raised, and then no number comes twice.
    """
    world.key(alice, bob)
    before = world.copy_of_store()
    lost = world.key(alice, bob)
    world.open_store(before)
    refused = alice.receive(world.answer(world.ask(alice, bob)))
    assert (refused.outcome, refused.reason) == ("refused", "behind")
    assert carol.receive(world.answer(world.ask(carol, bob))).reason == "behind"
    world.raise_epoch()
    fresh = world.key(alice, bob)
    assert fresh.context.order > lost.context.order
    assert fresh.session != lost.session


def test_a_suspended_party_gets_nothing_more(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A suspended party, or someone for it, sends an old ask to have its key told once more.

    Against it: at every repeat both parties' standing is looked at again.
    """
    asked = world.ask(alice, bob)
    granted = world.answer(asked)
    world.suspend(alice)
    refusal = world.tell(asked.text)
    assert isinstance(refusal, Answer)
    assert refusal.text != granted
    assert alice.receive(refusal.text).key is None
    world.suspend(alice, suspended=False)
    world.renewed(bob)
    refusal = world.tell(asked.text)
    assert isinstance(refusal, Answer)
    assert alice.receive(refusal.text).reason == "changed"


def test_asking_for_a_key_with_oneself(world: World, alice: Handset) -> None:
    """A party asks for a key with itself, to play both roles against its own phone.

    Against it: Sam refuses, the phone does not ask, and takes no ticket of its own number.
    """
    assert alice.ask(alice.sim.number, Wish(), world.now) == "self"
    answer = world.tell(_forged(alice, as_=alice, holder=alice))
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.REFUSED
    assert alice.enter(alice.sim.number, "1111 2222 3333 4444 5555").reason == "self"


def test_a_sim_put_back_reuses_no_number_of_sams(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A SIM file is copied back: its counters repeat, and old answers may serve again.

    Against it, as far as a file can: Sam's window outlives the SIM's memory, so that a repeated
    counter is refused or brings the key that it brought before, never another.
    """
    old = alice.card.state
    first = world.key(alice, bob)
    alice.card.state = old
    asked = world.ask(alice, bob)
    received = alice.receive(world.answer(asked))
    assert received.key is not None
    assert received.key.context == first.context
    alice.card.state = old
    received = alice.receive(world.answer(world.ask(alice, bob, limit=3)))
    assert (received.outcome, received.reason) == ("refused", "counter-reused")

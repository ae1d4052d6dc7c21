"""What Sam tells its parties: until they know, and not longer; renewals over the air."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtns.sam.issuing.issuer import DAY_SECONDS, Answer, Issuer, Outcome, Silence
from dtns.sam.issuing.notices import renew
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.records import Topic
from dtns.sam.issuing.vault import Vault
from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.sync import Floor, Mark, read_sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World

    from dtns.sam.handset.handset import Handset
    from dtns.sam.protocol.sync import Item


def _add(world: World, phone: Handset, *items: Item) -> None:
    with world.store.transaction():
        for item in items:
            world.store.add_notice(phone.sim.number, Topic.ITEM, item.octets)


def _notices(world: World, phone: Handset) -> int:
    with world.store.transaction():
        return len(world.store.notices(phone.sim.number))


def _answer(world: World, asker: Handset, holder: Handset) -> Answer:
    answer = world.tell(world.ask(asker, holder).text)
    assert isinstance(answer, Answer)
    return answer


def _generation(world: World, phone: Handset) -> int:
    with world.store.transaction():
        known = world.store.registration(phone.sim.number)
        assert known is not None
        return known.enrolment.generation


def _rotate(world: World) -> None:
    """Give a running Sam a second master key."""
    keys = {1: world.master}
    world.issuer = Issuer(Vault(keys, world.dice.randbytes), world.policy, trust_clock=True)
    keys[2] = MasterKey(2, bytes(range(1, 33)))


def test_nothing_is_sent_where_nothing_is_to_tell(
    world: World, alice: Handset, bob: Handset
) -> None:
    """An answer comes alone."""
    assert not _answer(world, alice, bob).notice


def test_a_notice_goes_out_until_the_party_says_that_it_knows(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A lost message is made again at the next ask, under the next counter; one obeyed is not."""
    _add(world, alice, Floor(1))
    lost = _answer(world, alice, bob).notice
    again = _answer(world, alice, bob).notice
    assert read_sync(again).counter == read_sync(lost).counter + 1
    assert alice.receive(again).outcome == "obeyed"
    assert alice.receive(lost).reason == "known"
    assert not _answer(world, alice, bob).notice
    assert _notices(world, alice) == 0


def test_an_unheard_party_is_told_nothing_new_of_a_later_message(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A notice that the obeyed message did not carry stays, and goes out next."""
    _add(world, alice, Floor(1))
    first = _answer(world, alice, bob).notice
    _add(world, alice, Floor(2))
    alice.receive(first)
    second = _answer(world, alice, bob).notice
    assert _notices(world, alice) == 1
    alice.receive(second)
    _answer(world, alice, bob)
    assert _notices(world, alice) == 0
    assert alice.card.state.floor == 2


def test_many_notices_go_out_a_message_at_a_time(
    world: World, alice: Handset, bob: Handset
) -> None:
    """What does not fit follows, and in the end all is told."""
    parties = [world.phone().sim.party for _ in range(20)]
    _add(world, alice, *(Mark(party, 1, 1) for party in parties))
    for _ in range(6):
        notice = _answer(world, alice, bob).notice
        if notice:
            assert alice.receive(notice).outcome == "obeyed"
    assert _notices(world, alice) == 0
    assert {party.number for party in parties} <= set(alice.card.state.peers)


def test_notices_cost_a_message_for_each_ask_of_the_day(make_world: Callable[..., World]) -> None:
    """Beyond its asks of the day a party is told nothing, until the next day."""
    world = make_world(Policy(asks_per_day=3))
    alice, bob = world.phone(), world.phone()
    _add(world, alice, Floor(1))
    told = [bool(_answer(world, alice, bob).notice) for _ in range(6)]
    assert told == [True] * 3 + [False] * 3
    world.now += DAY_SECONDS
    assert _answer(world, alice, bob).notice


def test_what_is_known_is_noted_beyond_the_asks_of_the_day(
    make_world: Callable[..., World],
) -> None:
    """A refused ask that says what its SIM has obeyed ends the telling all the same."""
    world = make_world(Policy(asks_per_day=1))
    alice, bob = world.phone(), world.phone()
    _add(world, alice, Floor(1))
    assert alice.receive(_answer(world, alice, bob).notice).outcome == "obeyed"
    assert _answer(world, alice, bob).outcome is Outcome.REFUSED
    assert _notices(world, alice) == 0


def test_a_restored_sam_is_heard_again(world: World, alice: Handset, bob: Handset) -> None:
    """Counters that Sam lost with its store are taken from what the SIM says it obeyed."""
    before = world.copy_of_store()
    for epoch in (1, 2, 3):
        _add(world, alice, Floor(epoch))
        assert alice.receive(_answer(world, alice, bob).notice).outcome == "obeyed"
    world.open_store(before)
    world.raise_epoch()
    _add(world, alice, Floor(5))
    assert alice.receive(_answer(world, alice, bob).notice).outcome == "obeyed"
    assert alice.card.state.floor == 5


def test_the_same_notice_waits_only_once(world: World, alice: Handset) -> None:
    """Saying a thing twice before it was told is saying it once."""
    _add(world, alice, Floor(3), Floor(3))
    assert _notices(world, alice) == 1


def test_a_retired_master_key_is_renewed_as_parties_come_by(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Two messages bring the keys, the next ask is under them, and held keys live on."""
    world.hand_over(alice, bob)
    before = world.ticket(alice, bob)
    _rotate(world)
    for _ in range(2):
        answer = _answer(world, alice, bob)
        alice.receive(answer.text)
        assert alice.receive(answer.notice).outcome == "obeyed"
        assert _generation(world, alice) == 1
    asked = world.ask(alice, bob)
    answer = world.tell(asked.text)
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.ISSUED
    assert not answer.notice
    assert _generation(world, alice) == 2
    received = alice.receive(answer.text)
    assert received.key is not None
    assert received.key.context.asker.generation == 2
    assert received.key.context.n == 1
    assert bob.enter(alice.sim.number, world.ticket(alice, bob)).key is not None
    assert world.confirm(alice, bob).key is not None
    assert bob.enter(alice.sim.number, before).reason != ""


def test_a_renewed_holder_gets_tickets_of_both_generations(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A ticket made before the holder's renewal is good after it, and new ones are as well."""
    world.key(alice, bob)
    before = world.ticket(alice, bob)
    _rotate(world)
    for _ in range(3):
        answer = _answer(world, bob, alice)
        bob.receive(answer.text)
        if answer.notice:
            bob.receive(answer.notice)
    assert _generation(world, bob) == 2
    assert bob.enter(alice.sim.number, before).key is not None
    assert world.confirm(alice, bob).key is not None
    fresh = world.key(alice, bob)
    assert (fresh.context.holder.generation, fresh.context.n) == (2, 1)
    assert bob.enter(alice.sim.number, world.ticket(alice, bob)).key is not None
    assert world.confirm(alice, bob).key is not None


def test_the_old_generation_is_dead_once_the_new_one_spoke(
    world: World, alice: Handset, bob: Handset
) -> None:
    """An ask made before the renewal and brought to Sam after it gets no answer."""
    _rotate(world)
    late = world.ask(alice, bob)
    for _ in range(3):
        answer = _answer(world, alice, bob)
        if answer.notice:
            alice.receive(answer.notice)
    assert _generation(world, alice) == 2
    assert world.tell(late.text) is Silence.GENERATION


def test_a_renewal_is_begun_once(world: World, alice: Handset) -> None:
    """The same is told of again until it was heard of; another waits."""
    with world.store.transaction():
        known = world.store.registration(alice.sim.number)
        assert known is not None
        begun = renew(world.store, known, 1)
        assert begun is not None
        assert begun.renewal is not None
        assert begun.renewal.generation == 2
        assert renew(world.store, begun, 1) == begun
        assert renew(world.store, begun, 2) is None
    assert _notices(world, alice) == 3

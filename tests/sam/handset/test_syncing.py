"""Sam's own messages on the phone: obeyed once, in order, and nothing is ever lowered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from dtns.sam.handset.guesses import BUDGET, Guesses
from dtns.sam.handset.identities import all_identities, living_identities
from dtns.sam.protocol.keys import Enrolment, MasterKey
from dtns.sam.protocol.session import NO_ORDER, Party
from dtns.sam.protocol.sync import (
    Floor,
    Item,
    Mark,
    NewExchangeKeys,
    NewTicketKeys,
    Sync,
    Unlock,
    read_sync,
)
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS
from dtns.sam.protocol.wire import to_text

if TYPE_CHECKING:
    from tests.sam.conftest import World

    from dtns.sam.handset.exchanges import Received
    from dtns.sam.handset.handset import Handset


def _send(phone: Handset, counter: int, *items: Item, week: int = 0, epoch: int = 1) -> Received:
    """Have Sam tell a phone something."""
    sync = Sync(counter, week or phone.card.state.week, epoch, items)
    return phone.receive(to_text(sync.seal(phone.sim.keys.sync)))


def _renew(phone: Handset, counter: int, generation: int = 2) -> None:
    """Have Sam send a phone the two halves of a new generation."""
    keys = MasterKey(2, bytes(range(32))).party_keys(Enrolment(phone.sim.number, generation, 1, 2))
    _send(phone, counter, NewExchangeKeys(generation, keys.ask, keys.answer))
    _send(phone, counter + 1, NewTicketKeys(generation, keys.ticket, keys.seal, keys.sync))


def test_a_message_is_obeyed_once(bob: Handset) -> None:
    """The same one again, and any below it, changes nothing."""
    assert _send(bob, 5, Floor(3)).outcome == "obeyed"
    state = bob.card.state
    assert (state.floor, state.synced) == (3, 5)
    for counter in (5, 4, 1):
        assert _send(bob, counter, Floor(9)).reason == "known"
    assert bob.card.state == state


def test_a_message_for_another_sim_is_passed_over(alice: Handset, bob: Handset) -> None:
    """What Sam sealed for one SIM no other obeys."""
    text = to_text(Sync(1, 200, 2, (Floor(2),)).seal(alice.sim.keys.sync))
    assert bob.receive(text).reason == "not-authentic"
    assert bob.card.state.floor == 0


def test_nothing_is_lowered(bob: Handset) -> None:
    """Week, epoch and floor keep their height, whatever a later message says."""
    _send(bob, 1, Floor(4), week=bob.card.state.week + 9, epoch=7)
    high = bob.card.state
    _send(bob, 2, Floor(2), week=1, epoch=2)
    low = bob.card.state
    assert (low.floor, low.week, low.epoch) == (high.floor, high.week, high.epoch)


def test_a_mark_withdraws_a_key_and_those_before_it(
    world: World, alice: Handset, bob: Handset
) -> None:
    """The key goes, its ticket is refused with the reason, and a later key is taken."""
    world.hand_over(alice, bob)
    ticket = world.ticket(alice, bob)
    _send(bob, 1, Mark(alice.sim.party, 1, 1))
    assert not bob.card.state.peers[alice.sim.number].held
    assert bob.enter(alice.sim.number, ticket).reason == "revoked"
    assert world.hand_over(alice, bob).key is not None


def test_a_generation_is_withdrawn_altogether(world: World, alice: Handset, bob: Handset) -> None:
    """Keys asked for with a withdrawn SIM go as well."""
    world.hand_over(alice, bob)
    _send(alice, 1, Mark(bob.sim.party, 0xFFFF, 0xFF))
    assert alice.ticket(bob.sim.number) == "no-key"


def test_a_mark_outlives_the_longest_ticket(world: World, alice: Handset, bob: Handset) -> None:
    """A withdrawn party is remembered as long as any of its tickets may be good."""
    world.key(alice, bob, life=52)
    ticket = world.ticket(alice, bob)
    _send(bob, 1, Mark(alice.sim.party, 1, 1))
    state = bob.card.state
    later = state.at(state.week + LONGEST_LIFE_WEEKS - 1, 1)
    assert later.peers[alice.sim.number].revoked == (1, 1, 1)
    assert bob.enter(alice.sim.number, ticket).reason == "revoked"


@pytest.mark.parametrize(("lock", "ended"), [(1, False), (2, True), (3, False)])
def test_an_unlock_ends_the_lock_it_names(
    world: World, alice: Handset, bob: Handset, lock: int, *, ended: bool
) -> None:
    """A recorded unlock of an earlier lock, or one for a later, ends nothing."""
    world.key(alice, bob)
    ticket = world.ticket(alice, bob)
    spent = Guesses(since=bob.card.state.week, spent=BUDGET, locks=1)
    bob.card.keep(evolve(bob.card.state, guesses=spent))
    assert bob.enter(alice.sim.number, ticket).reason == "locked"
    _send(bob, 1, Unlock(lock))
    assert (bob.enter(alice.sim.number, ticket).key is not None) == ended


def test_an_unlock_before_its_lock_is_of_no_use(bob: Handset) -> None:
    """The account of a phone that is not locked stays as it is."""
    spent = Guesses(since=bob.card.state.week, spent=5)
    bob.card.keep(evolve(bob.card.state, guesses=spent))
    _send(bob, 1, Unlock(0), Unlock(1))
    assert bob.card.state.guesses == spent


def test_half_of_the_new_keys_changes_nothing(bob: Handset) -> None:
    """Only with both halves of one generation does the SIM become it."""
    keys = MasterKey(2, bytes(range(32))).party_keys(Enrolment(bob.sim.number, 2, 1, 2))
    _send(bob, 1, NewTicketKeys(2, keys.ticket, keys.seal, keys.sync))
    _send(bob, 2, NewExchangeKeys(3, keys.ask, keys.answer))
    assert all_identities(bob.sim, bob.card.state) == [bob.sim]


def test_a_renewed_holder_still_reads_older_tickets(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Tickets made for the former generation are good for 104 weeks more, and no longer."""
    world.key(alice, bob)
    ticket = world.ticket(alice, bob)
    _renew(bob, 1)
    own = all_identities(bob.sim, bob.card.state)
    assert [one.generation for one in own] == [2, 1]
    assert bob.enter(alice.sim.number, ticket).key is not None
    state = bob.card.state
    assert len(living_identities(bob.sim, state.at(state.week + LONGEST_LIFE_WEEKS - 1, 1))) == 2
    assert len(living_identities(bob.sim, state.at(state.week + LONGEST_LIFE_WEEKS, 1))) == 1


def test_a_renewed_asker_takes_in_answers_to_older_asks(
    world: World, alice: Handset, bob: Handset
) -> None:
    """An answer that was under way when the new keys came is opened with the old ones."""
    asked = world.ask(alice, bob)
    answer = world.answer(asked)
    _renew(alice, 1)
    assert alice.receive(answer).outcome == "answered"
    fresh = world.ask(alice, bob)
    assert fresh.counter > asked.counter


def test_an_old_generation_never_comes_back(bob: Handset) -> None:
    """New keys of a generation at or below the present are passed over."""
    _renew(bob, 1, generation=3)
    _renew(bob, 3, generation=2)
    _renew(bob, 5, generation=3)
    assert [own.generation for own in all_identities(bob.sim, bob.card.state)] == [3, 1]


def test_a_withdrawn_stranger_takes_a_place_and_can_come_back_renewed(bob: Handset) -> None:
    """Sam's word about a party never met is kept like any other."""
    stranger = Party(bob.sim.number[:-1] + "7", 2)  # type: ignore[arg-type]
    _send(bob, 1, Mark(stranger, 0xFFFF, 0xFF))
    peer = bob.card.state.peers[stranger.number]
    assert (peer.revoked, peer.mark) == ((2, 0xFFFF, 0xFF), NO_ORDER)


def test_messages_say_nothing_of_their_keys(bob: Handset) -> None:
    """New keys never show in a repr."""
    keys = MasterKey(2, bytes(range(32))).party_keys(Enrolment(bob.sim.number, 2, 1, 2))
    items = (NewExchangeKeys(2, keys.ask, keys.answer),)
    sealed = Sync(1, 0, 1, items).seal(bob.sim.keys.sync)
    opened = read_sync(to_text(sealed)).open(bob.sim.keys.sync)
    assert opened is not None
    assert opened.items == items
    assert bytes(keys.ask).hex() not in repr(opened)
    assert str(bytes(keys.ask)) not in repr(opened)

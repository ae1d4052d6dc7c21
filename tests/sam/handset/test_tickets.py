"""Tickets: shown by one phone, typed into another, taken by the holder's rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from dtns.codecs.digits import PROFILES, Status, encode, show
from dtns.sam.handset import reports
from dtns.sam.handset.guesses import BUDGET, Guesses
from dtns.sam.handset.state import MAX_PEERS, Peer
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.keys import MAX_EPOCH, MAX_GENERATION
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import key_check_value
from dtns.sam.protocol.weeks import MAX_WEEK

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset
    from dtns.sam.handset.tickets import Entered


def _slip(digits: str, group: int = 2) -> str:
    """Change the first digit of a group that stays a group when it is changed."""
    groups = digits.split()
    groups[group] = str((int(groups[group][0]) + 1) % 9) + groups[group][1:]
    return " ".join(groups)


def _told(phone: Handset, entered: Entered) -> str:
    return reports.of_entry(phone.sim.number, entered).text


def _refused(entered: Entered, reason: str) -> None:
    """Check that an entry was refused for this reason, and that there is a sentence for it."""
    assert (entered.status, entered.reason, entered.key) == (Status.REFUSED, reason, None)
    report = reports.of_entry(Number("254700000001"), entered)
    assert report.refused
    assert not report.text.startswith("Refused:")
    assert report.facts["kcv"] is None


def test_twenty_digits_carry_a_key(world: World, alice: Handset, bob: Handset) -> None:
    """Typed with or without spaces, the ticket gives the holder the key that the asker has."""
    key = world.key(alice, bob)
    digits = world.ticket(alice, bob)
    assert len(digits.replace(" ", "")) == 20
    for entry in (digits, digits.replace(" ", ""), digits.replace(" ", "-")):
        entered = bob.enter(alice.sim.number, entry)
        assert entered.status is Status.ACCEPTED
        assert entered.key is not None
        assert entered.key.session == key.session
        assert entered.key.context == key.context


def test_the_digits_of_a_ticket_are_always_the_same(
    world: World, alice: Handset, bob: Handset
) -> None:
    """The ticket of one key never changes, so that two who write it down have the same."""
    world.key(alice, bob)
    assert world.ticket(alice, bob) == world.ticket(alice, bob)
    assert world.ticket(alice, bob, parity=2).startswith(world.ticket(alice, bob))


def test_no_key_no_ticket(alice: Handset, bob: Handset) -> None:
    """Without a key there is a reason, and a sentence that says what to do."""
    assert alice.ticket(bob.sim.number) == "no-key"
    assert "ask for one" in reports.of_ticket(bob.sim.number, "no-key").text


def test_a_slip_without_parity_asks_for_one_more_group(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A wrong digit in the bare ticket is refused usefully: one more group will repair it."""
    world.key(alice, bob)
    wrong = _slip(world.ticket(alice, bob))
    entered = bob.enter(alice.sim.number, wrong)
    assert (entered.status, entered.key) == (Status.MORE, None)
    assert "one more group" in _told(alice, entered)
    more = wrong + " " + world.ticket(alice, bob, parity=1).split()[-1]
    entered = bob.enter(alice.sim.number, more)
    assert entered.status is Status.REPAIRED
    assert entered.reading.changed == (3,)
    assert entered.key is not None
    assert "group 3" in _told(alice, entered)


def test_a_group_that_cannot_be_is_named(world: World, alice: Handset, bob: Handset) -> None:
    """A group that no code has is asked for again by its place, and costs no guess."""
    world.key(alice, bob)
    groups = world.ticket(alice, bob).split()
    entered = bob.enter(alice.sim.number, " ".join([*groups[:3], "9999", groups[4]]))
    assert (entered.status, entered.reading.doubtful) == (Status.SAY_AGAIN, (4,))
    assert bob.card.state.guesses.spent == 0


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "empty"),
        ("12", "length"),
        ("4761 abcd 1111 2222 3333", "characters"),
        ("1" * 9999, "too-long"),
    ],
)
def test_what_is_no_code_costs_nothing(
    world: World, alice: Handset, bob: Handset, entry: str, reason: str
) -> None:
    """An entry that needs no key to refuse is refused with its own reason and is not paid for."""
    before = bob.card.state
    entered = bob.enter(alice.sim.number, entry)
    assert (entered.reason, entered.key) == (reason, None)
    assert _told(alice, entered)
    assert evolve(bob.card.state, draft=None) == before


def test_a_wrong_code_is_refused(world: World, alice: Handset, bob: Handset) -> None:
    """A well-formed code with a wrong tag installs nothing, makes no one known, and is paid for."""
    world.key(alice, bob)
    wrong = _slip(world.ticket(alice, bob), 4)
    entered = bob.enter(alice.sim.number, wrong)
    assert (entered.reason, entered.key) == ("wrong", None)
    assert bob.card.state.peers == {}
    assert bob.card.state.guesses.spent > 0


def test_ones_own_number_is_refused(world: World, alice: Handset, bob: Handset) -> None:
    """A ticket under the phone's own number is refused before any search."""
    world.key(alice, bob)
    _refused(bob.enter(bob.sim.number, world.ticket(alice, bob)), "self")
    assert bob.card.state.guesses == Guesses()


def test_a_spent_budget_locks(world: World, alice: Handset, bob: Handset) -> None:
    """With the budget spent even a good ticket is refused, until a year of Sam's time is over."""
    world.key(alice, bob)
    ticket = world.ticket(alice, bob)
    spent = Guesses(since=bob.card.state.week, spent=BUDGET)
    bob.card.keep(evolve(bob.card.state, guesses=spent))
    _refused(bob.enter(alice.sim.number, ticket), "locked")
    assert bob.card.state.guesses == spent.run_out()


def test_an_expired_ticket_is_told_from_a_wrong_one(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A good ticket past its expiry week is refused as expired; the guess comes back."""
    world.key(alice, bob, life=2)
    ticket = world.ticket(alice, bob)
    world.pass_weeks(2)
    world.key(bob, carol)
    _refused(bob.enter(alice.sim.number, ticket), "expired")
    assert bob.card.state.peers == {}
    assert bob.card.state.guesses.spent == 0


def test_a_ticket_is_good_to_the_end_of_its_last_week(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A key has expired once its expiry week has begun, not a week before."""
    world.key(alice, bob, life=2)
    ticket = world.ticket(alice, bob)
    world.pass_weeks(1)
    world.key(bob, carol)
    assert bob.enter(alice.sim.number, ticket).key is not None


def test_a_ticket_below_the_floor_is_revoked(world: World, alice: Handset, bob: Handset) -> None:
    """A good ticket of an epoch that Sam has withdrawn is refused, with a sentence of its own."""
    world.key(alice, bob)
    bob.card.keep(evolve(bob.card.state, epoch=2, floor=2))
    _refused(bob.enter(alice.sim.number, world.ticket(alice, bob)), "revoked")


def test_an_old_ticket_is_superseded(world: World, alice: Handset, bob: Handset) -> None:
    """After a later key was confirmed a good older ticket is refused, for ever."""
    world.key(alice, bob)
    old = world.ticket(alice, bob)
    world.hand_over(alice, bob)
    world.confirm(alice, bob)
    for _ in range(2):
        _refused(bob.enter(alice.sim.number, old), "superseded")
    assert [key.context.n for key in bob.card.state.peers[alice.sim.number].held] == [2]


def test_an_unconfirmed_key_supersedes_nothing(world: World, alice: Handset, bob: Handset) -> None:
    """Until a later key is confirmed an older ticket is still taken, beside it."""
    world.key(alice, bob)
    old = world.ticket(alice, bob)
    world.hand_over(alice, bob)
    assert bob.enter(alice.sim.number, old).key is not None
    assert [key.context.n for key in bob.card.state.peers[alice.sim.number].held] == [1, 2]


def test_two_keys_under_one_number_contradict(world: World, alice: Handset, bob: Handset) -> None:
    """A second key under an n that is held, which only a Sam put back can make, is refused."""
    first, second = world.ask(alice, bob), world.ask(alice, bob, limit=3)
    before = world.copy_of_store()
    alice.receive(world.answer(first))
    bob.enter(alice.sim.number, world.ticket(alice, bob))
    world.open_store(before)
    alice.receive(world.answer(second))
    _refused(bob.enter(alice.sim.number, world.ticket(alice, bob)), "contradiction")
    assert bob.card.state.peers[alice.sim.number].held[0].context.terms.limit == 16


def test_a_full_table_refuses_strangers_alone(world: World, alice: Handset, bob: Handset) -> None:
    """With 256 peers known a stranger's good ticket is refused; a peer's is taken."""
    world.hand_over(alice, bob)
    others = {Number(str(300000000 + i)): Peer(until=9999) for i in range(MAX_PEERS - 1)}
    bob.card.keep(evolve(bob.card.state, peers={**bob.card.state.peers, **others}))
    stranger = world.phone()
    world.key(stranger, bob)
    _refused(bob.enter(stranger.sim.number, world.ticket(stranger, bob)), "full")
    assert len(bob.card.state.peers) == MAX_PEERS
    assert world.hand_over(alice, bob).key is not None


def test_re_entry_resumes_and_resets_nothing(world: World, alice: Handset, bob: Handset) -> None:
    """A ticket typed again gives the same key with its counts as they are, confirmed or not."""
    world.hand_over(alice, bob)
    ticket = world.ticket(alice, bob)
    world.challenge(alice, bob)
    bob.check(alice.sim.number, show(encode(PROFILES["confirm"], 0)))
    before = bob.card.state
    held = before.peers[alice.sim.number].held[0]
    assert (held.challenged, held.failures) == (1, 1)
    for _ in range(2):
        entered = bob.enter(alice.sim.number, ticket)
        assert entered.key == held
        assert bob.card.state == before
    world.confirm(alice, bob)
    before = bob.card.state
    assert bob.enter(alice.sim.number, ticket).key is not None
    assert bob.card.state == before


def test_the_sealed_ticket_carries_the_same_key(world: World, alice: Handset, bob: Handset) -> None:
    """The long ticket gives the holder the same key, and typing the short one then resumes it."""
    key = world.key(alice, bob)
    digits = world.ticket(alice, bob, sealed=True)
    assert len(digits.split()) == 17
    entered = bob.enter(alice.sim.number, digits)
    assert entered.key is not None
    assert entered.key.session == key.session
    before = bob.card.state
    assert bob.enter(alice.sim.number, world.ticket(alice, bob)).key is not None
    assert bob.card.state == before


def test_a_slip_in_a_sealed_ticket_is_repaired(world: World, alice: Handset, bob: Handset) -> None:
    """The long ticket has a parity group of its own: one wrong digit is repaired."""
    world.key(alice, bob)
    wrong = _slip(world.ticket(alice, bob, sealed=True), 9)
    entered = bob.enter(alice.sim.number, wrong)
    assert (entered.status, entered.reading.changed) == (Status.REPAIRED, (10,))
    assert entered.key is not None


def test_without_its_sealed_ticket_a_key_has_the_short_one_alone(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A key that came without a sealed ticket gives a reason where one is wanted."""
    world.key(alice, bob, form=Form.DERIVED)
    assert alice.ticket(bob.sim.number, sealed=True) == "not-sealed"
    assert "short one" in reports.of_ticket(bob.sim.number, "not-sealed").text


def test_a_random_key_goes_by_sealed_ticket_alone(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A random key shows the long ticket, whatever is wanted, and both have the same key."""
    key = world.key(alice, bob, form=Form.RANDOM)
    shown = alice.ticket(bob.sim.number)
    assert not isinstance(shown, str)
    assert shown.form == "sealed"
    entered = bob.enter(alice.sim.number, shown.digits)
    assert entered.key is not None
    assert key_check_value(entered.key.session) == key_check_value(key.session)
    assert world.confirm(alice, bob).status is Status.ACCEPTED


def test_random_keys_differ(world: World, alice: Handset, bob: Handset) -> None:
    """Two random keys have nothing in common, and neither is what would be derived."""
    first, second = (world.key(alice, bob, form=Form.RANDOM) for _ in range(2))
    assert first.session != second.session


def test_a_ticket_made_with_the_nonce_is_taken(world: World, alice: Handset, bob: Handset) -> None:
    """With a nonce out, a key asked for with it is taken, and uses the nonce up."""
    bob.nonce(alice.sim.number)
    nonce = bob.card.state.peers[alice.sim.number].nonce
    assert world.hand_over(alice, bob, nonce=nonce).key is not None
    assert bob.card.state.peers[alice.sim.number].nonce is None
    assert world.confirm(alice, bob).status is Status.ACCEPTED


def test_a_ticket_made_without_the_nonce_is_not(world: World, alice: Handset, bob: Handset) -> None:
    """With a nonce out, a key older than it is not taken; taken back, it is."""
    world.key(alice, bob)
    ticket = world.ticket(alice, bob)
    bob.nonce(alice.sim.number)
    assert bob.enter(alice.sim.number, ticket).key is None
    assert bob.forget_nonce(alice.sim.number)
    assert not bob.forget_nonce(alice.sim.number)
    assert bob.enter(alice.sim.number, ticket).key is not None


def test_a_key_held_already_resumes_while_a_nonce_is_out(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A nonce does not touch the keys that are held, with a nonce of their own or without."""
    world.hand_over(alice, bob)
    bob.nonce(alice.sim.number)
    assert bob.enter(alice.sim.number, world.ticket(alice, bob)).key is not None
    nonce = bob.card.state.peers[alice.sim.number].nonce
    assert nonce is not None
    world.hand_over(alice, bob, nonce=nonce)
    bob.nonce(alice.sim.number)
    before = bob.card.state
    assert bob.enter(alice.sim.number, world.ticket(alice, bob)).key is not None
    assert bob.card.state == before


def test_another_nonce_is_another_key(world: World, alice: Handset, bob: Handset) -> None:
    """A ticket made with a nonce that was replaced since is not taken."""
    bob.nonce(alice.sim.number)
    nonce = bob.card.state.peers[alice.sim.number].nonce
    bob.nonce(alice.sim.number)
    assert world.hand_over(alice, bob, nonce=nonce).key is None


def test_a_nonce_binds_its_own_peer_alone(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A nonce handed to one party does not stand in another's way."""
    bob.nonce(alice.sim.number)
    assert world.hand_over(carol, bob).key is not None


def test_a_full_table_has_no_room_for_a_nonce_to_a_stranger(bob: Handset) -> None:
    """A nonce makes its party a peer, and so is not handed to a stranger when there is no room."""
    others = {Number(str(300000000 + i)): Peer(until=9999) for i in range(MAX_PEERS)}
    bob.card.keep(evolve(bob.card.state, peers=others))
    assert bob.nonce(Number("400000000")) is None
    assert bob.nonce(Number("300000000")) is not None
    assert len(bob.card.state.peers) == MAX_PEERS


def test_a_good_ticket_brings_news(world: World, alice: Handset, bob: Handset) -> None:
    """It raises the known generation, the epoch seen and the week, and no other peer's anything."""
    carol = world.phone()
    world.hand_over(carol, bob)
    other = bob.card.state.peers[carol.sim.number]
    world.raise_epoch()
    world.pass_weeks(60)
    alice = world.renewed(alice)
    assert world.hand_over(alice, bob, life=52).key is not None
    state = bob.card.state
    assert state.peers[alice.sim.number].generation == 2
    assert (state.epoch, state.week) == (2, 160 + 52 - 104)
    assert evolve(state.peers[carol.sim.number], held=()) == evolve(other, held=())


def test_a_renewed_holder_is_given_the_new_key(world: World, alice: Handset, bob: Handset) -> None:
    """After the holder has a new SIM the key made for it is the one shown, low as its n is."""
    asks = [world.ask(alice, bob) for _ in range(4)]
    for asked in asks[:3]:
        alice.receive(world.answer(asked))
    bob.enter(alice.sim.number, world.ticket(alice, bob))
    world.confirm(alice, bob)
    bob = world.renewed(bob)
    received = alice.receive(world.answer(asks[3]))
    assert received.key is not None
    assert received.key.context.n == 1
    entered = bob.enter(alice.sim.number, world.ticket(alice, bob))
    assert entered.key is not None
    assert entered.key.session == received.key.session
    assert world.confirm(alice, bob).status is Status.ACCEPTED


@pytest.mark.parametrize("low", range(4))
def test_the_ends_of_the_ranges_are_no_fault(bob: Handset, low: int) -> None:
    """At the last generation, epoch and week a ticket that could only be past them is refused."""
    number = Number("300000000")
    peer = Peer(generation=MAX_GENERATION, until=MAX_WEEK)
    bob.card.keep(evolve(bob.card.state, week=MAX_WEEK - 1, epoch=MAX_EPOCH, peers={number: peer}))
    header = low << 24 | low << 22 | 1 << 14 | 77 << 6
    entry = show(encode(PROFILES["ticket"], header << 40))
    assert bob.enter(number, entry).reason == "wrong"


def test_a_key_that_cannot_be_kept_is_not_said_to_be_held(
    world: World, alice: Handset, bob: Handset
) -> None:
    """What is said to be held is held: the oldest of five tickets, typed last, is refused."""
    tickets = []
    for _ in range(5):
        world.key(alice, bob)
        tickets.append(world.ticket(alice, bob))
    for ticket in tickets[1:]:
        assert bob.enter(alice.sim.number, ticket).key is not None
    _refused(bob.enter(alice.sim.number, tickets[0]), "crowded")
    assert [key.context.n for key in bob.card.state.peers[alice.sim.number].held] == [2, 3, 4, 5]


def test_a_code_typed_as_a_random_number_of_digits_never_raises(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Digits of any number, from anywhere, are refused and never raise."""
    world.key(alice, bob)
    for length in range(0, 90, 3):
        digits = "".join(str(world.dice.randrange(10)) for _ in range(length))
        assert bob.enter(alice.sim.number, digits).key is None


def test_a_dropped_key_is_never_held_again(world: World, alice: Handset, bob: Handset) -> None:
    """A key that made room stays away, so that no count of its challenges begins anew."""
    world.hand_over(alice, bob, life=50)
    first = world.ticket(alice, bob)
    response = world.response(alice, bob, world.challenge(alice, bob))
    for _ in range(4):
        world.hand_over(alice, bob, life=2)
    world.pass_weeks(3)
    world.key(bob, world.phone())
    assert bob.card.state.peers[alice.sim.number].held == ()
    _refused(bob.enter(alice.sim.number, first), "superseded")
    assert bob.challenge(alice.sim.number) == "no-key"
    assert bob.check(alice.sim.number, response).reason == "no-challenge"


def test_a_party_with_many_sims_behind_it_is_read(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A stranger's ticket is read up to its sixteenth SIM, and so is one asked for with a nonce."""
    for _ in range(6):
        alice, carol = world.renewed(alice), world.renewed(carol)
    assert world.hand_over(alice, bob).key is not None
    assert bob.card.state.peers[alice.sim.number].generation == 7
    bob.nonce(carol.sim.number)
    nonce = bob.card.state.peers[carol.sim.number].nonce
    assert world.hand_over(carol, bob, nonce=nonce).key is not None


def test_a_new_sim_is_not_forgotten_while_old_tickets_live(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """Once a number's new SIM was seen its old SIM's tickets are not read, its keys gone or not."""
    world.key(alice, bob, life=52)
    old = world.ticket(alice, bob)
    assert world.hand_over(world.renewed(alice), bob, life=2).key is not None
    world.pass_weeks(3)
    world.key(bob, carol)
    assert bob.card.state.peers[alice.sim.number].held == ()
    assert bob.enter(alice.sim.number, old).key is None


def test_what_was_typed_is_there_to_go_on_with(world: World, alice: Handset, bob: Handset) -> None:
    """A ticket with a slip stays typed until it is taken; one that is hopeless does not."""
    world.key(alice, bob)
    ticket = world.ticket(alice, bob)
    wrong = _slip(ticket)
    bob.enter(alice.sim.number, wrong)
    assert bob.draft(alice.sim.number) == wrong
    assert bob.draft(Number("400000000")) == ""
    bob.enter(alice.sim.number, "nonsense")
    assert bob.draft(alice.sim.number) == ""
    bob.keep_draft(alice.sim.number, wrong)
    bob.enter(alice.sim.number, ticket)
    assert bob.draft(alice.sim.number) == ""

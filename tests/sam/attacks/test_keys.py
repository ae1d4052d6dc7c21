"""Attacks on what a key is: whose, how old, for whom, and in what role.

Each docstring names the attack and what stands against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from dtns.codecs.digits import PROFILES, Status, encode, show
from dtns.sam.handset.confirmations import Code, Verdict
from dtns.sam.handset.state import MAX_PEERS, Peer
from dtns.sam.handset.tickets import Shown
from dtns.sam.protocol import confirmation
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.ticket import Header, ticket_tag
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset


def _typed(header: Header, tag: int) -> str:
    return show(encode(PROFILES["ticket"], header.pack() << 40 | tag))


def test_replay_of_an_old_session_key(world: World, alice: Handset, bob: Handset) -> None:
    """Denning and Sacco: an old key, since exposed, is handed over again with its old ticket.

    Against it: a key once superseded by a confirmed one is dead, and so is one that has expired;
    the adversary, who can answer any challenge under it, is never challenged.
    """
    exposed = world.key(alice, bob, life=10)
    ticket = world.ticket(alice, bob)
    bob.enter(alice.sim.number, ticket)
    world.confirm(alice, bob)
    world.hand_over(alice, bob, life=52)
    world.confirm(alice, bob)
    assert bob.enter(alice.sim.number, ticket).reason == "superseded"
    count = bob.card.state.peers[alice.sim.number].held[-1].challenged + 1
    world.challenge(alice, bob)
    bits = confirmation.confirmation(exposed.session, exposed.context, count)
    assert bob.check(alice.sim.number, show(encode(PROFILES["confirm"], bits))).reason == "wrong"
    world.pass_weeks(12)
    world.key(bob, world.phone())
    assert bob.enter(alice.sim.number, ticket).reason == "expired"


def test_multiplicity(world: World, alice: Handset, bob: Handset) -> None:
    """Lowe's multiplicity: one ticket typed many times stands for many runs.

    Against it: a ticket typed again resumes the key with every count as it was, so that no
    challenge is ever made twice and no response serves twice.
    """
    world.hand_over(alice, bob)
    ticket = world.ticket(alice, bob)
    response = world.response(alice, bob, world.challenge(alice, bob))
    bob.check(alice.sim.number, response)
    seen = set()
    for _ in range(5):
        bob.enter(alice.sim.number, ticket)
        seen.add(world.challenge(alice, bob))
        assert bob.check(alice.sim.number, response).reason == "wrong"
    assert len(seen) == 5
    assert len(bob.card.state.peers[alice.sim.number].held) == 1


def test_reflection(world: World, alice: Handset, bob: Handset) -> None:
    """Reflection: a party's own code is read back to it in the other role.

    Against it: each kind of code has a MAC key of its own, and the context names who asked.
    """
    world.hand_over(alice, bob)
    world.hand_over(bob, alice)
    challenge = world.challenge(alice, bob)
    mine = bob.respond(alice.sim.number, challenge)
    assert isinstance(mine, Verdict)
    assert mine.reason == "wrong"
    assert bob.check(alice.sim.number, challenge).key is None
    key = bob.card.state.peers[alice.sim.number].held[-1]
    challenged = confirmation.challenge(key.session, key.context, key.pending)
    reflected = show(encode(PROFILES["confirm"], challenged))
    assert bob.check(alice.sim.number, reflected).reason == "wrong"
    ticket = world.ticket(alice, bob)
    assert alice.enter(bob.sim.number, ticket).key is None


def test_a_ticket_typed_where_a_confirmation_belongs(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Type flaw: a ticket in the fields for challenges and responses, and those in its field.

    Against it: the kinds differ in length, in the constants of their digits and in their MAC.
    """
    world.hand_over(alice, bob)
    ticket = world.ticket(alice, bob)
    challenge = world.challenge(alice, bob)
    assert not isinstance(alice.respond(bob.sim.number, ticket), Code)
    assert bob.check(alice.sim.number, ticket).key is None
    response = world.response(alice, bob, challenge)
    for code in (challenge, response, f"{challenge} {response} 0000"):
        assert bob.enter(alice.sim.number, code).status is not Status.ACCEPTED
    assert bob.check(alice.sim.number, response).status is Status.ACCEPTED


def test_a_tag_in_the_place_of_a_proof(world: World, alice: Handset, bob: Handset) -> None:
    """Type flaw below the digits: bits of one MAC are offered as another's.

    Against it: a key of its own for each kind of code; no code is the beginning of another.
    """
    key = world.key(alice, bob)
    bob.enter(alice.sim.number, world.ticket(alice, bob))
    world.challenge(alice, bob)
    tag = ticket_tag(key.session, key.context)
    proof = confirmation.challenge_proof(key.session, key.context, 1)
    for bits in (tag >> 14, tag & (1 << 26) - 1, 1 << 16 | proof, proof << 10):
        verdict = bob.check(alice.sim.number, show(encode(PROFILES["confirm"], bits)))
        assert verdict.key is None
    bits = 1 << 16 | tag >> 24
    assert not isinstance(
        alice.respond(bob.sim.number, show(encode(PROFILES["request"], bits))), Code
    )
    answer = confirmation.confirmation(key.session, key.context, 1)
    assert answer >> 10 != proof


def test_parallel_sessions(world: World, alice: Handset, bob: Handset) -> None:
    """Parallel runs: one challenge is left open and its response used in another run.

    Against it: one challenge to a peer is open at a time, each has its own count, and an
    abandoned one has been counted.
    """
    world.hand_over(alice, bob)
    responses = [world.response(alice, bob, world.challenge(alice, bob)) for _ in range(3)]
    for old in responses[:2]:
        assert bob.check(alice.sim.number, old).reason == "wrong"
    assert bob.card.state.peers[alice.sim.number].held[-1].challenged == 3
    assert bob.check(alice.sim.number, responses[2]).status is Status.ACCEPTED
    assert bob.check(alice.sim.number, responses[2]).reason == "no-challenge"


def test_unknown_key_share(world: World, alice: Handset, bob: Handset, carol: Handset) -> None:
    """Misbinding: Carol makes Bob believe that the key he shares with her is Alice's.

    Against it: both parties with their SIMs' generations are in the key's derivation, so that
    under another name the same digits give another key.
    """
    world.key(carol, bob)
    ticket = world.ticket(carol, bob)
    assert bob.enter(alice.sim.number, ticket).key is None
    entered = bob.enter(carol.sim.number, ticket)
    assert entered.key is not None
    assert entered.key.context.asker == carol.sim.party
    assert carol.enter(bob.sim.number, ticket).key is None


def test_a_renamed_asker_at_the_challenge(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """Misbinding later: Carol answers the challenge that Bob makes to Alice, with her own key.

    Against it: the whole context is in every code, and Bob tries Alice's keys alone.
    """
    world.hand_over(alice, bob)
    mine = world.key(carol, bob)
    bob.enter(carol.sim.number, world.ticket(carol, bob))
    world.challenge(alice, bob)
    for context in (mine.context, mine.context._replace(asker=alice.sim.party)):
        bits = confirmation.confirmation(mine.session, context, 1)
        verdict = bob.check(alice.sim.number, show(encode(PROFILES["confirm"], bits)))
        assert verdict.reason == "wrong"


def test_ticket_swap(world: World, alice: Handset, bob: Handset, carol: Handset) -> None:
    """A ticket for one holder is typed at another, or one key's terms go with another's tag.

    Against it: the context is the key; any mixture is a key that nobody has.
    """
    small = world.key(alice, bob, limit=1, life=2)
    large = world.key(alice, carol, limit=16, life=52)
    assert carol.enter(alice.sim.number, world.ticket(alice, bob)).key is None
    assert bob.enter(alice.sim.number, world.ticket(alice, carol)).key is None
    tag = ticket_tag(small.session, small.context)
    header = Header.of(small.context)
    mixed = [
        Header.of(large.context),
        evolve(header, limit=16),
        evolve(header, direction=Direction.HOLDER_PAYS),
        evolve(header, expiry_low=header.expiry_low + 1),
        evolve(header, n=2),
        evolve(header, epoch_low=2),
        evolve(header, generation_low=2),
    ]
    for other in mixed:
        assert bob.enter(alice.sim.number, _typed(other, tag)).key is None
    assert bob.enter(alice.sim.number, _typed(header, tag)).key is not None


def test_a_sealed_ticket_moved(world: World, alice: Handset, bob: Handset, carol: Handset) -> None:
    """Cut and paste: the sealed block of one ticket goes under the header or name of another.

    Against it: the block's cipher key and its tag are both derived from the whole context.
    """
    first, second = world.key(alice, bob, limit=1), world.key(alice, bob, limit=16)
    assert first.sealed is not None
    moved = first.sealed.ticket(second.context)
    assert bob.enter(alice.sim.number, show(encode(PROFILES["sealed"], moved))).key is None
    whole = show(encode(PROFILES["sealed"], first.sealed.ticket(first.context)))
    assert bob.enter(carol.sim.number, whole).key is None
    assert carol.enter(alice.sim.number, whole).key is None
    assert bob.enter(alice.sim.number, whole).key is not None


def test_a_downgrade_to_another_expiry(world: World, alice: Handset, bob: Handset) -> None:
    """The low bits of an expiry are read 256 weeks later, so that a dead ticket lives again.

    Against it: the expiry is in the tag in full.
    """
    key = world.key(alice, bob, life=2)
    ticket = world.ticket(alice, bob)
    bob.card.keep(bob.card.state.at(world.week + 256 - 10, 1))
    entered = bob.enter(alice.sim.number, ticket)
    assert entered.key is None
    assert entered.reason in {"wrong", "expired"}
    assert key.context.terms.expiry < bob.card.state.week


def test_a_recycled_number(world: World, alice: Handset, bob: Handset) -> None:
    """The number goes to another person: the former owner's SIM and tickets are still there.

    Against it: each SIM of a number has a generation, which is in every key; Sam hears the newest
    SIM alone, and a holder who has met it reads no older one.
    """
    world.key(alice, bob, life=52)
    old = world.ticket(alice, bob)
    former, alice = alice, world.renewed(alice)
    assert not hasattr(world.tell(world.ask(former, bob).text), "text")
    assert world.hand_over(alice, bob, life=2).key is not None
    world.confirm(alice, bob)
    assert bob.enter(alice.sim.number, old).key is None
    challenge = world.challenge(alice, bob)
    assert not isinstance(former.respond(bob.sim.number, challenge), Code)
    world.pass_weeks(3)
    world.key(bob, world.phone())
    assert bob.enter(alice.sim.number, old).key is None


def test_a_party_enrolled_twice(world: World, alice: Handset, bob: Handset) -> None:
    """A holder is enrolled anew: tickets made for its old SIM come to its new one, and the reverse.

    Against it: each generation has keys of its own, and the holder's is in the context.
    """
    world.key(alice, bob)
    old = world.ticket(alice, bob)
    former, bob = bob, world.renewed(bob)
    assert bob.sim.keys != former.sim.keys
    assert bob.enter(alice.sim.number, old).key is None
    asked = world.ask(alice, bob)
    received = alice.receive(world.answer(asked))
    assert received.key is not None
    assert received.key.context.holder.generation == 2
    ticket = world.ticket(alice, bob)
    assert former.enter(alice.sim.number, ticket).key is None
    assert bob.enter(alice.sim.number, ticket).key is not None


def test_a_renewed_holder_does_not_stop_sam(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A phone shows that it had n = 3 of a pair that stands at 0 after a new SIM: Sam would stop.

    Against it: the witness names the holder's generation, so that it proves nothing of another.
    """
    for _ in range(3):
        world.key(alice, bob)
    bob = world.renewed(bob)
    assert world.key(alice, bob).context.n == 1
    assert world.key(carol, bob).context.n == 1


def test_four_epochs(world: World, alice: Handset, bob: Handset) -> None:
    """Four restores later the epoch's low bits are the same: an old ticket is read as a new one.

    Against it: the epoch is in the tag in full, and a mark is compared in full.
    """
    world.key(alice, bob, life=52)
    old = world.ticket(alice, bob)
    for _ in range(4):
        world.raise_epoch()
    world.key(bob, alice)
    assert bob.card.state.epoch == 5
    entered = world.hand_over(alice, bob, life=52)
    assert entered.key is not None
    assert Header.of(entered.key.context).epoch_low == 1
    assert (entered.key.context.epoch, entered.key.context.n) == (5, 1)
    world.confirm(alice, bob)
    before = bob.card.state.peers[alice.sim.number]
    assert bob.enter(alice.sim.number, old).key is None
    assert bob.card.state.peers[alice.sim.number] == before


def test_marks_evicted(world: World, alice: Handset, bob: Handset) -> None:
    """Strangers fill the table until the mark of a peer is forgotten, then its old ticket is typed.

    Against it: no peer makes room for a stranger; a mark stays until all older tickets are dead.
    """
    world.key(alice, bob, life=52)
    old = world.ticket(alice, bob)
    world.hand_over(alice, bob, life=1)
    world.confirm(alice, bob)
    others = {Number(str(300000000 + i)): Peer(mark=(1, 1, 1, 1), until=999) for i in range(255)}
    bob.card.keep(evolve(bob.card.state, peers={**bob.card.state.peers, **others}))
    for _ in range(3):
        assert world.hand_over(world.phone(), bob).reason == "full"
    assert len(bob.card.state.peers) == MAX_PEERS
    assert bob.enter(alice.sim.number, old).reason == "superseded"
    world.pass_weeks(51)
    world.key(bob, alice)
    assert bob.card.state.peers[alice.sim.number].held == ()
    assert bob.enter(alice.sim.number, old).reason == "superseded"


def test_a_mark_outlives_every_older_ticket(world: World, alice: Handset, bob: Handset) -> None:
    """The holder waits for a mark to be forgotten; an older ticket of the longest life outlives it.

    Against it: a mark is kept for the longest life beyond the expiry of the last key.
    """
    asker = alice.sim.number
    key = world.key(alice, bob, life=1)
    bob.enter(alice.sim.number, world.ticket(alice, bob))
    world.confirm(alice, bob)
    longest = key.context.terms.expiry + LONGEST_LIFE_WEEKS
    state = bob.card.state.at(longest - 1, 1)
    assert state.peers[asker].mark == key.context.order
    assert asker not in bob.card.state.at(longest, 1).peers


def test_256_weeks_of_silence(world: World, alice: Handset, bob: Handset) -> None:
    """A phone that heard nothing for five years reads an expiry in the wrong period.

    Against it: nothing is accepted by a wrong reading; the phone hears from Sam, and goes on.
    """
    world.key(alice, bob, life=52)
    old = world.ticket(alice, bob)
    world.pass_weeks(300)
    assert world.hand_over(alice, bob, life=52).key is None
    world.key(bob, alice)
    assert bob.enter(alice.sim.number, world.ticket(alice, bob)).key is not None
    assert bob.enter(alice.sim.number, old).key is None


def test_152_weeks_of_silence(world: World, alice: Handset, bob: Handset) -> None:
    """The same, for as long as a phone may be silent: then every ticket is still read right."""
    world.pass_weeks(150)
    entered = world.hand_over(alice, bob, life=255)
    assert entered.key is not None
    assert entered.key.context.terms.expiry == 250 + 52


def test_a_mark_lowered_by_an_older_key(world: World, alice: Handset, bob: Handset) -> None:
    """State rollback by protocol: an older key is confirmed after a newer one.

    Against it: the mark only rises, and keys below it are gone on both phones.
    """
    world.hand_over(alice, bob)
    old = world.challenge(alice, bob)
    response = world.response(alice, bob, old)
    world.hand_over(alice, bob)
    world.confirm(alice, bob)
    assert bob.check(alice.sim.number, response).key is None
    assert not isinstance(alice.respond(bob.sim.number, old), Code)
    peer = bob.card.state.peers[alice.sim.number]
    assert peer.mark == peer.held[0].order
    shown = alice.ticket(bob.sim.number)
    assert isinstance(shown, Shown)
    assert shown.context.n == 2


def test_a_fresh_key_is_proved_by_a_nonce(world: World, alice: Handset, bob: Handset) -> None:
    """Denning and Sacco before the first key: the very first ticket may already be an exposed one.

    Against it, where it matters: Needham and Schroeder's repair of 1987. With a nonce out, only a
    key that was asked for after it is taken.
    """
    world.key(alice, bob, life=52)
    old = world.ticket(alice, bob)
    bob.nonce(alice.sim.number)
    assert bob.enter(alice.sim.number, old).key is None
    nonce = bob.card.state.peers[alice.sim.number].nonce
    assert world.hand_over(alice, bob, nonce=nonce).key is not None

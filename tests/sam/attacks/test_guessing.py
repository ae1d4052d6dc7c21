"""Attacks by trying: short codes guessed, tries hidden, phones locked by junk, answers that tell.

Each docstring names the attack and what stands against it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import evolve

from dtns.codecs.digits import PROFILES, Status, encode, show
from dtns.sam.errors import SimFileError
from dtns.sam.handset import reports
from dtns.sam.handset.confirmations import MAX_FAILURES, Code
from dtns.sam.handset.guesses import BUDGET, STRANGERS_BUDGET, Guesses
from dtns.sam.protocol import confirmation
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.ticket import Header, ticket

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset


def _junk(tag: int) -> str:
    return show(encode(PROFILES["ticket"], 1 << 62 | 1 << 54 | 120 << 46 | tag))


def test_online_guessing_of_a_ticket(world: World, alice: Handset, bob: Handset) -> None:
    """A guesser types tickets in a peer's name until one is good.

    Against it: each comparison is paid for; when 2^-27 is spent the phone takes no more of them.
    """
    world.hand_over(alice, bob)
    nearly = Guesses(since=bob.card.state.week, spent=BUDGET - 3 * (1 << 31))
    bob.card.keep(evolve(bob.card.state, guesses=nearly))
    for tag in range(4000):
        entered = bob.enter(alice.sim.number, _junk(tag))
        assert entered.key is None
        if entered.reason == "locked":
            break
    assert entered.reason == "locked"
    assert bob.card.state.guesses.spent <= BUDGET


def test_online_guessing_of_a_confirmation(world: World, alice: Handset, bob: Handset) -> None:
    """Someone without the key tries responses until one of 2^26 is right.

    Against it: ten tries a key, counted over all challenges, on both sides.
    """
    world.hand_over(alice, bob)
    key = bob.card.state.peers[alice.sim.number].held[-1]
    tries = 0
    for guess in range(200):
        if not isinstance(bob.challenge(alice.sim.number), Code):
            break
        count = bob.card.state.peers[alice.sim.number].held[-1].pending
        right = confirmation.confirmation(key.session, key.context, count)
        tries += bob.check(alice.sim.number, _other(guess, right)).reason == "wrong"
    assert tries == MAX_FAILURES


def _other(guess: int, right: int) -> str:
    return show(encode(PROFILES["confirm"], guess if guess != right else guess + 1))


def test_guessing_with_the_power_cut(world: World, alice: Handset, bob: Handset) -> None:
    """The guesser cuts the power as soon as a guess was wrong, so that it is not counted.

    Against it: the charge is durable before the comparison. Cutting the power only loses what
    would have come back.
    """
    world.hand_over(alice, bob)
    for tag in range(5):
        before = bob.card.state.guesses.spent
        bob.card.keeps_left = 1
        with suppress(SimFileError):
            bob.enter(alice.sim.number, _junk(tag))
        bob.card.keeps_left = None
        assert bob.card.state.guesses.spent > before


def test_silent_aborts(world: World, alice: Handset, bob: Handset) -> None:
    """The holder's side throws away trials that do not suit it and asks for others (Roscoe 2016).

    Against it: each challenge is counted durably before it is shown and none comes twice; the
    asker answers no older one, so that nobody collects responses to choose from.
    """
    world.hand_over(alice, bob)
    challenges = [world.challenge(alice, bob) for _ in range(6)]
    assert len(set(challenges)) == 6
    world.response(alice, bob, challenges[4])
    for old in challenges[:4]:
        assert not isinstance(alice.respond(bob.sim.number, old), Code)
    assert bob.card.state.peers[alice.sim.number].held[-1].challenged == 6


def test_nonces_that_come_round_again(world: World, alice: Handset, bob: Handset) -> None:
    """The seed's first protocol: random 3-digit nonces recur, and recorded responses serve again.

    Against it: the nonce is a count that ends at 1023 and is bound to the key and its context.
    """
    world.hand_over(alice, bob)
    peer = bob.card.state.peers[alice.sim.number]
    key = evolve(peer.held[-1], challenged=confirmation.MAX_COUNT)
    bob.card.keep(bob.card.state.with_peer(alice.sim.number, peer.with_key(key)))
    assert bob.challenge(alice.sim.number) == "used-up"
    bob.enter(alice.sim.number, world.ticket(alice, bob))
    assert bob.challenge(alice.sim.number) == "used-up"
    first = world.key(alice, bob)
    second = world.key(alice, bob)
    codes = {
        confirmation.confirmation(key.session, key.context, count)
        for key in (first, second)
        for count in range(1, 200)
    }
    assert len(codes) == 398


def test_a_phone_bricked_by_junk(world: World, alice: Handset, bob: Handset) -> None:
    """A stranger types, or has typed, junk until the phone takes no codes from anyone.

    Against it: what needs no key to refuse is free; numbers never heard of share half the budget
    and leave the other half to peers.
    """
    world.hand_over(alice, bob)
    for entry in ("0", "12345", "9999 9999 9999 9999 9999", "nonsense"):
        for _ in range(50):
            bob.enter(alice.sim.number, entry)
    assert bob.card.state.guesses.spent == 0
    spent = Guesses(bob.card.state.week, spent=STRANGERS_BUDGET, strangers=STRANGERS_BUDGET)
    bob.card.keep(evolve(bob.card.state, guesses=spent))
    assert bob.enter(Number("300000000"), _junk(1)).reason == "locked"
    assert world.hand_over(alice, bob).key is not None
    assert world.confirm(alice, bob).status is Status.ACCEPTED


def test_junk_in_a_peers_name_does_not_touch_its_key(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Ten wrong tickets are typed in a peer's name so that the peer's key is locked.

    Against it: tickets and confirmations are counted apart.
    """
    world.hand_over(alice, bob)
    for tag in range(2 * MAX_FAILURES):
        bob.enter(alice.sim.number, _junk(tag))
    assert world.confirm(alice, bob).status is Status.ACCEPTED


def test_collision_of_a_short_proof(world: World, alice: Handset, bob: Handset) -> None:
    """The seed's first protocol: a short MAC inside a longer one lets a payee search collisions.

    Against it: the response is a MAC over the count and the whole context, never over the 16 bits
    of the challenge's proof. Two contexts with equal proofs have unrelated responses.
    """
    session = world.key(alice, bob).session
    context = world.key(alice, bob).context
    proofs: dict[int, object] = {}
    for week in range(2000):
        other = context._replace(terms=context.terms._replace(expiry=week))
        proof = confirmation.challenge_proof(session, other, 1)
        if proof in proofs:
            break
        proofs[proof] = other
    assert proof in proofs
    left = confirmation.confirmation(session, proofs[proof], 1)
    assert left != confirmation.confirmation(session, other, 1)


def test_an_oracle_in_the_refusals(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """Different refusals tell an adversary which part of its forgery was right.

    Against it: whatever keyless reading says is public; after it every bad tag is refused in the
    same words, whoever is named, whatever header it has and whichever keys the phone holds.
    """
    key = world.key(alice, bob)
    bob.enter(alice.sim.number, world.ticket(alice, bob))
    right = ticket(key.session, key.context)
    told = set()
    for number in (alice.sim.number, carol.sim.number, Number("300000000")):
        for n in (1, 2, 200):
            header = evolve(Header.of(key.context), n=n).pack()
            wrong = show(encode(PROFILES["ticket"], header << 40 | (right ^ 1) & (1 << 40) - 1))
            entered = bob.enter(number, wrong)
            told.add((entered.status, entered.reason, reports.of_entry(number, entered).text))
    assert len(told) == 1


def test_sam_tells_a_forger_nothing(world: World, alice: Handset, bob: Handset) -> None:
    """Asks in others' names probe who is enrolled, who is suspended, and which counter is next.

    Against it: whatever is not authentic gets silence, by SMS the same for every cause.
    """
    text = world.ask(alice, bob).text
    world.suspend(bob)
    before = world.copy_of_store().read_bytes()
    for place in range(0, len(text), 3):
        other = "A" if text[place] != "A" else "B"
        assert not hasattr(world.tell(text[:place] + other + text[place + 1 :]), "text")
    assert world.copy_of_store().read_bytes() == before

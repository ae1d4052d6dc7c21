"""Attacks on money: codes used twice, bent, moved or guessed, and purses that are given anew.

Each docstring names the attack and what stands against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from books import Books, money
from world import PIN

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.errors import SimFileError
from dtns.sam.handset.orders import Charged, Order, Paid, Refused
from dtns.sam.handset.smallsums import MAX_UNPAID
from dtns.sam.issuing.issuer import Issuer
from dtns.sam.issuing.notices import renew
from dtns.sam.issuing.vault import Vault
from dtns.sam.ledger.reconciliation import Trouble
from dtns.sam.protocol import payments as codes
from dtns.sam.protocol.keys import MAX_EPOCH, MasterKey
from dtns.sam.protocol.payments import Mode, Payment
from dtns.sam.protocol.session import MAX_N, Direction
from dtns.sam.protocol.sync import Mark, NewUniversalKey

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset

MONEY = 1_000_000
LUNCH = 450


@pytest.fixture
def books(world: World) -> Books:
    """Sam's ledger."""
    return Books(world)


@pytest.fixture
def payer(books: Books, alice: Handset) -> Handset:
    """A phone with money and a PIN."""
    books.load(alice, MONEY)
    return alice


def _charge(world: World, payee: Handset, payer: Handset, amount: int, mode: Mode) -> str:
    charged = payee.charge(world.order(payer, amount, mode=mode))
    assert isinstance(charged, Charged), charged
    return charged.digits


def _small(world: World, payer: Handset, payee: Handset) -> str:
    """Pay for lunch without a key and return the response."""
    request = _charge(world, payee, payer, LUNCH, Mode.SMALL)
    response = world.pay(payer, payee, LUNCH, code=request)
    assert world.accept(payee, payer, LUNCH, response) == ""
    return response


def test_small_counts_of_a_new_sim(
    world: World, books: Books, payer: Handset, bob: Handset
) -> None:
    """Bob's number gets a new SIM, whose small charges would be counted from 1 once more.

    Alice's phone would show him the old response without a debit, and a recorded one would be
    good again. Against it: counts are kept apart by the generation with which a SIM was made.
    """
    recorded = [_small(world, payer, bob) for _ in range(3)]
    again = books.renewed(bob)
    before = money(payer, bob, again)
    for old in recorded:
        request = _charge(world, again, payer, LUNCH, Mode.SMALL)
        assert world.accept(again, payer, LUNCH, old) == "wrong"
        assert world.accept(again, payer, LUNCH, world.pay(payer, again, LUNCH, code=request)) == ""
    assert money(payer, bob, again) == before
    books.upload(payer, again)
    assert books.check().definite == []


def test_small_counts_come_round_after_four_sims(
    world: World, books: Books, payer: Handset, bob: Handset
) -> None:
    """Bob has his SIM replaced until the counts are those of the first one again.

    Against it: the fifth makes no small charges until the period ends, and gets no key that an
    older one has.
    """
    recorded = _small(world, payer, bob)
    for _ in range(4):
        bob = books.renewed(bob)
    refused = bob.charge(world.order(payer, LUNCH, mode=Mode.SMALL))
    assert isinstance(refused, Refused)
    assert refused.reason == "no-key"
    later = evolve(world.master.universal_key(), period=2, key=bytes(16))
    for phone in (bob, payer):
        world.sync(phone, NewUniversalKey(later.period, later.key))
    _charge(world, bob, payer, LUNCH, Mode.SMALL)
    assert world.accept(bob, payer, LUNCH, recorded) == "wrong"


def test_small_charges_thrown_away(world: World, payer: Handset, bob: Handset) -> None:
    """The seed's bug 1 on small payments: charges are made and aborted until two of them suit.

    Against it: R covers sum and count by themselves, and what is charged and not paid is bounded.
    """
    for _ in range(MAX_UNPAID):
        _charge(world, bob, payer, LUNCH, Mode.SMALL)
    refused = bob.charge(world.order(payer, LUNCH, mode=Mode.SMALL))
    assert isinstance(refused, Refused)
    assert refused.reason == "used-up"


def test_a_load_told_again_to_a_new_sim(
    world: World, books: Books, alice: Handset, bob: Handset
) -> None:
    """Alice takes in a load, spends it unheard, and has her lost SIM replaced: it comes again.

    Against it: a new SIM is told no loads of the former one.
    """
    world.key(alice, bob)
    books.load(alice, MONEY)
    assert world.accept(bob, alice, LUNCH, world.pay(alice, bob, LUNCH)) == ""
    fresh = books.renewed(alice)
    assert books.notice(fresh) == ""
    assert world.key(fresh, bob)
    assert fresh.purse.balance == 0
    books.load(fresh, 100)
    assert fresh.purse.balance == 100


def test_an_express_code_entered_everywhere(
    world: World, books: Books, payer: Handset, bob: Handset, carol: Handset
) -> None:
    """One express code: twice, with another sum, at another payee, after its ticket, after a cut.

    Against it: key, payee, sum and number 0 are in its tag; the number is marked used in the write
    that credits it; the key belongs to one holder.
    """
    world.key(payer, bob)
    assert bob.enter(payer.sim.number, world.ticket(payer, bob)).key is not None
    code = world.pay(payer, bob, LUNCH)
    assert world.accept(bob, payer, LUNCH + 1, code) != ""
    assert world.accept(carol, payer, LUNCH, code) != ""
    assert world.accept(bob, carol, LUNCH, code) != ""
    for left in range(6):
        bob.card.keeps_left = left  # type: ignore[attr-defined]
        try:
            world.accept(bob, payer, LUNCH, code)
        except SimFileError:
            pass
        finally:
            bob.card.keeps_left = None  # type: ignore[attr-defined]
    assert world.accept(bob, payer, LUNCH, code) == "credited"
    assert bob.enter(payer.sim.number, code).key is None
    assert money(bob, carol, payer) == MONEY
    books.upload(payer, bob)
    assert books.troubles() == []


def test_two_sums_under_one_number(world: World, payer: Handset, bob: Handset) -> None:
    """The payer has two codes made under one payment number and shows the one that suits.

    Against it: the number is bound to one sum in the write that debits it; another sum gets
    another number, whatever mode is asked for, through power cuts too.
    """
    world.key(payer, bob)
    first = world.pay(payer, bob, LUNCH)
    numbers = {(line.mode, line.entry.number) for line in payer.purse.log if line.is_payment}
    for amount in (LUNCH + 1, LUNCH + 2):
        payer.card.keeps_left = 2  # type: ignore[attr-defined]
        with pytest.raises(SimFileError):
            payer.pay(world.order(bob, amount), PIN)
        payer.card.keeps_left = None  # type: ignore[attr-defined]
        world.pay(payer, bob, amount)
    made = [line for line in payer.purse.log if line.is_payment]
    assert len({line.entry.number for line in made}) == len(made) == 3
    assert numbers == {(Mode.EXPRESS, 0)}
    again = payer.pay(world.order(bob, LUNCH, mode=Mode.CHEQUE), PIN)
    assert isinstance(again, Paid)
    assert (again.again, again.transaction.digits) == (True, first)


def test_a_payees_code_as_a_debit_order(
    world: World, books: Books, alice: Handset, bob: Handset
) -> None:
    """Bob asked for the key on which Alice pays: he makes her codes himself, to debit her.

    Against it: no phone debits on a code but in `pay`, after the PIN and with the sum and number
    that its owner typed; what Bob's SIM makes as payee has types of its own.
    """
    books.load(alice, MONEY)
    key = world.key(bob, alice, direction=Direction.HOLDER_PAYS)
    ticket = world.ticket(bob, alice)
    alice.enter(bob.sim.number, ticket)
    paid = Payment("KES", LUNCH)
    forged = show(encode(PROFILES["cheque"], codes.cheque(key.session, key.context, 1, paid)))
    express = show(encode(PROFILES["ticket"], codes.express(key.session, key.context, paid)))
    request = _charge(world, bob, alice, LUNCH, Mode.CHALLENGE)
    for code in (forged, express, ticket, request):
        alice.accept(world.order(bob, LUNCH, code=code))
        alice.enter(bob.sim.number, code)
        alice.respond(bob.sim.number, code)
    assert alice.purse.balance == MONEY
    refused = alice.pay(world.order(bob, LUNCH, code=request), "0000")
    assert isinstance(refused, Refused)
    assert alice.purse.balance == MONEY


def test_a_code_typed_into_every_field(world: World, payer: Handset, bob: Handset) -> None:
    """Type flaw: each code of a payment is typed where every other one belongs.

    Against it: each has a type of its own in its key and its tag, whatever its length.
    """
    world.hand_over(payer, bob)
    made = {
        "ticket": world.ticket(payer, bob),
        "cheque": world.pay(payer, bob, LUNCH, mode=Mode.CHEQUE),
        "charge": _charge(world, bob, payer, LUNCH + 1, Mode.CHALLENGE),
    }
    made["response"] = world.pay(payer, bob, LUNCH + 1, code=made["charge"])
    made["small charge"] = _charge(world, bob, payer, LUNCH + 2, Mode.SMALL)
    made["small response"] = world.pay(
        payer, bob, LUNCH + 2, code=made["small charge"], mode=Mode.SMALL
    )
    made["challenge"] = world.challenge(payer, bob)
    made["confirmation"] = world.response(payer, bob, made["challenge"])
    right = {("cheque", 1), ("response", 2), ("small response", 3)}
    modes = {1: Mode.CHEQUE, 2: Mode.CHALLENGE, 3: Mode.SMALL}
    for name, code in made.items():
        for mode in Mode:
            for extra in range(3):
                if (name, int(mode)) in right and modes.get(int(mode)) is mode:
                    continue
                assert world.accept(bob, payer, LUNCH + extra, code, mode=mode) != "", (name, mode)
    assert bob.purse.balance == 0
    assert world.accept(bob, payer, LUNCH, made["cheque"]) == ""
    assert world.accept(bob, payer, LUNCH + 1, made["response"]) == ""
    assert bob.check(payer.sim.number, made["small response"]).key is None


def test_a_downgrade_to_a_small_payment(world: World, payer: Handset, bob: Handset) -> None:
    """A large sum is forced under the universal key, which one opened SIM gives away.

    Against it: the class of the key is in the code, and both phones bound a small payment.
    """
    limit = bob.sim.terms.small_limit
    refused = bob.charge(world.order(payer, limit + 1, mode=Mode.SMALL))
    assert isinstance(refused, Refused)
    opened = evolve(bob.sim, terms=evolve(bob.sim.terms, small_limit=MONEY))
    bob.sim = opened
    request = _charge(world, bob, payer, limit + 1, Mode.SMALL)
    paid = payer.pay(world.order(bob, limit + 1, code=request), PIN)
    assert isinstance(paid, Refused)
    assert paid.reason == "too-large"


def test_another_currency(world: World, payer: Handset, bob: Handset) -> None:
    """A sum in a cheap currency is paid and taken as one in a dear one.

    Against it: the currency is in every tag, and a SIM has one alone.
    """
    world.key(payer, bob)
    order = Order(bob.sim.number, Payment("UGX", LUNCH))
    refused = payer.pay(order, PIN)
    assert isinstance(refused, Refused)
    assert refused.reason == "currency"
    code = world.pay(payer, bob, LUNCH)
    bob.sim = evolve(bob.sim, terms=evolve(bob.sim.terms, currency="UGX"))
    assert world.accept(bob, payer, LUNCH, code) == "currency"
    taken = bob.accept(Order(payer.sim.number, Payment("UGX", LUNCH), code=code))
    assert isinstance(taken, Refused)


def test_a_push_between_debit_and_entry(
    world: World, books: Books, payer: Handset, bob: Handset
) -> None:
    """While Bob types Alice's express code, a later ticket of hers comes in between.

    Against it: a ticket's key is held beside the others, and the mark moves by a payment or a
    confirmation alone; the code is still good.
    """
    world.key(payer, bob)
    code = world.pay(payer, bob, LUNCH)
    world.key(payer, bob)
    assert bob.enter(payer.sim.number, world.ticket(payer, bob)).key is not None
    assert world.accept(bob, payer, LUNCH, code) == ""
    books.upload(payer, bob)
    assert books.troubles() == []


def test_a_withdrawn_payer(world: World, books: Books, payer: Handset, bob: Handset) -> None:
    """Alice's SIM is stolen and replaced; who has it pays with codes made before and after.

    Against it: once the payee has heard of it no key of that generation brings money.
    """
    world.hand_over(payer, bob)
    code = world.pay(payer, bob, LUNCH)
    books.renewed(payer)
    world.sync(bob, Mark(payer.sim.party, MAX_EPOCH, MAX_N))
    assert world.accept(bob, payer, LUNCH, code) in ("no-key", "revoked")
    assert world.accept(bob, payer, LUNCH + 1, world.pay(payer, bob, LUNCH + 1)) != ""
    assert bob.purse.balance == 0


def test_a_code_taken_after_its_refund(
    world: World, books: Books, payer: Handset, bob: Handset
) -> None:
    """Payer and payee collude: the payment is given back, and then its code is taken.

    Against it: it is given back only once the payee's whole log reaches beyond the key's end.
    """
    world.hand_over(payer, bob, life=4)
    code = world.pay(payer, bob, LUNCH)
    serial = payer.purse.last_serial
    books.upload(payer)
    assert "can still be taken" in books.refund(payer, serial)
    books.load(bob, 100)
    books.upload(bob)
    world.pass_weeks(5)
    assert "log of the time after" in books.refund(payer, serial)
    world.sync(bob)
    books.upload(bob)
    assert books.refund(payer, serial) == ""
    assert world.accept(bob, payer, LUNCH, code) == "expired"
    assert "already" in books.refund(payer, serial)
    payer.receive(books.notice(payer))
    assert (payer.purse.balance, bob.purse.balance) == (MONEY, 100)
    books.upload(payer, bob)
    assert books.check().definite == []


def test_charges_in_parallel(world: World, payer: Handset, bob: Handset) -> None:
    """Bob opens several charges at once and has the dearest paid by the answer to the cheapest.

    Against it: one charge is open at a time, the next one ends it, each has a count of its own,
    and the answer covers count and sum.
    """
    world.hand_over(payer, bob)
    requests = [_charge(world, bob, payer, amount, Mode.CHALLENGE) for amount in (450, 450, 9000)]
    answers = [world.pay(payer, bob, 450, code=request) for request in requests[:2]]
    for answer in answers:
        assert world.accept(bob, payer, 9000, answer) == "wrong"
        assert world.accept(bob, payer, 450, answer) == "no-charge"
    assert world.accept(bob, payer, 9000, world.pay(payer, bob, 9000, code=requests[2])) == ""
    old = payer.pay(world.order(bob, 450, code=requests[0]), PIN)
    assert isinstance(old, Refused)
    assert old.reason == "old"


def test_recorded_answers_to_charges(world: World, payer: Handset, bob: Handset) -> None:
    """The seed's bug 3: recorded answers are used again when a nonce recurs.

    Against it: the nonce is a count that ends at 1023, or with the period, and recurs never.
    """
    world.hand_over(payer, bob)
    for mode in (Mode.CHALLENGE, Mode.SMALL):
        recorded = []
        for _ in range(8):
            request = _charge(world, bob, payer, LUNCH, mode)
            for answer in recorded:
                wrong = world.accept(bob, payer, LUNCH, answer, mode=mode)
                assert wrong == ("wrong" if len(recorded) < 2 else wrong) != ""
            if recorded:
                break
            recorded.append(world.pay(payer, bob, LUNCH, code=request, mode=mode))
            assert world.accept(bob, payer, LUNCH, recorded[-1], mode=mode) == ""
    key = bob.card.state.peers[payer.sim.number].held[-1]
    used = evolve(key, use=evolve(key.use, count=codes.MAX_COUNT, challenges_paid=codes.MAX_COUNT))
    peer = bob.card.state.peers[payer.sim.number].with_key(used)
    bob.card.keep(bob.card.state.with_peer(payer.sim.number, peer))
    refused = bob.charge(world.order(payer, LUNCH, mode=Mode.CHALLENGE))
    assert isinstance(refused, Refused)
    assert refused.reason == "used-up"


def test_a_master_key_rotated_while_tickets_are_out(
    world: World, books: Books, payer: Handset, bob: Handset
) -> None:
    """The operator rotates the master key between a debit and the entry of its code.

    Against it: a holder reads tickets of its former generation for 104 weeks, both universal keys
    live, and a key's context names the generations that it was made with.
    """
    world.key(payer, bob)
    code = world.pay(payer, bob, LUNCH)
    request = _charge(world, bob, payer, LUNCH, Mode.SMALL)
    small = world.pay(payer, bob, LUNCH, code=request, mode=Mode.SMALL)
    second = MasterKey(2, bytes(range(32, 64)))
    vault = Vault({1: world.master, 2: second}, world.dice.randbytes)
    world.issuer = Issuer(vault, world.policy, trust_clock=True)
    books = Books(world)
    with world.store.transaction():
        for phone in (payer, bob):
            known = world.store.registration(phone.sim.number)
            assert known is not None
            renew(world.store, known, 2)
    for phone, other in ((bob, payer), (payer, bob)) * 3:
        phone.receive(books.notice(phone) or "none")
        world.key(phone, other, direction=Direction.HOLDER_PAYS)
    assert [len(phone.card.state.renewals) for phone in (payer, bob)] == [1, 1]
    assert bob.purse.universals[-1].period == 2
    assert world.accept(bob, payer, LUNCH, small) == ""
    assert world.accept(bob, payer, LUNCH, code, mode=Mode.EXPRESS) == ""
    fresh = _charge(world, bob, payer, LUNCH, Mode.SMALL)
    assert world.accept(bob, payer, LUNCH, world.pay(payer, bob, LUNCH, code=fresh)) == ""
    books.upload(payer, bob)
    assert books.check().definite == []
    assert money(payer, bob) == MONEY


def test_an_opened_sim_and_its_payees(
    world: World, books: Books, payer: Handset, bob: Handset
) -> None:
    """Alice opens her SIM and makes codes without a debit, for Bob alone, while she is offline.

    Against it, within bounds: the class bounds what a key brings, *peer limit* what all of them
    bring until Sam has Bob's log; then the ledger names key and payments.
    """
    bob.sim = evolve(bob.sim, terms=evolve(bob.sim.terms, peer_limit=3000))
    brought = 0
    for _ in range(3):
        key = world.key(payer, bob, limit=5)
        for number, amount in ((0, 1500), (1, 400), (2, 200)):
            paid = Payment("KES", amount)
            bits = (
                encode(PROFILES["cheque"], codes.cheque(key.session, key.context, number, paid))
                if number
                else encode(PROFILES["ticket"], codes.express(key.session, key.context, paid))
            )
            taken = world.accept(bob, payer, amount, show(bits))
            brought += 0 if taken else amount
    assert brought == bob.purse.balance <= 3000
    books.upload(payer, bob)
    assert {finding.trouble for finding in books.check().findings} == {Trouble.NOT_DEBITED}
    assert {finding.other for finding in books.check().findings} == {payer.sim.number}

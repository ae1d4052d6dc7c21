"""Both sides of each payment, each balance, each load: what fits, is open, or is proved."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from books import Books, copied
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.ledger.entries import Contradiction, Filed, Load
from dtns.sam.ledger.reconciliation import OPEN, Finding, Trouble, reconcile
from dtns.sam.protocol import payments as codes
from dtns.sam.protocol.log import COUNT_BITS, Entry, Kind
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode, Payment
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.small import Deal as SmallDeal
from dtns.sam.protocol.small import split_charge

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset

A, B = Number("254700000001"), Number("254700000002")
FIRST = (1 << COUNT_BITS) + 1


# People who cheat, with real phones


def test_a_purse_copied_back(world: World, books: Books, payer: Handset, payee: Handset) -> None:
    """A file of a purse is copied back, and the money spent again: two things in one place."""
    carol = world.phone()
    for other in (payee, carol):
        world.key(payer, other)
    twin = copied(payer)
    for phone, other in ((payer, payee), (twin, carol)):
        assert world.accept(other, phone, 450, world.pay(phone, other, 450)) == ""
    books.upload(payer, payee, carol)
    for text in twin.log_messages():
        books.tell(text)
    assert books.troubles()[0] is Trouble.COPIED_PURSE
    assert books.check().definite[0].number == payer.sim.number


def test_a_purse_copied_back_that_hides_one_log(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """The log of the first life never comes: what was paid in it stays open, in the payee's log."""
    carol = world.phone()
    world.key(payer, payee)
    world.key(payer, carol)
    twin = copied(payer)
    assert world.accept(payee, twin, 450, world.pay(twin, payee, 450)) == ""
    assert world.accept(carol, payer, 450, world.pay(payer, carol, 450)) == ""
    books.upload(payer, payee, carol)
    assert books.troubles() == [Trouble.NOT_DEBITED]
    (finding,) = books.check().findings
    assert (finding.number, finding.other) == (payee.sim.number, payer.sim.number)
    assert world.accept(payee, payer, 1, world.pay(payer, payee, 1)) == "credited"
    books.upload(payer)
    assert books.troubles() == [Trouble.AMOUNTS_DIFFER]


def test_a_payee_without_a_payer(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """Who knows a key makes a code that its payer never made: the payer's log passes over it."""
    key = world.key(payer, payee)
    assert world.accept(payee, payer, 450, world.pay(payer, payee, 450)) == ""
    forged = codes.cheque(key.session, key.context, 1, Payment("KES", 5000))
    code = show(encode(PROFILES["cheque"], forged))
    assert world.accept(payee, payer, 5000, code) == ""
    books.upload(payer, payee)
    assert books.troubles() == [Trouble.NOT_DEBITED]
    for amount in (1, 2):
        world.pay(payer, payee, amount)
    books.upload(payer)
    troubles = Counter(books.troubles())
    assert troubles == {Trouble.AMOUNTS_DIFFER: 1, Trouble.NOT_CREDITED: 1}
    finding = books.check().definite[0]
    assert (finding.number, finding.amount, finding.mode) == (
        payee.sim.number,
        5000,
        Mode.CHEQUE,
    )


def test_a_key_used_beside_its_sim(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """A number that the payer's SIM never used, below those that it did: the key is elsewhere."""
    key = world.key(payer, payee)
    forged = codes.express(key.session, key.context, Payment("KES", 5000))
    assert world.accept(payee, payer, 5000, show(encode(PROFILES["ticket"], forged))) == ""
    code = world.pay(payer, payee, 450, mode=Mode.CHEQUE)
    assert world.accept(payee, payer, 450, code) == ""
    books.upload(payer, payee)
    assert books.troubles() == [Trouble.NEVER_PAID]
    assert books.check().agreed == 1


def test_an_opened_sim_in_small_payments(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """With the universal key out, small receipts have no debit: open for ever, and bounded."""
    limit, total = payee.sim.terms.small_limit, payee.sim.terms.small_total
    universal = world.master.universal_key()
    taken = 0
    while not isinstance(request := payee.charge(world.order(payer, limit, mode=Mode.SMALL)), str):
        if hasattr(request, "reason"):
            assert request.reason == "small-total"
            break
        count = split_charge(int_of(request.digits))[0]
        deal = SmallDeal(payer.sim.number, payee.sim.number, Payment("KES", limit), count)
        code = show(encode(PROFILES["confirm"], deal.response(universal, 0)))
        assert world.accept(payee, payer, limit, code) == ""
        taken += limit
    assert taken == total
    books.upload(payer, payee)
    assert set(books.troubles()) == {Trouble.NOT_DEBITED}


def int_of(digits: str) -> int:
    """Return the payload of a request."""
    from dtns.codecs.digits import decode  # noqa: PLC0415

    payload = decode(PROFILES["request"], digits).payload
    assert payload is not None
    return payload


def test_a_statement_that_is_not_true(books: Books, payer: Handset, payee: Handset) -> None:
    """A purse that has more than its log: the statement says so itself."""
    purse = payer.purse
    payer.card.keep(evolve(payer.card.state, purse=evolve(purse, balance=purse.balance + 1)))
    books.upload(payer, payee)
    assert books.troubles() == [Trouble.BALANCE]
    assert books.check().definite[0].number == payer.sim.number


def test_a_load_that_sam_did_not_make(world: World, books: Books, alice: Handset) -> None:
    """A phone that has its keys leaked loads itself: Sam made no such load."""
    world.load(alice, 450)
    books.upload(alice)
    assert books.troubles() == [Trouble.UNKNOWN_LOAD]


def test_what_is_under_way_is_no_fault(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """A code in somebody's hand, a log still to come, a load not taken in: open, each of them."""
    world.key(payer, payee)
    code = world.pay(payer, payee, 450)
    books.upload(payer)
    assert books.troubles() == [Trouble.NOT_CREDITED, Trouble.LOAD_UNDERWAY]
    assert world.accept(payee, payer, 450, code) == ""
    books.upload(payee)
    assert books.troubles() == []
    assert world.accept(payee, payer, 1, world.pay(payer, payee, 1)) == ""
    books.upload(payee)
    assert books.troubles() == [Trouble.NOT_DEBITED]
    books.upload(payer)
    assert books.troubles() == []


def test_loads_of_two_epochs_that_look_alike(world: World, books: Books, payer: Handset) -> None:
    """The same sum under the same low bits, before and after Sam was restored, is two loads."""
    world.raise_epoch()
    books.load(payer, 1_000_000)
    assert payer.purse.balance == 2_000_000
    books.upload(payer)
    assert books.troubles() == []
    books.order_load(payer, 5)
    assert books.troubles() == [Trouble.LOAD_UNDERWAY]


def test_a_new_sim_starts_from_nothing(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """Balances and gaps are each SIM's own: the log of a replaced one may well break off."""
    world.key(payer, payee)
    books.upload(payer)
    world.pay(payer, payee, 450)
    fresh = books.renewed(payer)
    books.load(fresh, 700)
    books.upload(fresh, payee)
    assert books.troubles() == []


# Records of every shape, against a model


def _entry(kind: Kind, other: Number, number: int, amount: int, n: int = 1) -> Entry:
    keyed = kind.is_payment and kind.mode is not Mode.SMALL
    return Entry(kind, Party(other, int(keyed)), int(keyed), n if keyed else 1, number, amount, 100)


def _filed(number: Number, place: int, entry: Entry) -> Filed:
    return Filed(number, FIRST + place, "KES", entry, entry.other.generation)


_ENTRIES = st.lists(
    st.tuples(
        st.sampled_from([Kind.ASKER_PAID_EXPRESS, Kind.ASKER_PAID_CHEQUE, Kind.PAID_SMALL]),
        st.integers(1, 3),
        st.integers(1, 3),
    ),
    unique_by=lambda each: each[:2],
    max_size=8,
)
_SIDE = {
    Kind.ASKER_PAID_EXPRESS: Kind.HOLDER_RECEIVED_EXPRESS,
    Kind.ASKER_PAID_CHEQUE: Kind.HOLDER_RECEIVED_CHEQUE,
    Kind.PAID_SMALL: Kind.RECEIVED_SMALL,
}


@given(paid=_ENTRIES, kept=st.lists(st.booleans(), min_size=8, max_size=8), data=st.data())
def test_honest_records_prove_nothing(
    paid: list[tuple[Kind, int, int]], kept: list[bool], data: st.DataObject
) -> None:
    """Payments in the order of their numbers, credited in any order or not at all: at most open."""
    ordered = sorted(paid, key=lambda each: (each[0] is not Kind.ASKER_PAID_EXPRESS, each[1]))
    ordered = [
        (kind, 0 if kind is Kind.ASKER_PAID_EXPRESS else number, amount)
        for kind, number, amount in ordered
        if kind is not Kind.ASKER_PAID_EXPRESS or number == 1
    ]
    debits = [_filed(A, i, _entry(kind, B, n, x)) for i, (kind, n, x) in enumerate(ordered)]
    chosen = [each for each, taken in zip(ordered, kept, strict=False) if taken]
    credits_ = [
        _filed(B, i, _entry(_SIDE[kind], A, n, x))
        for i, (kind, n, x) in enumerate(data.draw(st.permutations(chosen)))
    ]
    lost = data.draw(st.integers(0, len(debits)))
    result = reconcile([*debits[:lost], *credits_], [], [])
    assert result.definite == []
    whole = reconcile([*debits, *credits_], [], [])
    assert whole.agreed == len(credits_)
    assert whole.sums.get("KES", 0) == sum(x for _, _, x in chosen)
    assert [f.trouble for f in whole.findings] == [Trouble.NOT_CREDITED] * (
        len(debits) - len(credits_)
    )


@given(st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(1, 99)), max_size=9))
def test_a_balance_is_what_came_less_what_went(moves: list[tuple[int, int]]) -> None:
    """The statement is compared with the sum of all before it, of this SIM alone."""
    entries = [
        _entry(Kind.LOAD if sign > 0 else Kind.PAID_SMALL, B, place, amount)
        for place, (sign, amount) in enumerate(moves)
    ]
    balance = sum(sign * amount for sign, amount in moves)
    for said, expected in ((balance, []), (balance + 1, [Trouble.BALANCE])):
        stated = [*entries, _entry(Kind.STATEMENT, A, 0, said)]
        filed = [_filed(A, place, entry) for place, entry in enumerate(stated)]
        loads = [Load(A, place, "KES", x) for place, (sign, x) in enumerate(moves) if sign > 0]
        other = [_filed(B, 0, _entry(Kind.STATEMENT, B, 0, 0))]
        found = reconcile([*filed, *other], loads, []).definite
        assert [finding.trouble for finding in found] == expected
        assert reconcile(filed[1:], loads, []).definite == [] or not moves


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_can_be_found(trouble: Trouble) -> None:
    """Each finding, alone, from the least record that shows it; open ones are marked as open."""
    cheque, taken = Kind.ASKER_PAID_CHEQUE, Kind.HOLDER_RECEIVED_CHEQUE
    paid = _filed(A, 0, _entry(cheque, B, 1, 450))
    later = _filed(A, 0, _entry(cheque, B, 2, 5))
    got = _filed(B, 0, _entry(taken, A, 1, 450))
    records: dict[Trouble, tuple[Any, Any, Any]] = {
        Trouble.COPIED_PURSE: ([], [], [Contradiction(A, FIRST)]),
        Trouble.CREDITED_TWICE: ([paid, got, evolve(got, serial=FIRST + 1)], [], []),
        Trouble.AMOUNTS_DIFFER: ([paid, evolve(got, entry=evolve(got.entry, amount=9))], [], []),
        Trouble.NEVER_PAID: (
            [later, got, _filed(B, 1, _entry(taken, A, 2, 5))],
            [],
            [],
        ),
        Trouble.BALANCE: ([_filed(A, 0, _entry(Kind.STATEMENT, A, 0, 1))], [], []),
        Trouble.UNKNOWN_LOAD: ([_filed(A, 0, _entry(Kind.LOAD, A, 1, 1))], [], []),
        Trouble.NOT_CREDITED: ([paid], [], []),
        Trouble.NOT_DEBITED: ([got], [], []),
        Trouble.LOAD_UNDERWAY: ([], [Load(A, 1 << 16 | 1, "KES", 1)], []),
    }
    result = reconcile(*records[trouble])
    assert [finding.trouble for finding in result.findings] == [trouble]
    assert (result.definite == []) == (trouble in OPEN)


def test_definite_findings_come_first() -> None:
    """What is proved stands above what is open, each by number and serial."""
    stated = _filed(B, 0, _entry(Kind.STATEMENT, B, 0, 1))
    filed = [_filed(A, 0, _entry(Kind.ASKER_PAID_CHEQUE, B, 1, 450)), stated]
    found = reconcile(filed, [], []).findings
    assert [finding.trouble for finding in found] == [Trouble.BALANCE, Trouble.NOT_CREDITED]
    assert found[1] == Finding(Trouble.NOT_CREDITED, A, FIRST, B, 450, "KES", Mode.CHEQUE)

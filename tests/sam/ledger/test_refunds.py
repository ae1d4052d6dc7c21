"""Payments given back: only once nobody can take the code, once, and as the logs show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from books import Books
from guarded import GuardedWorld

from dtns.sam.ledger.entries import Filed
from dtns.sam.ledger.reconciliation import Trouble
from dtns.sam.ledger.refunds import objection
from dtns.sam.protocol.log import COUNT_BITS, Entry, Kind
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.sync import Filed as FiledUpTo

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset

A, B = Number("254700000001"), Number("254700000002")
EXPIRY = 110
DEBIT = Filed(
    A,
    (1 << COUNT_BITS) + 1,
    "KES",
    Entry(Kind.ASKER_PAID_CHEQUE, Party(B, 2), 1, 1, 1, 450, 100),
    1,
)


def _line(place: int, kind: Kind, week: int, generation: int = 2) -> Filed:
    other = Party(A, 1) if kind.is_payment else Party(B, 0)
    entry = Entry(kind, other, 1, 1, 1, 450, week)
    return Filed(B, (generation << COUNT_BITS) + place, "KES", entry, generation)


_LOAD, _STATED, _TAKEN = Kind.LOAD, Kind.STATEMENT, Kind.HOLDER_RECEIVED_CHEQUE


@pytest.mark.parametrize(
    ("log", "expiry", "week", "said"),
    [
        ([_line(1, _STATED, EXPIRY)], EXPIRY, EXPIRY, ""),
        ([_line(1, _LOAD, 100), _line(2, _STATED, EXPIRY + 9)], EXPIRY, EXPIRY + 9, ""),
        ([_line(1, _STATED, EXPIRY)], EXPIRY, EXPIRY - 1, "can still be taken"),
        ([_line(1, _STATED, EXPIRY - 1)], EXPIRY, EXPIRY, "has to come first"),
        ([_line(2, _STATED, EXPIRY)], EXPIRY, EXPIRY, "has to come first"),
        ([_line(1, _LOAD, 100), _line(3, _STATED, EXPIRY)], EXPIRY, EXPIRY, "has to come first"),
        ([], EXPIRY, EXPIRY, "has to come first"),
        ([_line(1, _TAKEN, 100), _line(2, _STATED, EXPIRY)], EXPIRY, EXPIRY, "it was taken"),
        ([_line(7, _TAKEN, 100), _line(1, _STATED, EXPIRY)], EXPIRY, EXPIRY, "it was taken"),
        ([_line(1, _STATED, EXPIRY)], None, EXPIRY, "no record any more"),
        ([_line(1, _STATED, EXPIRY, 3)], EXPIRY, EXPIRY, "has to come first"),
        ([_line(1, _STATED, EXPIRY, 1)], EXPIRY, EXPIRY, ""),
        (
            [_line(1, _STATED, EXPIRY, 1), _line(1, _LOAD, EXPIRY, 2)],
            EXPIRY,
            EXPIRY,
            "has to come first",
        ),
    ],
)
def test_objections(log: list[Filed], expiry: int | None, week: int, said: str) -> None:
    """The key's end, a statement after it, a log whole up to it, of the SIM that had the key."""
    reason = objection(DEBIT, expiry, log, week)
    assert (said in reason) if said else reason == ""


def test_a_small_payment_is_never_given_back() -> None:
    """No key of its own ends, so that nobody can tell when its code is dead."""
    small = evolve(DEBIT, entry=evolve(DEBIT.entry, kind=Kind.PAID_SMALL))
    assert "small" in objection(small, EXPIRY, [_line(1, _STATED, EXPIRY)], EXPIRY)


def _lost(world: World, books: Books, payer: Handset, payee: Handset) -> int:
    """Have a payment made whose code is lost, and its key end; return its serial."""
    world.hand_over(payer, payee, life=4)
    world.pay(payer, payee, 450)
    books.upload(payer)
    world.pass_weeks(4)
    world.sync(payee)
    books.upload(payee)
    return payer.purse.unfiled[-1].serial if payer.purse.unfiled else payer.purse.last_serial - 1


def test_a_lost_payment_comes_back_once(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """The load is on its way at once; the ledger shows the payment as settled."""
    serial = _lost(world, books, payer, payee)
    before = payer.purse.balance
    assert books.refund(payer, serial) == ""
    assert "already" in books.refund(payer, serial)
    payer.receive(books.notice(payer))
    payer.receive(books.notice(payer))
    assert payer.purse.balance == before + 450
    books.upload(payer)
    assert books.check().definite == []


def test_what_is_no_payment_is_not_given_back(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """Loads, statements, receipts of money, serials that are not there, numbers nobody has."""
    world.key(payer, payee)
    assert world.accept(payee, payer, 450, world.pay(payer, payee, 450)) == ""
    books.upload(payer, payee)
    for phone in (payer, payee):
        for line in phone.purse.log:
            if not line.is_payment or line.received:
                assert "no payment made" in books.refund(phone, line.serial)
    assert "no such entry" in books.refund(payer, 7)
    world.phones.clear()
    payer.sim = evolve(payer.sim, number=Number("254799999999"))
    assert "not enrolled" in books.refund(payer, payer.purse.last_serial)


def test_a_refund_outlives_a_restore(tmp_path: Path) -> None:
    """The journal knows which payment a load gave back, so that it is not given back again."""
    world = GuardedWorld(tmp_path)
    books = Books(world)
    payer, payee = world.phone(), world.phone()
    for phone in (payer, payee):
        books.load(phone, 1000)
    serial = _lost(world, books, payer, payee)
    backup = world.backup()
    assert books.refund(payer, serial) == ""
    world.restore(backup)
    assert "already" in books.refund(payer, serial)
    with world.store.transaction():
        loads = [load for load in world.store.ledger.loads() if load.number == payer.sim.number]
    assert [load.refund_of for load in loads] == [None, serial]
    payer.receive(books.notice(payer))
    payer.receive(books.notice(payer))
    assert payer.purse.balance == 1000
    assert Trouble.UNKNOWN_LOAD not in books.troubles()
    world.kill()


def test_an_acknowledgement_is_no_statement(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """A payee that has seen no message of the time after the key's end says nothing of it."""
    world.hand_over(payer, payee, life=4)
    code = world.pay(payer, payee, 450)
    serial = payer.purse.last_serial
    books.upload(payer)
    world.pass_weeks(4)
    counter = payee.card.state.synced
    books.upload(payee)
    assert payee.card.state.synced > counter
    assert "has to come first" in books.refund(payer, serial)
    assert world.accept(payee, payer, 450, code) == "expired"
    world.sync(payee, FiledUpTo(payee.purse.filed))
    books.upload(payee)
    assert books.refund(payer, serial) == ""


def test_the_mode_of_every_key_can_be_given_back(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """Express, cheque and the answer to a charge alike."""
    world.hand_over(payer, payee, life=4)
    for amount, mode in ((1, Mode.EXPRESS), (2, Mode.CHEQUE), (3, Mode.CHALLENGE)):
        charged = payee.charge(world.order(payer, amount, mode=mode))
        world.pay(payer, payee, amount, mode=mode, code=getattr(charged, "digits", ""))
    made = [line.serial for line in payer.purse.log if line.is_payment]
    books.upload(payer)
    world.pass_weeks(4)
    world.sync(payee)
    books.upload(payee)
    assert [books.refund(payer, serial) for serial in made] == [""] * 3

"""Logs on their way to Sam: lost, doubled, reordered, forged, and asked for again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from books import Books
from guarded import GuardedWorld
from world import World

from dtns.sam.handset.purse import MAX_LOG
from dtns.sam.issuing.issuer import Answer, Outcome, Silence
from dtns.sam.issuing.notices import renew
from dtns.sam.issuing.policy import Policy
from dtns.sam.ledger.entries import Filed
from dtns.sam.ledger.reconciliation import Trouble
from dtns.sam.protocol.log import COUNT_BITS, Kind, LogMessage, fitting
from dtns.sam.protocol.wire import from_text, to_text

if TYPE_CHECKING:
    from dtns.sam.handset.handset import Handset


def _shop(world: World, payer: Handset, payee: Handset, payments: int = 6) -> None:
    """Let a phone pay another a few times under one key."""
    world.key(payer, payee)
    for amount in range(1, payments + 1):
        assert world.accept(payee, payer, amount, world.pay(payer, payee, amount)) == ""


def _filed(world: World, phone: Handset) -> list[Filed]:
    with world.store.transaction():
        return world.store.ledger.log_of(phone.sim.number)


def test_a_log_comes_whole(world: World, books: Books, payer: Handset, payee: Handset) -> None:
    """Every entry is on record as the phone has it, and the phone knows that it is."""
    _shop(world, payer, payee)
    books.upload(payer, payee)
    for phone in (payer, payee):
        filed = _filed(world, phone)
        assert [each.entry for each in filed] == [line.entry for line in phone.purse.log]
        assert [each.serial for each in filed] == [line.serial for line in phone.purse.log]
        assert phone.purse.unfiled == ()
    assert books.check().agreed == 6
    assert books.check().sums == {"KES": 21}
    assert books.troubles() == []


def test_messages_in_any_order_twice(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """Three messages in all orders, each twice: what is acknowledged is what came without a gap."""
    _shop(world, payer, payee)
    texts = payer.log_messages()
    assert len(texts) == 3
    for order in permutations(texts):
        for text in order:
            answer = books.tell(text)
            assert isinstance(answer, Answer)
            assert answer.outcome is Outcome.FILED
            payer.receive(answer.text)
    assert payer.purse.unfiled == ()
    assert len(_filed(world, payer)) == len(payer.purse.log)
    with world.store.transaction():
        assert list(world.store.ledger.contradictions()) == []


@pytest.mark.parametrize("lost", range(3))
def test_a_message_is_lost(
    world: World, books: Books, payer: Handset, payee: Handset, lost: int
) -> None:
    """What lies after a gap is on record and not acknowledged; the phone sends it once more."""
    _shop(world, payer, payee)
    texts = payer.log_messages()
    for place, text in enumerate(texts):
        if place != lost:
            answer = books.tell(text)
            assert isinstance(answer, Answer)
            payer.receive(answer.text)
    assert len(payer.purse.unfiled) == len(payer.purse.log) - 3 * lost
    assert books.check().definite == []
    assert payer.log_messages()[0] == texts[lost]
    books.upload(payer)
    assert payer.purse.unfiled == ()


def test_an_acknowledgement_is_lost_or_comes_late(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """The phone sends until it knows; an older acknowledgement after a newer one does nothing."""
    _shop(world, payer, payee)
    answers = []
    for text in payer.log_messages():
        answer = books.tell(text)
        assert isinstance(answer, Answer)
        answers.append(answer.text)
    payer.receive(answers[-1])
    filed = payer.purse.filed
    assert filed == payer.purse.last_serial
    for old in answers[:-1]:
        assert payer.receive(old).reason == "known"
    assert payer.purse.filed == filed
    assert payee.receive(answers[0]).outcome == "ignored"


def test_a_forged_log(world: World, books: Books, payer: Handset, payee: Handset) -> None:
    """Not one bit can be changed, and nobody can speak for another party: silence, and no write."""
    _shop(world, payer, payee, 1)
    octets = from_text(payer.log_messages()[0])
    before = world.copy_of_store().read_bytes()
    for place in range(len(octets)):
        bent = bytearray(octets)
        bent[place] ^= 1 << place % 8
        assert isinstance(books.tell(to_text(bytes(bent))), Silence)
    for cut in range(0, len(octets), 3):
        assert isinstance(books.tell(to_text(octets[:cut])), Silence)
    other = LogMessage(payee.sim.party, 1 << COUNT_BITS | 1, "KES", (payer.purse.log[0].entry,))
    assert books.tell(to_text(other.seal(payer.sim.keys.ask))) is Silence.FORGED
    assert books.tell(to_text(world.phone().sim.keys.ask)) is Silence.MALFORMED
    stranger = evolve(other, party=other.party._replace(number="254799999999"))
    assert books.tell(to_text(stranger.seal(payer.sim.keys.ask))) is Silence.NOT_ENROLLED
    assert world.store.path.exists()
    assert _filed(world, payer) == []
    assert len(before) > 0


@pytest.mark.parametrize(
    ("currency", "amount"), [("kes", 1), ("\x1b[2", 1), ("KES", 0), ("KES", 10**12 + 1)]
)
def test_nonsense_from_an_opened_sim(
    books: Books, payer: Handset, currency: str, amount: int
) -> None:
    """A SIM that says what it likes is no fault of Sam's: what no purse can hold is refused."""
    entry = evolve(payer.purse.log[0].entry, amount=amount)
    message = LogMessage(payer.sim.party, 1 << COUNT_BITS | 1, currency, (entry,))
    assert books.tell(to_text(message.seal(payer.sim.keys.ask))) is Silence.FORGED
    assert books.troubles() == [Trouble.LOAD_UNDERWAY]


def test_serials_of_a_generation_to_come(books: Books, payer: Handset) -> None:
    """An opened SIM writes no lines into the log of the SIM after it."""
    message = LogMessage(payer.sim.party, 2 << COUNT_BITS | 1, "KES", (payer.purse.log[0].entry,))
    assert books.tell(to_text(message.seal(payer.sim.keys.ask))) is Silence.MALFORMED


def test_serials_at_the_end_of_a_log(world: World, books: Books, payer: Handset) -> None:
    """Entries that would run into the next SIM's serials are left out."""
    last = (2 << COUNT_BITS) - 1
    entry = payer.purse.log[0].entry
    message = LogMessage(payer.sim.party, last, "KES", (entry, entry, entry))
    assert isinstance(books.tell(to_text(message.seal(payer.sim.keys.ask))), Answer)
    assert [filed.serial for filed in _filed(world, payer)] == [last]


def test_the_share_of_answers(make_world: Callable[..., World]) -> None:
    """Beyond a day's share of answers logs are filed in silence; the next day Sam answers again."""
    world = make_world(Policy(repeats_per_day=2))
    books = Books(world)
    payer, payee = world.phone(), world.phone()
    books.load(payer, 1000)
    _shop(world, payer, payee)
    told = [books.tell(text) for text in payer.log_messages()]
    assert [isinstance(answer, Answer) for answer in told] == [True, True, False]
    for answer in told[:2]:
        assert isinstance(answer, Answer)
        payer.receive(answer.text)
    assert len(payer.purse.unfiled) == 2
    assert len(_filed(world, payer)) == len(payer.purse.log)
    world.now += 24 * 3600
    books.upload(payer)
    assert payer.purse.unfiled == ()


def test_a_suspended_party(world: World, books: Books, payer: Handset, payee: Handset) -> None:
    """What a suspended party logged is evidence: it is filed, and not answered."""
    _shop(world, payer, payee, 1)
    world.suspend(payer)
    assert [books.tell(text) for text in payer.log_messages()] == [Silence.SHARE]
    assert len(_filed(world, payer)) == len(payer.purse.log)
    assert payer.purse.filed < payer.purse.last_serial


def test_a_replaced_sim_is_not_heard(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """The log of a SIM that was replaced is refused; the new one's serials are apart from it."""
    _shop(world, payer, payee)
    fresh = books.renewed(payer)
    assert [books.tell(text) for text in payer.log_messages()] == [Silence.GENERATION] * 3
    books.load(fresh, 100)
    books.upload(fresh, payee)
    assert [filed.serial >> COUNT_BITS for filed in _filed(world, fresh)] == [2, 2]
    assert books.check().definite == []


def test_a_log_under_renewed_keys(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """A log sealed under new keys proves that the SIM has them; entries keep their generation."""
    _shop(world, payer, payee, 2)
    books.tell(payer.log_messages()[0])
    with world.store.transaction():
        known = world.store.registration(payer.sim.number)
        assert known is not None
        renew(world.store, known, 1)
    for _ in range(2):
        payer.receive(books.notice(payer))
        world.key(payer, payee)
    books.upload(payer, payee)
    with world.store.transaction():
        known = world.store.registration(payer.sim.number)
        assert known is not None
        assert known.enrolment.generation == 2
    keyed = [filed for filed in _filed(world, payer) if filed.entry.other.generation]
    assert [filed.generation for filed in keyed] == [1, 1]
    assert {filed.serial >> COUNT_BITS for filed in _filed(world, payer)} == {1}
    assert books.troubles() == []


def test_a_restored_sam_gets_again_what_it_lost(tmp_path: Path) -> None:
    """The serial that is acknowledged falls, and the phone sends what Sam has lost."""
    world = GuardedWorld(tmp_path)
    books = Books(world)
    payer, payee = world.phone(), world.phone()
    books.load(payer, 1000)
    backup = world.backup()
    _shop(world, payer, payee)
    books.upload(payer, payee)
    world.restore(backup)
    assert _filed(world, payer) == []
    for phone in (payer, payee):
        world.pass_weeks(1)
        world.key(phone, payee if phone is payer else payer)
    books.upload(payer, payee)
    assert payer.purse.filed < payer.purse.last_serial
    books.upload(payer, payee)
    assert payer.purse.unfiled == payee.purse.unfiled == ()
    assert [filed.entry for filed in _filed(world, payer)] == [
        line.entry for line in payer.purse.log
    ]
    assert books.troubles() == []
    world.kill()


def test_a_full_log_stops_money_until_sam_has_it(
    world: World, books: Books, payer: Handset, payee: Handset
) -> None:
    """With 512 entries that Sam does not have nothing is paid or taken; then it goes on."""
    world.key(payer, payee)
    (line,) = payer.purse.log
    purse = payer.purse
    while len(purse.unfiled) < MAX_LOG:
        purse = purse.logged(evolve(line.entry, kind=Kind.STATEMENT, amount=purse.balance), 0, 0.0)
    payer.card.keep(evolve(payer.card.state, purse=purse))
    refused = payer.pay(world.order(payee, 1), "1978")
    assert getattr(refused, "reason", "") == "log-full"
    for _ in range(20):
        books.upload(payer)
        world.now += 24 * 3600
    assert payer.purse.unfiled == ()
    assert world.pay(payer, payee, 1)
    assert len(payer.purse.log) == MAX_LOG
    assert books.check().definite == []


def test_the_last_serial_of_a_sim(world: World, books: Books, payer: Handset) -> None:
    """A SIM whose serials are used up makes no more entries: loads stay at Sam."""
    last = (2 << COUNT_BITS) - 1
    purse = payer.purse
    log = (evolve(purse.log[-1], serial=last),)
    payer.card.keep(evolve(payer.card.state, purse=evolve(purse, log=log, filed=last)))
    books.load(payer, 100)
    assert payer.purse.balance == purse.balance
    assert payer.log_messages() == []
    refused = payer.pay(world.order(world.phone(), 1), "1978")
    assert getattr(refused, "reason", "") == "log-full"


def test_as_many_entries_as_fit(payer: Handset) -> None:
    """Three entries of the longest numbers fit, or as many as the SMS holds."""
    entry = evolve(payer.purse.log[0].entry)
    long = evolve(entry, other=entry.other._replace(number="123456789012345"))
    for number in ("1234567", "123456789012345"):
        for entries in ([entry] * 5, [long] * 5, [long] * 2):
            count = fitting(number, entries)
            assert 1 <= count <= 3
            party = payer.sim.party._replace(number=number)
            LogMessage(party, 1, "KES", tuple(entries[:count])).seal(bytes(16))

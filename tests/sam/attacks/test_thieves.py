"""Money against an adversary who is the network and the people: the guarantee of the payments.

The phones and Sam are genuine. The adversary carries every message, code and log where and as often
as it likes or not at all, types what it likes into any field with any sum and any number, cuts the
power, has SIMs replaced and keys renewed, makes Sam lose its store, and lets years go by.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from attrs import evolve
from books import Books
from guarded import GuardedWorld
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from world import PIN

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.errors import SimFileError
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.orders import Charged, Paid
from dtns.sam.handset.pairs import paid_keys, paying_keys
from dtns.sam.issuing.issuer import Answer, Silence
from dtns.sam.issuing.notices import renew
from dtns.sam.issuing.records import Topic
from dtns.sam.ledger.entries import Deal, Filed
from dtns.sam.ledger.reconciliation import OPEN, Trouble
from dtns.sam.protocol import payments as codes
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.keys import MAX_EPOCH
from dtns.sam.protocol.log import Kind
from dtns.sam.protocol.payments import Mode, Payment
from dtns.sam.protocol.session import MAX_N, Direction
from dtns.sam.protocol.sync import Mark
from dtns.sam.store.journalfile import Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dtns.sam.handset.handset import Handset
    from dtns.sam.handset.purse import Transaction
    from dtns.sam.handset.state import State
    from dtns.sam.protocol.session import Order as Place

PARTIES = 3
NOTICED = (set(Trouble) - OPEN) | {Trouble.NOT_DEBITED}
"""What tells of money that nobody loaded."""
MOST_SIMS = 7
MOST_RESTORES = 2
WHO = st.tuples(st.integers(0, PARTIES - 1), st.sampled_from([0] * 5 + [1]))
"""A party, and how many SIMs ago."""
OTHER = st.integers(1, PARTIES - 1)
"""Another party, counted on from the first."""
PICK = st.integers(0, 7)
"""How many messages or codes ago."""
SUMS = st.sampled_from([100, 450, 450, 450, 450, 5000, 1_000_001])
MODES = st.sampled_from([None, None, None, *Mode])
CUT = st.sampled_from([None] * 9 + [0, 1, 2, 3])
"""After how many keeps the power goes, if it does."""
DIRECTED = [(direction, life) for direction in Direction for life in (0, 40)]
DIRECTIONS = st.sampled_from([Direction.ASKER_PAYS] * 2 + [Direction.HOLDER_PAYS])


class Spoken(NamedTuple):
    """A code that everyone has heard: by whom, to whom, about which sum."""

    kind: str
    digits: str
    by: int
    to: int
    amount: int
    mode: Mode | None = None


class Twist(NamedTuple):
    """How what is typed differs from what was meant; None: as it was meant."""

    kind: str | None = None
    amount: int | None = None
    number: int | None = None
    phone: tuple[int, int] | None = None
    mode: Mode | None = None


def _rarely(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from([False] * 5 + [True]).flatmap(lambda now: strategy if now else st.none())


TWIST = st.builds(
    Twist,
    kind=_rarely(st.sampled_from(["ticket", "payment", "charge", "challenge", "confirmation"])),
    amount=_rarely(SUMS),
    number=_rarely(st.integers(0, PARTIES - 1)),
    phone=_rarely(WHO),
    mode=_rarely(st.sampled_from(Mode)),
)


class QuickDisk(Disk):
    """A disk that is not waited for: what it would keep in a crash is not what is tested here."""

    def sync(self, descriptor: int) -> None:
        """Do not wait."""


class QuickWorld(GuardedWorld):
    """A Sam with a journal on such a disk."""

    disk = QuickDisk()


class Thieves(RuleBasedStateMachine):
    """Three numbers with several SIMs each, and everything in between."""

    def __init__(self, world: GuardedWorld) -> None:
        super().__init__()
        self.world, self.books = world, Books(world)
        self.phones = [[world.phone()] for _ in range(PARTIES)]
        self.numbers = [sims[0].sim.number for sims in self.phones]
        self.asks: list[str] = []
        self.messages: list[tuple[int, str]] = []
        self.logs: list[str] = []
        self.codes: list[Spoken] = []
        self.backups: list[Path] = []
        self.restores = 0
        self.made: Counter[tuple[str, int, int]] = Counter()
        self.refunded: set[tuple[str, int]] = set()
        self.digits: dict[tuple[str, int], str] = {}
        self.paid_under: dict[tuple[str, int, str, bool], Place] = {}
        self.looked_at: Counter[tuple[str, int]] = Counter()
        self.cheated = False

    @initialize()
    def load_purses(self) -> None:
        """All have a PIN and money."""
        for phones in self.phones:
            self._begin(phones[0])

    def _begin(self, phone: Handset) -> None:
        phone.set_pin("", PIN)
        self._load(phone, 20_000_000)
        phone.receive(self.books.notice(phone))

    def phone(self, who: tuple[int, int]) -> Handset:
        """Return a party's phone, or one with a SIM of its that was replaced and still works."""
        sims = self.phones[who[0]]
        return sims[max(len(sims) - 1 - who[1], 0)]

    def everyone(self) -> Iterator[Handset]:
        """Yield all phones, those with replaced SIMs too."""
        return chain(*self.phones)

    def on(self, phone: Handset, cut: int | None, step: Callable[[], Any]) -> Any:
        """Do a step on a phone, whose power may go; then it starts again from what it kept."""
        phone.card.keeps_left = cut
        try:
            return step()
        except SimFileError:
            return None
        finally:
            phone.card.keeps_left = None

    # Sam and the network

    def _load(self, phone: Handset, amount: int) -> None:
        load = self.books.order_load(phone, amount)
        self.made[phone.sim.number, load & 0xFFFF, amount] += 1

    @rule(party=st.integers(0, PARTIES - 1), amount=SUMS)
    def load(self, party: int, amount: int) -> None:
        """The operator loads a purse, and the message leaves, perhaps to be lost."""
        phone = self.phones[party][-1]
        self._load(phone, amount)
        self.messages.append((party, self.books.notice(phone)))

    @rule(party=st.integers(0, PARTIES - 1))
    def tell(self, party: int) -> None:
        """Sam tells a party once more what waits."""
        if text := self.books.notice(self.phones[party][-1]):
            self.messages.append((party, text))

    @rule(who=WHO, other=OTHER, direction=DIRECTIONS, life=st.sampled_from([0, 0, 1, 40]))
    def ask(self, who: tuple[int, int], other: int, direction: Direction, life: int) -> None:
        """Someone asks for a key; the ask and what comes of it may be delivered later, or never."""
        holder = (who[0] + other) % PARTIES
        wish = Wish(limit=16, direction=direction, form=Form.BOTH, life=life)
        asked = self.phone(who).ask(self.numbers[holder], wish, self.world.now, anew=True)
        if isinstance(asked, Asked):
            self.asks.append(asked.text)
            self.bring_ask(0)

    @precondition(lambda self: self.asks)
    @rule(pick=PICK)
    def bring_ask(self, pick: int) -> None:
        """The network brings Sam an ask, perhaps an old one."""
        answer = self.world.tell(self.asks[-1 - pick % len(self.asks)])
        if isinstance(answer, Answer):
            to = self.numbers.index(answer.recipient)
            self.messages += [(to, text) for text in (answer.notice, answer.text) if text]

    @precondition(lambda self: self.messages)
    @rule(pick=PICK, elsewhere=_rarely(WHO), cut=CUT)
    def deliver(self, pick: int, elsewhere: tuple[int, int] | None, cut: int | None) -> None:
        """The network brings a message of Sam's to a phone, in any order, as often as it likes."""
        to, text = self.messages[-1 - pick % len(self.messages)]
        phone = self.phone(elsewhere or (to, 0))
        self.on(phone, cut, lambda: phone.receive(text))

    @rule(who=WHO, other=OTHER, direction=DIRECTIONS, life=st.sampled_from([0, 1, 40]))
    def be_served(self, who: tuple[int, int], other: int, direction: Direction, life: int) -> None:
        """For once the network does what it should, and the ticket is handed over."""
        before = len(self.messages)
        self.ask(who, other, direction, life)
        for to, text in self.messages[before:]:
            self.phone((to, who[1])).receive(text)
        self.show(who, other)
        if direction is Direction.HOLDER_PAYS and self.codes:
            self.enter(0, Twist())

    @rule(who=WHO, brought=st.integers(0, 3), lost=st.booleans(), cut=CUT)
    def upload(self, who: tuple[int, int], brought: int, cut: int | None, *, lost: bool) -> None:
        """A phone sends its log; some of it arrives, and the acknowledgement perhaps."""
        phone = self.phone(who)
        texts = self.on(phone, cut, phone.log_messages) or []
        self.logs += texts
        for text in texts[brought:]:
            self._file(text, phone, lost=lost)

    @precondition(lambda self: self.logs)
    @rule(pick=PICK)
    def replay_log(self, pick: int) -> None:
        """The network brings Sam a log message again, or late."""
        self._file(self.logs[-1 - pick % len(self.logs)], None, lost=True)

    def _file(self, text: str, phone: Handset | None, *, lost: bool) -> None:
        answer = self.books.tell(text)
        assert answer is not Silence.FORGED
        if isinstance(answer, Answer):
            self.messages.append((self.numbers.index(answer.recipient), answer.text))
            if phone is not None and not lost:
                phone.receive(answer.text)

    # People

    @rule(who=WHO, other=OTHER)
    def show(self, who: tuple[int, int], other: int) -> None:
        """Someone reads out a ticket."""
        holder = (who[0] + other) % PARTIES
        shown = self.phone(who).ticket(self.numbers[holder])
        if not isinstance(shown, str):
            self.codes.append(Spoken("ticket", shown.digits, who[0], holder, 100))

    @rule(who=WHO, other=OTHER, amount=SUMS, mode=MODES, cut=CUT)
    def charge(
        self, who: tuple[int, int], other: int, amount: int, mode: Mode | None, cut: int | None
    ) -> None:
        """Someone asks to be paid, perhaps by a code."""
        payer, payee = (who[0] + other) % PARTIES, self.phone(who)
        order = self.world.order(self.phones[payer][-1], amount, mode=mode)
        charged = self.on(payee, cut, lambda: payee.charge(order))
        if isinstance(charged, Charged) and charged.digits:
            self.codes.append(Spoken("charge", charged.digits, who[0], payer, amount, charged.mode))

    @rule(who=WHO, other=OTHER, amount=SUMS, mode=MODES, second=st.booleans(), cut=CUT)
    def pay(
        self,
        who: tuple[int, int],
        other: int,
        amount: int,
        mode: Mode | None,
        cut: int | None,
        *,
        second: bool,
    ) -> None:
        """Someone pays unasked."""
        wish = {"mode": mode, "second": second}
        self._pay(who, (who[0] + other) % PARTIES, amount, cut, **wish)

    @rule(pick=PICK, twist=TWIST, cut=CUT)
    def answer_charge(self, pick: int, twist: Twist, cut: int | None) -> None:
        """Someone types a code as a request and pays."""
        if (code := self._code("charge", pick, twist)) is not None:
            payer = twist.phone or (code.to, 0)
            payee = code.by if twist.number is None else twist.number
            amount = twist.amount or code.amount
            self._pay(payer, payee, amount, cut, code=code.digits, mode=twist.mode)

    def _pay(
        self, who: tuple[int, int], payee: int, amount: int, cut: int | None, **wish: Any
    ) -> None:
        payer, before = self.phone(who), self.phone(who).purse
        if self.numbers[payee] == payer.sim.number:
            return
        order = self.world.order(self.phones[payee][-1], amount, **wish)
        paid = self.on(payer, cut, lambda: payer.pay(order, PIN))
        taken = before.balance - payer.purse.balance
        assert taken in (0, amount), "more was debited than one payment"
        if not isinstance(paid, Paid):
            assert not taken or cut is not None, "a debit without a code"
            if paid is not None and paid.reason == "pin-locked":
                self.books.end_pin_lock(payer, paid.lock)
                payer.receive(self.books.notice(self.phones[who[0]][-1]))
            return
        assert bool(taken) != paid.again, "a code shown again was debited, or a new one was not"
        line = paid.transaction
        event(f"paid by {line.mode.name}{' again' if paid.again else ''}")
        assert (line.entry.amount, line.entry.other.number) == (amount, order.other)
        key = (payer.sim.number, line.serial)
        first = self.digits.setdefault(key, line.digits)
        assert first == line.digits or self.cheated, "one debit, two codes"
        self.codes.append(Spoken("payment", line.digits, who[0], payee, amount))

    @rule(pick=PICK, twist=TWIST, cut=CUT)
    def accept(self, pick: int, twist: Twist, cut: int | None) -> None:
        """Someone types a code as a payment."""
        if (code := self._code("payment", pick, twist)) is None:
            return
        payee = self.phone(twist.phone or (code.to, 0))
        number = self.numbers[code.by if twist.number is None else twist.number]
        if number == payee.sim.number:
            return
        amount = twist.amount or code.amount
        order = evolve(self.world.order(payee, amount, code=code.digits, mode=twist.mode))
        order = evolve(order, other=number)
        before, logged = payee.card.state, len(payee.purse.log)
        self.on(payee, cut, lambda: payee.accept(order))
        for line in payee.purse.log[logged:]:
            self._credited(payee, before, line, code)

    def _credited(self, payee: Handset, before: State, line: Transaction, code: Spoken) -> None:
        """Hold a credit to the guarantee."""
        entry = line.entry
        event(f"credited by {line.mode.name}")
        assert code.kind == "payment"
        assert code.digits.replace(" ", "").isdigit()
        assert (entry.amount, entry.other.number) == (code.amount, self.numbers[code.by])
        if line.mode is Mode.SMALL:
            return
        state, as_asker = payee.card.state, entry.kind.as_asker
        (key,) = (
            key
            for key in paid_keys(state, entry.other.number)
            if (key.context.epoch, key.context.n) == (entry.epoch, entry.n)
            and key.confirmed
            and (key.context.asker.number == payee.sim.number) is as_asker
        )
        assert key.context.terms.expiry > before.week, "credited under a key that has expired"
        peer = state.peers.get(entry.other.number)
        if peer is not None and not as_asker:
            assert key.order >= peer.mark
            assert key.order[1:] > peer.revoked, "credited under a key that was withdrawn"
            place = (payee.sim.number, payee.sim.generation, entry.other.number, as_asker)
            before_it = self.paid_under.get(place, key.order)
            assert key.order >= before_it or self.cheated, "an older key came after"
            self.paid_under[place] = key.order

    @rule(pick=PICK, twist=TWIST)
    def enter(self, pick: int, twist: Twist) -> None:
        """Someone types a code as a ticket."""
        if (code := self._code("ticket", pick, twist)) is not None:
            holder = self.phone(twist.phone or (code.to, 0))
            before = holder.purse
            holder.enter(
                self.numbers[code.by if twist.number is None else twist.number], code.digits
            )
            assert holder.purse == before, "a ticket moved money"

    @rule(pick=PICK, twist=TWIST)
    def confirm(self, pick: int, twist: Twist) -> None:
        """Codes of confirmations and payments are typed in each other's fields."""
        if (code := self._code("challenge", pick, twist)) is None:
            return
        phone, number = self.phone(twist.phone or (code.to, 0)), self.numbers[code.by]
        before = phone.purse
        answer = phone.respond(number, code.digits)
        if hasattr(answer, "digits"):
            self.codes.append(Spoken("confirmation", answer.digits, code.to, code.by, 450))
        phone.check(number, code.digits)
        assert phone.purse == before, "a confirmation moved money"

    @rule(who=WHO, other=OTHER)
    def challenge(self, who: tuple[int, int], other: int) -> None:
        """Someone challenges."""
        asker = (who[0] + other) % PARTIES
        code = self.phone(who).challenge(self.numbers[asker])
        if not isinstance(code, str):
            self.codes.append(Spoken("challenge", code.digits, who[0], asker, 450))

    def _code(self, kind: str, pick: int, twist: Twist) -> Spoken | None:
        codes = [code for code in self.codes if code.kind == (twist.kind or kind)]
        return codes[-1 - pick % len(codes)] if codes else None

    @rule(
        who=WHO,
        other=OTHER,
        amount=SUMS,
        mode=MODES,
        served=st.sampled_from([None, None, *DIRECTED]),
        taken=st.integers(0, 2),
    )
    def buy(
        self,
        who: tuple[int, int],
        other: int,
        amount: int,
        mode: Mode | None,
        served: tuple[Direction, int] | None,
        *,
        taken: int,
    ) -> None:
        """Two people do what they should, with a new key or with what is on their phones."""
        payee = ((who[0] + other) % PARTIES, 0)
        back = (who[0] - payee[0]) % PARTIES
        if served is not None:
            asker, on = (who, other) if served[0] is Direction.ASKER_PAYS else (payee, back)
            self.be_served(asker, on, *served)
            self.enter(0, Twist())
        heard = len(self.codes)
        self.charge(payee, back, amount, mode, None)
        if len(self.codes) > heard:
            self.answer_charge(0, Twist(phone=who), None)
        else:
            self.pay(who, other, amount, mode, None, second=True)
        for _ in range(taken if self.codes and self.codes[-1].kind == "payment" else 0):
            self.accept(0, Twist(), None)

    @rule(weeks=st.sampled_from([0, 1, 45]), all_=st.booleans())
    def reach_sam(self, weeks: int, *, all_: bool) -> None:
        """Some come to where there is signal, and all that they send and get arrives."""
        self.world.pass_weeks(weeks)
        self.ask((0, 0), 1, Direction.ASKER_PAYS, 40)
        phones = [sims[-1] for sims in self.phones[: PARTIES if all_ else 2]]
        for phone in phones * 2:
            if text := self.books.notice(phone):
                phone.receive(text)
            for text in phone.log_messages():
                self._file(text, phone, lost=False)
        for phone in phones:
            made = [line for line in phone.purse.log if line.is_payment and not line.received]
            for line in made[-2:]:
                self._give_back(phone, line)

    # Fate, and the operator

    @precondition(lambda self: sum(map(len, self.phones)) < MOST_SIMS)
    @rule(party=st.integers(0, PARTIES - 1))
    def replace_sim(self, party: int) -> None:
        """A number gets a new SIM; the old one stays in someone's drawer."""
        self.phones[party].append(self.books.renewed(self.phones[party][-1]))
        self._begin(self.phones[party][-1])

    @rule(party=st.integers(0, PARTIES - 1))
    def renew_keys(self, party: int) -> None:
        """Sam gives a SIM a new generation over the air."""
        with self.world.store.transaction():
            known = self.world.store.registration(self.numbers[party])
            assert known is not None
            renew(self.world.store, known, 1)

    @rule(about=st.integers(0, PARTIES - 1), other=OTHER)
    def withdraw(self, about: int, other: int) -> None:
        """A party is told that all keys of another's former SIMs are withdrawn."""
        generation = self.phones[about][-1].sim.generation - 1
        if generation:
            told = self.numbers[(about + other) % PARTIES]
            mark = Mark(
                self.phones[about][0].sim.party._replace(generation=generation), MAX_EPOCH, MAX_N
            )
            with self.world.store.transaction():
                self.world.store.add_notice(told, Topic.ITEM, mark.octets)

    @precondition(lambda self: self.world.week < 600)
    @rule(weeks=st.sampled_from([1, 1, 1, 3, 30]))
    def pass_weeks(self, weeks: int) -> None:
        """Time goes by."""
        self.world.pass_weeks(weeks)

    @precondition(lambda self: len(self.backups) < MOST_RESTORES)
    @rule()
    def back_up(self) -> None:
        """The operator makes a backup."""
        self.backups.append(self.world.backup())

    @precondition(lambda self: self.backups and self.restores < MOST_RESTORES)
    @rule(pick=PICK)
    def restore(self, pick: int) -> None:
        """Sam's store is lost and a backup comes in its place."""
        self.restores += 1
        self.world.restore(self.backups[-1 - pick % len(self.backups)])

    @rule(who=st.integers(0, PARTIES - 1), pick=PICK)
    def give_back(self, who: int, pick: int) -> None:
        """Someone wants a payment given back."""
        lines = [line for sim in self.phones[who] for line in sim.purse.log if line.is_payment]
        if lines:
            self._give_back(self.phones[who][-1], lines[-1 - pick % len(lines)])

    def _give_back(self, phone: Handset, line: Transaction) -> None:
        serial, number = line.serial, phone.sim.number
        if self.books.refund(phone, serial) == "":
            event("a payment was given back")
            assert (number, serial) not in self.refunded, "given back twice"
            self.refunded.add((number, serial))
            with self.world.store.transaction():
                loads = [load for load in self.world.store.ledger.loads() if load.number == number]
            self.made[number, loads[-1].load & 0xFFFF, loads[-1].amount] += 1

    # What must hold whatever they do

    def sides(self) -> tuple[Counter[tuple[Deal, int]], Counter[tuple[Deal, int]], int]:
        """Return all debits, all credits, and the loads taken, by the phones' own logs."""
        debits: Counter[tuple[Deal, int]] = Counter()
        credits_: Counter[tuple[Deal, int]] = Counter()
        loads: Counter[tuple[str, int, int]] = Counter()
        for phone in self.everyone():
            balance = 0
            for line in phone.purse.log:
                entry, number = line.entry, phone.sim.number
                if entry.kind is Kind.STATEMENT:
                    assert entry.amount == balance
                    continue
                came = entry.kind is Kind.LOAD or line.received
                balance += entry.amount if came else -entry.amount
                if entry.kind is Kind.LOAD:
                    loads[number, entry.number, entry.amount] += 1
                    continue
                filed = Filed(number, line.serial, "KES", entry, line.generation)
                (credits_ if line.received else debits)[filed.deal, entry.amount] += 1
            assert balance == phone.purse.balance >= 0, "a purse is not what its log says"
        assert loads <= self.made, "a load was taken twice"
        return debits, credits_, sum(key[2] * times for key, times in loads.items())

    @invariant()
    def money_is_conserved(self) -> None:
        """Purses and payments under way come to what was loaded; each credit has its one debit."""
        debits, credits_, loaded = self.sides()
        assert all(times == 1 for times in credits_.values()), "credited twice"
        assert len({deal for deal, _ in credits_}) == len(credits_), "credited with two sums"
        assert all(times == 1 or deal.mode is Mode.SMALL for (deal, _), times in debits.items()), (
            "debited twice"
        )
        assert credits_ <= debits, "credited and never debited"
        underway = sum(amount * times for (_, amount), times in (debits - credits_).items())
        purses = sum(phone.purse.balance for phone in self.everyone())
        assert purses + underway == loaded
        for number, serial in self.refunded:
            (line,) = (
                line
                for phone in self.everyone()
                for line in phone.purse.log
                if (phone.sim.number, line.serial) == (number, serial)
            )
            deal = Filed(number, serial, "KES", line.entry, line.generation).deal
            assert not credits_[deal, line.entry.amount], "given back, and taken"

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """From each kept state to the next, what was paid under a key only grows."""
        for phone in self.everyone():
            history, name = phone.card.history, (phone.sim.number, phone.sim.generation)
            seen = self.looked_at[name] or 1
            for old, new in zip(history[seen - 1 :], history[seen:], strict=False):
                _compare(old, new)
            self.looked_at[name] = len(history)

    @rule()
    def check(self) -> None:
        """Sam's ledger proves nothing against people whose SIMs are genuine."""
        assert self.books.check().definite == []

    def send_all(self) -> None:
        """Have all present SIMs hear of a new week, and send their logs until Sam has them."""
        for _ in range(3):
            self.world.pass_weeks(1)
            for party, sims in enumerate(self.phones):
                heard = len(self.messages)
                self.ask((party, 0), 1, Direction.ASKER_PAYS, 40)
                for _, text in self.messages[heard:]:
                    sims[-1].receive(text)
                for text in sims[-1].log_messages():
                    self._file(text, sims[-1], lost=False)

    def teardown(self) -> None:
        """In the end all present SIMs send their logs: what is left open is in nobody's log."""
        self.send_all()
        with self.world.store.transaction():
            for sims in self.phones:
                filed = self.world.store.ledger.log_of(sims[-1].sim.number)
                purse = sims[-1].purse
                told = {line.serial for line in purse.log} - {t.serial for t in purse.unfiled}
                assert told <= {each.serial for each in filed}, "Sam lacks what it acknowledged"
                # what is left came with the last acknowledgement
                assert {line.entry.kind for line in purse.unfiled} <= {Kind.LOAD}
        assert {finding.trouble for finding in self.books.check().findings} <= OPEN
        self.world.kill()


class Cheats(Thieves):
    """The same with purses that are copied back, and keys that are used beside their SIMs."""

    @rule(who=WHO, back=st.integers(1, 9))
    def copy_back(self, who: tuple[int, int], back: int) -> None:
        """Someone puts an older state back into a SIM that is a file."""
        card = self.phone(who).card
        card.state = card.history[-1 - back % len(card.history)]
        card.history.append(card.state)
        self.cheated = True

    @rule(who=WHO, other=OTHER, amount=SUMS, number=st.integers(0, 3))
    def forge(self, who: tuple[int, int], other: int, amount: int, number: int) -> None:
        """Someone makes a code under a leaked key, without a debit."""
        payee = (who[0] + other) % PARTIES
        payment = Payment("KES", amount)
        for key in paying_keys(self.phone(who).card.state, self.numbers[payee])[:1]:
            cheque = codes.cheque(key.session, key.context, number, payment)
            express = codes.express(key.session, key.context, payment)
            profile, bits = ("cheque", cheque) if number else ("ticket", express)
            digits = show(encode(PROFILES[profile], bits))
            self.codes.append(Spoken("payment", digits, who[0], payee, amount))
            self.cheated = True
            self.accept(0, Twist(), None)

    @invariant()
    def money_is_conserved(self) -> None:
        """It is not, where they cheat."""

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """It is, where a state is put back."""

    @rule()
    def check(self) -> None:
        """The ledger takes whatever comes."""
        self.books.check()

    def teardown(self) -> None:
        """Money that was never loaded does not go unnoticed."""
        self.send_all()
        made = sum(phones[-1].purse.balance for phones in self.phones) - sum(
            amount * times for (_, _, amount), times in self.made.items()
        )
        troubles = {finding.trouble for finding in self.books.check().findings}
        if made > 0:
            event("money was made")
            assert troubles & NOTICED
        if not self.cheated:
            assert troubles <= OPEN
        self.world.kill()


def _compare(old: State, new: State) -> None:
    assert new.purse.loads >= old.purse.loads
    assert new.purse.last_serial >= old.purse.last_serial
    assert new.purse.log[: len(old.purse.log)] == old.purse.log
    keys = {(type(key), key.context): key for key in _all_keys(old)}
    for key in _all_keys(new):
        known = keys.get((type(key), key.context))
        if known is not None:
            assert known.use.numbers & ~key.use.numbers == 0
            assert (key.use.count, key.use.payments) >= (known.use.count, known.use.payments)
            assert key.use.total >= known.use.total


def _all_keys(state: State) -> Iterator[Any]:
    yield from chain(*state.asked.values())
    yield from chain(*(peer.held for peer in state.peers.values()))


QUICK = settings(
    max_examples=50,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(300)
def test_thieves(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever they do with genuine SIMs, no money is made, none is taken twice, nobody accused."""
    run_state_machine_as_test(
        lambda: Thieves(QuickWorld(tmp_path_factory.mktemp("world"))), settings=QUICK
    )


@pytest.mark.timeout(300)
def test_cheats(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where SIMs are files, or their keys are out, money can be made; the ledger tells of it."""
    run_state_machine_as_test(
        lambda: Cheats(QuickWorld(tmp_path_factory.mktemp("world"))),
        settings=settings(QUICK, max_examples=25),
    )


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thieves_at_length(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same with many more, each time others, and with more patience."""
    longer = settings(
        QUICK, max_examples=300, stateful_step_count=120, derandomize=False, phases=list(Phase)
    )
    run_state_machine_as_test(
        lambda: Thieves(QuickWorld(tmp_path_factory.mktemp("world"))), settings=longer
    )

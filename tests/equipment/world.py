"""The test bench of this room: a real Sam on a real store, real phones, a clock one turns by hand.

Nothing travels by itself: a test carries each message, and each code, where it wants it.
"""

from __future__ import annotations

import atexit
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random
from shutil import copyfile, rmtree
from tempfile import mkdtemp
from typing import Any

from dtns.sam.errors import SimFileError
from dtns.sam.handset.card import MemoryCard, fresh_state
from dtns.sam.handset.confirmations import Code, Verdict
from dtns.sam.handset.entering import Entered
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.orders import Order, Paid, Received
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import AskedKey, State
from dtns.sam.handset.tickets import Shown
from dtns.sam.issuing.issuer import Answer, Issuer, Silence
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.records import Registration
from dtns.sam.issuing.vault import Vault
from dtns.sam.protocol.keys import Enrolment, MasterKey
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Payment
from dtns.sam.protocol.sync import Item, Load, Sync
from dtns.sam.protocol.weeks import WEEK_SECONDS, start_of, week_of
from dtns.sam.protocol.wire import to_text
from dtns.sam.store.store import Store

FIRST_WEEK = 100
FIRST_NUMBER = 254700000001
PIN = "1978"


@cache
def _empty_store() -> Path:
    path = Path(mkdtemp(prefix="dtns-world-")) / "empty.sqlite"
    atexit.register(rmtree, path.parent, ignore_errors=True)
    Store.create(path, float(start_of(FIRST_WEEK)))
    return path


class TrialCard(MemoryCard):
    """A card in memory that remembers all it kept, and whose power can be cut.

    keeps_left says how many states it still takes before the power goes; None: it never goes.
    """

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.history = [state]
        self.keeps_left: int | None = None

    def keep(self, state: State) -> None:
        """Make *state* the one to go on from, or lose it with the power."""
        if self.keeps_left == 0:
            raise SimFileError("the power is gone")
        if self.keeps_left is not None:
            self.keeps_left -= 1
        self.history.append(state)
        super().keep(state)


class World:
    """One Sam and its phones."""

    def __init__(self, folder: Path, policy: Policy | None = None, seed: int = 1978) -> None:
        self.folder = folder
        self.now = float(start_of(FIRST_WEEK))
        self.dice = Random(seed)
        self.master = MasterKey(1, bytes(range(32)))
        self.policy = policy or Policy()
        self.issuer = Issuer(
            Vault({1: self.master}, self.dice.randbytes), self.policy, trust_clock=True
        )
        self.phones: list[Handset] = []
        copyfile(_empty_store(), folder / "sam.sqlite")
        self.open_store(folder / "sam.sqlite")

    def open_store(self, path: Path) -> None:
        """Let Sam go on from this store; what the disk would do in a crash is not tested here."""
        self.store = Store.open(path)
        self.store.connection.execute("PRAGMA synchronous = OFF")

    def copy_of_store(self) -> Path:
        """Return a copy of Sam's store as it is now, as a backup or a snapshot would keep it."""
        path = self.folder / f"{self.dice.getrandbits(64):x}.sqlite"
        with closing(sqlite3.connect(path)) as copy:
            self.store.connection.backup(copy)
        return path

    @property
    def week(self) -> int:
        """Sam's week."""
        return week_of(self.now)

    def pass_weeks(self, weeks: int) -> None:
        """Let time go by."""
        self.now += weeks * WEEK_SECONDS

    @property
    def epoch(self) -> int:
        """Sam's incarnation."""
        with self.store.transaction():
            return self.store.epoch

    def raise_epoch(self) -> None:
        """Begin a new incarnation of Sam."""
        with self.store.transaction():
            self.store.connection.execute("UPDATE meta SET epoch = epoch + 1, behind = 0")

    def phone(self) -> Handset:
        """Enrol a party that is new and return its phone."""
        return self._enrolled(Number(str(FIRST_NUMBER + len(self.phones))), 1)

    def renewed(self, phone: Handset) -> Handset:
        """Return the phone with the new SIM, one generation up, that its number now has."""
        return self._enrolled(phone.sim.number, phone.sim.generation + 1)

    def _enrolled(self, number: Number, generation: int) -> Handset:
        with self.store.transaction():
            enrolment = Enrolment(number, generation, self.store.epoch, self.master.master_id)
            self.store.save(Registration(enrolment, self.now))
        sim = SimFile(
            number=number,
            generation=generation,
            epoch=enrolment.epoch,
            week=self.week,
            service_number="+254700000000",
            network="unix:/nowhere",
            keys=self.master.party_keys(enrolment),
            universal=self.master.universal_key(),
        )
        self.phones.append(Handset(sim, TrialCard(fresh_state(sim)), self.dice.randbytes))
        return self.phones[-1]

    def suspend(self, phone: Handset, *, suspended: bool = True) -> None:
        """Suspend a party, or let it back in."""
        with self.store.transaction():
            known = self.store.registration(phone.sim.number)
            assert known is not None
            self.store.save(known._replace(suspended=suspended))

    def tell(self, text: str) -> Answer | Silence:
        """Bring Sam a message."""
        with self.store.transaction():
            return self.issuer.decide(self.store, text, "trial", self.now)

    def ask(self, asker: Handset, holder: Handset, **wish: Any) -> Asked:
        """Let a phone make another ask."""
        asked = asker.ask(holder.sim.number, Wish(**wish), self.now, anew=True)
        assert isinstance(asked, Asked), asked
        return asked

    def answer(self, asked: Asked) -> str:
        """Bring Sam an ask and return the text of its answer."""
        answer = self.tell(asked.text)
        assert isinstance(answer, Answer), answer
        return answer.text

    def key(self, asker: Handset, holder: Handset, **wish: Any) -> AskedKey:
        """Let a phone ask for a key and have it."""
        received = asker.receive(self.answer(self.ask(asker, holder, **wish)))
        assert received.key is not None, received
        return received.key

    def ticket(self, asker: Handset, holder: Handset, **options: Any) -> str:
        """Return the digits of the ticket that a phone shows."""
        shown = asker.ticket(holder.sim.number, **options)
        assert isinstance(shown, Shown), shown
        return shown.digits

    def hand_over(self, asker: Handset, holder: Handset, **wish: Any) -> Entered:
        """Let a phone ask for a key, have it, and hand it to the holder."""
        self.key(asker, holder, **wish)
        return holder.enter(asker.sim.number, self.ticket(asker, holder))

    def challenge(self, asker: Handset, holder: Handset) -> str:
        """Return the digits of the holder's next challenge."""
        code = holder.challenge(asker.sim.number)
        assert isinstance(code, Code), code
        return code.digits

    def response(self, asker: Handset, holder: Handset, challenge: str) -> str:
        """Return the digits of the asker's response."""
        code = asker.respond(holder.sim.number, challenge)
        assert isinstance(code, Code), code
        return code.digits

    def confirm(self, asker: Handset, holder: Handset) -> Verdict:
        """Let both confirm the newest key that the holder has of the asker."""
        response = self.response(asker, holder, self.challenge(asker, holder))
        return holder.check(asker.sim.number, response)

    def sync(self, phone: Handset, *items: Item) -> None:
        """Bring a phone a message of Sam's own with these items."""
        counter = phone.card.state.synced + 1
        sync = Sync(counter, self.week, self.epoch, items)
        text = to_text(sync.seal(phone.sim.keys.sync))
        assert phone.receive(text).outcome == "obeyed"

    def load(self, phone: Handset, amount: int) -> None:
        """Put money into a phone's purse, and set its PIN if it has none."""
        payment = Payment(phone.sim.terms.currency, amount)
        self.sync(phone, Load(phone.purse.loads + 1, payment))
        phone.set_pin("", PIN)

    def order(self, other: Handset, amount: int, **wish: Any) -> Order:
        """Return a payment of this many minor units to or from another phone."""
        payment = Payment(other.sim.terms.currency, amount)
        return Order(other.sim.number, payment, at=self.now, **wish)

    def pay(self, payer: Handset, payee: Handset, amount: int, **wish: Any) -> str:
        """Let a phone pay and return the digits of the code."""
        paid = payer.pay(self.order(payee, amount, **wish), PIN)
        assert isinstance(paid, Paid), paid
        return paid.transaction.digits

    def accept(self, payee: Handset, payer: Handset, amount: int, code: str, **wish: Any) -> str:
        """Let a phone take a payment code; return nothing if money came, else why not."""
        taken = payee.accept(self.order(payer, amount, code=code, **wish))
        return "" if isinstance(taken, Received) else taken.reason

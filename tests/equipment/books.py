"""Sam's ledger in a world: loads, logs brought to Sam, refunds and the check, as in service."""

from __future__ import annotations

from typing import Any

from world import PIN, World

from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.issuer import Answer, Silence
from dtns.sam.issuing.notices import end_sim, message
from dtns.sam.ledger.filing import Filing
from dtns.sam.ledger.reconciliation import Reconciliation, Trouble, reconcile
from dtns.sam.service.accounting import Accounting
from dtns.sam.service.requests import EndPinLock, Loaded, LoadPurse, Refund


class Books:
    """The operator's side of a world's money; nothing travels by itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._filing = Filing(world.issuer._vault, world.policy, trust_clock=True)

    def request(self, request: Any) -> Any:
        """Do an operator's request as the admin socket would."""
        with self.world.store.transaction():
            accounting = Accounting(self.world.store, lambda: self.world.now)
            return accounting.answers[type(request)](request)

    def order_load(self, phone: Handset, amount: int) -> int:
        """Have Sam make a load, and return its number; no message leaves by it."""
        loaded = self.request(LoadPurse(phone.sim.number, phone.sim.terms.currency, amount))
        assert isinstance(loaded, Loaded), loaded
        return loaded.load

    def notice(self, phone: Handset) -> str:
        """Return the message in which Sam tells a party what waits, if anything."""
        world = self.world
        with world.store.transaction():
            known = world.store.registration(phone.sim.number)
            assert known is not None
            known, text = message(world.store, world.issuer._vault, known, world.week)
            world.store.save(known)
        return text

    def load(self, phone: Handset, amount: int) -> None:
        """Have Sam put money into a purse, and bring the message; set the PIN if there is none."""
        self.order_load(phone, amount)
        assert phone.receive(self.notice(phone)).outcome == "obeyed"
        phone.set_pin("", PIN)

    def tell(self, text: str) -> Answer | Silence:
        """Bring Sam a log message."""
        with self.world.store.transaction():
            return self._filing.file(self.world.store, text, self.world.now)

    def upload(self, *phones: Handset) -> None:
        """Bring Sam all of these phones' logs, and them its acknowledgements."""
        for phone in phones:
            for text in phone.log_messages():
                answer = self.tell(text)
                assert isinstance(answer, Answer), answer
                phone.receive(answer.text)

    def refund(self, payer: Handset, serial: int) -> str:
        """Have Sam give a payment back; return nothing, or why not."""
        done = self.request(Refund(payer.sim.number, serial))
        return "" if isinstance(done, Loaded) else str(done.reason)

    def end_pin_lock(self, phone: Handset, lock: int, *, forget: bool = False) -> None:
        """Have Sam end the lock of a PIN."""
        self.request(EndPinLock(phone.sim.number, lock, forget=forget))

    def check(self) -> Reconciliation:
        """Compare what is on record."""
        with self.world.store.transaction():
            ledger = self.world.store.ledger
            return reconcile(ledger.entries(), ledger.loads(), ledger.contradictions())

    def troubles(self) -> list[Trouble]:
        """Return what the check finds."""
        return [finding.trouble for finding in self.check().findings]

    def renewed(self, phone: Handset) -> Handset:
        """Return the phone with the new SIM that its number has, as `dtns party rekey` makes it."""
        world = self.world
        with world.store.transaction():
            known = world.store.registration(phone.sim.number)
            assert known is not None
            end_sim(world.store, known)
        generation = (known.renewal or known.enrolment).generation + 1
        fresh = world._enrolled(phone.sim.number, generation)
        with world.store.transaction():
            given = world.store.registration(phone.sim.number)
            assert given is not None
            world.store.save(given._replace(told=known.told, suspended=known.suspended))
        return fresh


def money(*phones: Handset) -> int:
    """Return what these phones have in their purses."""
    return sum(phone.purse.balance for phone in phones)


def copied(phone: Handset) -> Handset:
    """Return a phone with the same SIM file as it is now, as whoever copies files has it."""
    card = type(phone.card)(phone.card.state)  # type: ignore[call-arg]
    return Handset(phone.sim, card, phone._random)

"""A real Sam for exchanges with a program: its store, its decisions, its ledger, no network."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from attrs import asdict

from dtns.sam.conformance.player import Line
from dtns.sam.issuing.issuer import Answer, Issuer, Silence
from dtns.sam.issuing.notices import message
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.records import Registration, Topic
from dtns.sam.issuing.vault import Vault
from dtns.sam.ledger.filing import Filing
from dtns.sam.ledger.reconciliation import Reconciliation, reconcile
from dtns.sam.protocol.keys import MASTER_OCTETS, Enrolment, MasterKey
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Payment, PurseTerms
from dtns.sam.protocol.sync import Load
from dtns.sam.protocol.weeks import start_of, week_of
from dtns.sam.store.store import Store

WEEK: Final = 150
TERMS: Final = PurseTerms()


class Sam:
    """Issues keys and files logs in a store of its own; for use as a context manager."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="dtns-conformance-")
        path = Path(self._folder.name) / "dtns.sqlite"
        self.now = float(start_of(WEEK))
        Store.create(path, self.now)
        self.store = Store.open(path)
        self._master = MasterKey(1, secrets.token_bytes(MASTER_OCTETS))
        self._vault = Vault({1: self._master}, secrets.token_bytes)
        self._issuer = Issuer(self._vault, Policy(), trust_clock=True)
        self._filing = Filing(self._vault, Policy(), trust_clock=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.store.close()
        self._folder.cleanup()

    def enrol(self, name: str, number: str) -> Line:
        """Enrol a party and return its SIM as the door tells of it."""
        enrolment = Enrolment(Number(number), 1, 1, 1)
        with self.store.transaction():
            self.store.save(Registration(enrolment, self.now))
        keys, universal = self._master.party_keys(enrolment), self._master.universal_key()
        octets = asdict(keys, recurse=False)
        return {
            "name": name,
            "number": number,
            "generation": 1,
            "epoch": 1,
            "floor": 0,
            "week": week_of(self.now),
            **{f"{use}_key": bytes(key).hex() for use, key in octets.items()},
            "terms": asdict(TERMS),
            "period": universal.period,
            "universal_key": bytes(universal.key).hex(),
        }

    def answer(self, text: str) -> str | None:
        """Bring Sam an SMS and return the text of its answer, if it gives one."""
        with self.store.transaction():
            decided = self._issuer.decide(self.store, text, "door", self.now)
            if decided is Silence.MALFORMED:
                decided = self._filing.file(self.store, text, self.now)
        return decided.text if isinstance(decided, Answer) else None

    def load(self, number: str, amount: int, load: int) -> str:
        """Return the text of a message of Sam's own that brings a load; one load, one number."""
        item = Load(load, Payment(TERMS.currency, amount))
        with self.store.transaction():
            self.store.add_notice(Number(number), Topic.ITEM, item.octets)
            known = self.store.registration(Number(number))
            assert known is not None
            known, text = message(self.store, self._vault, known, week_of(self.now))
            self.store.save(known)
        return text

    def reconciled(self) -> Reconciliation:
        """Return what the ledger says of all that was filed."""
        with self.store.transaction():
            ledger = self.store.ledger
            return reconcile(ledger.entries(), ledger.loads(), ledger.contradictions())

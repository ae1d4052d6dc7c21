"""What the operator does with money: loads, refunds, PIN locks, the check of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dtns.sam.issuing.clock import credible_week
from dtns.sam.issuing.records import Registration, Topic
from dtns.sam.ledger.entries import Filed
from dtns.sam.ledger.reconciliation import OPEN, Finding, reconcile
from dtns.sam.ledger.refunds import objection
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import MAX_AMOUNT, Payment
from dtns.sam.protocol.sync import Load, UnlockPin
from dtns.sam.protocol.weeks import week_of
from dtns.sam.service import requests as ask
from dtns.sam.service.requests import MAX_BATCH, NOT_ENROLLED, Refusal
from dtns.sam.store.store import Store

_EPOCH_BITS: Final = 16
_MAX_LOCK: Final = 0xFFFF


class Accounting:
    """Does these requests inside the store's transaction; *tell* as in Telling."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        tell: Callable[[Registration], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self.answers: Mapping[type[Any], Callable[[Any], Any]] = {
            ask.LoadPurse: self._load,
            ask.Refund: self._refund,
            ask.EndPinLock: self._end_pin_lock,
            ask.CheckLedger: self._check,
        }

    def _load(self, request: ask.LoadPurse) -> ask.Loaded | Refusal:
        try:
            payment = Payment(request.currency, request.amount)
        except ValueError:
            return Refusal(f"a load is 1 to {MAX_AMOUNT} minor units of a currency of ISO 4217")
        known = self._store.registration(request.number)
        if known is None:
            return NOT_ENROLLED
        if known.suspended:
            return Refusal("this party is suspended: `dtns party resume` lets it back in")
        return self._loaded(known, payment)[1]

    def _loaded(self, known: Registration, payment: Payment) -> tuple[int, ask.Loaded]:
        """Have a party told of a load, whose number no former epoch can have used."""
        number = known.enrolment.number
        load = max(self._store.ledger.last_load(number), self._store.epoch << _EPOCH_BITS) + 1
        self._store.add_notice(number, Topic.ITEM, Load(load, payment).octets)
        self._told(number)
        return load, ask.Loaded(load, at_once=self._tell is not None)

    def _refund(self, request: ask.Refund) -> ask.Loaded | Refusal:
        ledger = self._store.ledger
        known = self._store.registration(request.number)
        if known is None:
            return NOT_ENROLLED
        filed = ledger.entry(request.number, request.serial)
        if filed is None:
            return Refusal("Sam has no such entry of this party's log")
        if ledger.is_refunded(request.number, request.serial):
            return Refusal("this payment was given back already")
        if reason := self._objection(filed):
            return Refusal(reason)
        load, loaded = self._loaded(known, Payment(filed.currency, filed.entry.amount))
        self._store.note_refund(request.number, load, request.serial)
        return loaded

    def _objection(self, filed: Filed) -> str:
        ledger = self._store.ledger
        if not filed.entry.kind.is_payment or filed.entry.kind.received:
            return "that entry is no payment made"
        payee = filed.deal.payee.number
        week = credible_week(self._store.week, week_of(self._clock()))
        return objection(filed, ledger.expiry(filed), ledger.log_of(payee), week)

    def _end_pin_lock(self, request: ask.EndPinLock) -> ask.Told | Refusal:
        if self._store.registration(request.number) is None:
            return NOT_ENROLLED
        if not 1 <= request.lock <= _MAX_LOCK:
            return Refusal(f"a lock is a number from 1 to {_MAX_LOCK}, as the phone shows it")
        item = UnlockPin(request.lock, forget=request.forget).octets
        self._store.add_notice(request.number, Topic.ITEM, item)
        self._told(request.number)
        return ask.Told(1, at_once=self._tell is not None)

    def _told(self, number: Number) -> None:
        known = self._store.registration(number)
        if self._tell is not None and known is not None:
            self._tell(known)

    def _check(self, _: ask.CheckLedger) -> ask.LedgerState:
        ledger = self._store.ledger
        result = reconcile(ledger.entries(), ledger.loads(), ledger.contradictions())
        refunded = {(load.number, load.refund_of) for load in ledger.loads()}
        open_ = [f for f in result.findings if (f.number, f.serial) not in refunded]
        return ask.LedgerState(
            result.entries,
            result.agreed,
            result.sums,
            tuple(map(_told_of, open_[:MAX_BATCH])),
            more=len(open_) > MAX_BATCH,
        )


def _told_of(finding: Finding) -> ask.LedgerFinding:
    return ask.LedgerFinding(
        trouble=finding.trouble.value,
        open=finding.trouble in OPEN,
        number=finding.number,
        serial=finding.serial,
        other=finding.other,
        amount=finding.amount,
        currency=finding.currency,
        mode="" if finding.mode is None else finding.mode.name.lower(),
    )

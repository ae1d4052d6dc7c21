"""Small payments between strangers under the universal key (sam/README.md, section 17)."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.handset.card import Card
from dtns.sam.handset.orders import Charged, Order, Paid, Received, Refused
from dtns.sam.handset.purse import OpenSmall, Purse, Small, Transaction
from dtns.sam.handset.simfile import SimFile
from dtns.sam.protocol.log import Entry, Kind
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import MAX_AMOUNT, Mode, Payment
from dtns.sam.protocol.primitives import same
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.small import (
    MAX_COUNT,
    PAYER_NONCE_BITS,
    Deal,
    UniversalKey,
    payer_nonce,
    split_charge,
)

_OTHER: Final = Refused("other-payment")
MAX_UNPAID: Final = 1000
"""Charges in a period beyond those paid, so that aborts are bounded."""
_SIMS: Final = 4
"""SIMs of one number whose counts are kept apart in a period."""
_COUNTS: Final = (MAX_COUNT + 1) // _SIMS


def pay_small(sim: SimFile, card: Card, order: Order, bits: int) -> Paid | Refused:
    """Answer a small charge that was read out; the comparison is counted before it is made."""
    purse = card.state.purse
    universals = purse.living_universals(sim.universal)
    if order.payment.amount > sim.terms.small_limit:
        return Refused("too-large")
    if purse.small.locked:
        return Refused("small-locked")
    if not universals:
        return Refused("no-key")
    count, proof = split_charge(bits)
    _keep(card, evolve(purse, small=evolve(purse.small, failures=purse.small.failures + 1)))
    deal = Deal(sim.number, order.other, order.payment, count)
    for universal in universals:
        if same(deal.charge_proof(universal), proof):
            _keep(card, purse)
            return _debit(card, deal, universal, order.at)
    return Refused("wrong")


def _debit(card: Card, deal: Deal, universal: UniversalKey, at: float) -> Paid | Refused:
    state = card.state
    purse, amount = state.purse, deal.payment.amount
    known = _paid_before(purse, deal, universal)
    if known is not None:
        return Paid(known, again=True) if known.entry.amount == amount else _OTHER
    if amount > purse.balance:
        return Refused("funds")
    bits = deal.response(universal, purse.small.paid % (1 << PAYER_NONCE_BITS))
    digits = show(encode(PROFILES["confirm"], bits))
    entry = _entry(Kind.PAID_SMALL, deal.payee, universal, deal, state.week)
    receipt = deal.receipt(universal)
    purse = purse.logged(entry, 0, at, receipt=receipt, digits=digits)
    small = evolve(purse.small, paid=purse.small.paid + 1)
    _keep(card, evolve(purse, balance=purse.balance - amount, small=small))
    return Paid(purse.log[-1])


def _paid_before(purse: Purse, deal: Deal, universal: UniversalKey) -> Transaction | None:
    place = (Kind.PAID_SMALL, deal.payee, universal.period, deal.count)
    for line in reversed(purse.log):
        entry = line.entry
        if (entry.kind, entry.other.number, entry.n, entry.number) == place:
            return line
    return None


def charge_small(sim: SimFile, card: Card, order: Order) -> Charged | Refused:
    """Make a small charge, which ends the one that is out."""
    purse = card.state.purse
    universal = purse.latest_universal(sim.universal)
    if universal is None or not _may_charge(sim, universal):
        return Refused("no-key")
    if reason := _refusal(sim, purse, order.payment):
        return Refused(reason)
    small = purse.small
    if small.period != universal.period:
        small = Small(period=universal.period, paid=small.paid, failures=small.failures)
    if small.charged >= _COUNTS - 1 or small.charged - small.received >= MAX_UNPAID:
        return Refused("used-up")
    charged = small.charged + 1
    count = sim.generation % _SIMS * _COUNTS + charged
    deal = Deal(order.other, sim.number, order.payment, count)
    open_ = OpenSmall(order.other, order.payment, count)
    _keep(card, evolve(purse, small=evolve(small, charged=charged, open=open_)))
    return Charged(Mode.SMALL, show(encode(PROFILES["request"], deal.charge(universal))))


def take_small(sim: SimFile, card: Card, order: Order, bits: int) -> Received | Refused:
    """Credit the payment of the small charge that is out; each try is counted before it."""
    purse = card.state.purse
    open_, small = purse.small.open, purse.small
    universals = purse.living_universals(sim.universal)
    universal = next((known for known in universals if known.period == small.period), None)
    if open_ is None or (open_.payer, open_.payment) != (order.other, order.payment):
        return Refused("no-charge")
    if universal is None:
        return Refused("no-charge")
    if reason := _refusal(sim, purse, order.payment):
        return Refused(reason)
    _keep(card, evolve(purse, small=evolve(small, failures=small.failures + 1)))
    deal = Deal(order.other, sim.number, order.payment, open_.count)
    if not same(deal.response(universal, payer_nonce(bits)), bits):
        return Refused("wrong")
    entry = _entry(Kind.RECEIVED_SMALL, order.other, universal, deal, card.state.week)
    purse = purse.logged(entry, 0, order.at, receipt=deal.receipt(universal))
    small = evolve(small, open=None, received=small.received + 1)
    _keep(card, evolve(purse, balance=purse.balance + order.payment.amount, small=small))
    return Received(purse.log[-1])


def _may_charge(sim: SimFile, universal: UniversalKey) -> bool:
    """Tell whether no former SIM of this number can have made the counts that this one makes."""
    enrolled_in = sim.universal.period if sim.universal is not None else 0
    return sim.generation <= _SIMS or universal.period > enrolled_in


def _refusal(sim: SimFile, purse: Purse, payment: Payment) -> str:
    """Return why no small payment of this sum is taken now, or nothing."""
    if payment.amount > sim.terms.small_limit:
        return "too-large"
    if purse.small.locked:
        return "small-locked"
    if purse.received_since_filed(small=True) + payment.amount > sim.terms.small_total:
        return "small-total"
    return "purse-full" if purse.balance + payment.amount > MAX_AMOUNT else ""


def _entry(kind: Kind, other: Number, universal: UniversalKey, deal: Deal, week: int) -> Entry:
    amount = deal.payment.amount
    return Entry(kind, Party(other, 0), 0, universal.period, deal.count, amount, week)


def _keep(card: Card, purse: Purse) -> None:
    card.keep(evolve(card.state, purse=purse))

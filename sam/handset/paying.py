"""Paying under a key: express, cheque, and the answer to a charge (sam/README.md, section 17).

The purse is debited in the write that fixes the code; only then is the code shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve, field, frozen

from dtns.codecs.digits import PROFILES, decode, encode, show
from dtns.sam.handset import smallsums
from dtns.sam.handset.card import Card
from dtns.sam.handset.orders import Order, Paid, Refused, misdirected
from dtns.sam.handset.pairs import (
    MAX_WRONG_CHARGES,
    PairKey,
    ends,
    key_entry,
    objection,
    paying_keys,
    with_use,
)
from dtns.sam.handset.pins import check_pin
from dtns.sam.handset.purse import KeyUse, Transaction
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import AskedKey, State
from dtns.sam.protocol import payments as codes
from dtns.sam.protocol.payments import Mode, Payment
from dtns.sam.protocol.primitives import same

_EXPRESS: Final = PROFILES["ticket"]
REPAIRABLE: Final = {Mode.EXPRESS: _EXPRESS, Mode.CHEQUE: PROFILES["cheque"]}
"""The codes that can be shown with groups for repair after them."""


@frozen
class _Fixed:
    """A code that is to be bound: its mode, number and digits, and the key's use after it."""

    mode: Mode
    number: int
    digits: str = field(repr=False)
    use: KeyUse


def pay(sim: SimFile, card: Card, order: Order, pin: str) -> Paid | Refused:
    """Debit a payment and return its code, or the code of the same payment made before."""
    if reason := misdirected(sim, order):
        return Refused(reason)
    if reason := check_pin(sim, card, pin):
        return Refused(reason, card.state.purse.pin.locks if reason == "pin-locked" else 0)
    if card.state.purse.log_is_full:
        return Refused("log-full")
    if order.code:
        return _answer_charge(sim, card, order)
    return _pay_unasked(sim, card, order)


def with_parity(paid: Transaction, parity: int) -> str:
    """Return the digits of a payment with so many groups for repair (0 to 3) after them.

    ValueError for the codes of other modes than express and cheque, which have no such groups.
    """
    profile = REPAIRABLE.get(paid.mode)
    if profile is None:
        raise ValueError("only express codes and cheques have groups for repair")
    payload = decode(profile, paid.digits, check=lambda _: True).payload
    assert payload is not None
    return show(encode(profile, payload, parity=parity))


def _answer_charge(sim: SimFile, card: Card, order: Order) -> Paid | Refused:
    reading = decode(PROFILES["request"], order.code)
    if reading.payload is None:
        return Refused(reading.reason, reading=reading)
    answer: Paid | Refused = Refused("no-charge-mode")
    before = paying_keys(card.state, order.other)
    if order.mode in (None, Mode.CHALLENGE):
        answer = _respond(card, order, reading.payload)
    if order.mode is Mode.SMALL or (order.mode is None and _is_not_ours(answer)):
        small = smallsums.pay_small(sim, card, order, reading.payload)
        if isinstance(small, Paid):
            _take_failures_back(card, before)
        keeps = isinstance(small, Refused) and small.reason == "wrong" and order.mode is None
        return answer if keeps else small
    return answer


def _take_failures_back(card: Card, keys: list[PairKey]) -> None:
    """Put the failures of these keys back: what was compared with them was no charge of theirs."""
    state = card.state
    for key in keys:
        state = with_use(state, key, key.use)
    card.keep(state)


def _is_not_ours(answer: Paid | Refused) -> bool:
    return isinstance(answer, Refused) and answer.reason in ("wrong", "no-key", "charges-locked")


def _respond(card: Card, order: Order, bits: int) -> Paid | Refused:
    """Find the key under which a charge verifies; each comparison is counted before it is made."""
    keys = paying_keys(card.state, order.other)
    if not keys:
        return Refused("no-key")
    alive = [key for key in keys if key.use.failures < MAX_WRONG_CHARGES]
    if not alive:
        return Refused("charges-locked")
    before = charged = card.state
    for key in alive:
        charged = with_use(charged, key, evolve(key.use, failures=key.use.failures + 1))
    card.keep(charged)
    count, proof = codes.split_charge(bits)
    for key in alive:
        if same(codes.charge_proof(key.session, key.context, count, order.payment), proof):
            card.keep(_known(before, key))
            return _pay_charge(card, order, key, count)
    return Refused("wrong")


def _known(state: State, key: PairKey) -> State:
    """Return the state after the other showed that it has a key: older ones may go."""
    if not isinstance(key, AskedKey):
        return state
    holder = key.context.holder.number
    return state.with_asked(holder, evolve(key, confirmed=True)).without_asked_below(holder, key)


def _pay_charge(card: Card, order: Order, key: PairKey, count: int) -> Paid | Refused:
    key = next(known for known in paying_keys(card.state, order.other) if _same(known, key))
    if count < max(key.use.count, 1):
        return Refused("old")
    if count == key.use.count:
        known = _found(card.state, key, Mode.CHALLENGE, count)
        if known is None or known.entry.amount != order.payment.amount:
            return Refused("other-payment")
        return Paid(known, again=True)
    if reason := _objection(card.state, key, order.payment):
        return Refused(reason)
    bits = codes.response(key.session, key.context, count, order.payment)
    digits = show(encode(PROFILES["response"], bits))
    use = evolve(key.use.with_payment(order.payment.amount), count=count)
    return _debit(card, order, key, _Fixed(Mode.CHALLENGE, count, digits, use))


def _pay_unasked(sim: SimFile, card: Card, order: Order) -> Paid | Refused:
    """Pay by express or cheque, or say that a charge is needed."""
    keys, terms = paying_keys(card.state, order.other), sim.terms
    asked_for = order.mode in (Mode.CHALLENGE, Mode.SMALL)
    large = order.mode is None and order.payment.amount > terms.challenge_above
    small = not keys and order.payment.amount <= terms.small_limit
    if not keys and not small and not asked_for:
        return Refused("no-key")
    if asked_for or large or small:
        return Refused("charge-needed")
    known = _latest(card.state, order)
    if known is not None and not order.second:
        return Paid(known, again=True)
    reason = ""
    for key in _alive(keys):
        if not (objected := _objection(card.state, key, order.payment)):
            return _write(card, order, key)
        reason = reason or objected
    return Refused(reason)


def _alive(keys: list[PairKey]) -> Iterator[PairKey]:
    """Give the keys down to the latest, of own asks and of others', that was paid on.

    Those below it are dead with the payee as soon as it credits that payment.
    """
    paid_on: set[type] = set()
    for key in keys:
        if type(key) not in paid_on:
            yield key
        if key.use.payments:
            paid_on.add(type(key))


def _write(card: Card, order: Order, key: PairKey) -> Paid | Refused:
    if order.mode is not Mode.CHEQUE and _bears_express(key):
        bits = codes.express(key.session, key.context, order.payment)
        digits, mode, number = show(encode(_EXPRESS, bits)), Mode.EXPRESS, 0
    elif order.mode is Mode.EXPRESS:
        return Refused("no-express")
    else:
        free = [n for n in range(1, codes.MAX_NUMBER + 1) if not key.use.has(n)]
        if not free:
            return Refused("payments-used-up")
        mode, number = Mode.CHEQUE, free[0]
        bits = codes.cheque(key.session, key.context, number, order.payment)
        digits = show(encode(PROFILES["cheque"], bits))
    use = key.use.with_number(number, order.payment.amount)
    return _debit(card, order, key, _Fixed(mode, number, digits, use))


def _bears_express(key: PairKey) -> bool:
    return isinstance(key, AskedKey) and key.derived and key.use.payments == 0


def _debit(card: Card, order: Order, key: PairKey, fixed: _Fixed) -> Paid:
    """Take the money, bind the number and log the code in one write."""
    state, payment = card.state, order.payment
    receipt = codes.receipt(key.session, key.context, fixed.mode, fixed.number, payment)
    entry = key_entry(key, fixed.mode, fixed.number, payment, state.week)
    own = ends(key)[0].generation
    purse = state.purse.logged(entry, own, order.at, receipt=receipt, digits=fixed.digits)
    purse = evolve(purse, balance=purse.balance - payment.amount)
    card.keep(evolve(with_use(state, key, fixed.use), purse=purse))
    return Paid(purse.log[-1])


def _objection(state: State, key: PairKey, payment: Payment) -> str:
    reason = objection(key.use, key.context.terms.limit, payment)
    return reason or ("funds" if payment.amount > state.purse.balance else "")


def _same(one: PairKey, other: PairKey) -> bool:
    return type(one) is type(other) and one.order == other.order


def _found(state: State, key: PairKey, mode: Mode, number: int) -> Transaction | None:
    """Return the payment under this key and number."""
    own, other = ends(key)
    place = (other, key.context.epoch, key.context.n, number)
    for line in reversed(state.purse.log):
        entry = line.entry
        here = (entry.other, entry.epoch, entry.n, entry.number) == place
        if here and line.generation == own.generation and not line.received and line.mode is mode:
            return line
    return None


def _latest(state: State, order: Order) -> Transaction | None:
    """Return the last payment of this sum to this payee whose code needed no charge."""
    modes = (Mode.EXPRESS, Mode.CHEQUE)
    for line in reversed(state.purse.log):
        to_payee = line.is_payment and not line.received and line.entry.other.number == order.other
        if to_payee and line.mode in modes and line.entry.amount == order.payment.amount:
            return line
    return None

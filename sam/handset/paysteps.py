"""One step with money on the phone each: pay, charge, accept, receipt, balance, log, PIN."""

from __future__ import annotations

import time
from collections.abc import Callable

from attrs import evolve

from dtns.sam.handset import payreports as reports
from dtns.sam.handset.money import parse_amount
from dtns.sam.handset.orders import Order, Paid
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.pins import is_pin
from dtns.sam.handset.reports import Report
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode

ReadPin = Callable[[str], str]
"""Asks the person for a PIN under this title."""


def order(
    phone: Phone,
    other: Number,
    amount: str,
    mode: Mode | None,
    code: str = "",
    *,
    second: bool = False,
) -> Order:
    """Return what a person wants paid; AmountError if the amount is none."""
    payment = parse_amount(amount, phone.sim.terms.currency)
    return Order(other, payment, mode, code, second, at=time.time())


def pay(
    phone: Phone,
    wanted: Order,
    read_pin: ReadPin,
    is_second: Callable[[str], bool],
    parity: int = 0,
) -> Report:
    """Pay once; is_second tells whether a sum that was paid before is to be paid once more.

    Where there is no PIN yet, the one that is given now becomes it. parity is the number of groups
    for repair that an express code is shown with.
    """
    first = not _has_pin(phone)
    pin = read_pin("New PIN" if first else "PIN")
    with phone.handset() as handset:
        if first and handset.set_pin("", pin):
            return reports.of_refusal(wanted.other, "no-pin")
        outcome = handset.pay(wanted, pin)
    if isinstance(outcome, Paid) and outcome.again and not wanted.code and not wanted.second:
        question = reports.second_question(outcome.transaction, phone.sim.terms.currency)
        if is_second(question):
            with phone.handset() as handset:
                outcome = handset.pay(evolve(wanted, second=True), pin)
    with phone.handset() as handset:
        return reports.of_paid(phone.sim, wanted, outcome, handset.purse.balance, parity)


def charge(phone: Phone, wanted: Order) -> Report:
    """Ask to be paid: a request code, where the mode needs one."""
    with phone.handset() as handset:
        return reports.of_charge(phone.sim, wanted, handset.charge(wanted))


def accept(phone: Phone, wanted: Order) -> Report:
    """Take a payment code."""
    with phone.handset() as handset:
        outcome = handset.accept(wanted)
        return reports.of_accepted(phone.sim, wanted, outcome, handset.purse.balance)


def receipt(phone: Phone, other: Number) -> Report:
    """Show the receipt of the last payment to or from this number."""
    with phone.handset() as handset:
        return reports.of_receipt(phone.sim, other, handset.last_payment(other))


def balance(phone: Phone) -> Report:
    """Show the money in the purse."""
    with phone.handset() as handset:
        return reports.of_balance(phone.sim, handset.purse)


def log(phone: Phone) -> Report:
    """List what went through the purse."""
    with phone.handset() as handset:
        return reports.of_log(phone.sim, handset.purse)


def set_pin(phone: Phone, read_pin: ReadPin) -> Report:
    """Set the PIN; the old one is asked for where there is one."""
    old = read_pin("Old PIN") if _has_pin(phone) else ""
    new = read_pin("New PIN")
    if not is_pin(new):
        return reports.of_pin("malformed", 0)
    with phone.handset() as handset:
        return reports.of_pin(handset.set_pin(old, new), handset.purse.pin.locks)


def _has_pin(phone: Phone) -> bool:
    with phone.handset() as handset:
        return handset.purse.pin.verifier is not None

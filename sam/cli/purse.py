"""The steps of `dtns phone SIM` that have to do with money."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from dtns.sam.cli.handset import step
from dtns.sam.cli.numbers import NUMBER
from dtns.sam.errors import AmountError
from dtns.sam.handset import paysteps
from dtns.sam.handset.orders import Order
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.reports import Report
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode

_MODES: Final = {mode.name.lower(): mode for mode in Mode}
_MODE: Final = click.option(
    "--mode", type=click.Choice(list(_MODES)), help="How to pay. [the phone chooses]"
)
_OTHER: Final = click.argument("number", type=NUMBER)
_AMOUNT: Final = click.argument("amount")
_CODE: Final = click.argument("code", nargs=-1)


@step("charge", _OTHER, _AMOUNT, _MODE)
def charge(handset: Phone, *, number: Number, amount: str, mode: str | None) -> Report:
    """Ask NUMBER to pay AMOUNT, as in 4.50: a request code to read out where one is needed."""
    return paysteps.charge(handset, _order(handset, number, amount, mode))


@step(
    "pay",
    _OTHER,
    _AMOUNT,
    _CODE,
    _MODE,
    click.option("--second", is_flag=True, help="Pay the same sum to NUMBER once more."),
    click.option(
        "--parity", type=click.IntRange(0, 3), default=0, help="Groups to add for repair."
    ),
)
def pay(
    handset: Phone,
    *,
    number: Number,
    amount: str,
    code: tuple[str, ...],
    mode: str | None,
    second: bool,
    parity: int,
) -> Report:
    """Pay AMOUNT to NUMBER: digits to read out. CODE is the request code, if there is one.

    The PIN, and an answer where the same sum was paid before, come from the terminal, or line by
    line from standard input.
    """
    order = _order(handset, number, amount, mode, " ".join(code), second=second)
    return paysteps.pay(handset, order, _read_pin, _confirmed, parity)


@step("accept", _OTHER, _AMOUNT, _CODE, _MODE)
def accept(
    handset: Phone, *, number: Number, amount: str, code: tuple[str, ...], mode: str | None
) -> Report:
    """Take the code by which NUMBER pays AMOUNT: 20, 16, 12 or 8 digits."""
    return paysteps.accept(handset, _order(handset, number, amount, mode, " ".join(code)))


@step("receipt", _OTHER)
def receipt(handset: Phone, *, number: Number) -> Report:
    """Show four digits that both phones show of the last payment with NUMBER."""
    return paysteps.receipt(handset, number)


@step("balance")
def balance(handset: Phone) -> Report:
    """Show the money in the purse."""
    return paysteps.balance(handset)


@step("log")
def log(handset: Phone) -> Report:
    """List loads, payments made and payments received."""
    return paysteps.log(handset)


@step("pin")
def pin(handset: Phone) -> Report:
    """Set the PIN, 4 to 8 digits; where there is one, the old one comes first."""
    return paysteps.set_pin(handset, _read_pin)


def _order(
    handset: Phone,
    number: Number,
    amount: str,
    mode: str | None,
    code: str = "",
    **others: Any,
) -> Order:
    try:
        chosen = None if mode is None else _MODES[mode]
        return paysteps.order(handset, number, amount, chosen, code, **others)
    except AmountError as fault:
        raise click.BadParameter(str(fault), param_hint="AMOUNT") from None


def _read_pin(title: str) -> str:
    """Return the PIN from the terminal, a new one typed twice, or the next line of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    typed: str = click.prompt(
        title, hide_input=True, confirmation_prompt=title.startswith("New"), err=True
    )
    return typed


def _confirmed(question: str) -> bool:
    if sys.stdin.isatty():
        return click.confirm(question, default=False, err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")

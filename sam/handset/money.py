"""Amounts as people type and read them: "4.50" and KES 4.50, never a floating-point number."""

from __future__ import annotations

import re
from typing import Final

from dtns.sam.errors import AmountError
from dtns.sam.protocol.payments import MAX_AMOUNT, Payment

_AMOUNT: Final = re.compile(r"([0-9]{1,13})(?:[.,]([0-9]{1,4}))?", re.ASCII)


def decimals_of(currency: str) -> int:
    """Return how many decimals a currency of ISO 4217 has; AmountError if it has none of its own.

    Codes such as XAU and XTS stand for no money that is counted in minor units.
    """
    import iso4217  # noqa: PLC0415 (reads a long list; only money needs it)

    try:
        decimals = iso4217.Currency(currency).exponent
    except ValueError:
        decimals = None
    if decimals is None:
        raise AmountError(f"{currency} is no currency of ISO 4217 that people pay with")
    return int(decimals)


def parse_amount(text: str, currency: str) -> Payment:
    """Read an amount such as 4.50, 4,50 or 4; AmountError says what is allowed."""
    decimals = decimals_of(currency)
    example = "450" if decimals == 0 else "4." + "50"[:decimals].ljust(decimals, "0")
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise AmountError(f"an amount is written as in {example}, without spaces or thousands")
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > decimals:
        raise AmountError(f"{currency} has {decimals} decimals, as in {example}")
    amount = int(whole + fraction.ljust(decimals, "0"))
    if not 1 <= amount <= MAX_AMOUNT:
        most = show_minor(MAX_AMOUNT, currency)
        raise AmountError(f"an amount is more than nothing and at most {most}")
    return Payment(currency, amount)


def show_minor(amount: int, currency: str) -> str:
    """Write minor units as a decimal number, as in 4.50; debts get a minus."""
    decimals = decimals_of(currency)
    sign, digits = "-" if amount < 0 else "", str(abs(amount)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def show_amount(payment: Payment) -> str:
    """Write a sum with its currency, as in KES 4.50."""
    return f"{payment.currency} {show_minor(payment.amount, payment.currency)}"

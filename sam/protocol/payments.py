"""Codes that pay under a session key: express, cheque, charge and response, receipt (section 17).

Each tag covers the key's whole context, the payment's number, its currency and its amount.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from attrs import field, frozen
from attrs.validators import ge, le

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.session import Context, Direction, Party, code
from dtns.sam.protocol.ticket import TAG_BITS, Header
from dtns.sam.protocol.wire import MalformedError, Reader

MAX_AMOUNT: Final = 10**12
"""The largest amount, in minor units."""
AMOUNT_OCTETS: Final = 5
_CURRENCY: Final = re.compile("[A-Z]{3}", re.ASCII)

NUMBER_BITS: Final = 6
MAX_NUMBER: Final = (1 << NUMBER_BITS) - 1
CHEQUE_TAG_BITS: Final = 47
COUNT_BITS: Final = 10
MAX_COUNT: Final = (1 << COUNT_BITS) - 1
CHARGE_BITS: Final = 16
RESPONSE_BITS: Final = 39
RECEIPT_BITS: Final = 32
RECEIPTS: Final = 10_000


class Mode(IntEnum):
    """How a payment is made."""

    EXPRESS = 0
    CHEQUE = 1
    CHALLENGE = 2
    SMALL = 3


def _is_currency(_: object, __: object, value: str) -> None:
    if _CURRENCY.fullmatch(value) is None:
        raise ValueError("must be three capital letters of ISO 4217, as in KES")


def _is_amount(_: object, __: object, value: int) -> None:
    if not 1 <= value <= MAX_AMOUNT:
        raise ValueError(f"an amount is 1 to {MAX_AMOUNT} minor units")


@frozen
class Payment:
    """A sum: the ISO 4217 code of its currency, and 1 to 10^12 minor units."""

    currency: str = field(validator=_is_currency)
    amount: int = field(validator=_is_amount)

    @property
    def octets(self) -> bytes:
        """The payment field: currency 3, amount 5."""
        return self.currency.encode("ascii") + self.amount.to_bytes(AMOUNT_OCTETS)


@frozen
class PurseTerms:
    """`[payments]`: the currency of all purses, and what a SIM pays and takes, in minor units.

    Above challenge_above the payee must charge; small_limit bounds one small payment. While Sam has
    not acknowledged a SIM's log, it takes at most small_total by small payments, and at most
    peer_limit from one payer by all others.
    """

    currency: str = field(default="KES", validator=_is_currency)
    challenge_above: int = field(default=1_000_000, validator=[ge(0), le(MAX_AMOUNT)])
    small_limit: int = field(default=5_000, validator=[ge(0), le(MAX_AMOUNT)])
    small_total: int = field(default=50_000, validator=[ge(0), le(MAX_AMOUNT)])
    peer_limit: int = field(default=100_000_000, validator=[ge(0), le(MAX_AMOUNT)])


def read_payment(reader: Reader) -> Payment:
    """Return the payment field that comes next; MalformedError if it is none."""
    try:
        return Payment(reader.take(3).decode("ascii"), reader.integer(AMOUNT_OCTETS))
    except ValueError as fault:
        raise MalformedError(str(fault)) from None


def payer_of(context: Context) -> Party:
    """Return the party that pays on the key with this context."""
    pays = context.terms.direction
    return context.asker if pays is Direction.ASKER_PAYS else context.holder


def express(session: bytes, context: Context, payment: Payment) -> int:
    """Return payment 0 of a key with the ticket inside: 66 bits."""
    return Header.of(context).pack() << TAG_BITS | express_tag(session, context, payment)


def express_tag(session: bytes, context: Context, payment: Payment) -> int:
    """Return the 40 bits by which an express code proves key and payment."""
    return code(session, Label.EXPRESS, context, TAG_BITS, payment.octets)


def cheque(session: bytes, context: Context, number: int, payment: Payment) -> int:
    """Return payment *number* (1 to 63) of a key: 53 bits."""
    return number << CHEQUE_TAG_BITS | cheque_tag(session, context, number, payment)


def split_cheque(bits: int) -> tuple[int, int]:
    """Return the number and the tag of a cheque's 53 bits."""
    return bits >> CHEQUE_TAG_BITS, bits & ((1 << CHEQUE_TAG_BITS) - 1)


def cheque_tag(session: bytes, context: Context, number: int, payment: Payment) -> int:
    """Return the 47 bits by which a cheque proves its payment."""
    extra = number.to_bytes(1) + payment.octets
    return code(session, Label.CHEQUE, context, CHEQUE_TAG_BITS, extra)


def charge(session: bytes, context: Context, count: int, payment: Payment) -> int:
    """Return the payee's charge: its *count* (1 to 1023) under this key, then a proof; 26 bits."""
    return count << CHARGE_BITS | charge_proof(session, context, count, payment)


def split_charge(bits: int) -> tuple[int, int]:
    """Return the count and the proof of a charge's 26 bits."""
    return bits >> CHARGE_BITS, bits & ((1 << CHARGE_BITS) - 1)


def charge_proof(session: bytes, context: Context, count: int, payment: Payment) -> int:
    """Return the 16 bits by which the payee shows that it has the key."""
    extra = count.to_bytes(2) + payment.octets
    return code(session, Label.CHARGE, context, CHARGE_BITS, extra)


def response(session: bytes, context: Context, count: int, payment: Payment) -> int:
    """Return the 39 bits by which the payer pays the charge numbered *count*."""
    extra = count.to_bytes(2) + payment.octets
    return code(session, Label.RESPONSE, context, RESPONSE_BITS, extra)


def receipt(session: bytes, context: Context, mode: Mode, number: int, payment: Payment) -> int:
    """Return the receipt that both phones show, 0 to 9999."""
    extra = mode.to_bytes(1) + number.to_bytes(2) + payment.octets
    return code(session, Label.RECEIPT, context, RECEIPT_BITS, extra) % RECEIPTS

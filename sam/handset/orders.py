"""What a person wants paid or was paid, and what came of it."""

from __future__ import annotations

from attrs import field, frozen

from dtns.codecs.digits import Reading, Status
from dtns.sam.handset.purse import Transaction
from dtns.sam.handset.simfile import SimFile
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode, Payment


@frozen
class Order:
    """A payment to, or from, *other*.

    code is what the other read out; mode None leaves that to the phone; second tells that the
    same sum may go to the same payee once more; at is a POSIX time by the phone's clock, for show.
    """

    other: Number
    payment: Payment
    mode: Mode | None = None
    code: str = field(default="", repr=False)
    second: bool = False
    at: float = 0.0


@frozen
class Paid:
    """A payment with its code to read out; again tells that it was debited before."""

    transaction: Transaction
    again: bool = False


@frozen
class Charged:
    """What the payee waits for; digits is the charge to read out, nothing where none is needed."""

    mode: Mode
    digits: str = field(default="", repr=False)


@frozen
class Received:
    """Money that came in, and how its code read."""

    transaction: Transaction
    status: Status = Status.ACCEPTED
    reading: Reading | None = None


@frozen
class Refused:
    """Why no money moved; lock is the number of the lock where that is the reason."""

    reason: str
    lock: int = 0
    reading: Reading | None = None


def misdirected(sim: SimFile, order: Order) -> str:
    """Return why an order is none for this SIM, or nothing: its own number, another currency."""
    if order.other == sim.number:
        return "self"
    return "" if order.payment.currency == sim.terms.currency else "currency"

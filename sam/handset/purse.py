"""The purse: money, its log, the PIN, and what was paid under each key; frozen values.

Specified in sam/README.md, sections 17 and 18.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve, field, frozen

from dtns.sam.protocol.log import COUNT_BITS, Entry, Kind
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import MAX_AMOUNT, Mode, Payment
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.small import UniversalKey

MAX_LOG: Final = 512
"""Entries remembered; the oldest that Sam has acknowledged go first."""
PIN_TRIES: Final = 3
SMALL_TRIES: Final = 10
PERIODS_KEPT: Final = 2
_LOW_BITS: Final = 0xFFFF
_LAST_COUNT: Final = (1 << COUNT_BITS) - 4
"""Some serials are left for loads and a statement."""


@frozen
class KeyUse:
    """What was paid under a key: by this SIM if it pays on it, else to this SIM.

    numbers has bit i set once payment i is bound, or credited; payments and total are of all modes.
    count is the highest charge made, or answered, challenges_paid how many were paid; failures
    counts wrong charges; open is the sum of the charge that is out.
    """

    numbers: int = 0
    payments: int = 0
    total: int = 0
    count: int = 0
    failures: int = 0
    challenges_paid: int = 0
    open: Payment | None = None

    def has(self, number: int) -> bool:
        """Tell whether this payment number is used."""
        return bool(self.numbers >> number & 1)

    def with_number(self, number: int, amount: int) -> KeyUse:
        """Return the use after the payment with this number."""
        return evolve(self.with_payment(amount), numbers=self.numbers | 1 << number)

    def with_payment(self, amount: int) -> KeyUse:
        """Return the use after one payment more."""
        return evolve(self, payments=self.payments + 1, total=self.total + amount)


@frozen
class Transaction:
    """A line of the log: what goes to Sam, and what the phone keeps for its owner.

    generation is the SIM's own in the key; at is a POSIX time by the phone's clock, for show
    alone; digits is the code that was shown, receipt what both phones show (-1: there is none).
    """

    serial: int
    entry: Entry
    generation: int
    at: float
    receipt: int = -1
    digits: str = field(default="", repr=False)

    @property
    def is_payment(self) -> bool:
        """Whether money went from one party to another."""
        return self.entry.kind.is_payment

    @property
    def mode(self) -> Mode:
        """How the payment was made."""
        return self.entry.kind.mode

    @property
    def received(self) -> bool:
        """Whether money came in by a payment."""
        return self.entry.kind.received


@frozen
class Pin:
    """The PIN's verifier, the tries that failed, and the number of the lock that is on if any."""

    verifier: bytes | None = field(default=None, repr=False)
    failures: int = 0
    locks: int = 0

    @property
    def locked(self) -> bool:
        """Whether no PIN is taken."""
        return self.failures >= PIN_TRIES

    def unlocked(self, lock: int, *, forget: bool) -> Pin:
        """Return the PIN after Sam ended this lock, if that is the one that is on."""
        if not self.locked or lock != self.locks:
            return self
        return evolve(self, failures=0, verifier=None if forget else self.verifier)


@frozen
class OpenSmall:
    """The small charge that is out: to whom, for what, and its count."""

    payer: Number
    payment: Payment
    count: int


@frozen
class Small:
    """Small payments: charges made and received in *period*, payments made, wrong codes."""

    period: int = 0
    charged: int = 0
    received: int = 0
    paid: int = 0
    failures: int = 0
    open: OpenSmall | None = None

    @property
    def locked(self) -> bool:
        """Whether small payments rest until Sam has acknowledged the log."""
        return self.failures >= SMALL_TRIES


@frozen
class Purse:
    """The money, in minor units, and its log.

    loads is the number of the last load; filed the serial up to which Sam has the log; universals
    are the universal keys that came after enrolment, latest last.
    """

    balance: int = 0
    loads: int = 0
    filed: int = 0
    log: tuple[Transaction, ...] = ()
    pin: Pin = field(factory=Pin)
    small: Small = field(factory=Small)
    universals: tuple[UniversalKey, ...] = ()

    @property
    def last_serial(self) -> int:
        """The serial of the last entry, or of the one before the first."""
        return self.log[-1].serial if self.log else self.filed

    @property
    def unfiled(self) -> tuple[Transaction, ...]:
        """The entries that Sam has not acknowledged."""
        return tuple(line for line in self.log if line.serial > self.filed)

    @property
    def log_is_full(self) -> bool:
        """Whether Sam must acknowledge entries before there can be more, or there can be none."""
        return len(self.unfiled) >= MAX_LOG or self.last_serial & _LOW_BITS >= _LAST_COUNT

    @property
    def has_serials(self) -> bool:
        """Whether there is a serial left for one entry more."""
        return self.last_serial & _LOW_BITS < _LOW_BITS

    def logged(
        self, entry: Entry, generation: int, at: float, *, receipt: int = -1, digits: str = ""
    ) -> Purse:
        """Return the purse with one entry more in its log."""
        serial = self.last_serial + 1
        log = (*self.log, Transaction(serial, entry, generation, at, receipt, digits))
        spare = min(len(log) - MAX_LOG, sum(line.serial <= self.filed for line in log))
        return evolve(self, log=log[max(spare, 0) :])

    def loaded(self, party: Party, number: int, payment: Payment, week: int) -> Purse:
        """Return the purse after this load; one that it cannot hold is left at Sam, unlogged."""
        purse = evolve(self, loads=number)
        if self.balance + payment.amount > MAX_AMOUNT or not self.has_serials:
            return purse
        entry = own_entry(Kind.LOAD, party, payment.amount, week, number & _LOW_BITS)
        return evolve(purse.logged(entry, 0, 0.0), balance=self.balance + payment.amount)

    def filed_up_to(self, serial: int) -> Purse:
        """Return the purse after Sam told the serial up to which it has the log.

        It may be lower than before: a Sam that was restored has lost the rest.
        """
        first = self.log[0].serial if self.log else self.filed + 1
        if not first - 1 <= serial <= self.last_serial:
            return self
        return evolve(self, filed=serial, small=evolve(self.small, failures=0))

    def in_period(self, universal: UniversalKey, first: UniversalKey | None) -> Purse:
        """Return the purse with the universal key of a later period."""
        latest = self.latest_universal(first)
        if latest is not None and universal.period <= latest.period:
            return self
        return evolve(self, universals=(*self.universals, universal)[-PERIODS_KEPT:])

    def latest_universal(self, first: UniversalKey | None) -> UniversalKey | None:
        """Return the universal key to charge under; *first* is that of the SIM file."""
        return self.universals[-1] if self.universals else first

    def living_universals(self, first: UniversalKey | None) -> list[UniversalKey]:
        """Return the universal keys of the two latest periods, the latest first."""
        known = [*([first] if first else []), *self.universals]
        return known[-PERIODS_KEPT:][::-1]

    def received_since_filed(self, *, small: bool, payer: Number | None = None) -> int:
        """Return the money that came in since Sam's last acknowledgement."""
        return sum(
            line.entry.amount
            for line in self.unfiled
            if line.is_payment
            and line.received
            and (line.mode is Mode.SMALL) is small
            and payer in (None, line.entry.other.number)
        )


def own_entry(kind: Kind, party: Party, amount: int, week: int, number: int = 0) -> Entry:
    """Return an entry that concerns nobody but this SIM: a load or a statement."""
    return Entry(kind, Party(party.number, 0), 0, 0, number, amount, week)

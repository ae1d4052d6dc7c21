"""The phone's log on its way to Sam: up to three entries a message, sealed (section 18)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from attrs import frozen

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import AMOUNT_OCTETS, MAX_AMOUNT, Mode, Payment
from dtns.sam.protocol.primitives import Prf, siv_open, siv_seal
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.wire import MAX_TEXT, MalformedError, Reader, from_text, number_field

MAX_ENTRIES: Final = 3
MAX_OLDER: Final = 15
COUNT_BITS: Final = 16
"""A serial is the generation that the SIM was made with, then a count of so many bits from 1."""
_SIV_KEY_OCTETS: Final = 32
_SIV_OCTETS: Final = 16
_CURRENCY_OCTETS: Final = 3
_MODES: Final = 4
_FIRST_RECEIVED: Final = 8


def serial_before(generation: int) -> int:
    """Return the serial before the first of a SIM that was made with this generation."""
    return generation << COUNT_BITS


class Kind(IntEnum):
    """What an entry tells of: a payment by mode, asker's or holder's side, or something else."""

    ASKER_PAID_EXPRESS = 0
    ASKER_PAID_CHEQUE = 1
    ASKER_PAID_CHALLENGE = 2
    PAID_SMALL = 3
    HOLDER_PAID_CHEQUE = 5
    HOLDER_PAID_CHALLENGE = 6
    STATEMENT = 7
    ASKER_RECEIVED_CHEQUE = 9
    ASKER_RECEIVED_CHALLENGE = 10
    RECEIVED_SMALL = 11
    HOLDER_RECEIVED_EXPRESS = 12
    HOLDER_RECEIVED_CHEQUE = 13
    HOLDER_RECEIVED_CHALLENGE = 14
    LOAD = 15

    @property
    def is_payment(self) -> bool:
        """Whether money went from one party to another."""
        return self not in (Kind.LOAD, Kind.STATEMENT)

    @property
    def received(self) -> bool:
        """Whether money came in by a payment."""
        return self.is_payment and self >= _FIRST_RECEIVED

    @property
    def mode(self) -> Mode:
        """How a payment was made."""
        return Mode(self % _MODES)

    @property
    def as_asker(self) -> bool:
        """Whether the SIM that logs a payment asked for the key; never so of a small one."""
        return self.mode is not Mode.SMALL and self % _FIRST_RECEIVED < _MODES


@frozen
class Entry:
    """One line of a log.

    other is the other party as the key has it (generation 0 in a small payment, a statement or a
    load); older counts the generations by which the SIM's own in the key is below that
    of the message (0 to 15); n is the period in a small payment; number is the payment's, or its
    count, or the low 16 bits of the load's; amount is the balance in a statement.
    """

    kind: Kind
    other: Party
    epoch: int
    n: int
    number: int
    amount: int
    week: int
    older: int = 0

    @property
    def octets(self) -> bytes:
        """Kind and older 1, other, epoch 2, n 1, number 2, amount 5, week 2."""
        return b"%b%b%b%b%b%b%b" % (
            (self.kind << 4 | self.older).to_bytes(1),
            self.other.octets,
            self.epoch.to_bytes(2),
            self.n.to_bytes(1),
            self.number.to_bytes(2),
            self.amount.to_bytes(AMOUNT_OCTETS),
            self.week.to_bytes(2),
        )


@frozen
class LogMessage:
    """Entries of one SIM from the serial *first* on, all in one currency."""

    party: Party
    first: int
    currency: str
    entries: tuple[Entry, ...]

    def seal(self, ask_key: bytes) -> bytes:
        """Return the message; ValueError if it is too long for one SMS."""
        header = Label.LOG.prefix + self.party.octets + self.first.to_bytes(4)
        body = self.currency.encode("ascii") + b"".join(entry.octets for entry in self.entries)
        message = header + siv_seal(_siv_key(ask_key), body, [header])
        if len(message) > MAX_TEXT * 5 // 8:
            raise ValueError(f"{len(self.entries)} entries do not fit into one message")
        return message


@frozen
class ReceivedLog:
    """A log message as it came in, not yet opened."""

    party: Party
    first: int
    header: bytes
    sealed: bytes

    def open(self, ask_key: bytes) -> LogMessage | None:
        """Return the message if this SIM made it, else None."""
        body = siv_open(_siv_key(ask_key), self.sealed, [self.header])
        if body is None:
            return None
        try:
            return _unpack(self.party, self.first, Reader(body))
        except (MalformedError, ValueError):
            return None


def read_log(text: str) -> ReceivedLog:
    """Parse the SMS text of a log message; MalformedError if it is none."""
    octets = from_text(text)
    reader = Reader(octets)
    if reader.take(2) != Label.LOG.prefix:
        raise MalformedError("not a log in this version")
    party = Party(reader.number(), reader.integer(2))
    first = reader.integer(4)
    sealed = reader.rest()
    if 0 in (first, party.generation) or len(sealed) < _SIV_OCTETS:
        raise MalformedError("no serial, no generation, or too short")
    return ReceivedLog(party, first, octets[: len(octets) - len(sealed)], sealed)


def fitting(number: Number, entries: list[Entry]) -> int:
    """Return how many of the first *entries* one message of this number's SIM holds."""
    fixed = 2 + len(number_field(number)) + 2 + 4 + _SIV_OCTETS + _CURRENCY_OCTETS
    room = MAX_TEXT * 5 // 8 - fixed
    for count, entry in enumerate(entries[:MAX_ENTRIES]):
        room -= len(entry.octets)
        if room < 0:
            return count
    return min(len(entries), MAX_ENTRIES)


def _siv_key(ask_key: bytes) -> bytes:
    return Prf(ask_key).derive(Label.LOG_KEY, b"", _SIV_KEY_OCTETS)


def _unpack(party: Party, first: int, reader: Reader) -> LogMessage:
    currency = Payment(reader.take(_CURRENCY_OCTETS).decode("ascii"), 1).currency
    entries: list[Entry] = []
    while reader.left:
        entries.append(_entry(reader))
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise MalformedError("one to three entries")
    return LogMessage(party, first, currency, tuple(entries))


def _entry(reader: Reader) -> Entry:
    kind, older = divmod(reader.integer(1), 1 << 4)
    other = Party(reader.number(), reader.integer(2))
    entry = Entry(
        kind=Kind(kind),
        other=other,
        epoch=reader.integer(2),
        n=reader.integer(1),
        number=reader.integer(2),
        amount=reader.integer(AMOUNT_OCTETS),
        week=reader.integer(2),
        older=older,
    )
    least = 0 if entry.kind is Kind.STATEMENT else 1
    if not least <= entry.amount <= MAX_AMOUNT:
        raise MalformedError("an amount that no purse can hold")
    return entry

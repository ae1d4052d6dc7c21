"""Purses as rows: loads, the logs of the phones, and what contradicts them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve

from dtns.sam.ledger.entries import Contradiction, Filed, Load
from dtns.sam.protocol.log import COUNT_BITS, Entry, Kind
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party
from dtns.sam.store.rows import to_number

_ENTRY: Final = (
    "number, serial, currency, kind, generation, other, other_generation, epoch, n, payment,"
    " amount, week"
)
_FIND: Final = f"SELECT {_ENTRY} FROM log_entry WHERE number = ? AND serial = ?"  # noqa: S608 (constants)
_ALL: Final = f"SELECT {_ENTRY} FROM log_entry ORDER BY number, serial"  # noqa: S608 (constants)
_ADD: Final = (
    f"INSERT INTO log_entry ({_ENTRY}, filed_at)"  # noqa: S608 (constants)
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)


class LedgerRows:
    """The tables load, log_entry and log_contradiction; for use inside the store's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def file(self, filed: Filed, now: float) -> None:
        """Remember an entry; another one under the same serial is kept as a contradiction."""
        known = self.entry(filed.number, filed.serial)
        if known is None:
            self._connection.execute(_ADD, (*_row(filed), now))
        elif known != filed:
            octets = evolve(filed.entry, older=0).octets + filed.generation.to_bytes(2)
            self._connection.execute(
                "INSERT OR IGNORE INTO log_contradiction VALUES (?,?,?,?,?)",
                (int(filed.number), filed.serial, filed.currency, octets, now),
            )

    def entry(self, number: Number, serial: int) -> Filed | None:
        """Return what a party logged under this serial, or None."""
        row = self._connection.execute(_FIND, (int(number), serial)).fetchone()
        return None if row is None else _filed(row)

    def filed_up_to(self, number: Number, before: int) -> int:
        """Return the serial up to which all is on record of a SIM whose first is before + 1."""
        rows = self._connection.execute(
            "SELECT serial FROM log_entry WHERE number = ? AND serial > ? AND serial <= ?"
            " ORDER BY serial",
            (int(number), before, before + (1 << COUNT_BITS) - 1),
        )
        last = before
        for (serial,) in rows:
            if serial != last + 1:
                break
            last = serial
        return last

    def entries(self) -> Iterator[Filed]:
        """Yield all entries by number and serial."""
        for row in self._connection.execute(_ALL):
            yield _filed(row)

    def log_of(self, number: Number) -> list[Filed]:
        """Return what a party logged, by serial."""
        query = f"SELECT {_ENTRY} FROM log_entry WHERE number = ? ORDER BY serial"  # noqa: S608
        return [_filed(row) for row in self._connection.execute(query, (int(number),))]

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield all contradictions."""
        rows = self._connection.execute(
            "SELECT number, serial FROM log_contradiction ORDER BY number, serial"
        )
        return (Contradiction(to_number(number), serial) for number, serial in rows)

    def loads(self) -> Iterator[Load]:
        """Yield all loads by number and load."""
        rows = self._connection.execute(
            "SELECT number, load, currency, amount, refund_of FROM load ORDER BY number, load"
        )
        return (Load(to_number(row[0]), *row[1:]) for row in rows)

    def add_load(self, load: Load) -> None:
        """Remember a load, unless its number is known."""
        self._connection.execute(
            "INSERT OR IGNORE INTO load VALUES (?,?,?,?,?)",
            (int(load.number), load.load, load.currency, load.amount, load.refund_of),
        )

    def note_refund(self, number: Number, load: int, refund_of: int) -> None:
        """Remember that a load gives back the payment under this serial of the party's log."""
        self._connection.execute(
            "UPDATE load SET refund_of = ? WHERE number = ? AND load = ?",
            (refund_of, int(number), load),
        )

    def last_load(self, number: Number) -> int:
        """Return the number of the last load of a party, 0 if there was none."""
        row = self._connection.execute(
            "SELECT max(load) FROM load WHERE number = ?", (int(number),)
        ).fetchone()
        return row[0] or 0

    def is_refunded(self, number: Number, serial: int) -> bool:
        """Tell whether this payment was given back."""
        row = self._connection.execute(
            "SELECT 1 FROM load WHERE number = ? AND refund_of = ?", (int(number), serial)
        ).fetchone()
        return row is not None

    def expiry(self, filed: Filed) -> int | None:
        """Return the expiry week of the key of a payment, None where no decision tells."""
        deal = filed.deal
        asker, holder = (deal.payer, deal.payee) if deal.payer_asked else (deal.payee, deal.payer)
        row = self._connection.execute(
            "SELECT expiry FROM decision WHERE id IN"
            " (SELECT decision FROM ask WHERE asker = ? AND generation = ?)"
            " AND holder = ? AND holder_generation = ? AND epoch = ? AND n = ?",
            (
                *(int(asker.number), asker.generation, int(holder.number), holder.generation),
                *(deal.epoch, deal.n),
            ),
        ).fetchone()
        return None if row is None else row[0]


def _row(filed: Filed) -> tuple[Any, ...]:
    entry = filed.entry
    return (
        int(filed.number),
        filed.serial,
        filed.currency,
        int(entry.kind),
        filed.generation,
        int(entry.other.number),
        entry.other.generation,
        entry.epoch,
        entry.n,
        entry.number,
        entry.amount,
        entry.week,
    )


def _filed(row: tuple[Any, ...]) -> Filed:
    number, serial, currency, kind, generation, other, other_generation, *rest = row
    party = Party(to_number(other), other_generation)
    entry = Entry(Kind(kind), party, *rest)
    return Filed(to_number(number), serial, currency, entry, generation)

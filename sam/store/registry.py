"""Parties and issues, as the operator looks them up."""

from __future__ import annotations

import sqlite3
from typing import Final

from attrs import frozen

from dtns.sam.issuing.records import Decision, Registration
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.rows import (
    DECISION_COLUMNS,
    PARTY_COLUMNS,
    to_decision,
    to_number,
    to_registration,
)

_ISSUES: Final = (
    f"SELECT id, {DECISION_COLUMNS} FROM decision"  # noqa: S608 (constants)
    " WHERE purged IS NULL"
)


@frozen
class Issue:
    """A decision and its place in the log of all decisions."""

    id: int
    decision: Decision


class Registry:
    """The operator's views of the store; every method works inside the store's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def parties(self, pattern: str, after: Number | None, limit: int) -> list[Registration]:
        """Return parties whose digits match the glob *pattern*, in the order of their integers.

        *after* is the last number of the page before, None for the first page.
        """
        rows = self._connection.execute(
            f"SELECT {PARTY_COLUMNS} FROM party"  # noqa: S608 (constants)
            " WHERE number > ? AND CAST(number AS TEXT) GLOB ? ORDER BY number LIMIT ?",
            (int(after or 0), pattern, limit),
        )
        return [to_registration(row) for row in rows]

    def count_parties(self) -> tuple[int, int]:
        """Return how many parties there are, and how many of them are suspended."""
        row = self._connection.execute("SELECT count(*), total(suspended) FROM party").fetchone()
        return row[0], int(row[1])

    def count_issues(self, asker: Number | None = None) -> tuple[int, int]:
        """Return how many decisions there are (on one asker's asks), and how many granted a key."""
        where, values = ("", ()) if asker is None else (" WHERE asker = ?", (int(asker),))
        issued, granted = self._connection.execute(
            f"SELECT count(*), count(n) FROM decision{where}",  # noqa: S608 (constants)
            values,
        ).fetchone()
        return issued, granted

    def master_keys(self) -> dict[int, str]:
        """Return the check of each master key under which a party was ever enrolled, by its id."""
        return dict(self._connection.execute("SELECT id, key_check FROM master_key").fetchall())

    def note_master_key(self, master_id: int, check: str) -> None:
        """Remember that parties are enrolled under this master key."""
        self._connection.execute(
            "INSERT OR IGNORE INTO master_key VALUES (?, ?)", (master_id, check)
        )

    def counterparts(self, number: Number) -> list[Number]:
        """Return everyone who shares a key with this number, either way, of any generation."""
        rows = self._connection.execute(
            "SELECT holder FROM pair WHERE asker = ?1 UNION"
            " SELECT asker FROM pair WHERE holder = ?1",
            (int(number),),
        )
        return [to_number(row[0]) for row in rows]

    def issues(self, party: Number | None, before: int | None, limit: int) -> list[Issue]:
        """Return decisions, the newest first, on all asks or those in which *party* has a part.

        *before* is the last id of the page before, None for the first page.
        """
        where, values = "id < ?", [before or 1 << 62]
        if party is not None:
            where, values = f"{where} AND (asker = ? OR holder = ?)", [*values, *[int(party)] * 2]
        rows = self._connection.execute(
            f"{_ISSUES} AND {where} ORDER BY id DESC LIMIT ?", (*values, limit)
        )
        return [Issue(row[0], to_decision(row[1:])) for row in rows]

    def issue(self, issue_id: int) -> Issue | None:
        """Return one decision by its place in the log, or None."""
        row = self._connection.execute(f"{_ISSUES} AND id = ?", (issue_id,)).fetchone()
        return None if row is None else Issue(row[0], to_decision(row[1:]))

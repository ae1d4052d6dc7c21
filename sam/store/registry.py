"""Parties and issues, as the operator looks them up."""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Final

from attrs import frozen

from dtns.sam.issuing.records import Decision, Registration
from dtns.sam.protocol.numbers import MAX_DIGITS, Number
from dtns.sam.store.rows import (
    DECISION_COLUMNS,
    PARTY_COLUMNS,
    to_decision,
    to_number,
    to_registration,
)

SPAN: Final = 20_000
"""How many decisions one look through the log takes in at most."""
_ISSUES: Final = (
    f"SELECT id, {DECISION_COLUMNS} FROM decision"  # noqa: S608 (constants)
    " WHERE purged IS NULL"
)
_OF_ASKER: Final = " WHERE id IN (SELECT decision FROM ask WHERE asker = ?)"
_LATEST: Final = (
    "SELECT decision FROM ask WHERE asker = ? ORDER BY generation DESC, counter DESC LIMIT 1"
)

_MATCHING: Final = (
    f"SELECT {PARTY_COLUMNS} FROM party"  # noqa: S608 (constants)
    " WHERE number BETWEEN ? AND ? AND CAST(number AS TEXT) GLOB ? ORDER BY number LIMIT ?"
)


def _beginning_with(pattern: str) -> list[tuple[int, int]]:
    """Return, in rising order, the ranges of integers that begin with a glob's leading digits."""
    found = re.match("[1-9][0-9]*", pattern, re.ASCII)
    if found is None:
        return [(0, 10**MAX_DIGITS)]
    digits = found[0][:MAX_DIGITS]
    return [
        (int(digits) * 10**more, (int(digits) + 1) * 10**more - 1)
        for more in range(MAX_DIGITS - len(digits) + 1)
    ]


@frozen
class Issue:
    """A decision and its place in the log of all decisions."""

    id: int
    decision: Decision


@frozen
class Sought:
    """Which decisions are looked for; None stands for any.

    party has a part in them, granted tells whether they gave a key, since and until are POSIX
    times, the latter not included.
    """

    party: Number | None = None
    granted: bool | None = None
    since: float | None = None
    until: float | None = None

    def where(self) -> tuple[str, list[float]]:
        """Return the conditions, each led by AND, and their values."""
        conditions: list[str] = []
        values: list[float] = []
        if self.party is not None:
            conditions.append("(asker = ? OR holder = ?)")
            values += [int(self.party)] * 2
        if self.granted is not None:
            conditions.append(f"reason IS {'' if self.granted else 'NOT '}NULL")
        for condition, time in (("decided_at >= ?", self.since), ("decided_at < ?", self.until)):
            if time is not None:
                conditions.append(condition)
                values.append(time)
        return "".join(f" AND {condition}" for condition in conditions), values


@frozen
class IssuePage:
    """Some decisions, the newest first, and the id before which to look on, None at the end."""

    issues: tuple[Issue, ...]
    next: int | None


class Registry:
    """The operator's views of the store; every method works inside the store's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def parties(self, pattern: str, after: Number | None, limit: int) -> list[Registration]:
        """Return parties whose digits match the glob *pattern*, in the order of their integers.

        *after* is the last number of the page before, None for the first page. Only numbers that
        begin with the pattern's leading digits are looked at.
        """
        rows: list[tuple[Any, ...]] = []
        for low, high in _beginning_with(pattern):
            first = max(low, int(after or 0) + 1)
            if len(rows) < limit and first <= high:
                values = (first, high, pattern, limit - len(rows))
                rows += self._connection.execute(_MATCHING, values).fetchall()
        return [to_registration(row) for row in rows]

    def count_parties(self) -> tuple[int, int]:
        """Return how many parties there are, and how many of them are suspended."""
        row = self._connection.execute("SELECT count(*), total(suspended) FROM party").fetchone()
        return row[0], int(row[1])

    def count_issues(self, asker: Number | None = None) -> tuple[int, int]:
        """Return how many decisions there are (on one asker's asks), and how many granted a key."""
        where, values = ("", ()) if asker is None else (_OF_ASKER, (int(asker),))
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

    def issues(self, sought: Sought, before: int | None, limit: int) -> IssuePage:
        """Return decisions that are *sought*, the newest first, at most *limit* of SPAN looked at.

        *before* is the next of the page before, None for the first page.
        """
        start = min(before or 1 << 62, self._length() + 1)
        end = max(start - SPAN, 1)
        where, values = sought.where()
        rows = self._connection.execute(
            f"{_ISSUES} AND id < ? AND id >= ?{where} ORDER BY id DESC LIMIT ?",
            (start, end, *values, limit),
        ).fetchall()
        found = tuple(Issue(row[0], to_decision(row[1:])) for row in rows)
        if len(found) == limit:
            end = found[-1].id
        return IssuePage(found, end if end > 1 else None)

    def latest(self, asker: Number) -> Issue | None:
        """Return the decision on the latest ask of a number, by generation and counter, or None."""
        row = self._connection.execute(f"{_ISSUES} AND id = ({_LATEST})", (int(asker),)).fetchone()
        return None if row is None else Issue(row[0], to_decision(row[1:]))

    def _length(self) -> int:
        row = self._connection.execute("SELECT max(id) FROM decision").fetchone()
        return row[0] or 0

    def issue(self, issue_id: int) -> Issue | None:
        """Return one decision by its place in the log, or None."""
        row = self._connection.execute(f"{_ISSUES} AND id = ?", (issue_id,)).fetchone()
        return None if row is None else Issue(row[0], to_decision(row[1:]))

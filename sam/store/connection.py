"""An SQLite connection that writes the rows of one statement together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any


class Connection(sqlite3.Connection):
    """A connection that can keep rows back until the transaction ends, or anything is executed.

    Many rows in a row cost far less than the same rows among other statements.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept_back: dict[str, list[Sequence[Any]]] = {}
        self._reading = self.cursor()

    def later(self, statement: str, row: Sequence[Any]) -> None:
        """Execute *statement* with this row before anything else is executed."""
        self._kept_back.setdefault(statement, []).append(row)

    def look_up(self, query: str, values: Sequence[Any]) -> sqlite3.Cursor:
        """Execute a query for what no row that is kept back can be."""
        return super().execute(query, values)

    def first(self, query: str, values: Sequence[Any]) -> Any:
        """Return the first row that `look_up` would find, None if there is none."""
        return self._reading.execute(query, values).fetchone()

    def write(self) -> None:
        """Execute what was kept back, each statement with all its rows."""
        kept_back, self._kept_back = self._kept_back, {}
        for statement, rows in kept_back.items():
            super().executemany(statement, rows)

    def forget(self) -> None:
        """Drop what was kept back."""
        self._kept_back = {}

    def execute(self, statement: str, values: Any = (), /) -> sqlite3.Cursor:
        """Execute a statement, after all that was kept back."""
        if self._kept_back:
            self.write()
        return super().execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        """Execute a statement with many rows, after all that was kept back."""
        if self._kept_back:
            self.write()
        return super().executemany(statement, rows)

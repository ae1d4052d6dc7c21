"""Time as the outbox counts it: for how long Sam has been running."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable


class ServiceTime:
    """Seconds that Sam has been running, all its runs together: never goes back.

    No answer expires, and no retry waits, because the computer's clock was set. What a run did
    not `note` before it was killed is counted again. *monotonic* gives seconds by a clock that
    nobody sets. Constructing and noting work inside the store's transaction.
    """

    def __init__(self, connection: sqlite3.Connection, monotonic: Callable[[], float]) -> None:
        self._connection = connection
        self._monotonic = monotonic
        row = connection.execute("SELECT seconds FROM service_time").fetchone()
        self._offset = (0.0 if row is None else row[0]) - monotonic()

    def __call__(self) -> float:
        """Return the time now."""
        return self._offset + self._monotonic()

    def note(self) -> float:
        """Make the time now durable with the transaction, and return it."""
        now = self()
        self._connection.execute("REPLACE INTO service_time VALUES (1, ?)", (now,))
        return now

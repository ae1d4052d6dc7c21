"""Answers handed over in the transaction that decided on them: a row for all of one carrier's turn.

Each keeps its place there until its own row is written, in the outbox, with what became of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from dtns.sam.store.connection import Connection

_ADD: Final = (
    "INSERT INTO handed (first, network, route, queued_at, expires_at, due_at, answers)"
    " VALUES (?,?,?,?,?,?,?)"
)
_READ: Final = "SELECT first, network, route, queued_at, expires_at, due_at, answers FROM handed"
_WRITTEN: Final = "SELECT id FROM outbox WHERE id >= ? AND id < ?"
_DROP: Final = "DELETE FROM handed WHERE first = ?"

Columns = tuple[int | None, str, int, bool, str]
"""Of an answer: its decision, the carrier of the ask, recipient, whether it is a repeat, text."""


class _Turn:
    """What one carrier was handed at once; left counts the answers without a row of their own."""

    __slots__ = ("first", "left", "network", "route", "times")

    def __init__(
        self, first: int, network: str, route: str, times: Sequence[float], left: int
    ) -> None:
        self.first = first
        self.network = network
        self.route = route
        self.times = times
        self.left = left


class HandedRows:
    """The handed table; every method works inside the store's transaction.

    It is in memory, too: read again where a transaction that changed it came to nothing.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._under_way: dict[int, tuple[_Turn, Columns]] | None = None
        self._changed = False

    def __contains__(self, parcel: int) -> bool:
        """Tell whether this answer is here still."""
        return parcel in self._open

    def __iter__(self) -> Iterator[int]:
        """Yield the ids of the answers that are here still, as they are now."""
        return iter(tuple(self._open))

    def __len__(self) -> int:
        """Return how many answers are here still."""
        return len(self._open)

    def of(self, issue: int) -> list[tuple[str, float]]:
        """Return, of the answers of this decision that are here, to whom each went and its time.

        That is the POSIX time when it was queued.
        """
        under_way = self._open.values()
        return [(turn.route, turn.times[0]) for turn, answer in under_way if answer[0] == issue]

    def add(
        self,
        first: int,
        network: str,
        route: str,
        times: tuple[float, float, float],
        answers: Sequence[Columns],
    ) -> None:
        """Note what is handed to *route*, the ids beginning with *first*.

        *times* are those of the columns queued_at, expires_at and due_at.
        """
        under_way, self._changed = self._open, True
        row = (first, network, route, *times, json.dumps(answers))
        self._connection.later(_ADD, row)
        turn = _Turn(first, network, route, times, len(answers))
        for parcel, answer in enumerate(answers, first):
            under_way[parcel] = turn, answer

    def take(self, parcel: int) -> tuple[Any, ...] | None:
        """Return what the answer's own row begins with, None if it has one or never was here.

        Those are the columns from id to route. The answer is here no more.
        """
        found = self._open.pop(parcel, None)
        if found is None:
            return None
        self._changed = True
        turn, answer = found
        turn.left -= 1
        if not turn.left:
            self._connection.later(_DROP, (turn.first,))
        return (parcel, answer[0], turn.network, *answer[1:], *turn.times, 1, turn.route)

    def committed(self) -> None:
        """Take what was changed for durable."""
        self._changed = False

    def forget(self) -> None:
        """Read the table again if what was changed has not become durable."""
        if self._changed:
            self._under_way, self._changed = None, False

    @property
    def _open(self) -> dict[int, tuple[_Turn, Columns]]:
        if self._under_way is None:
            self._under_way = self._read()
        return self._under_way

    def _read(self) -> dict[int, tuple[_Turn, Columns]]:
        under_way: dict[int, tuple[_Turn, Columns]] = {}
        for first, network, route, *times, text in self._connection.execute(_READ).fetchall():
            answers = json.loads(text)
            span = (first, first + len(answers))
            written = {parcel for (parcel,) in self._connection.execute(_WRITTEN, span)}
            turn = _Turn(first, network, route, times, len(answers) - len(written))
            for parcel, answer in enumerate(answers, first):
                if parcel not in written:
                    under_way[parcel] = turn, tuple(answer)
        return under_way

"""Where in the log the decision on an ask is, and the highest n of a pair; written by the thousand.

Both follow from the decisions. In tables their rows lie at random places, and each place costs a
page in each commit: many rows together, in the order of the tables, cost a third of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dtns.sam.protocol.session import Party
from dtns.sam.store.connection import Connection

BULK: Final = 4096
"""After so many decisions that the tables lack, they are written there."""

_LATEST: Final = (
    "SELECT id, asker, asker_generation, counter, holder, holder_generation, epoch, n"
    " FROM decision WHERE id > (SELECT indexed FROM meta) AND asker IS NOT NULL ORDER BY id"
)
_FIND_ASK: Final = (
    "SELECT decision FROM ask_index WHERE asker = ? AND generation = ? AND counter = ?"
)
_FIND_PAIR: Final = (
    "SELECT last_n FROM pair_index WHERE asker = ? AND asker_generation = ?"
    " AND holder = ? AND holder_generation = ? AND epoch = ?"
)
_DROP_ASK: Final = (
    "DELETE FROM ask_index WHERE (asker, generation, counter) IN"
    " (SELECT asker, asker_generation, counter FROM decision WHERE id = ?)"
)
_WRITE: Final = (
    # of two decisions on one ask, which only an edited store can have, the first stands
    (
        "INSERT OR IGNORE INTO ask_index SELECT asker, asker_generation, counter, id FROM decision"
        " WHERE id > (SELECT indexed FROM meta) AND asker IS NOT NULL ORDER BY 1, 2, 3"
    ),
    (
        "INSERT INTO pair_index SELECT asker, asker_generation, holder, holder_generation, epoch,"
        " max(n) FROM decision WHERE id > (SELECT indexed FROM meta) AND asker IS NOT NULL"
        " AND n IS NOT NULL GROUP BY 1, 2, 3, 4, 5"
        " ON CONFLICT DO UPDATE SET last_n = max(last_n, excluded.last_n)"
    ),
    "UPDATE meta SET indexed = coalesce((SELECT max(id) FROM decision), indexed)",
)

_Ask = tuple[int, int, int]
_Pair = tuple[int, int, int, int, int]


class LogIndex:
    """Finds what the log says of asks and pairs; every method works inside the transaction.

    The decisions after meta.indexed are found in memory, which is read from the log when it is
    first needed. So there is nothing to mend after a crash, and after a transaction that was
    rolled back memory is forgotten. Whoever reads a store beside a running Sam reads the views
    `ask` and `pair`, which unite the tables and the rest of the log.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        """Believe nothing but the store."""
        self._is_read = False
        self._asks: dict[_Ask, int] = {}
        self._pairs: dict[_Pair, int] = {}

    def place(self, asker: Party, counter: int) -> int | None:
        """Return the number of the decision on an ask; None if there is none, or it is purged."""
        ask = int(asker.number), asker.generation, counter
        self._read()
        if ask in self._asks:
            return self._asks[ask]
        row = self._connection.first(_FIND_ASK, ask)
        return None if row is None else int(row[0])

    def last_n(self, asker: Party, holder: Party, epoch: int) -> int:
        """Return the highest n issued in this pair and epoch, 0 if none."""
        pair = int(asker.number), asker.generation, int(holder.number), holder.generation, epoch
        self._read()
        if pair not in self._pairs:
            row = self._connection.first(_FIND_PAIR, pair)
            self._pairs[pair] = 0 if row is None else row[0]
        return self._pairs[pair]

    def add(self, place: int, decision: tuple[Any, ...]) -> None:
        """Take in the decision that the log gets at this place, a row of DECISION_COLUMNS.

        Raises ValueError for a second one on the same ask: of those in the tables the window of
        the asker tells.
        """
        self._read()
        ask = decision[:3]
        if ask in self._asks:
            raise ValueError("there is a decision on this ask already")
        self._take(place, ask, (decision[4], *decision[9:11]), decision[11])

    def settle(self) -> None:
        """Write to the tables if enough has come."""
        if len(self._asks) >= BULK:
            self.write()

    def write(self) -> None:
        """Bring the tables to the end of the log."""
        for statement in _WRITE:
            self._connection.execute(statement)
        self.forget()

    def drop(self, places: Sequence[int]) -> None:
        """Find the decisions at these places no more, which are in the tables and to be purged."""
        self._connection.executemany(_DROP_ASK, [(place,) for place in places])

    def _read(self) -> None:
        if self._is_read:
            return
        for row in self._connection.execute(_LATEST):
            self._take(row[0], row[1:4], row[4:7], row[7])
        self._is_read = True

    def _take(self, place: int, ask: _Ask, holder: tuple[int, int, int], n: int | None) -> None:
        self._asks.setdefault(ask, place)
        if n is not None:
            self._pairs[(ask[0], ask[1], *holder)] = n

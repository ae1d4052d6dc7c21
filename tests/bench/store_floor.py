"""What SQLite alone costs for an issue: Sam's own statements, without Sam; one JSON line.

    python tests/bench/store_floor.py --turns 120

Rows like those of an issue are read and written in turns of 256, as Sam does it: what became of the
answers of a turn is written with the issues of the next one. CPU time of the calling thread for an
issue, after as many turns have filled the store.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from figures import conclude, spread, tell

from dtns.sam.store import handed, logindex, outbox, store
from dtns.sam.store.connection import Connection
from dtns.sam.store.database import Database

PARTIES = 1000
TURN = 256
FIRST = 254_700_000_000
_TEXT = "A" * 120


class Turns:
    """Turns on a store, and the CPU time of each kind of statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._index = logindex.LogIndex(connection)
        self._dice = Random(1978)
        self._done = 0
        self._under_way: list[tuple[int, int, int]] = []
        self.costs: dict[str, list[float]] = {}
        self._in_transaction(
            "fill", lambda: self._many(store._SAVE_PARTY, map(_party, range(PARTIES)))
        )

    def turn(self) -> None:
        """Read and write the rows of a turn's issues, and how the last turn's answers fared."""
        places = range(self._done + 1, self._done + TURN + 1)
        pairs = [tuple(FIRST + self._dice.randrange(PARTIES) for _ in range(2)) for _ in places]
        asks = [(place, *pair) for place, pair in zip(places, pairs, strict=True)]
        self._done += TURN

        def work() -> None:
            if self._under_way:
                accepted = [_accepted(*ask) for ask in self._under_way]
                self._cost("accepted", lambda: self._many(outbox._ADD, accepted))
                first = self._under_way[0][:1]
                self._cost("accepted", lambda: self._many(handed._DROP, [first]))
            self._issue(asks)

        self._in_transaction("commit", work)
        self._under_way = asks

    def _issue(self, asks: list[tuple[int, int, int]]) -> None:
        self._cost("read", lambda: self._read(asks))
        for ask in asks:
            self._index.add(ask[0], _decision(*ask)[-18:])
        rows: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
            "decision": (store._ADD_DECISION, [_decision(*ask) for ask in asks]),
            "party": (store._SAVE_PARTY, [_party(asker - FIRST) for _, asker, _ in asks]),
            "handed": (handed._ADD, [_handed(asks)]),
        }
        for name, (statement, values) in rows.items():
            self._cost(name, lambda: self._many(statement, values))  # noqa: B023 (run at once)
        self._cost("index", self._index.settle)

    def _read(self, asks: list[tuple[int, int, int]]) -> None:
        numbers = {number for ask in asks for number in ask[1:]}
        self._connection.execute(store._FIND_PARTIES, (json.dumps(list(numbers)),)).fetchall()
        for _, asker, holder in asks:
            self._connection.execute(logindex._FIND_PAIR, (asker, 1, holder, 1, 1)).fetchone()

    def _in_transaction(self, name: str, work: Callable[[], None]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        work()
        self._cost(name, lambda: self._connection.execute("COMMIT"))

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._connection.executemany(statement, rows)

    def _cost(self, name: str, work: Callable[[], object]) -> None:
        began = time.thread_time()
        work()
        self.costs.setdefault(name, []).append(1e6 * (time.thread_time() - began) / TURN)


def _party(index: int) -> tuple[Any, ...]:
    return (FIRST + index, 1, 1, 1, 1.0, 0, 1, 1, 1, 1, 0, None, None, None, 0)


def _decision(place: int, asker: int, holder: int) -> tuple[Any, ...]:
    granted = (1, 1, 1, 4, 0, 3000, 0)
    asked = (asker, 1, place, bytes(8), holder, 2990, 1.0, "smpp", None)
    return (place, 1, bytes(16), f"{place:032x}", *asked, *granted, None, 0)


def _handed(asks: list[tuple[int, int, int]]) -> tuple[Any, ...]:
    answers = [(place, "smpp", asker, False, _TEXT) for place, asker, _ in asks]
    return (asks[0][0], "gsm", "smpp", 1.0, 1e12, 1.0, json.dumps(answers))


def _accepted(place: int, asker: int, _holder: int) -> tuple[Any, ...]:
    sent = (place, place, "gsm", "smpp", asker, 0, _TEXT, 1.0, 1e12, 1.0, 1, "smpp")
    return (*sent, "accepted", f"a-{place:x}")


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dtns-floor-") as name:
        path = Path(name) / "sam.sqlite"
        Database.create(path, 0.0)
        with closing(Database.open(path)) as database:
            turns = Turns(database.connection)
            for _ in range(options.turns):
                turns.turn()
            tell(f"the store is filled with {options.turns * TURN} issues")
            turns.costs.clear()
            sums = []
            for _ in range(options.turns):
                before = {name: len(costs) for name, costs in turns.costs.items()}
                turns.turn()
                new = [costs[before.get(name, 0) :] for name, costs in turns.costs.items()]
                sums.append(sum(map(sum, new)))
    parts = {name: round(sum(costs) / options.turns, 1) for name, costs in turns.costs.items()}
    conclude("store_floor", {"turn": TURN, "cpu_us": spread(sums, 1), "mean_by_part_us": parts})


if __name__ == "__main__":
    main()

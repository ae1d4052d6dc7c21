"""What Sam has still to tell its parties, as rows."""

from __future__ import annotations

from collections.abc import Sequence

from dtns.sam.issuing.records import Notice, Topic
from dtns.sam.protocol.ask import MAX_COUNTER
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.connection import Connection


class NoticeRows:
    """The notice table; every method belongs inside the store's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def any(self) -> bool:
        """Tell whether anything waits to be told at all."""
        return self._connection.first("SELECT 1 FROM notice LIMIT 1", ()) is not None

    def of(self, number: Number) -> list[Notice]:
        """Return what a party has still to be told, oldest first."""
        rows = self._connection.look_up(
            "SELECT id, topic, item, first, last FROM notice WHERE number = ? ORDER BY id",
            (int(number),),
        )
        return [Notice(row[0], Topic(row[1]), *row[2:]) for row in rows]

    def add(self, number: Number, topic: Topic, item: bytes) -> None:
        """Add a notice, unless the same is waiting."""
        self._connection.execute(
            "INSERT OR IGNORE INTO notice (number, topic, item) VALUES (?,?,?)",
            (int(number), topic.value, item),
        )

    def told(self, notices: Sequence[Notice], counter: int) -> None:
        """Note that the message with this counter carries these."""
        self._connection.executemany(
            "UPDATE notice SET first = iif(first, first, ?1), last = ?1 WHERE id = ?2",
            [(counter, notice.id) for notice in notices],
        )

    def restart(self, epoch: int) -> None:
        """Count messages from where no former epoch has come to, and hold no notice for told."""
        self._connection.execute(
            "UPDATE party SET told = min(max(told, ? << 16), ?)", (epoch, MAX_COUNTER)
        )
        self._connection.execute("UPDATE notice SET first = 0, last = 0")

    def drop(self, notices: Sequence[Notice]) -> None:
        """Delete notices."""
        self._connection.executemany(
            "DELETE FROM notice WHERE id = ?", [(notice.id,) for notice in notices]
        )

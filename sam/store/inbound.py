"""What came in, as rows: messages that were acted on, and parts of long ones that wait."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Final

from dtns.gateway.parts import HeldPart, MessageKey
from dtns.sam.store.connection import Connection

INBOUND_SECONDS: Final = 30 * 24 * 3600
"""How long a message that was acted on is known again."""
INBOUND_ROWS: Final = 2_000_000
"""How many of them, the latest, are known again at most."""
_FORGET_AT_ONCE: Final = 1000

_KNOWN: Final = (
    "SELECT identity FROM inbound WHERE carrier = ?1 AND identity IN (SELECT value FROM"
    " json_each(?2)) UNION ALL SELECT identity FROM part WHERE carrier = ?1 AND identity IN"
    " (SELECT value FROM json_each(?2))"
)
_REMEMBER: Final = "INSERT OR IGNORE INTO inbound (carrier, identity, came_at) VALUES (?,?,?)"
_MUST_FORGET: Final = (
    "SELECT came_at <= ?1 OR id <= (SELECT max(id) FROM inbound) - ?2 FROM inbound"
    " ORDER BY id LIMIT 1"
)
_FORGET: Final = (
    "DELETE FROM inbound WHERE id IN (SELECT id FROM inbound ORDER BY id LIMIT ?3) AND"
    " (came_at <= ?1 OR id <= (SELECT max(id) FROM inbound) - ?2)"
)
_PART: Final = "SELECT carrier, sender, reference, total, number, identity, text, came_at FROM part"
_KEEP: Final = (
    "INSERT INTO part (carrier, sender, reference, total, number, identity, text, came_at)"
    " VALUES (?,?,?,?,?,?,?,?)"
)
_OF_MESSAGE: Final = "carrier = ? AND sender = ? AND reference = ? AND total = ?"


class InboundRows:
    """The inbound table; every method works inside the store's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, carrier: str, identities: Iterable[str]) -> set[str]:
        """Return those messages of a carrier that were acted on, or are parts that wait."""
        wanted = json.dumps(list(identities))
        return {row[0] for row in self._connection.execute(_KNOWN, (carrier, wanted))}

    def is_known(self, carrier: str, identity: str) -> bool:
        """Tell whether this message of a carrier was acted on, or is a part that waits."""
        return bool(self.known(carrier, [identity]))

    def remember(self, carrier: str, identities: Iterable[str], now: float) -> None:
        """Remember that messages were acted on."""
        for identity in identities:
            self._connection.later(_REMEMBER, (carrier, identity, now))

    def forget(self, now: float, seconds: float = INBOUND_SECONDS, rows: int = INBOUND_ROWS) -> int:
        """Forget some of what is older than *seconds* or not among the latest *rows*; count it."""
        bounds = now - seconds, rows
        oldest = self._connection.execute(_MUST_FORGET, bounds).fetchone()
        if oldest is None or not oldest[0]:
            return 0
        return self._connection.execute(_FORGET, (*bounds, _FORGET_AT_ONCE)).rowcount


class PartRows:
    """The part table, as `dtns.gateway.parts.PartRecords`; works inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def of(self, key: MessageKey) -> list[HeldPart]:
        """Return the parts of a message."""
        rows = self._connection.execute(f"{_PART} WHERE {_OF_MESSAGE}", key)
        return [_to_part(row) for row in rows]

    def keep(self, part: HeldPart) -> None:
        """Keep a part."""
        row = (*part.key, part.number, part.identity, part.text, part.came_at)
        self._connection.execute(_KEEP, row)

    def drop(self, key: MessageKey) -> int:
        """Drop all parts of a message."""
        return self._connection.execute(
            f"DELETE FROM part WHERE {_OF_MESSAGE}",  # noqa: S608 (constants)
            key,
        ).rowcount

    def oldest(self, sender: str | None = None) -> HeldPart | None:
        """Return the part that was kept first."""
        where, values = _where(sender)
        row = self._connection.execute(f"{_PART}{where} ORDER BY id LIMIT 1", values).fetchone()
        return None if row is None else _to_part(row)

    def count(self, sender: str | None = None) -> int:
        """Count parts."""
        where, values = _where(sender)
        sql = f"SELECT count(*) FROM part{where}"  # noqa: S608 (constants)
        return int(self._connection.execute(sql, values).fetchone()[0])


def _where(sender: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if sender is None else (" WHERE sender = ?", (sender,))


def _to_part(row: tuple[str, str, int, int, int, str, str, float]) -> HeldPart:
    return HeldPart(MessageKey(*row[:4]), *row[4:])

"""Answers on their way out, as rows: what is due, and what became of each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from enum import Enum
from typing import Final

from attrs import field, frozen

from dtns.sam.issuing.issuer import Answer
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party
from dtns.sam.store.rows import to_number

_FIND_CAUSES: Final = (
    "SELECT identity FROM outbox WHERE carrier = ? AND identity IN (SELECT value FROM json_each(?))"
)
_ADD: Final = (
    "INSERT INTO outbox (carrier, identity, recipient, generation, counter, text,"
    " queued_at, expires_at, due_at, state) VALUES (?,?,?,?,?,?,?,?,?,'queued')"
)
_EXPIRE: Final = (
    "UPDATE outbox SET state = 'expired', settled_at = ?2 WHERE id IN ("
    "SELECT id FROM outbox WHERE carrier = ?1 AND state = 'queued' AND due_at <= ?2"
    " ORDER BY due_at LIMIT ?3) AND expires_at <= ?2"
)
_HAND_OVER: Final = (
    "UPDATE outbox SET state = 'handed', attempts = attempts + 1 WHERE id IN ("
    "SELECT id FROM outbox WHERE carrier = ?1 AND state = 'queued' AND due_at <= ?2"
    " ORDER BY due_at LIMIT ?3) RETURNING id, recipient, text, expires_at, attempts"
)
_NEXT_DUE: Final = "SELECT min(due_at) FROM outbox WHERE carrier = ? AND state = 'queued'"
_TAKE_BACK: Final = (
    "UPDATE outbox SET state = 'queued', due_at = ? WHERE carrier = ? AND state = 'handed'"
)
_UNDELIVERED: Final = ("handed", "queued", "accepted")


class State(Enum):
    """How far an answer has come; the last three are final."""

    QUEUED = "queued"
    """Waits for its first or next hand-over."""
    HANDED = "handed"
    """Given to the carrier, whose answer is not known yet."""
    ACCEPTED = "accepted"
    """The network took it."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Refused for good, by the network or the phone."""
    EXPIRED = "expired"


@frozen
class Parcel:
    """One answer to be handed over now; attempts counts this one too."""

    id: int
    recipient: Number
    text: str = field(repr=False)
    expires_at: float
    attempts: int


@frozen
class Delivery:
    """How far one answer has come."""

    carrier: str
    state: State
    queued_at: float
    attempts: int
    reason: str
    settled_at: float | None


class OutboxRows:
    """The outbox table; every method works inside the store's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def answered(self, carrier: str, identities: Iterable[str]) -> set[str]:
        """Return those inbound messages of a carrier that have an answer already."""
        wanted = json.dumps(list(identities))
        return {row[0] for row in self._connection.execute(_FIND_CAUSES, (carrier, wanted))}

    def add(self, carrier: str, identity: str, answer: Answer, now: float, validity: float) -> None:
        """Queue an answer to the inbound message *identity* of *carrier*, due at once."""
        ask = (int(answer.recipient), answer.generation, answer.counter)
        row = (carrier, identity, *ask, answer.text, now, now + validity, now)
        self._connection.execute(_ADD, row)

    def hand_over(self, carrier: str, now: float, limit: int) -> list[Parcel]:
        """Mark at most *limit* due answers as handed over and return them, oldest due first.

        Those whose validity is over are marked expired instead.
        """
        self._connection.execute(_EXPIRE, (carrier, now, limit))
        rows = self._connection.execute(_HAND_OVER, (carrier, now, limit)).fetchall()
        return [Parcel(row[0], to_number(row[1]), *row[2:]) for row in sorted(rows)]

    def next_due(self, carrier: str) -> float | None:
        """Return when the next queued answer is due, or None if none is queued."""
        due: float | None = self._connection.execute(_NEXT_DUE, (carrier,)).fetchone()[0]
        return due

    def take_back(self, carrier: str, now: float) -> int:
        """Queue again what was handed over when Sam last stopped; return how many."""
        return self._connection.execute(_TAKE_BACK, (now, carrier)).rowcount

    def retry(self, parcel: int, due_at: float, reason: str) -> None:
        """Queue an answer again that the network did not take for now."""
        self._connection.execute(
            "UPDATE outbox SET state = 'queued', due_at = ?, reason = ?"
            " WHERE id = ? AND state = 'handed'",
            (due_at, reason, parcel),
        )

    def accepted(self, parcel: int, carrier_id: str) -> None:
        """Note that the network took an answer, unless its delivery is known already."""
        self._connection.execute(
            "UPDATE outbox SET state = 'accepted', carrier_id = ?, reason = ''"
            " WHERE id = ? AND state = 'handed'",
            (carrier_id, parcel),
        )

    def settle(self, parcel: int, state: State, reason: str, now: float) -> None:
        """Note what finally became of an answer; what was known first stands."""
        self._connection.execute(
            "UPDATE outbox SET state = ?, reason = ?, settled_at = ?"
            " WHERE id = ? AND state IN (?,?,?)",
            (state.value, reason, now, parcel, *_UNDELIVERED),
        )

    def find(self, carrier: str, carrier_id: str) -> int | None:
        """Return the answer that the network took under this id and has not reported on yet."""
        row = self._connection.execute(
            "SELECT id FROM outbox WHERE carrier = ? AND carrier_id = ? AND state = 'accepted'",
            (carrier, carrier_id),
        ).fetchone()
        return None if row is None else int(row[0])

    def deliveries(self, asker: Party, counter: int) -> list[Delivery]:
        """Return how far each sending of the answer to an ask has come, first to last."""
        rows = self._connection.execute(
            "SELECT carrier, state, queued_at, attempts, reason, settled_at FROM outbox"
            " WHERE recipient = ? AND generation = ? AND counter = ? ORDER BY id",
            (int(asker.number), asker.generation, counter),
        )
        return [Delivery(carrier, State(state), *rest) for carrier, state, *rest in rows]

    def counts(self) -> dict[str, int]:
        """Return how many answers are in each state."""
        rows = self._connection.execute("SELECT state, count(*) FROM outbox GROUP BY state")
        return dict.fromkeys((state.value for state in State), 0) | dict(rows.fetchall())

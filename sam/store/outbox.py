"""Answers on their way out, as rows: what is due, and what became of each.

Times are in seconds of service (see `dtns.sam.service.servicetime`) unless a name says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from enum import Enum
from typing import Final, NamedTuple

from attrs import frozen

from dtns.sam.issuing.issuer import Answer, Outcome
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.connection import Connection
from dtns.sam.store.handed import Columns, HandedRows
from dtns.sam.store.rows import to_number

EARLY_REPORTS: Final = 10_000
"""How many reports that fit no answer yet are kept, the latest."""
EARLY_SECONDS: Final = 3600
"""How long they are kept."""

_ADD: Final = (
    "INSERT INTO outbox (id, decision, network, carrier, recipient, repeat, text,"
    " queued_at, expires_at, due_at, attempts, route, state, carrier_id)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_DUE: Final = (
    "network = :network AND state IN ('queued', 'retrying') AND repeat = :repeat AND due_at <= :now"
)
_EXPIRE: Final = (
    "UPDATE outbox SET state = 'expired', settled_at = :clock"  # noqa: S608 (constants)
    " WHERE id IN ("
    f"SELECT id FROM outbox WHERE {_DUE} ORDER BY due_at LIMIT :limit) AND expires_at <= :now"
)
_HAND_OVER: Final = (
    "UPDATE outbox SET state = 'handed', attempts = attempts + 1, route = :route"  # noqa: S608 (constants)
    " WHERE id IN ("
    f"SELECT id FROM outbox WHERE {_DUE} AND expires_at > :now AND"
    " CASE WHEN state = 'retrying' AND :others THEN route IS NOT :route"
    " ELSE carrier = :route OR carrier NOT IN (SELECT value FROM json_each(:open)) END"
    " ORDER BY due_at LIMIT :limit) RETURNING id, recipient, text, attempts, unknown, route, repeat"
)
_NEXT_DUE: Final = (
    "SELECT min(due_at) FROM outbox"
    " WHERE network = ? AND state IN ('queued', 'retrying') AND repeat = ?"
)
_TAKE_BACK: Final = (
    "UPDATE outbox SET state = 'retrying', due_at = 0, unknown = unknown + 1,"
    " reason = 'Sam stopped before the answer came' WHERE state = 'handed'"
)
_ACCEPTED: Final = (
    "UPDATE outbox SET state = 'accepted', carrier_id = ?, reason = ''"
    " WHERE id = ? AND state IN ('handed', 'retrying')"
)
_SETTLE: Final = (
    "UPDATE outbox SET state = ?1, reason = ?2, settled_at = ?3 WHERE id = ?4"
    " AND (state NOT IN ('delivered', 'failed', 'expired')"
    " OR ?1 = 'delivered' AND state <> 'delivered')"
)
_WAITS: Final = (
    "SELECT 1 FROM outbox WHERE decision = ? AND state IN ('queued', 'handed', 'retrying')"
)
_WAITING: Final = (
    "SELECT count(*), min(id) FROM outbox INDEXED BY outbox_due"
    " WHERE state IN ('queued', 'retrying')"
)
_RETRY_NOW: Final = (
    "UPDATE outbox SET state = 'retrying', due_at = :now, expires_at = :expiry, settled_at = NULL"
    " WHERE id = (SELECT max(id) FROM outbox WHERE decision = :issue)"
    " AND state IN ('retrying', 'failed', 'expired') RETURNING network"
)
_KEEP_EARLY: Final = (
    "INSERT OR REPLACE INTO early_report (carrier, carrier_id, state, reason, came_at)"
    " VALUES (?,?,?,?,?)"
)
_HAS_EARLY: Final = "SELECT 1 FROM early_report LIMIT 1"
_FORGET_EARLY: Final = (
    "DELETE FROM early_report WHERE came_at <= ? OR id <= (SELECT max(id) FROM early_report) - ?"
)


class State(Enum):
    """How far an answer has come; the last three are final, but any may turn out delivered."""

    QUEUED = "queued"
    """Durable, and was never handed to a carrier."""
    HANDED = "handed"
    """Given to a carrier, whose answer is not known yet."""
    ACCEPTED = "accepted"
    """A network took it; never sent again."""
    RETRYING = "retrying"
    """Failed for now: will be handed over again at its time."""
    DELIVERED = "delivered"
    """The network reported that the phone has it."""
    FAILED = "failed"
    """Failed for good: refused by the network, or given up by it."""
    EXPIRED = "expired"
    """No network took it, or could deliver it, within its validity."""


class Parcel(NamedTuple):
    """One answer to be handed over now.

    attempts counts this one too; unknown those of which nobody knows whether they got through.
    route is the carrier that it is handed to; repeat tells that it was given before.
    """

    id: int
    recipient: Number
    text: str
    attempts: int
    unknown: int
    route: str
    repeat: bool

    def __repr__(self) -> str:
        return f"<parcel {self.id} by {self.route}, attempt {self.attempts}>"


class Times(NamedTuple):
    """When answers are queued, a POSIX time, and the seconds of service then and at their end."""

    queued_at: float
    now: float
    expires_at: float


@frozen
class Delivery:
    """How far one answer has come: carrier is the one it went by last, or came from."""

    carrier: str
    state: State
    queued_at: float
    attempts: int
    reason: str
    settled_at: float | None


class OutboxRows:
    """The outbox and handed tables; every method works inside the store's transaction.

    *last_id* tells the highest id that was given to any answer before this transaction.
    """

    def __init__(self, connection: Connection, last_id: Callable[[], int]) -> None:
        self._connection = connection
        self._handed = HandedRows(connection)
        self._last_id = last_id
        self.last: int | None = None
        """The last id given in this transaction, None if none was."""

    def add(self, network: str, carrier: str, answer: Answer, times: Times) -> None:
        """Queue an answer to what *carrier* brought, due at once."""
        decision, *columns = _columns(carrier, answer)
        row = (self._give_ids(1), decision, network, *columns, *_due_at_once(times))
        self._connection.later(_ADD, (*row, 0, None, "queued", None))

    def pass_on(
        self, network: str, route: str, answers: Sequence[tuple[str, Answer]], times: Times
    ) -> list[Parcel]:
        """Hand answers, each to what a carrier brought, over to *route* without queuing them."""
        first = self._give_ids(len(answers))
        columns, parcels = [], []
        for parcel, (carrier, answer) in enumerate(answers, first):
            columns.append(each := _columns(carrier, answer))
            parcels.append(Parcel(parcel, answer.recipient, answer.text, 1, 0, route, each[3]))
        self._handed.add(first, network, route, _due_at_once(times), columns)
        return parcels

    def _give_ids(self, count: int) -> int:
        """Return the first of so many new ids in a row."""
        before = self._last_id() if self.last is None else self.last
        self.last = before + count
        return before + 1

    def waits(self, issue: int) -> bool:
        """Tell whether an answer of this decision waits to be taken by a network."""
        if self._handed.of(issue):
            return True
        return self._connection.execute(_WAITS, (issue,)).fetchone() is not None

    def hand_over(
        self,
        network: str,
        route: str,
        open_routes: Collection[str],
        limit: int,
        *,
        now: float,
        clock: float,
    ) -> list[Parcel]:
        """Mark at most *limit* due answers as handed to *route* and return them.

        First answers go before repeated ones, and the oldest due first. An answer goes by the
        carrier that brought the ask where that is among *open_routes*; after a failure by
        another one of them, if there is one. Those whose validity is over are marked expired at
        the POSIX time *clock*.
        """
        parcels: list[Parcel] = []
        values = {
            "network": network,
            "route": route,
            "others": any(name != route for name in open_routes),
            "open": json.dumps(list(open_routes)),
            "now": now,
            "clock": clock,
        }
        for repeat in (False, True):
            if (room := limit - len(parcels)) > 0:
                values |= {"repeat": repeat, "limit": room}
                self._connection.execute(_EXPIRE, values)
                rows = self._connection.execute(_HAND_OVER, values).fetchall()
                parcels += [Parcel(row[0], to_number(row[1]), *row[2:]) for row in sorted(rows)]
        return parcels

    def next_due(self, network: str) -> float | None:
        """Return when the next answer is due, or None if none waits for a carrier."""
        due = [
            self._connection.execute(_NEXT_DUE, (network, repeat)).fetchone()[0]
            for repeat in (0, 1)
        ]
        return min((time for time in due if time is not None), default=None)

    def take_back(self) -> int:
        """Have what was handed over when Sam last stopped handed over again; return how many."""
        self.write_out()
        return self._connection.execute(_TAKE_BACK).rowcount

    def write_out(self) -> None:
        """Give each answer that is handed over a row of its own."""
        for parcel in self._handed:
            self._write_out(parcel)

    def _write_out(self, parcel: int) -> None:
        """Give an answer a row of its own as it is, if it has none."""
        if (row := self._handed.take(parcel)) is not None:
            self._connection.later(_ADD, (*row, "handed", None))

    def retry(self, parcel: int, due_at: float, reason: str, *, unknown: bool) -> None:
        """Have an answer handed over again that no network took for now, as far as is known."""
        self._write_out(parcel)
        self._connection.execute(
            "UPDATE outbox SET state = 'retrying', due_at = ?, reason = ?, unknown = unknown + ?"
            " WHERE id = ? AND state = 'handed'",
            (due_at, reason, unknown, parcel),
        )

    def accepted(self, taken: Iterable[tuple[str, int]]) -> None:
        """Note which answers the network took, under which ids of its own.

        Those whose delivery is known already are left as they are.
        """
        rows, others = [], []
        for carrier_id, parcel in taken:
            if (row := self._handed.take(parcel)) is not None:
                rows.append((*row, "accepted", carrier_id))
            else:
                others.append((carrier_id, parcel))
        self._connection.executemany(_ADD, rows)
        self._connection.executemany(_ACCEPTED, others)

    def settle(self, parcel: int, state: State, reason: str, clock: float) -> bool:
        """Note what finally became of an answer; tell whether that was news.

        What was known first stands, but a delivery, which cannot be undone, outdoes all else.
        """
        self._write_out(parcel)
        settled = self._connection.execute(_SETTLE, (state.value, reason, clock, parcel))
        return settled.rowcount == 1

    def exists(self, parcel: int) -> bool:
        """Tell whether there is an answer of this id."""
        found = self._connection.execute("SELECT 1 FROM outbox WHERE id = ?", (parcel,))
        return found.fetchone() is not None or parcel in self._handed

    def find(self, route: str, carrier_id: str) -> int | None:
        """Return the latest answer that the network took under this id by this carrier."""
        row = self._connection.execute(
            "SELECT max(id) FROM outbox WHERE route = ? AND carrier_id = ?", (route, carrier_id)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def keep_early(
        self, carrier: str, carrier_id: str, state: State, reason: str, now: float
    ) -> None:
        """Keep a report that fits no answer yet, for a while."""
        self._connection.execute(_FORGET_EARLY, (now - EARLY_SECONDS, EARLY_REPORTS - 1))
        row = (carrier, carrier_id, state.value, reason, now)
        self._connection.execute(_KEEP_EARLY, row)

    def has_early(self) -> bool:
        """Tell whether any report is kept."""
        return self._connection.execute(_HAS_EARLY).fetchone() is not None

    def take_early(self, carrier: str, carrier_id: str, now: float) -> tuple[State, str] | None:
        """Return, and forget, what was reported under this id not long ago."""
        row = self._connection.execute(
            "DELETE FROM early_report WHERE carrier = ? AND carrier_id = ?"
            " RETURNING state, reason, came_at",
            (carrier, carrier_id),
        ).fetchone()
        if row is None or row[2] <= now - EARLY_SECONDS:
            return None
        return State(row[0]), row[1]

    def deliveries(self, issue: int) -> list[Delivery]:
        """Return how far each sending of the answer of this decision has come, first to last."""
        rows = self._connection.execute(
            "SELECT coalesce(route, carrier), state, queued_at, attempts, reason, settled_at"
            " FROM outbox WHERE decision = ? ORDER BY id",
            (issue,),
        )
        known = [Delivery(carrier, State(state), *rest) for carrier, state, *rest in rows]
        return known + [
            Delivery(route, State.HANDED, queued_at, 1, "", None)
            for route, queued_at in self._handed.of(issue)
        ]

    def waiting(self) -> tuple[int, float | None]:
        """Return how many answers wait to leave, and the POSIX time when the oldest was queued."""
        count, oldest = self._connection.execute(_WAITING).fetchone()
        if oldest is None:
            return 0, None
        found = self._connection.execute("SELECT queued_at FROM outbox WHERE id = ?", (oldest,))
        return count, found.fetchone()[0]

    def retry_now(self, issue: int, *, now: float, validity: float) -> bool:
        """Have the latest answer of this decision leave as soon as it can, though it had failed.

        Tells whether there was one that waits for another try, failed, or expired.
        """
        if self._handed.of(issue):
            return False
        values = {"issue": issue, "now": now, "expiry": now + validity}
        return bool(self._connection.execute(_RETRY_NOW, values).fetchall())

    def counts(self) -> dict[str, int]:
        """Return how many answers are in each state."""
        rows = self._connection.execute("SELECT state, count(*) FROM outbox GROUP BY state")
        counts = dict.fromkeys((state.value for state in State), 0) | dict(rows.fetchall())
        counts[State.HANDED.value] += len(self._handed)
        return counts

    def committed(self) -> None:
        """Take what was changed for durable."""
        self._handed.committed()

    def forget(self) -> None:
        """Forget what was changed since, if it has not become durable."""
        self._handed.forget()
        self.last = None


def _columns(carrier: str, answer: Answer) -> Columns:
    repeat = answer.outcome is Outcome.REPEATED
    return answer.issue or None, carrier, int(answer.recipient), repeat, answer.text


def _due_at_once(times: Times) -> tuple[float, float, float]:
    """Return the columns queued_at, expires_at and due_at."""
    queued_at, now, expires_at = times
    return queued_at, expires_at, now

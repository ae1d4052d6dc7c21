"""Purging: old decisions lose the numbers that they were about, and stay in the audit chain.

Old messages of Sam's to parties are deleted.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from dtns.sam.store.audit import NOTHING, AuditChain, Head
from dtns.sam.store.connection import Connection
from dtns.sam.store.rows import SEALED_COLUMNS, to_text
from dtns.sam.store.store import Store

SPAN: Final = 2000
"""Decisions looked at in one transaction."""

_NAMES: Final = SEALED_COLUMNS.split(", ")
_PURGED: Final[dict[str, Any]] = {"asker": None, "holder": None, "carrier": "", "answer": None}
_BEFORE: Final = "SELECT digest FROM decision AS before WHERE before.id = decision.id - 1"
_FIND: Final = (
    f"SELECT id, audit_key, ({_BEFORE}), digest, {SEALED_COLUMNS}"  # noqa: S608 (constants)
    " FROM decision WHERE id > ? AND id <= ? AND purged IS NULL AND digest IS NOT NULL"
    " AND decided_at < ? AND coalesce(expiry, 0) <= ?"
)
_PURGE: Final = (
    "UPDATE decision SET purged = ?, asker = NULL, holder = NULL, carrier = '', identity = '',"
    " answer = NULL"
    " WHERE id = ?"
)
_COUNT_LEFT: Final = "SELECT count(*) FROM decision WHERE id > ? AND id <= ? AND purged IS NULL"
_DROP_ANSWERS: Final = "DELETE FROM outbox WHERE decision = ?"
_DROP_OLDEST: Final = (
    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT ?)"
    " AND queued_at < ? AND (state NOT IN ('queued', 'handed', 'retrying')"
    " OR expires_at <= (SELECT seconds FROM service_time))"
)


@frozen
class Retention:
    """What may be purged: decided before *before* (POSIX), keys expired by the week *week*."""

    before: float
    week: int


@frozen
class Span:
    """Decisions purged in one span and left unpurged in it, and the id after which the next begins.

    next is None at the end of the log.
    """

    purged: int
    left: int
    next: int | None


def purge_span(
    store: Store,
    chain: AuditChain,
    retention: Retention,
    after: int,
    *,
    span: int = SPAN,
    dry: bool = False,
) -> Span:
    """Purge the decisions that may be purged among the next *span* after the id *after*.

    Works inside the store's transaction. A decision is kept while its key lives, for then its ask
    may still be repeated, and for good if its digest is wrong: a mark would hide that. With *dry*
    nothing is changed.
    """
    end = after + span
    old = _find(store.connection, (after, end, retention.before, retention.week))
    marked = [found for row in old if (found := _marked(chain, *row)) is not None]
    if not dry:
        store.outbox.write_out()
        store.index.write()
        store.index.drop([place for _, place in marked])
        for mark, place in marked:
            store.connection.execute(_PURGE, (mark, place))
            store.connection.execute(_DROP_ANSWERS, (place,))
        store.connection.execute(_DROP_OLDEST, (span, retention.before))
    (left,) = store.connection.execute(_COUNT_LEFT, (after, end)).fetchone()
    return Span(len(marked), left, None if end >= store.meta().head.count else end)


def _find(connection: Connection, which: tuple[float, ...]) -> list[Any]:
    connection.text_factory = to_text
    try:
        return connection.execute(_FIND, which).fetchall()
    finally:
        connection.text_factory = str


def _marked(
    chain: AuditChain, place: int, master_id: int, before: bytes | None, digest: bytes, *values: Any
) -> tuple[bytes, int] | None:
    """Return the mark of a decision whose digest is right, and its place; None if it is not."""
    head = Head(place - 1, before or NOTHING)
    if not chain.knows(master_id) or not chain.is_next(master_id, head, values, digest):
        return None
    left = [_PURGED.get(name, value) for name, value in zip(_NAMES, values, strict=True)]
    return chain.purge_mark(master_id, head, digest, left), place

"""Purging: old decisions lose the numbers that they were about, and stay in the audit chain.

Old messages of Sam's to parties are deleted.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from dtns.sam.store.audit import AuditChain
from dtns.sam.store.rows import SEALED_COLUMNS
from dtns.sam.store.store import Store

SPAN: Final = 2000
"""Decisions looked at in one transaction."""

_NAMES: Final = SEALED_COLUMNS.split(", ")
_PURGED: Final[dict[str, Any]] = {"asker": None, "holder": None, "carrier": "", "answer": None}
_FIND: Final = (
    f"SELECT id, audit_key, digest, {SEALED_COLUMNS}"  # noqa: S608 (constants)
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
    may still be repeated. With *dry* nothing is changed.
    """
    end = after + span
    rows = store.connection.execute(_FIND, (after, end, retention.before, retention.week))
    found = rows.fetchall()
    if not dry:
        store.outbox.write_out()
        for place, master_id, digest, *values in found:
            left = [_PURGED.get(name, value) for name, value in zip(_NAMES, values, strict=True)]
            mark = chain.purge_mark(master_id, place, digest, left)
            store.connection.execute(_PURGE, (mark, place))
            store.connection.execute(_DROP_ANSWERS, (place,))
        store.connection.execute(_DROP_OLDEST, (span, retention.before))
    (left,) = store.connection.execute(_COUNT_LEFT, (after, end)).fetchone()
    return Span(len(found), left, None if end >= store.meta().head.count else end)

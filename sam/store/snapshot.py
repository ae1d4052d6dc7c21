"""A store as it is at one moment, for reading beside a running Sam."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dtns.sam.errors import NoStoreError, StoreError
from dtns.sam.store.database import BUSY_SECONDS, insist_ours
from dtns.sam.store.faults import store_faults
from dtns.sam.store.rows import to_text
from dtns.sam.store.schema import current_schema


@contextmanager
def snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that sees the store as it is now, whatever Sam goes on to write.

    Nothing is written and no one waits. Raises StoreError where the store is missing, none of ours
    or of another version.
    """
    if not path.exists():
        raise NoStoreError(path)
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with (
        store_faults(path),
        closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as it,
    ):
        insist_ours(it, path)
        it.execute("PRAGMA trusted_schema = OFF")
        it.text_factory = to_text
        it.execute("BEGIN")
        (found,) = it.execute("SELECT schema_version FROM meta").fetchone()
        if found != (known := current_schema().version):
            raise StoreError(
                f"the store {path} has version {found} and this dtns reads version {known}: a "
                "newer dtns reads it, or `dtns serve` upgrades it"
            )
        yield it

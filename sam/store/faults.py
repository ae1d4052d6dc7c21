"""SQLite's faults in words for the operator."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dtns.sam.errors import StoreError

_ADVICE: Final = {
    sqlite3.SQLITE_BUSY: "is locked by another program: close what has it open and try again",
    sqlite3.SQLITE_LOCKED: "is locked by another program: close what has it open and try again",
    sqlite3.SQLITE_READONLY: "cannot be written: check its owner and mode, and that its disk is "
    "not mounted read-only",
    sqlite3.SQLITE_PERM: "may not be opened: check its owner and mode",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that it is a file, its folder, owner and "
    "mode",
    sqlite3.SQLITE_FULL: "cannot grow, its disk is full: free some space and try again; nothing "
    "was half written",
    sqlite3.SQLITE_IOERR: "cannot be read or written, its disk reports errors: check the disk, "
    "then try again",
    sqlite3.SQLITE_CORRUPT: "is damaged: put back the last good copy",
    sqlite3.SQLITE_NOTADB: "is no dtns store, or is damaged: check the path, or put back the last "
    "good copy",
}
_PRIMARY: Final = 0xFF


@contextmanager
def store_faults(path: Path) -> Iterator[None]:
    """Turn SQLite's faults into StoreError; a fault in the program itself goes through."""
    try:
        yield
    except sqlite3.DatabaseError as fault:
        advice = _ADVICE.get(_code(fault))
        if advice is None:
            raise
        raise StoreError(f"the store {path} {advice} (SQLite says: {fault})") from fault


def is_busy(fault: sqlite3.DatabaseError) -> bool:
    """Tell whether another program's lock is in the way."""
    return _code(fault) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(fault: sqlite3.DatabaseError) -> int:
    code: int = getattr(fault, "sqlite_errorcode", 0)
    return code & _PRIMARY

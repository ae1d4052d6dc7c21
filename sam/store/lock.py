"""The lock on a store: whoever holds it is the only Sam."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from dtns.sam.errors import StoreError


class StoreInUseError(StoreError):
    """Another process holds the store."""


class StoreLock:
    """An exclusive lock, held from `acquire` to `release` or to the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock at once; StoreInUseError names the process that has it.

        Raises StoreError where the lock file cannot be made.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise StoreError(f"cannot open the lock {self._path}: {fault.strerror}") from fault
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            by = f"process {holder}" if holder else "another process"
            raise StoreInUseError(
                f"{self._path.parent} is in use by {by} (a running `dtns serve`?): stop it first"
            ) from fault
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock, if held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

"""A Unix socket's path, held by one server at a time and never taken from a live one."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from dtns.gateway.errors import AddressTakenError

_PROBE_SECONDS: Final = 2.0


class SocketFile:
    """The exclusive right to listen at *path*, from `claim` to `release`.

    A lock on `PATH.lock` keeps two servers apart; a socket that a dead server left is removed, a
    live one and anything that is no socket are left alone.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._lock_path = Path(f"{path}.lock")
        self._lock: int | None = None

    def claim(self) -> None:
        """Take the path.

        Raises:
            AddressTakenError: a live server listens there, or it cannot be used.
        """
        try:
            self._lock = self._take_lock()
        except BlockingIOError:
            raise AddressTakenError(f"a network already listens at unix:{self._path}") from None
        except OSError as error:
            raise AddressTakenError(
                f"cannot listen at unix:{self._path}: {error.strerror}"
            ) from None
        try:
            self._clear()
        except AddressTakenError:
            self.release()
            raise

    def release(self) -> None:
        """Give the path up; may be called again."""
        if self._lock is not None:
            with suppress(FileNotFoundError):
                self._lock_path.unlink()
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> int:
        while True:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(lock), self._lock_path.lstat()):
                    return lock
            except FileNotFoundError:  # its last holder removed it: lock the next one
                pass
            except BaseException:
                os.close(lock)
                raise
            os.close(lock)

    def _clear(self) -> None:
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise AddressTakenError(f"{self._path} is not a socket; it is left alone")
        if self._answers():
            raise AddressTakenError(f"another server listens at unix:{self._path}")
        self._path.unlink(missing_ok=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PROBE_SECONDS)
            try:
                probe.connect(str(self._path))
            except ConnectionRefusedError:
                return False
            except OSError as error:
                raise AddressTakenError(
                    f"cannot listen at unix:{self._path}: {error.strerror or error}"
                ) from None
        return True

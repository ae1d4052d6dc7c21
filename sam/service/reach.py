"""The operator's way to Sam: through the admin socket of a running one, or else directly."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

from dtns.sam.configuration import Config
from dtns.sam.errors import NoStoreError, UnreachableError
from dtns.sam.service.adminwire import MAX_LINE, decode_result, encode_request
from dtns.sam.service.requests import Refusal, Request
from dtns.sam.store.lock import StoreInUseError, StoreLock

_R = TypeVar("_R")

PATIENCE_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.05


class Administrable(Protocol):
    """Sam, near or far."""

    def answer(self, request: Request[_R]) -> _R | Refusal:
        """Do what is asked and return the result or a refusal.

        Raises StoreError if it cannot be done, UnreachableError if a running Sam is silent.
        """


@contextmanager
def reach(config: Config, clock: Callable[[], float] = time.time) -> Iterator[Administrable]:
    """Reach Sam: under the store's lock where none runs, else through its admin socket.

    Waits a little for a Sam that is just starting or another command that is just ending.
    """
    with ExitStack() as stack:
        yield _reach(config, clock, stack)


def _reach(config: Config, clock: Callable[[], float], stack: ExitStack) -> Administrable:
    if not config.store.exists():
        raise NoStoreError(config.store)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            stack.enter_context(StoreLock(config.lock))
        except StoreInUseError:
            if (connection := _connect(config.admin_socket)) is not None:
                return RemoteSam(stack.enter_context(connection), config.admin_socket)
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            from dtns.sam.service.opening import administer  # noqa: PLC0415 (half of all of Sam)

            return stack.enter_context(administer(config, clock))


def _connect(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(os.fspath(path))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as fault:
        connection.close()
        raise UnreachableError(
            f"Sam runs, but its admin socket {path} cannot be used: {fault.strerror}"
        ) from fault
    return connection


class RemoteSam:
    """A running Sam, behind a connected admin socket."""

    def __init__(self, connection: socket.socket, path: Path) -> None:
        self._stream = connection.makefile("rwb")
        self._path = path

    def answer(self, request: Request[_R]) -> _R | Refusal:
        """Have Sam do what is asked."""
        try:
            self._stream.write(encode_request(request))
            self._stream.flush()
            line = self._stream.readline(MAX_LINE)
        except OSError as fault:
            raise UnreachableError(f"Sam does not answer at {self._path}: {fault}") from fault
        if not line.endswith(b"\n"):
            raise UnreachableError(f"Sam stopped before it answered at {self._path}: look again")
        return decode_result(line, request)

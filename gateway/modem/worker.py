"""One thread that does one modem's blocking work, in order, and tells the reactor."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class Worker:
    """Runs calls one after the other in a thread of its own; used from the reactor's thread."""

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._name = name
        self._calls: SimpleQueue[tuple[Callable[[], Any], Deferred[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have the thread end once its calls are done; does not wait."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread = None

    def run(self, call: Callable[[], _T]) -> Deferred[_T]:
        """Have *call* run after those before it; fires in the reactor's thread."""
        done: Deferred[_T] = Deferred()
        self._calls.put((call, done))
        return done

    def _work(self) -> None:
        while (work := self._calls.get()) is not None:
            call, done = work
            try:
                result = call()
            except BaseException:  # noqa: BLE001 (whatever it is, the reactor is told)
                self._reactor.callFromThread(done.errback, Failure())  # type: ignore[no-untyped-call]  # Twisted's
            else:
                self._reactor.callFromThread(done.callback, result)

"""What was delivered, on its way into the sink: stored, then acknowledged; for all carriers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.task import deferLater
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twisted.python.failure import Failure

_FIRST_RETRY_SECONDS: Final = 1.0
_LONGEST_RETRY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0


class Intake:
    """Offers each item to the sink until it is stored; then, and only then, acknowledges it.

    An item that comes again while it is at the sink is not offered twice at a time.
    """

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._storing: dict[str, Deferred[None]] = {}
        self._pauses: set[Deferred[None]] = set()
        self._stopping = False

    def take(
        self,
        key: str,
        store: Callable[[], Awaitable[None]],
        acknowledge: Callable[[], object] = lambda: None,
    ) -> None:
        """Have *store* store the item called *key*, then *acknowledge* it."""
        if self._stopping or key in self._storing:
            return
        done: Deferred[None] = Deferred()
        self._storing[key] = done
        Deferred.fromCoroutine(self._offer(store, acknowledge)).addBoth(self._finished, key)

    async def _offer(
        self, store: Callable[[], Awaitable[None]], acknowledge: Callable[[], object]
    ) -> None:
        pause = _FIRST_RETRY_SECONDS
        while not self._stopping:
            try:
                await store()
            except Exception:  # noqa: BLE001 # whatever a sink raises, it did not store
                self._log.failure("not stored, will be offered again in {pause} s", pause=pause)
                await self._pause(pause)
                pause = min(2 * pause, _LONGEST_RETRY_SECONDS)
            else:
                acknowledge()
                return

    async def _pause(self, seconds: float) -> None:
        pause: Deferred[None] = deferLater(self._reactor, seconds)
        self._pauses.add(pause)
        try:
            await pause
        except CancelledError:
            pass  # stopping
        finally:
            self._pauses.discard(pause)

    def _finished(self, result: Failure | None, key: str) -> None:
        if result is not None:
            self._log.failure("could not acknowledge", failure=result)
        self._storing.pop(key).callback(None)

    def start(self) -> None:
        """Take items, after a `stop` too."""
        self._stopping = False

    async def stop(self) -> None:
        """Take nothing more; wait, but not for ever, for what is being stored."""
        self._stopping = True
        for pause in list(self._pauses):
            pause.cancel()
        if self._storing:
            storing = DeferredList(list(self._storing.values()))
            storing.addTimeout(_STOP_SECONDS, self._reactor)
            await storing.addErrback(lambda _: None)

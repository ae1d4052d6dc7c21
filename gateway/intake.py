"""What was delivered, on its way into the sink: stored, then acknowledged; for all carriers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_FIRST_RETRY_SECONDS: Final = 1.0
_LONGEST_RETRY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0


class _StoppedError(Exception):
    """The item is not offered any more; the network still has it."""


class Intake:
    """Offers each item to the sink until it is stored; then, and only then, acknowledges it.

    An item that comes again while it is at the sink is not offered twice at a time.
    """

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._storing: set[str] = set()
        self._emptied: Deferred[None] | None = None
        self._pauses: set[Deferred[None]] = set()
        self._stopping = False

    def __len__(self) -> int:
        """Count what is at the sink, or waits to be offered again."""
        return len(self._storing)

    def take(
        self,
        key: str,
        store: Callable[[], Awaitable[None]],
        acknowledge: Callable[[], object] = lambda: None,
    ) -> None:
        """Have *store* store the item called *key*, then *acknowledge* it."""
        if self._stopping or key in self._storing:
            return
        self._storing.add(key)
        storing = maybeDeferred(store).addErrback(self._not_stored, store)
        storing.addCallback(lambda _: acknowledge())
        storing.addErrback(self._not_acknowledged).addBoth(self._finished, key)

    def _not_stored(self, failure: Failure, store: Callable[[], Awaitable[None]]) -> Deferred[None]:
        return Deferred.fromCoroutine(self._offer_until_stored(failure, store))

    async def _offer_until_stored(
        self, failure: Failure, store: Callable[[], Awaitable[None]]
    ) -> None:
        pause = _FIRST_RETRY_SECONDS
        while True:
            self._log.failure(
                "not stored, will be offered again in {pause} s", failure, pause=pause
            )
            await self._pause(pause)
            pause = min(2 * pause, _LONGEST_RETRY_SECONDS)
            if self._stopping:
                raise _StoppedError
            try:
                await store()
            except Exception:  # noqa: BLE001 # whatever a sink raises, it did not store
                failure = Failure()  # type: ignore[no-untyped-call]
            else:
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

    def _not_acknowledged(self, failure: Failure) -> None:
        if not isinstance(failure.value, _StoppedError):
            self._log.failure("could not acknowledge", failure=failure)

    def _finished(self, _: object, key: str) -> None:
        self._storing.discard(key)
        if not self._storing and self._emptied is not None:
            self._emptied.callback(None)
            self._emptied = None

    def start(self) -> None:
        """Take items, after a `stop` too."""
        self._stopping = False

    async def stop(self) -> None:
        """Take nothing more; wait, but not for ever, for what is being stored."""
        self._stopping = True
        for pause in list(self._pauses):
            pause.cancel()
        if self._storing:
            self._emptied = Deferred()
            await self._emptied.addTimeout(
                _STOP_SECONDS, self._reactor, onTimeoutCancel=self._waited_enough
            )

    def _waited_enough(self, *_: object) -> None:
        self._emptied = None

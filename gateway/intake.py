"""What was delivered, on its way into the sink: stored, then acknowledged; for all carriers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from dtns.gateway.carrier import Inbound, Report, Sink

_FIRST_RETRY_SECONDS: Final = 1.0
_LONGEST_RETRY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0


class _Noted(NamedTuple):
    """A report, what it is called while it is at the sink, and what acknowledges it."""

    identity: Hashable
    report: Report
    acknowledge: Callable[[], object]


class _Offer:
    """Items offered to the sink together; those not taken are offered *again* after *pause*."""

    __slots__ = ("acknowledge", "again", "items", "pause", "store")

    def __init__(
        self,
        items: list[Any],
        store: Callable[[Sequence[Any], Callable[..., None]], object],
        acknowledge: Callable[[Sequence[Any]], object],
        pause: float = _FIRST_RETRY_SECONDS,
    ) -> None:
        self.items = items
        self.store = store
        self.acknowledge = acknowledge
        self.pause = pause
        self.again: _Offer | None = None


class Intake:
    """Offers what comes to *sink* until it is stored; then, and only then, acknowledges it.

    Messages that were stored are given to *acknowledge*, some at a time. One that comes again
    while it is at the sink, or waits to be offered again, is not offered twice at a time.
    """

    _log = Logger()

    def __init__(
        self, sink: Sink, acknowledge: Callable[[Sequence[Inbound]], object], reactor: Any
    ) -> None:
        self._sink = sink
        self._acknowledge = acknowledge
        self._reactor = reactor
        self._open: dict[Hashable, _Offer] = {}
        self._pauses: dict[_Offer, Any] = {}
        self._emptied: Deferred[None] | None = None
        self._stopping = False

    def __len__(self) -> int:
        """Count what is at the sink, or waits to be offered again."""
        return len(self._open)

    def take(self, messages: Sequence[Inbound]) -> None:
        """Have the sink store *messages*, then acknowledge them."""
        self._take(_Offer([*messages], self._sink.received, self._acknowledge))

    def take_report(
        self, name: str, report: Report, acknowledge: Callable[[], object] = lambda: None
    ) -> None:
        """Have the sink store *report*, called *name* until it is, then *acknowledge* it."""
        noted = _Noted(("report", name), report, acknowledge)
        self._take(_Offer([noted], self._store_report, lambda _: acknowledge()))

    def _store_report(self, noted: Sequence[_Noted], settled: Callable[..., None]) -> None:
        storing = maybeDeferred(self._sink.reported, noted[0].report)
        storing.addCallbacks(lambda _: settled(noted, None), lambda fault: settled(noted, fault))

    def _take(self, offer: _Offer) -> None:
        if self._stopping:
            return
        known = self._open
        fresh = {item.identity: item for item in offer.items if item.identity not in known}
        if fresh:
            known.update(dict.fromkeys(fresh, offer))
            offer.items = list(fresh.values())
            self._offer(offer)

    def _offer(self, offer: _Offer) -> None:
        try:
            offer.store(offer.items, partial(self._settled, offer))
        except Exception:  # noqa: BLE001 # whatever a sink raises, it did not store
            self._settled(offer, offer.items, Failure())  # type: ignore[no-untyped-call]

    def _settled(self, offer: _Offer, items: Sequence[Any], failure: Failure | None) -> None:
        known = self._open
        items = [item for item in items if known.get(item.identity) is offer]
        if not items:
            return
        if failure is not None and not self._stopping:
            self._offer_later(offer, items, failure)
            return
        for item in items:
            del known[item.identity]
        if failure is None:
            try:
                offer.acknowledge(items)
            except Exception:  # noqa: BLE001 # stored, and the network offers it again
                self._log.failure("could not acknowledge")
        self._look_empty()

    def _offer_later(self, offer: _Offer, items: list[Any], failure: Failure) -> None:
        self._log.failure(
            "{count} not stored, will be offered again in {pause} s",
            failure,
            count=len(items),
            pause=offer.pause,
        )
        if offer.again is None:
            pause = min(2 * offer.pause, _LONGEST_RETRY_SECONDS)
            offer.again = _Offer([], offer.store, offer.acknowledge, pause)
            self._pauses[offer] = self._reactor.callLater(offer.pause, self._offer_again, offer)
        offer.again.items += items
        for item in items:
            self._open[item.identity] = offer.again

    def _offer_again(self, offer: _Offer) -> None:
        del self._pauses[offer]
        again, offer.again = offer.again, None
        assert again is not None
        self._offer(again)

    def _look_empty(self) -> None:
        if not self._open and self._emptied is not None:
            self._emptied.callback(None)
            self._emptied = None

    def start(self) -> None:
        """Take items, after a `stop` too."""
        self._stopping = False

    async def stop(self) -> None:
        """Take nothing more; wait, but not for ever, for what is being stored."""
        self._stopping = True
        pauses, self._pauses = self._pauses, {}
        for offer, pause in pauses.items():
            pause.cancel()
            again, offer.again = offer.again, None
            for item in again.items if again else ():
                del self._open[item.identity]
        if self._open:
            self._emptied = Deferred()
            await self._emptied.addTimeout(
                _STOP_SECONDS, self._reactor, onTimeoutCancel=self._waited_enough
            )

    def _waited_enough(self, *_: object) -> None:
        self._emptied = None

"""What Sam does for its store while it runs: journal the log's head, purge what is old."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from dtns.sam.errors import StoreError
from dtns.sam.issuing.issuer import DAY_SECONDS
from dtns.sam.protocol.weeks import start_of, week_of
from dtns.sam.service import requests as ask
from dtns.sam.service.requests import Refusal
from dtns.sam.store.retention import SPAN, Retention, Span, purge_span
from dtns.sam.store.store import Store

HOUR_SECONDS: Final = 3600.0
_HOURS_A_DAY: Final = 24
YOUNG_SPANS: Final = 50
"""After so many spans in a row without anything to purge, a run ends: what follows is younger."""


class Upkeep:
    """The upkeep of one store; *clock* gives POSIX time, and is believed as far as Sam believes it.

    anchor and purge work inside the store's transaction, a purge on *span* decisions.
    """

    def __init__(
        self, store: Store, clock: Callable[[], float], retention_days: int, span: int = SPAN
    ) -> None:
        self._store = store
        self._clock = clock
        self._days = retention_days
        self._span = span
        self.answers: Mapping[type[Any], Callable[[Any], Any]] = {ask.Purge: self._purge}

    def anchor(self, *, always: bool = False) -> None:
        """Journal the head of the log, if it has grown since the last entry or *always*."""
        guard = self._store.guard
        if guard is not None and (
            always or self._store.meta().head.count > guard.journal.tip.head.count
        ):
            guard.anchor()

    def purge(self, after: int, *, dry: bool = False) -> Span | None:
        """Purge some decisions after an id; None if all are kept for ever."""
        guard, retention = self._store.guard, self._retention()
        if guard is None or retention is None:
            return None
        return purge_span(self._store, guard.chain, retention, after, span=self._span, dry=dry)

    def _retention(self) -> Retention | None:
        if not self._days:
            return None
        week = min(week_of(self._clock()), self._store.week)
        now = min(self._clock(), start_of(week + 1))
        return Retention(now - self._days * DAY_SECONDS, week)

    def _purge(self, request: ask.Purge) -> ask.Purged | Refusal:
        span = self.purge(request.after, dry=request.dry)
        if span is None:
            return Refusal("retention_days is 0 in [sam]: decisions are kept whole for ever")
        return ask.Purged(span.purged, span.next)


class UpkeepLoop:
    """Does the upkeep of a running Sam: at the start, every hour and day, and at the end."""

    _log = Logger()

    def __init__(
        self, store: Store, upkeep: Upkeep, reactor: Any, young_spans: int = YOUNG_SPANS
    ) -> None:
        self._store = store
        self._upkeep = upkeep
        self._young_spans = young_spans
        self._reactor = reactor
        self._hours = 0
        self._floor = 0
        self._next: Any = None
        self._loop = LoopingCall(self._hour)
        self._loop.clock = reactor

    def start(self) -> None:
        """Journal that Sam starts; StoreError if that cannot be."""
        with self._store.transaction():
            self._upkeep.anchor(always=True)
        self._loop.start(HOUR_SECONDS, now=False)

    def stop(self) -> None:
        """Journal where the log ends."""
        if self._loop.running:
            self._loop.stop()
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._try(self._upkeep.anchor)

    def _hour(self) -> None:
        self._try(self._upkeep.anchor)
        if self._hours % _HOURS_A_DAY == 0:
            self._purge(self._floor, 0, 0)
        self._hours += 1

    def _purge(self, after: int, purged: int, young: int) -> None:
        """Purge one span of decisions; the next comes when other work has had its turn."""
        span = self._try(lambda: self._upkeep.purge(after))
        if span is None:
            return
        if span.left == 0 and after == self._floor and span.next is not None:
            self._floor = span.next
        purged, young = purged + span.purged, 0 if span.purged else young + (span.left > 0)
        if span.next is None or young > self._young_spans:
            self._log.info("{count} decisions purged", event="purged", count=purged)
            return
        self._next = self._reactor.callLater(0.05, self._purge, span.next, purged, young)

    def _try(self, work: Callable[[], Any]) -> Any:
        try:
            with self._store.transaction():
                return work()
        except StoreError as fault:
            self._log.error("{fault}", event="upkeep", fault=str(fault))
            return None

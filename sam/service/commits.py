"""Group commit: everything that one reactor turn wants written goes into one transaction."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from time import perf_counter
from typing import Any, Final, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred

from dtns.sam.errors import StoreError
from dtns.sam.store.store import Store

_T = TypeVar("_T")

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Seconds that a transaction may take, the upper ends of the histogram's buckets."""

FIRST_REST_SECONDS: Final = 0.25
LONGEST_REST_SECONDS: Final = 2.0


class Durations:
    """How long transactions took, in seconds, counted in buckets for a histogram."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def note(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return how many took at most each bound, and in all, as a histogram has it."""
        names = [*map(str, BOUNDS), "+Inf"]
        return list(zip(names, map(float, accumulate(self._counts)), strict=True))


@frozen
class _Write:
    work: Callable[[], Any]
    done: Deferred[Any]


class GroupCommit:
    """Runs pieces of work inside the store's transaction, all of one turn's in the same one.

    A piece may be run a second time, after a roll-back: it must have no effect but on the store.
    A store that fails is left alone for a moment before the next commit, and longer each time.
    """

    def __init__(self, store: Store, reactor: Any) -> None:
        self._store = store
        self._reactor = reactor
        self._waiting: list[_Write] = []
        self._rest = 0.0
        self.durations = Durations()

    def write(self, work: Callable[[], _T]) -> Deferred[_T]:
        """Run *work* in the next commit; fires with its result once that is durable.

        Fails with StoreError if nothing of the turn could be written, or with what *work* itself
        raised, which keeps no other work from being written.
        """
        done: Deferred[_T] = Deferred()
        self._waiting.append(_Write(work, done))
        if len(self._waiting) == 1:
            self._reactor.callLater(self._rest, self._commit)
        return done

    def _commit(self) -> None:
        writes, self._waiting = self._waiting, []
        try:
            results = self._run(writes)
        except StoreError as fault:
            self._rest = min(max(2 * self._rest, FIRST_REST_SECONDS), LONGEST_REST_SECONDS)
            for write in writes:
                write.done.errback(fault)
        except Exception:  # noqa: BLE001 (a fault in one piece must not hold up the others)
            for write in writes:
                self._commit_alone(write)
        else:
            for write, result in zip(writes, results, strict=True):
                write.done.callback(result)

    def _commit_alone(self, write: _Write) -> None:
        try:
            (result,) = self._run([write])
        except Exception as fault:  # noqa: BLE001 (told to whoever asked for the write)
            write.done.errback(fault)
        else:
            write.done.callback(result)

    def _run(self, writes: list[_Write]) -> list[Any]:
        started = perf_counter()
        with self._store.transaction():
            results = [write.work() for write in writes]
        self.durations.note(perf_counter() - started)
        self._rest = 0.0
        return results

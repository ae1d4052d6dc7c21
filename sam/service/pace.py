"""Rates: so many a minute, evenly, with nothing saved up for later bursts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_BURST_SECONDS: Final = 1.0


class Pace:
    """A token bucket of *per_minute*, 0 for no limit; *clock* gives seconds and never goes back.

    What one second allows, and at least one, may come at once.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._per_second = per_minute / 60
        self._clock = clock
        self._most = max(1.0, self._per_second * _BURST_SECONDS)
        self._tokens = self._most
        self._counted_at = clock()

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self._per_second > 0

    def room(self, wanted: int) -> int:
        """Return how many of *wanted* may come now."""
        self._count()
        return min(wanted, int(self._tokens)) if self.limited else wanted

    def take(self, count: int) -> None:
        """Note that so many came."""
        self._tokens -= count

    def wait(self) -> float:
        """Return in how many seconds there is room for one."""
        self._count()
        if not self.limited or self._tokens >= 1:
            return 0.0
        return (1 - self._tokens) / self._per_second

    def _count(self) -> None:
        now = self._clock()
        earned = (now - self._counted_at) * self._per_second
        self._tokens = min(self._most, self._tokens + earned + 1e-9)
        self._counted_at = now

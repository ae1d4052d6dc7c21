"""What happened in each minute of the last hour, from counters that only grow; restarts too."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from twisted.internet.task import LoopingCall

from dtns.sam.issuing.issuer import Silence

FILE: Final = "console.minutes"
KEPT: Final = 60
_MINUTE_SECONDS: Final = 60
LOOK_SECONDS: Final = 5.0
_LONGEST: Final = 1_000_000

ASKS: Final[Mapping[str, tuple[str, ...]]] = {
    "issued": ("issued",),
    "refused": ("refused",),
    "repeated": ("repeated",),
    "met silence": tuple(kind.value for kind in Silence),
}
ANSWERS: Final[Mapping[str, tuple[str, ...]]] = {
    "accepted by a network": ("answers-accepted",),
    "to be tried again": ("answers-retried", "answers-perhaps-sent"),
    "failed": ("answers-failed", "answers-expired"),
}
DELIVERED: Final[Mapping[str, tuple[str, ...]]] = {"reported delivered": ("answers-delivered",)}
"""What comes after an acceptance, and so is drawn beside it."""


@frozen
class Series:
    """How often something happened in each minute, the oldest first, the present one last."""

    name: str
    counts: tuple[int, ...]


class Minutes:
    """Looks at *counters* every few seconds, by *clock*, which gives POSIX time.

    Each minute's counts are written into a file of *folder*; the last one is lost in a crash.
    """

    def __init__(
        self,
        counters: Mapping[str, int],
        clock: Callable[[], float],
        reactor: Any,
        folder: Path,
    ) -> None:
        self._counters = counters
        self._clock = clock
        self._path = folder / FILE
        self._seen = Counter(counters)
        self._minutes = self._load()
        self._written = self._minute
        self._loop = LoopingCall(self._look)
        self._loop.clock = reactor

    def start(self) -> None:
        """Begin to look."""
        self._loop.start(LOOK_SECONDS, now=False)

    def stop(self) -> None:
        """Look for the last time."""
        if self._loop.running:
            self._loop.stop()
            self._look()
            self._save()

    def series(self, kinds: Mapping[str, tuple[str, ...]]) -> list[Series]:
        """Return each kind's series, of the last KEPT minutes."""
        self._look()
        now = self._minute
        minutes = [self._minutes.get(now - back, {}) for back in range(KEPT - 1, -1, -1)]
        return [
            Series(name, tuple(sum(each.get(key, 0) for key in keys) for each in minutes))
            for name, keys in kinds.items()
        ]

    @property
    def _minute(self) -> int:
        return int(self._clock() // _MINUTE_SECONDS)

    def _look(self) -> None:
        now = self._minute
        news = Counter(self._counters) - self._seen
        self._seen = Counter(self._counters)
        if news:
            self._minutes[now] = dict(Counter(self._minutes.get(now, {})) + news)
        self._minutes = {at: each for at, each in self._minutes.items() if now - KEPT < at <= now}
        if now != self._written:
            self._written = now
            self._save()

    def _save(self) -> None:
        scratch = self._path.with_name(f"{FILE}.new")
        with suppress(OSError):
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(self._minutes, file)
            scratch.replace(self._path)

    def _load(self) -> dict[int, dict[str, int]]:
        """Read what was written before; nothing where that is missing or damaged."""
        try:
            with self._path.open() as file:
                found = json.loads(file.read(_LONGEST))
            return {
                int(at): {str(name): int(count) for name, count in each.items()}
                for at, each in found.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

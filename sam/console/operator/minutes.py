"""What happened in each of the last minutes, from counters that only grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from attrs import frozen
from twisted.internet.task import LoopingCall

from dtns.sam.issuing.issuer import Silence

KEPT: Final = 60
MINUTE_SECONDS: Final = 60.0

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
    """Looks at *counters* once a minute; what happened before it was made is not told."""

    def __init__(self, counters: Mapping[str, int], reactor: Any) -> None:
        self._counters = counters
        self._looks: deque[dict[str, int]] = deque([dict(counters)], maxlen=KEPT)
        self._loop = LoopingCall(self._look)
        self._loop.clock = reactor

    def start(self) -> None:
        """Begin to look."""
        self._loop.start(MINUTE_SECONDS, now=False)

    def stop(self) -> None:
        """Look no more."""
        if self._loop.running:
            self._loop.stop()

    def series(self, kinds: Mapping[str, tuple[str, ...]]) -> list[Series]:
        """Return each kind's series, of as many minutes as were looked at."""
        looks = [*self._looks, self._counters]
        return [
            Series(
                name,
                tuple(
                    sum(after.get(key, 0) - before.get(key, 0) for key in keys)
                    for before, after in pairwise(looks)
                ),
            )
            for name, keys in kinds.items()
        ]

    def _look(self) -> None:
        self._looks.append(dict(self._counters))

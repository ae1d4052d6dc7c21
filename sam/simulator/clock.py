"""The stage's time: the computer's, put forward by whole days."""

from __future__ import annotations

import time
from typing import Final

DAY_SECONDS: Final = 86_400
LATEST: Final = 60 * 365 * DAY_SECONDS
"""How far the time can be put forward in all; weeks are counted up to 65,535."""


class StageClock:
    """Time that never goes back; the network's and Sam's go forward together."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def posix(self) -> float:
        """Return Sam's time."""
        return time.time() + self._ahead

    def steady(self) -> float:
        """Return the network's time."""
        return time.monotonic() + self._ahead

    def forward(self, days: int) -> bool:
        """Put the time forward; False if it has come as far as it can."""
        ahead = self._ahead + days * DAY_SECONDS
        if ahead > LATEST:
            return False
        self._ahead = ahead
        return True

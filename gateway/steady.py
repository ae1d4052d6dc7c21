"""Timers that go on whatever happens to the computer's clock."""

from __future__ import annotations

import time
from typing import Any


def use_steady_clock(reactor: Any) -> None:
    """Have the timers of *reactor* go by a clock that nobody sets.

    Twisted's go by the time of day: set back by a year, it holds every timer up for a year. To
    be called before anything is scheduled.
    """
    reactor.seconds = time.monotonic

"""Which of several windows messages go to; sans-I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Window(NamedTuple):
    """*used* of *size* places are taken, and *room* more may be taken now."""

    used: int
    size: int
    room: int


def share_out(count: int, windows: Sequence[Window]) -> list[int]:
    """Return how many of *count* messages go to each window; fewer in all if there is no room.

    Each goes to the window that is least full by then, the first of several.
    """
    if len(windows) == 1:
        return [min(count, windows[0].room)]
    shares = [0] * len(windows)

    def fullness(place: int) -> float:
        return (windows[place].used + shares[place]) / windows[place].size

    for _ in range(count):
        free = [place for place, window in enumerate(windows) if shares[place] < window.room]
        if not free:
            break
        shares[min(free, key=fullness)] += 1
    return shares

"""Charts as numbers: what templates draw as SVG, without a script or another host."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from dtns.sam.console.operator.minutes import KEPT, Series

WIDTH: Final = 600
HEIGHT: Final = 140
_GAP: Final = 2.0
_STEPS: Final = (1, 2, 3, 4, 5, 6, 8, 10)


@frozen
class Bar:
    """A part of one minute's bar: place and size in the drawing, and whose series it is."""

    x: float
    y: float
    width: float
    height: float
    place: int


@frozen
class Bars:
    """A chart of stacked bars, the present minute at the right; top is its scale's highest count.

    points are those of one more series that is drawn as a line over the bars, as SVG has them.
    """

    bars: tuple[Bar, ...]
    series: tuple[Series, ...]
    top: int
    line: Series | None = None
    points: str = ""

    @property
    def totals(self) -> dict[str, int]:
        """The whole of each series."""
        series = self.series if self.line is None else (*self.series, self.line)
        return {each.name: sum(each.counts) for each in series}


def stacked(series: Sequence[Series], line: Series | None = None) -> Bars:
    """Return the chart of these series, all of one length of at most KEPT minutes."""
    columns = list(zip(*(each.counts for each in series), strict=True))
    highest = [sum(column) for column in columns] + list(line.counts if line else ())
    top = round_up(max(highest, default=0))
    slot = WIDTH / KEPT
    bars = []
    for place, column in enumerate(columns):
        x, base = WIDTH - (len(columns) - place) * slot, float(HEIGHT)
        for index, count in enumerate(column):
            height = count / top * HEIGHT
            base -= height
            if count:
                bar = Bar(round(x, 1), round(base, 1), slot - _GAP, round(height, 1), index)
                bars.append(bar)
    points = "" if line is None else _points(line, top)
    return Bars(tuple(bars), tuple(series), top, line, points)


def _points(line: Series, top: int) -> str:
    slot, count = WIDTH / KEPT, len(line.counts)
    return " ".join(
        f"{WIDTH - (count - place - 0.5) * slot - _GAP / 2:.1f},{HEIGHT - each / top * HEIGHT:.1f}"
        for place, each in enumerate(line.counts)
    )


def round_up(count: int) -> int:
    """Return the next round number, as 1 to 6, 8, 10, 20 and so on, that is not below *count*."""
    if count <= 1:
        return 1
    decade = int(10 ** math.floor(math.log10(count)))
    return next(step * decade for step in _STEPS if step * decade >= count)


@frozen
class Moment:
    """Something that happened in an exchange: when (POSIX time), what, and how it is shown.

    x is its place in the drawing; after is the time since the moment before, in words.
    """

    at: float
    what: str
    detail: str
    tone: str
    x: float = 0.0
    after: str = ""


def timeline(moments: Sequence[Moment]) -> list[Moment]:
    """Return moments in order of time, each with its place from 0 to WIDTH."""
    ordered = sorted(moments, key=lambda moment: moment.at)
    if not ordered:
        return []
    first, last = ordered[0].at, ordered[-1].at
    whole = (last - first) or 1.0
    placed, before = [], first
    for moment in ordered:
        x = round((moment.at - first) / whole * WIDTH, 1)
        after = span(moment.at - before) if moment.at - before >= 1 else ""
        placed.append(Moment(moment.at, moment.what, moment.detail, moment.tone, x, after))
        before = moment.at
    return placed


def span(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    left = max(0, round(seconds))
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"

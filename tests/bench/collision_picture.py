"""Draw the collision attack: success by requests thrown away, theory lines, measured dots."""

from __future__ import annotations

from typing import NamedTuple

from digits_picture import WIDTH, document, text_at

from dtns.sam.analysis.targets import TARGETS
from dtns.sam.analysis.theory import shared_value

HEIGHT = 320
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 56, 56
MOST = 52
STEP = 10
PUBLISHED = (27, 50)
LINES = """
  .line { fill: none; stroke-width: 2px; }
  .line.rival { stroke: #bc4c00; } .line.ours { stroke: #0969da; }
  @media (prefers-color-scheme: dark) {
    .line.rival { stroke: #f0883e; } .line.ours { stroke: #58a6ff; }
  }
"""


class Point(NamedTuple):
    """One measured point: how many of the trials succeeded, and the rate that theory gives."""

    target: str
    aborted: int
    trials: int
    succeeded: int
    theory: float


def _x(requests: float) -> float:
    return LEFT + requests / MOST * (WIDTH - LEFT - RIGHT)


def _y(rate: float) -> float:
    return HEIGHT - BOTTOM - rate * (HEIGHT - TOP - BOTTOM)


def _frame() -> list[str]:
    parts = [f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>']
    for percent in (0, 25, 50, 75, 100):
        y, kind = _y(percent / 100), "grid" if percent else "axis"
        parts.append(
            f'<line class="{kind}" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        )
        parts.append(text_at(LEFT - 8, y + 4, f"{percent} %", text_anchor="end"))
    under = HEIGHT - BOTTOM + 20
    parts += [
        text_at(_x(mark), under, str(mark), text_anchor="middle") for mark in range(0, MOST, STEP)
    ]
    title = "A payee shows one price and is paid another"
    parts.append(text_at(LEFT, 24, title, class_="title"))
    parts.append(text_at(LEFT, 42, "payees who succeed: theory as lines, measured as dots"))
    what = "requests thrown away at each of two prices"
    parts.append(text_at((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, what, text_anchor="middle"))
    return parts


def _curve(kind: str, checks: int, proofs: int) -> str:
    ends = [(n, shared_value(n, checks) / proofs) for n in range(MOST)]
    track = " ".join(f"{_x(n):.1f},{_y(rate):.1f}" for n, rate in ends)
    return f'<polyline class="line {kind}" points="{track}"/>'


def _dot(point: Point) -> str:
    kind = "ours" if point.target == "ours" else "rival"
    rate = point.succeeded / point.trials
    told = (
        f"{point.aborted} requests: {point.succeeded} of {point.trials}, theory {point.theory:.2g}"
    )
    title = f"<title>{point.target}, {told}</title>"
    x, y = _x(point.aborted), _y(rate)
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5">{title}</circle>'


def picture(points: list[Point]) -> str:
    """Return an SVG of the points over their curves, readable on light and dark."""
    first, ours = TARGETS["first"], TARGETS["ours"]
    few, many = (f"{100 * shared_value(n, first.checks):.0f} % with {n}" for n in PUBLISHED)
    most = f"1 in {float(f'{ours.proofs / shared_value(MOST, ours.checks):.2g}'):,.0f}"
    parts = [
        *_frame(),
        _curve("rival", first.checks, 1),
        _curve("ours", ours.checks, ours.proofs),
        *map(_dot, points),
        _label(0.3, f"DigiTally's first protocol: {few}, {many}"),
        _label(0.06, f"our small payments: at most {most}"),
    ]
    return document(parts, "Success of the collision attack", HEIGHT, LINES)


def _label(rate: float, text: str) -> str:
    return text_at(WIDTH - RIGHT, _y(rate), text, text_anchor="end")

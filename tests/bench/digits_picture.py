"""Draw digits typed until a code is in against first entries that fail, one dot a scheme."""

from __future__ import annotations

from typing import Any

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 56, 60
DIGITS = (40, 66)
FAILING = (0, 48)
LABELS = {
    "BitLocker": (-12, 4, "end"),
    "Damm per group": (12, 4, "start"),
    "plain decimal": (-12, 4, "end"),
    "mod 97-10": (8, -12, "end"),
}
"""Where each rival's label stands from its dot, and how it is anchored."""
STYLE = """
  svg { color-scheme: light dark; }
  text { font: 13px system-ui, sans-serif; fill: #24292f;
    paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
  .title { font-size: 15px; font-weight: 600; }
  .axis { stroke: #57606a; } .grid { stroke: #d0d7de; }
  .ours { fill: #0969da; } .rival { fill: #bc4c00; } .back { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; stroke: #0d1117; }
    .axis { stroke: #8b949e; } .grid { stroke: #30363d; }
    .ours { fill: #58a6ff; } .rival { fill: #f0883e; } .back { fill: #0d1117; }
  }
"""


def _x(digits: float) -> float:
    low, high = DIGITS
    return LEFT + (digits - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(percent: float) -> float:
    low, high = FAILING
    return HEIGHT - BOTTOM - (percent - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def text_at(x: float, y: float, text: str, **attributes: str) -> str:
    """Return a text element; attributes are written with underscores."""
    extra = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{value}"' for name, value in attributes.items()
    )
    return f'<text x="{x:.1f}" y="{y:.1f}"{extra}>{text}</text>'


def _frame() -> list[str]:
    parts = [f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>']
    for percent in range(FAILING[0], FAILING[1] + 1, 10):
        y = _y(percent)
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        )
        parts.append(text_at(LEFT - 8, y + 4, f"{percent} %", text_anchor="end"))
    marks = range(DIGITS[0], DIGITS[1] + 1, 5)
    under = HEIGHT - BOTTOM + 20
    parts += [text_at(_x(mark), under, str(mark), text_anchor="middle") for mark in marks]
    floor = _y(0)
    parts.append(
        f'<line class="axis" x1="{LEFT}" y1="{floor:.1f}" x2="{WIDTH - RIGHT}" y2="{floor:.1f}"/>'
    )
    parts.append(
        text_at(LEFT, 24, "128 bits, one slip in a hundred digits (simulated)", class_="title")
    )
    parts.append(text_at(LEFT, 42, "first entries that fail, by digits typed until the code is in"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        text_at(
            middle,
            HEIGHT - 14,
            "digits typed until the code is in, on average",
            text_anchor="middle",
        )
    )
    return parts


def _dot(cell: dict[str, Any]) -> list[str]:
    x, y = _x(cell["typed"]), _y(100 * cell["failed_first"])
    ours = cell["scheme"].startswith("dtns")
    name = "dtns" if ours else cell["scheme"]
    label = f"{name}, {cell['digits']} digits: {100 * cell['failed_first']:.1f} %"
    title = f"<title>{label} fail, {cell['typed']} digits typed</title>"
    kind = "ours" if ours else "rival"
    dot = f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="6">{title}</circle>'
    if ours:
        lift = {44: 66, 48: 44, 52: 22}[cell["digits"]]
        ends = f'x1="{x:.1f}" y1="{y - 6:.1f}" x2="{x:.1f}" y2="{y - lift + 6:.1f}"'
        return [f'<line class="grid" {ends}/>', dot, text_at(x - 4, y - lift, label)]
    right, down, anchor = LABELS[cell["scheme"]]
    return [dot, text_at(x + right, y + down, label, text_anchor=anchor)]


def picture(cells: list[dict[str, Any]]) -> str:
    """Return an SVG of the dialogue cells that carry 128 bits, readable on light and dark."""
    parts = _frame()
    for cell in cells:
        if cell["bits"] == 128:
            parts += _dot(cell)
    return document(parts, "Digits spent against entries that fail", HEIGHT)


def document(parts: list[str], about: str, height: int, style: str = "") -> str:
    """Return the SVG document of these elements, WIDTH by *height*."""
    label = f'role="img" aria-label="{about}"'
    box = f'viewBox="0 0 {WIDTH} {height}"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {label}>\n'
        f"<style>{STYLE}{style}</style>\n{body}\n</svg>\n"
    )

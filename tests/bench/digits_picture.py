"""Draw digits spent against entries that fail."""

from __future__ import annotations

from typing import Any


def picture(cells: list[dict[str, Any]]) -> str:
    """Return an SVG with one dot a scheme for 128 bits."""
    return str(len(cells))

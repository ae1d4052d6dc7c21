"""Cells of tables that a spreadsheet may open."""

from __future__ import annotations

import re
from typing import Any, Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_PLAIN_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


def safe_cell(cell: Any) -> str:
    """Return a cell as text that no spreadsheet takes for a formula; plain numbers stay as is."""
    text = "" if cell is None else str(cell)
    if text.startswith(_FORMULA_STARTS) and _PLAIN_NUMBER.fullmatch(text) is None:
        return f"'{text}"
    return text

"""Which build this is: pure Python, or with its hot modules compiled (setup.py)."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from typing import Final

_COMPILED_FIRST: Final = "dtns.sam.issuing.issuer"


def is_compiled() -> bool:
    """Tell whether the hot modules that are imported here are machine code."""
    spec = find_spec(_COMPILED_FIRST)
    assert spec is not None
    return (spec.origin or "").endswith(tuple(EXTENSION_SUFFIXES))

"""The arrows between the rooms: nothing imports upwards."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ALLOWED = {
    "codecs": set(),
    "gateway": {"twisted", "automat", "zope"},
    "sam": {"codecs", "twisted"},
    "sam/protocol": {"sam"},
    "sam/handset": {"codecs", "gateway", "sam", "sam/protocol"},
    "sam/issuing": {"sam", "sam/protocol"},
    "sam/analysis": {"codecs", "sam/protocol", "sam/handset", "sam/issuing"},
    "sam/ledger": {"sam", "sam/issuing", "sam/protocol"},
    "sam/conformance": {
        *("codecs", "sam", "sam/protocol", "sam/handset", "sam/issuing", "sam/store", "sam/ledger"),
    },
    "sam/configuration": {"gateway", "sam", "sam/issuing", "sam/protocol"},
    "sam/store": {"gateway", "sam", "sam/issuing", "sam/ledger", "sam/protocol"},
    "sam/service": {
        *(
            "gateway",
            "sam",
            "sam/issuing",
            "sam/ledger",
            "sam/protocol",
            "sam/store",
            "sam/handset",
        ),
        *("sam/configuration", "twisted", "zope"),
        "codecs",  # the USSD menu reads and shows codes
    },
    "sam/console": {
        *("gateway", "sam", "sam/protocol", "sam/issuing", "sam/configuration", "sam/service"),
        *("twisted", "zope"),
    },
    "sam/simulator": {
        *("gateway", "sam", "sam/configuration", "sam/handset", "sam/issuing", "sam/protocol"),
        *("sam/service", "twisted"),
    },
    "sam/cli": {
        *("codecs", "gateway", "sam", "sam/handset", "sam/issuing", "sam/protocol"),
        *("sam/configuration", "sam/service", "sam/store", "sam/analysis", "sam/console"),
        *("sam/simulator", "sam/conformance"),
        "twisted",
    },
}
"""For each folder: the folders of ours, and of the I/O libraries, that it may import."""
IO_LIBRARIES = {"twisted", "automat", "zope"}
FIRST_PROTOCOL = "dtns.sam.analysis.first"
BARE = {"__init__.py", "__main__.py"}


def modules() -> list[Path]:
    """Return every module in the three rooms."""
    rooms = ("codecs", "gateway", "sam")
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def folder(parts: tuple[str, ...]) -> str:
    """Return the folder, as ALLOWED names it, of a module path given as parts."""
    name = "/".join(parts[:2])
    return name if name in ALLOWED else parts[0]


def imports(path: Path) -> set[str]:
    """Return the folders and I/O libraries that a module imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [node.module or ""]
        for name in names:
            top, *rest = name.split(".")
            if top == "dtns" and rest:
                found.add(folder(tuple(rest)))
            elif top in IO_LIBRARIES:
                found.add(top)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_go_one_way(path: Path) -> None:
    """Each module imports only from its own folder and those that its folder may know."""
    own = folder(path.relative_to(ROOT).parts)
    if path.name == "__main__.py":
        return
    assert imports(path) <= ALLOWED[own] | {own}


def test_the_first_protocol_is_for_analysis_alone() -> None:
    """No phone, server or command can reach it: only the analysis folder names its module."""
    for path in modules():
        if path.parent != ROOT / "sam" / "analysis":
            text = path.read_text()
            assert FIRST_PROTOCOL not in text, path
            assert "from dtns.sam.analysis import" not in text, path
    users = [name for name, allowed in ALLOWED.items() if "sam/analysis" in allowed]
    assert users == ["sam/cli"]

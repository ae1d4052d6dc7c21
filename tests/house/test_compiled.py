"""The compiled build: its one list of modules, and what tells which build this is."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from click.testing import CliRunner

from dtns.sam.build import is_compiled
from dtns.sam.cli.main import dtns

ROOT = Path(__file__).resolve().parents[2]


def listed() -> tuple[str, ...]:
    """Return the list of setup.py, which not every interpreter here could run."""
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COMPILED":
            return tuple(ast.literal_eval(node.value))
    raise AssertionError("setup.py has no list of compiled modules")


COMPILED = listed()


def test_the_list_names_modules_each_once() -> None:
    """A module that is moved or deleted takes its line with it."""
    assert len(set(COMPILED)) == len(COMPILED)
    for name in COMPILED:
        assert (ROOT / f"{name}.py").is_file(), name


@pytest.mark.parametrize("name", COMPILED)
def test_a_build_is_compiled_whole_or_not_at_all(name: str) -> None:
    """Each module of the list is what the build says it is: machine code, or its source."""
    found = str(import_module("dtns." + name.replace("/", ".")).__file__)
    assert found.endswith(tuple(EXTENSION_SUFFIXES) if is_compiled() else ".py")


def test_no_machine_code_lies_beside_the_sources() -> None:
    """An interpreter would take it for the source, however old it is."""
    for room in ("codecs", "gateway", "sam"):
        assert not [*(ROOT / room).rglob("*.so")]


def test_the_version_tells_the_build() -> None:
    """Whoever reports a fault can say which one it was."""
    told = CliRunner().invoke(dtns, ["--version"]).output
    assert told.endswith(", compiled\n" if is_compiled() else ", pure Python\n")

"""The layout of the house: rooms, links, packages."""

from __future__ import annotations

import codecs
import configparser
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("sam", "gateway", "codecs")
AT_THE_TOP = {
    *(".changes", ".ci", ".gitattributes", ".github", ".gitignore"),
    *("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "setup.cfg", "setup.py"),
    *("codecs", "gateway", "sam", "src", "tests"),
}


def test_links_lead_to_the_rooms() -> None:
    """A checkout without symbolic links would fail at import; here they stand and point right."""
    for room in ROOMS:
        link = ROOT / "src" / "dtns" / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / room


def test_codecs_never_shadows_the_standard_library() -> None:
    """A folder named codecs may not be a package, or interpreters and type checkers trip."""
    assert not (ROOT / "codecs" / "__init__.py").exists()
    assert not str(codecs.__file__).startswith(str(ROOT))


def test_rooms_are_imported_by_their_full_names_only() -> None:
    """A bare `import sam` would give a second copy of every class."""
    code = "import sys, dtns.sam.cli.main; print(*sorted({'sam', 'gateway'} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
    )
    assert found.stdout.strip() == ""


def test_every_package_is_listed_for_the_build() -> None:
    """A folder with modules that setup.cfg forgets would be missing from the wheel."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {"dtns"}
    for room in ROOMS:
        for module in (ROOT / room).rglob("*.py"):
            found.add("dtns." + ".".join(module.parent.relative_to(ROOT).parts))
    assert listed == found


def test_data_files_are_listed_for_the_build() -> None:
    """Every file in the rooms that is no module and no document ships as package data."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = config["options.package_data"]
    for room in ROOMS:
        for file in (ROOT / room).rglob("*"):
            if file.is_dir() or file.suffix in {".py", ".md", ".svg", ".png", ".pyc"}:
                continue
            package = "dtns." + ".".join(file.parent.relative_to(ROOT).parts)
            patterns = listed.get(package, "").split()
            assert any(file.match(pattern) for pattern in patterns), file


def test_top_level_is_tidy() -> None:
    """Only what tools force stands beside the rooms, the tests and the README."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert {path.split("/")[0] for path in tracked} <= AT_THE_TOP

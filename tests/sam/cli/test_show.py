"""What the operator's commands print, on a terminal and elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from deployment import DTNS, deploy

from dtns.sam.cli.show import iso, safe_cell


def on_terminal(*arguments: str) -> str:
    """Run a command with a terminal for stdin, stdout and stderr; return what it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*DTNS, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert process.wait(20) == 0
    return shown.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("+254712000001", "+254712000001"),
        ("-7.5", "-7.5"),
        ("plain = text", "plain = text"),
        (None, ""),
        (7, "7"),
        ("+\u0661\u0662", "'+\u0661\u0662"),
    ],
)
def test_no_cell_is_a_formula(cell: object, safe: str) -> None:
    """What a spreadsheet would run gets a quote before it; numbers stay numbers."""
    assert safe_cell(cell) == safe


def test_times_are_iso_8601_in_utc() -> None:
    """Seconds since 1970 become a date that sorts; no time stays none."""
    assert iso(0.0) == "1970-01-01T00:00:00+00:00"
    assert iso(None) is None


def test_a_terminal_gets_tables(tmp_path: Path) -> None:
    """Drawn tables for people; the same facts as elsewhere."""
    deployment = deploy(tmp_path / "d")
    table = tmp_path / "t.csv"
    table.write_text("number\n+254712000001\n+254712000002\n")
    config = ("-c", str(deployment.config))
    shown = on_terminal("enrol", *config, "--csv", str(table))
    assert "2 enrolled" in shown
    listed = on_terminal("party", "list", *config)
    assert "+254712000002" in listed
    assert "\u2502" in listed

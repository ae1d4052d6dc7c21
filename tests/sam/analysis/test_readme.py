"""Section 19 of the specification says what the commands print."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dtns.sam.cli.attack import odds
from dtns.sam.cli.main import dtns

ROOT = Path(__file__).resolve().parents[3]
SECTION = (ROOT / "sam" / "README.md").read_text().partition("## 19. What the codes withstand")[2]
ATTACKS = re.findall(r"^\| `(dtns attack .*)` \| (.*) \| (.*) \|$", SECTION, re.MULTILINE)


def printed(command: str) -> str:
    """Run a dtns command in this process and return what it prints."""
    done = CliRunner().invoke(dtns, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_audit_is_printed_like_this() -> None:
    """Each row of the table, and the two sentences below it, are those of the command."""
    table, _, account = printed("dtns audit codes").partition("\n\n")
    rows = ["| " + line.replace("\t", " | ") + " |" for line in table.splitlines()]
    assert "\n".join([rows[0], "|" + "---|" * 7, *rows[1:]]) in SECTION
    assert " ".join(account.split()) in SECTION


@pytest.mark.parametrize(("command", "succeeded", "theory"), ATTACKS)
def test_the_attacks_succeed_as_often(command: str, succeeded: str, theory: str) -> None:
    """The seed makes each run the same: as many successes as written, and the theory beside."""
    found = json.loads(printed(f"{command} --json"))
    assert f"{found['succeeded']:,} of {found['trials']:,}" == succeeded
    assert odds(found["theory"]) == theory


def test_all_protocols_are_attacked() -> None:
    """The table has every attack, and every target."""
    commands = [command for command, _, _ in ATTACKS]
    for attack in ("collision", "replay", "guess"):
        for target in ("", "--target ours"):
            assert any(attack in command and target in command for command in commands)
    for target in ("first-nonce", "repaired", "ours-challenge"):
        assert any(f"--target {target} " in command for command in commands)


def test_the_picture_is_the_one_that_the_command_draws(tmp_path: Path) -> None:
    """Both curves, and all but the measured points, come out as they stand in the picture."""
    drawn, bench = tmp_path / "drawn.svg", ROOT / "tests" / "bench" / "collision.py"
    options = ("--trials", "2", "--our-trials", "1", "--svg", str(drawn))
    done = subprocess.run(
        [sys.executable, bench, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    points = [json.loads(line) for line in done.stdout.splitlines()]
    assert {point["target"] for point in points} == {"first", "ours"}
    assert "](collision.svg)" in SECTION
    picture = (ROOT / "sam" / "collision.svg").read_text()
    assert "prefers-color-scheme: dark" in picture
    assert _without_dots(picture) == _without_dots(drawn.read_text())
    assert picture.count("<circle") == len(points)


def _without_dots(picture: str) -> list[str]:
    return [line for line in picture.splitlines() if "<circle" not in line]

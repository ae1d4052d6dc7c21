"""What the README says is true: its commands are run, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from deployment import DTNS, START_SECONDS, STOP_SECONDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def commands(heading: str) -> list[list[str]]:
    """Return the dtns commands that stand below a heading, comments dropped."""
    section = README.partition(f"## {heading}")[2].partition("\n## ")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    dtns ")]
    split = [shlex.split(line, comments=True)[1:] for line in lines]
    return [[word for word in command if word != "&"] for command in split]


@pytest.mark.timeout(180)
def test_the_deployment_works_as_written(tmp_path: Path) -> None:
    """Every command of `Deploy it`, in this order; codes that differ each time are handed on."""
    server: subprocess.Popen[str] | None = None
    spoken: list[str] = []
    try:
        for command in commands("Deploy it"):
            if command == ["serve"]:
                server = subprocess.Popen(
                    [*DTNS, "serve"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
                )
                assert server.stderr is not None
                assert '"ready"' in server.stderr.readline()
                continue
            if command[2:3] in (["enter"], ["respond"], ["check"]):
                command[4:] = [spoken[-1]]
            if command[2:3] == ["accept"]:
                command[5:] = [spoken[-1].splitlines()[0]]
            done = subprocess.run(
                [*DTNS, *command],
                cwd=tmp_path,
                input="1978\n",
                capture_output=True,
                text=True,
                check=False,
                timeout=START_SECONDS,
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            spoken.append(done.stdout.strip())
    finally:
        if server is not None:
            server.terminate()
            server.wait(STOP_SECONDS)
    assert "It is +254712000001: key 1 is confirmed." in spoken
    assert "Received: KES 120.00 from +254712000001. In the purse: KES 120.00." in spoken
    assert spoken[-1].endswith("Proved wrong: 0.")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_checks_work_as_written() -> None:
    """Every command of `Check it` ends well."""
    section = README.partition("## Check it")[2].partition("\n## ")[0]
    for line in re.findall(r"^    (\S.*)$", section, re.MULTILINE):
        words = [
            sys.executable if word == "python" else word
            for word in shlex.split(line, comments=True)
        ]
        command = [*DTNS, *words[1:]] if words[0] == "dtns" else words
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stdout[-500:], done.stderr[-500:])


def test_the_first_two_commands_are_the_ones_promised() -> None:
    """Each sets up its own environment: one plays the demo, one runs the tests."""
    first, second = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert first.endswith(".venv/bin/dtns demo")
    assert second.endswith(".venv/bin/pytest")


@pytest.mark.parametrize(
    "document", sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("*/README.md"))
)
def test_links_lead_somewhere(document: str) -> None:
    """Relative links of every README name files that are there."""
    for path in (ROOT / document, ROOT / "README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), (document, target)

"""The door for handset makers: ours passes, each fault is named with its section."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from deployment import dtns, told

from dtns.sam.conformance.findings import Findings
from dtns.sam.conformance.program import Program
from dtns.sam.conformance.stories import all_stories, tell

FAULTY = """
import json, sys
from attrs import evolve
from dtns.sam.conformance.__main__ import answered
from dtns.sam.conformance.player import Player
from dtns.sam.handset import confirmations, crediting, paying, purse, rule

{fault}

player = Player([])
for text in sys.stdin:
    player, answer = answered(player, json.loads(text))
    print(json.dumps(answer), flush=True)
"""
FAULTS = {
    "credits a payment twice": (17, "purse.KeyUse.has = lambda self, number: False"),
    "debits the same sum again": (17, "paying._latest = lambda state, order: None"),
    "never moves a mark": (
        11,
        "confirmations.confirmed = lambda state, asker, peer, key: state",
    ),
    "takes tickets that are over": (
        11,
        "rule._objection = lambda state, peer, context: ''",
    ),
    "answers old challenges": (
        9,
        """
old = confirmations._answer
def _answer(card, holder, key, alive, count):
    return old(card, holder, evolve(key, answered=0), alive, count)
confirmations._answer = _answer
""",
    ),
    "takes any PIN": (17, "paying.check_pin = lambda sim, card, pin: ''"),
}


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write a program of Python with this text and return its command."""

    def write(text: str) -> list[str]:
        path = tmp_path / "program.py"
        path.write_text(text)
        return [sys.executable, str(path)]

    return write


def test_our_own_handset_passes() -> None:
    """The same door, every story and exchange, nothing found."""
    done = dtns("conformance", "--json", sys.executable, "-m", "dtns.sam.conformance")
    assert done.returncode == 0, done.stdout
    facts = told(done)
    assert (facts["status"], facts["failed"]) == ("done", [])
    assert facts["checks"] > 1000


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_handset_is_found_out(fault: str, program: Callable[[str], list[str]]) -> None:
    """Each broken rule shows, and is reported under its section."""
    section, patch = FAULTS[fault]
    done = dtns("conformance", "--json", *program(FAULTY.format(fault=patch)))
    assert done.returncode == 1, done.stdout
    assert section in {finding["section"] for finding in told(done)["failed"]}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "has ended"),
        ("import time; time.sleep(60)", "said nothing"),
        ("print('ready')", "no JSON"),
        ("print('[1]')", "no JSON"),
        ("import sys; sys.stdout.write('x' * 2_000_000); sys.stdout.flush()", "octets"),
    ],
)
def test_a_program_that_is_no_handset_is_told_so(
    text: str, what: str, program: Callable[[str], list[str]]
) -> None:
    """Silence, an end, junk and endless lines are findings, never a traceback."""
    findings = Findings()
    (story,) = all_stories()[:1]
    with Program(program(text), patience=1.0) as driven:
        assert list(tell(driven, [story], findings)) == [story["note"]]
    (finding,) = findings.failed
    assert what in finding.came


def test_a_program_that_is_not_there_is_named() -> None:
    """A wrong name is a message and an exit code."""
    done = dtns("conformance", "/no/such/program")
    assert done.returncode == 1
    assert "cannot start /no/such/program" in done.stderr
    assert "Traceback" not in done.stderr

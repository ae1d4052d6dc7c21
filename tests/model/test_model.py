"""The sound model holds in every scene, every mutant is broken, the classics fall as they must."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("maude", reason="no maude: python -m pip install -e '.[test]'")
sys.path.insert(0, str(Path(__file__).parent))

from check import cells
from models import all_names, found, mutated
from mutants import MUTANTS, Mutant
from scenes import SCENES
from sentences import REASONS, SENTENCES
from theory import FILES, loss, module

HERE = Path(__file__).parent
SPECIFICATION = HERE.parents[1] / "sam" / "README.md"
HEADING = ". What the model checks\n"


def told(name: str) -> str:
    """Return the way to a model's bad state, in words."""
    return " ".join(event.text for event in found(name).events)


@pytest.mark.parametrize("name", all_names())
def test_verdict(name: str) -> None:
    """Each model is found as it must be, every state of the sound ones looked at."""
    row = found(name)
    assert row.holds, (row.verdict, [event.text for event in row.events])


def test_an_exposed_key_costs_its_limit_and_no_more() -> None:
    """With nothing exposed nothing is forged; with one key exposed, its limit can be."""
    costs = {s.name: (found(s.name).exposed, s.limit) for s in SCENES if s.exposable}
    assert all(found(name).plain.loss == -1 for name in costs)  # type: ignore[union-attr]
    lost = {name: (row.loss, limit) for name, (row, limit) in costs.items() if row}
    assert all(0 <= cost <= limit for cost, limit in lost.values())
    for name in ("express and cheques", "two keys", "charges", "all modes", "the holder pays"):
        assert lost[name][0] == lost[name][1]


def test_what_was_forged_is_added_up_by_key() -> None:
    """What was credited and never debited counts, and only where a key had got out."""
    one, two = "ctx(a # 1, b # 1, 1, 1, 2, 3, 0, 0)", "ctx(a # 1, b # 1, 1, 2, 2, 3, 0, 0)"
    history = (
        f"credit({one}, express, 0, 1) debit({one}, express, 0, 1) credit({one}, cheque, 1, 2) "
        f"credit({two}, cheque, 1, 1) credit({two}, response, 1, 2) residual({one})"
    )
    assert loss(history) == 3
    assert loss(history.replace("residual", "granted")) == -1
    small = "smallCredit(a # 1, b # 1, 2, 1, 0) smallDebit(a # 1, d # 1, 2, 1, 0) smallResidual"
    assert loss(small) == 2


def test_a_mutant_that_is_not_broken_fails() -> None:
    """The sound rules, given out as a mutant, are not as they must be."""
    harmless = Mutant("sound", "answers astray", "nothing", ["neverIssued"])
    scene = next(scene for scene in SCENES if scene.name == harmless.scene)
    assert not mutated("harmless", harmless, scene).holds


def test_every_fault_has_a_mutant() -> None:
    """No fault stands in the rules without a search that finds it, nor the other way round."""
    assert declared("Fault") - {"sound"} == {mutant.fault for mutant in MUTANTS}


def declared(sort: str) -> set[str]:
    """Return the constants of a sort in the theories."""
    text = " ".join((HERE / f"{name}.maude").read_text() for name in FILES)
    lines = re.findall(rf"ops?\s+([\w\s]+?)\s*:\s*->\s*{sort}\s*\[ctor\]", text)
    return {constant for line in lines for constant in line.split()}


@pytest.mark.parametrize("theory", SENTENCES)
def test_every_rule_and_reason_has_words(theory: str) -> None:
    """Whatever a search finds can be told."""
    assert {rule.getLabel() for rule in module(theory).getRules()} == set(SENTENCES[theory])


def test_every_reason_has_words() -> None:
    """Why a state is bad is said in a sentence."""
    assert declared("Reason") <= set(REASONS)


def test_every_rule_of_the_sound_model_fires() -> None:
    """No rule is there in vain: each leads somewhere in a scene, or is a mutant's own."""
    explored = [
        row for scene in SCENES for row in (found(scene.name).plain, found(scene.name).exposed)
    ]
    fired = set().union(*(row.fired for row in explored if row))
    mutants = {"cut", "junk", "show-first", "write-later", "cut-unwritten", "mark-later"}
    mutants |= {"cut-unmarked", "small-cut"}
    assert fired == set(SENTENCES["SMALL"]) - mutants


def test_attacks_are_told_in_words() -> None:
    """A way to a bad state is a story that can be read."""
    assert told("mutant: the express tag leaves out the amount").endswith(
        "A's SIM debits 1 for B and shows the express code, under key 1 of A for B. "
        "Eve replays to B an express code, as one of 2 under key 1 of A for B; "
        "the SIM credits 2. Nobody paid that, and no key had got out."
    )
    power = told("mutant: the credit is written before the number is marked used")
    assert "B's SIM loses power before it marks the number used." in power
    assert "Denning and Sacco" in told("Needham-Schroeder 1978, an old key out")


def test_the_command_prints_tables_traces_and_charts() -> None:
    """The last line is one JSON object; the exit code is 0 if all is as it must be."""
    done = run("--traces", "old key", "--charts", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["ok"]
    assert [row["ok"] for row in facts["models"]] == [True, True]
    assert facts["models"][0]["trace"][0].startswith("Sam gives A")
    assert "  1. Sam gives A" in done.stdout
    assert "|----------------->|" in done.stdout


def test_the_command_names_the_models_it_has() -> None:
    """A name that is none is refused with those that are."""
    done = run("--model", "Kerberos")
    assert done.returncode == 2
    assert "Needham-Schroeder 1978" in done.stderr


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, str(HERE / "check.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_specification_has_this_table() -> None:
    """Models, verdicts and numbers of states stand in the specification as they are found."""
    section = SPECIFICATION.read_text().partition(HEADING)[2].partition("\n## ")[0]
    lines = [re.split(r"\s*\|\s*", line.strip("| ")) for line in section.splitlines()]
    written = {line[0]: line for line in lines if len(line) == 5 and line[0] in all_names()}
    for name in all_names():
        assert name in written, f"{name} is not in the specification's table"
        assert without_seconds(written[name]) == without_seconds(cells(found(name)))
    assert len(written) == len(all_names())


def test_the_specification_shows_an_attack() -> None:
    """The chart there is the one that the command draws."""
    drawn = run("--charts", "used numbers").stdout.partition("\n\n")[2].strip()
    assert drawn in SPECIFICATION.read_text()


def without_seconds(row: list[str] | tuple[str, ...]) -> list[str]:
    """Return what is the same on every machine."""
    return [cell for place, cell in enumerate(row) if place != 3]

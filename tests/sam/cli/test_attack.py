"""`dtns attack`: figures for programs, one sentence for people, the same for the same seed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from deployment import dtns


def attacked(*options: str) -> dict[str, Any]:
    """Run an attack and return its figures."""
    done = dtns("attack", *options, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize("attack", ["collision", "replay", "guess"])
def test_figures(attack: str) -> None:
    """A run reports its trials, how many succeeded, and the theory; its seed repeats it."""
    found = attacked(attack, "--trials", "200")
    assert found["target"] == "first"
    assert found["trials"] == 200
    assert found["rate"] == found["succeeded"] / 200
    assert 0 < found["theory"] < 1
    again = attacked(attack, "--trials", "200", "--seed", str(found["seed"]))
    assert again == found


def test_the_first_protocol_falls_and_the_repaired_one_does_not() -> None:
    """With 50 requests at each price nine payees in ten win, and none after the repair."""
    first = attacked("collision", "--aborted", "50", "--trials", "300", "--seed", "1")
    repaired = attacked(
        "collision", "--aborted", "50", "--trials", "300", "--seed", "1", "--target", "repaired"
    )
    assert first["succeeded"] > 250
    assert repaired["succeeded"] == 0


def test_a_sentence_for_people() -> None:
    """It names the protocol, what the payee did, and both rates."""
    done = dtns("attack", "replay", "--trials", "100", "--seed", "1", "--recorded", "10")
    assert done.stdout.startswith("DigiTally's first protocol: a payee recorded 10 payments and ")
    assert "of 100 trials" in done.stdout
    assert done.stdout.endswith("Theory: 1.0 %.\n")


@pytest.mark.parametrize(
    "wrong", [("--target", "second"), ("--trials", "0"), ("--aborted", "1001"), ("--seed", "x")]
)
def test_bad_options(wrong: tuple[str, str]) -> None:
    """What is not allowed is named, with what is."""
    done = dtns("attack", "collision", *wrong)
    assert done.returncode == 2
    assert wrong[0] in done.stderr

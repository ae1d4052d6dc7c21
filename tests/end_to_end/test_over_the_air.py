"""Sam's own messages to phones, from the operator's command to the SIM and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment, deploy, dtns, told

A, B = "+254712000001", "+254712000002"
SECONDS = 20


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Return a fresh deployment."""
    return deploy(tmp_path / "d")


def operator(deployment: Deployment, *arguments: str) -> dict[str, Any]:
    """Run one of the operator's commands and return what it told."""
    done = dtns(*arguments, "-c", str(deployment.config), "--json")
    assert done.returncode == 0, (done.stdout, done.stderr)
    return told(done)


def phone(sim: Path, *step: str) -> dict[str, Any]:
    """Take a step on a phone and return what it told."""
    return told(dtns("phone", str(sim), "--json", *step))


def ask(sim: Path, number: str) -> dict[str, Any]:
    """Ask for another key and take in all that has come."""
    facts = phone(sim, "ask", number, "--new", "--wait", "20")
    assert facts["status"] == "answered", facts
    phone(sim, "answers", "--wait", "1")
    return facts


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_new_master_key_reaches_parties_as_they_come_by(deployment: Deployment) -> None:
    """After a rotation a party is renewed by its own asks; a ticket from before stays good."""
    a, b = deployment.enrol(A, B)
    with deployment.sam():
        ask(a, B)
        before = phone(a, "ticket", B)["digits"]
        assert operator(deployment, "master", "rotate")["master_key"] == 2
        facts = [ask(a, B) for _ in range(3)]
        assert [one["generation"] for one in facts] == [1, 1, 2]
        party = operator(deployment, "party", "show", A)
        assert (party["generation"], party["master_key"]) == (2, 2)
    assert phone(b, "enter", A, before)["status"] == "accepted"
    assert phone(b, "enter", A, phone(a, "ticket", B)["digits"])["status"] == "accepted"
    with deployment.sam():
        assert ask(a, B)["generation"] == 2


@pytest.mark.slow
def test_a_withdrawn_sim_is_forgotten_by_its_peers(deployment: Deployment) -> None:
    """The holder hears of it at once, drops the key, and takes its ticket no more."""
    a, b = deployment.enrol(A, B)
    with deployment.sam():
        ask(a, B)
        digits = phone(a, "ticket", B)["digits"]
        assert phone(b, "enter", A, digits)["status"] == "accepted"
        assert operator(deployment, "party", "suspend", A, "--withdraw")["at_once"]
        came: list[str] = []
        deadline = time.monotonic() + SECONDS
        while "obeyed" not in came and time.monotonic() < deadline:
            came += [one["status"] for one in phone(b, "answers", "--wait", "2")["answers"]]
        assert "obeyed" in came
        assert phone(b, "keys")["keys"] == []
        assert phone(b, "enter", A, digits)["reason"] == "revoked"
        refused = phone(a, "ask", B, "--new", "--wait", "20")
        assert (refused["status"], refused["reason"]) == ("refused", "suspended")


def test_an_unlock_waits_for_sam(deployment: Deployment) -> None:
    """Ordered while no Sam runs, it goes out when the party next asks."""
    a, _ = deployment.enrol(A, B)
    assert not operator(deployment, "party", "unlock", A, "1")["at_once"]
    with deployment.sam():
        came = phone(a, "ask", B, "--wait", "20").get("others", [])
        came += phone(a, "answers", "--wait", "3")["answers"]
    assert "obeyed" in [one["status"] for one in came]

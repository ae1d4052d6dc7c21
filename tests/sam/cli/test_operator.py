"""`dtns party` and `dtns issue`, on a Sam that runs and on one that does not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment, deploy, dtns, told

from dtns.sam.handset.simfile import read_sim_file

A, B, STRANGER = "+254712000001", "+254712000002", "+15550199"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running Sam with two parties, a key and a refusal."""
    made = deploy(tmp_path_factory.mktemp("operator") / "d")
    with made.sam():
        sim = str(made.enrol(A, B)[0])
        for number in (B, STRANGER):
            dtns("phone", sim, "--json", "ask", number, "--wait", "20")
        yield made


def run(deployment: Deployment, *arguments: str) -> dict[str, Any]:
    """Run a command with --json that must succeed."""
    done = dtns(*arguments, "-c", str(deployment.config), "--json")
    assert done.returncode == 0, done.stderr
    return told(done)


def text(deployment: Deployment, *arguments: str) -> str:
    """Run a command that must succeed and return what it prints."""
    done = dtns(*arguments, "-c", str(deployment.config))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_parties_are_listed(deployment: Deployment) -> None:
    """JSON, CSV and text tell the same parties; a glob picks some."""
    parties = run(deployment, "party", "list")["parties"]
    assert [party["number"] for party in parties] == [A, B]
    assert parties[0] | {"enrolled_at": ""} == {
        "number": A,
        "generation": 1,
        "epoch": 1,
        "master_key": 1,
        "enrolled_at": "",
        "suspended": False,
        "heard": 2,
        "asks_today": 2,
        "repeats_today": 0,
    }
    rows = list(csv.DictReader(io.StringIO(text(deployment, "party", "list", "--csv"))))
    assert [row["number"] for row in rows] == [A, B]
    assert A in text(deployment, "party", "list")
    some = run(deployment, "party", "list", "+*2")["parties"]
    assert [party["number"] for party in some] == [B]


def test_a_party_is_shown(deployment: Deployment) -> None:
    """One object with what it asked for and what it got."""
    shown = run(deployment, "party", "show", A)
    assert (shown["number"], shown["asks"], shown["keys"]) == (A, 2, 1)
    assert f"number         {A}" in text(deployment, "party", "show", A)


@pytest.mark.parametrize(
    "arguments",
    [
        ("party", "show", STRANGER),
        ("party", "suspend", STRANGER),
        ("party", "resume", STRANGER),
        ("party", "rekey", STRANGER, "--yes"),
        ("issue", "show", "99"),
    ],
)
def test_what_is_not_there_is_refused(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    """Exit code 1, one JSON object, a reason."""
    done = dtns(*arguments, "-c", str(deployment.config), "--json")
    assert done.returncode == 1
    facts = told(done)
    assert facts["status"] == "refused"
    assert facts["reason"] in done.stderr
    assert STRANGER not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("party", "show", "0712"), ("issue", "show", "x"), ("issue", "show", "0"), ("party", "sho")],
)
def test_mistakes_are_usage_errors(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    """Exit code 2 and a hint, never a traceback."""
    done = dtns(*arguments, "-c", str(deployment.config))
    assert done.returncode == 2
    assert "Usage: dtns" in done.stderr
    assert "Traceback" not in done.stderr


def test_issues_are_listed_and_shown(deployment: Deployment) -> None:
    """The newest first, with what was granted or why not, and the answer's way."""
    refused, issued = run(deployment, "issue", "list")["issues"]
    assert (refused["status"], refused["reason"], refused["holder"]) == (
        "refused",
        "unknown",
        STRANGER,
    )
    assert (issued["status"], issued["n"], issued["answer"]) == ("issued", 1, "delivered")
    shown = run(deployment, "issue", "show", str(issued["id"]))
    (delivery,) = shown.pop("deliveries")
    assert shown == issued
    assert (delivery["carrier"], delivery["state"], delivery["attempts"]) == (
        "loopback",
        "delivered",
        1,
    )
    assert len(run(deployment, "issue", "list", "--limit", "1")["issues"]) == 1
    assert len(run(deployment, "issue", "list", "--party", B)["issues"]) == 1
    (_, row) = csv.DictReader(io.StringIO(text(deployment, "issue", "list", "--csv")))
    assert (row["asker"], row["holder"], row["status"]) == (A, B, "issued")
    assert "deliver" in text(deployment, "issue", "show", str(issued["id"]))


def test_suspension_is_felt_at_once(deployment: Deployment) -> None:
    """A running Sam refuses the suspended from the next ask on, and serves them when resumed."""
    sim = str(deployment.folder / "sims" / f"{A[1:]}.sim")
    assert run(deployment, "party", "suspend", B)["suspended"] is True
    asked = told(dtns("phone", sim, "--json", "ask", B, "--new", "--wait", "20"))
    assert (asked["status"], asked["reason"]) == ("refused", "peer-suspended")
    assert run(deployment, "party", "resume", B)["suspended"] is False
    asked = told(dtns("phone", sim, "--json", "ask", B, "--new", "--wait", "20"))
    assert asked["status"] == "answered"


def test_rekeying_needs_a_yes_and_retires_the_old_sim(deployment: Deployment) -> None:
    """The new SIM works at once, the old one is dead; its file and state are kept by a new name."""
    deployment.enrol("+254712000009")
    sims = deployment.folder / "sims"
    path = sims / "254712000009.sim"
    dtns("phone", str(path), "--json", "ask", B, "--wait", "20")
    old = path.read_bytes()
    unsure = dtns("party", "rekey", "+254712000009", "-c", str(deployment.config))
    assert unsure.returncode == 2
    assert "--yes" in unsure.stderr
    assert path.read_bytes() == old
    facts = run(deployment, "party", "rekey", "+254712000009", "--yes")
    assert (facts["generation"], facts["sim_file"], facts["heard"]) == (2, str(path), 0)
    assert read_sim_file(path).generation == 2
    retired = sims / "254712000009.generation-1.sim"
    assert retired.read_bytes() == old
    assert (sims / "254712000009.generation-1.sim.state").exists()
    dead = dtns("phone", str(retired), "--json", "ask", B, "--new", "--wait", "1")
    assert told(dead)["status"] == "asked"
    new = told(dtns("phone", str(path), "--json", "ask", B, "--wait", "20"))
    assert (new["status"], new["n"]) == ("answered", 1)


def test_a_stopped_sam_tells_the_same(tmp_path: Path) -> None:
    """Without a running Sam the commands work on the store itself."""
    deployment = deploy(tmp_path / "d")
    deployment.enrol(A)
    assert run(deployment, "party", "suspend", A)["suspended"] is True
    assert run(deployment, "party", "show", A)["suspended"] is True
    assert run(deployment, "issue", "list") == {"issues": []}
    assert run(deployment, "party", "rekey", A, "--yes")["generation"] == 2


def test_a_store_that_is_missing_or_damaged_is_told(tmp_path: Path) -> None:
    """Exit code 4, the file named, no traceback, and JSON where it was asked for."""
    deployment = deploy(tmp_path / "d")
    store = deployment.folder / "dtns.sqlite"
    store.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    for command in (("party", "list"), ("serve",), ("enrol", A)):
        done = dtns(*command, "-c", str(deployment.config))
        assert done.returncode == 4, command
        assert str(store) in done.stderr
        assert "Traceback" not in done.stderr
    store.unlink()
    done = dtns("party", "list", "-c", str(deployment.config), "--json")
    assert done.returncode == 4
    assert "dtns init" in told(done)["message"]

"""The command line as others script against it: deploy, enrol, ask, carry, confirm."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from deployment import Deployment, deploy, dtns, told

A, B, C = "+254712000001", "+254712000002", "+15550100"


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Return a fresh deployment."""
    return deploy(tmp_path / "d")


def test_a_key_is_issued_carried_and_confirmed(deployment: Deployment) -> None:
    """The whole story by the contract's commands, the network's faults switched on."""
    deployment.conditions(delay=0.1, loss=0.2, duplication=0.2, reordering=0.2, seed=7)
    with deployment.sam():
        a, b, c = map(str, deployment.enrol(A, B, C))
        asked = dtns("phone", a, "--json", "ask", B, "--wait", "30")
        assert asked.returncode == 0
        assert told(asked)["status"] == "answered"
        stranger = dtns("phone", a, "--json", "ask", "+15550199", "--wait", "30")
        assert stranger.returncode == 1
        assert told(stranger)["status"] == "refused"
        assert told(stranger)["reason"] == "unknown"
    # Sam and its network are gone from here on
    assert dtns("phone", a, "--json", "answers").returncode == 5
    digits = told(dtns("phone", a, "--json", "ticket", B))["digits"]
    assert len(digits.split()) == 5
    sealed = told(dtns("phone", a, "--json", "ticket", B, "--sealed"))["digits"]
    wrong = dtns("phone", c, "--json", "enter", A, digits)
    assert wrong.returncode == 1
    assert told(wrong)["kcv"] is None
    entered = told(dtns("phone", b, "--json", "enter", A, digits))
    assert entered["status"] == "accepted"
    assert told(dtns("phone", b, "--json", "enter", A, sealed))["kcv"] == entered["kcv"]
    challenge = told(dtns("phone", b, "--json", "challenge", A))["digits"]
    response = told(dtns("phone", a, "--json", "respond", B, challenge))["digits"]
    checked = dtns("phone", b, "--json", "check", A, response)
    assert checked.returncode == 0
    assert told(checked)["status"] == "accepted"
    keys = told(dtns("phone", a, "--json", "keys"))["keys"]
    assert [key["kcv"] for key in keys] == [entered["kcv"]]
    assert {"peer", "n", "expiry", "limit", "kcv"} <= set(keys[0])


def test_files_are_private(deployment: Deployment) -> None:
    """What holds keys can be read by its owner alone."""
    with deployment.sam():
        (sim,) = deployment.enrol(A)
        sockets = [deployment.folder / "admin.sock", deployment.folder / "network.sock"]
        files = [deployment.folder / name for name in ("master.key", "dtns.sqlite")]
        for path in [sim, *sockets, *files]:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_second_serve_is_refused(deployment: Deployment) -> None:
    """Two Sams on one folder would issue the same n twice."""
    with deployment.sam():
        second = dtns("serve", "-c", str(deployment.config))
    assert second.returncode == 4
    assert "Traceback" not in second.stderr


def test_enrol_works_with_and_without_a_running_sam(deployment: Deployment) -> None:
    """The same command reaches a running Sam by its socket, else the store under the lock."""
    deployment.enrol(A)
    with deployment.sam():
        deployment.enrol(B)
        again = dtns("enrol", "-c", str(deployment.config), "--json", A)
    assert again.returncode == 1
    listed = told(dtns("party", "list", "-c", str(deployment.config), "--json"))
    assert {party["number"] for party in listed["parties"]} == {A, B}


def test_an_ask_waits_for_sam(deployment: Deployment) -> None:
    """An ask made without signal is kept, and goes out with the next `answers`."""
    a, _ = map(str, deployment.enrol(A, B))
    unsent = dtns("phone", a, "--json", "ask", B)
    assert unsent.returncode == 5
    assert told(unsent)["status"] == "asked"
    with deployment.sam():
        came = told(dtns("phone", a, "--json", "answers", "--wait", "20"))
    assert [answer["status"] for answer in came["answers"]] == ["answered"]

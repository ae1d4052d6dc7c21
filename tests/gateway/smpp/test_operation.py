"""A deployment with SMSCs: `dtns serve` and `dtns gateway`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from attrs import asdict
from deployment import Deployment, deploy, dtns
from smpp_deployment import furnish
from smscs import SmscProcess

from dtns.sam.configuration import load_config
from dtns.sam.handset.card import MemoryCard, fresh_state
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.simfile import read_sim_file
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import GatewayRecords, ListGateways

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALICE, BOB = "+254700000001", "+254700000002"


@pytest.fixture
def smsc() -> Iterator[SmscProcess]:
    """Run an SMSC."""
    with SmscProcess("smpp34") as process:
        yield process


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Make a deployment."""
    return deploy(tmp_path / "d")


def gateways(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return what `dtns gateway status` would tell."""
    with reach(load_config(deployment.config)) as sam:
        records = sam.answer(ListGateways())
    assert isinstance(records, GatewayRecords)
    return {each.name: asdict(each) for each in records.gateways}


def move(deployment: Deployment, action: str, name: str) -> subprocess.CompletedProcess[str]:
    """Suspend, resume or drain a gateway."""
    return dtns("gateway", action, name, "-c", str(deployment.config), "--json")


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until *condition* holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def test_an_ask_and_its_answer(deployment: Deployment, smsc: SmscProcess) -> None:
    """An ask that an SMSC delivers is answered through it, also after a suspension."""
    furnish(deployment, [smsc.port])
    alice, bob = map(read_sim_file, deployment.enrol(ALICE, BOB))
    phone = Handset(alice, MemoryCard(fresh_state(alice)), os.urandom)
    with deployment.sam():
        until(lambda: gateways(deployment)["smpp.s0"]["connected"])
        assert move(deployment, "suspend", "smpp.s0").returncode == 0
        until(lambda: smsc.order("status")["receivers"] == 0)
        asked = phone.ask(bob.number, Wish(), time.time())
        assert isinstance(asked, Asked)
        smsc.order("deliver", source=ALICE[1:], text=asked.text)
        time.sleep(0.3)
        assert gateways(deployment)["smpp.s0"]["state"] == "suspended"
        assert smsc.messages() == []
        assert move(deployment, "resume", "smpp.s0").returncode == 0
        until(smsc.messages)
        message = smsc.messages()[0]
        assert (message["to"], message["ton"], message["from"]) == (ALICE[1:], 1, "7267")
        assert phone.receive(message["text"]).outcome == "answered"
        until(lambda: not smsc.order("status")["waiting"])
        smsc.order("settle")
        until(lambda: not smsc.order("status")["waiting"])
        record = gateways(deployment)["smpp.s0"]
        assert (record["sent"], record["received"], record["model"]) == (1, 1, "smpp34")
        assert record["device"] == f"127.0.0.1:{smsc.port}"
        shown = dtns("issue", "show", "1", "-c", str(deployment.config), "--json")
        assert json.loads(shown.stdout)["deliveries"][0]["state"] == "delivered", shown.stdout
        status = dtns("gateway", "status", "-c", str(deployment.config), "--json")
        assert json.loads(status.stdout)["gateways"][0]["counts"] == {"ended": 1}
        drained = move(deployment, "drain", "smpp.s0")
        assert json.loads(drained.stdout)["state"] == "suspended"
    assert "secret" not in deployment.log
    assert ALICE[1:] not in deployment.log


def test_one_smsc_stands_in_for_another(deployment: Deployment, smsc: SmscProcess) -> None:
    """Of two SMSCs one is away: answers leave by the other, and status says why."""
    with SmscProcess("smpp34") as other:
        furnish(deployment, [smsc.port, other.port])
        other.order("deaf")
        alice, bob = map(read_sim_file, deployment.enrol(ALICE, BOB))
        phone = Handset(alice, MemoryCard(fresh_state(alice)), os.urandom)
        with deployment.sam():
            asked = phone.ask(bob.number, Wish(), time.time())
            assert isinstance(asked, Asked)
            smsc.order("deliver", source=ALICE[1:], text=asked.text)
            until(smsc.messages)
            until(lambda: gateways(deployment)["smpp.s1"]["state"] == "down")
            away = gateways(deployment)["smpp.s1"]
            assert (away["state"], away["connected"]) == ("down", False)
            assert "cannot connect" in away["reason"]
            assert move(deployment, "suspend", "smpp.s2").returncode == 1


def test_serve_says_what_is_wrong(deployment: Deployment) -> None:
    """A password file that is missing ends `dtns serve` with exit code 3 and its name."""
    furnish(deployment, [2775])
    (deployment.folder / "smpp.password").unlink()
    done = dtns("serve", "-c", str(deployment.config))
    assert done.returncode == 3, done.stderr
    assert "smpp.password: No such file" in done.stderr
    assert "Traceback" not in done.stderr

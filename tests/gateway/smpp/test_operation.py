"""A deployment with SMSCs: `dtns serve`, `dtns gateway`, and files that are wrong."""

from __future__ import annotations

import json
import os
import subprocess
import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from attrs import asdict
from contract import RecordingSink
from deployment import Deployment, deploy, dtns
from smpp_deployment import furnish, write_password
from smscs import SmscProcess
from twisted.internet import reactor

from dtns.sam.configuration import load_config
from dtns.sam.errors import ConfigError
from dtns.sam.handset.card import MemoryCard, fresh_state
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.simfile import read_sim_file
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import GatewayRecords, ListGateways
from dtns.sam.service.smpp import make_smpp

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


def _refusal(deployment: Deployment) -> str:
    """Return why no carrier can be made of the configuration."""
    config = load_config(deployment.config)
    with pytest.raises(ConfigError) as refused:
        make_smpp(config, RecordingSink(), reactor=reactor, random=Random(1))
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("secret", 0o644, "chmod 600"),
        ("", 0o600, "1 to 64 printable"),
        ("x" * 65, 0o600, "1 to 64 printable"),
        ("two\nlines", 0o600, "on one line"),
        ("p\u00e4ss", 0o600, "it is no SMPP password"),
    ],
)
def test_a_password_file_that_is_wrong(
    deployment: Deployment, content: str, mode: int, said: str
) -> None:
    """It is named, with what is allowed, and never its content."""
    furnish(deployment, [2775])
    write_password(deployment.folder, content, mode)
    told = _refusal(deployment)
    assert said in told
    assert "smpp.password" in told
    assert not content or content not in told


def test_a_password_in_a_pipe(deployment: Deployment) -> None:
    """It is refused at once, and not waited for."""
    furnish(deployment, [2775])
    (deployment.folder / "smpp.password").unlink()
    os.mkfifo(deployment.folder / "smpp.password", 0o600)
    assert "no regular file" in _refusal(deployment)


def test_files_that_are_missing_or_no_certificate(deployment: Deployment) -> None:
    """Both are named."""
    furnish(deployment, [2775], tls=True, tls_ca="operator.pem")
    assert "operator.pem" in _refusal(deployment)
    (deployment.folder / "operator.pem").write_text("-----BEGIN CERTIFICATE-----\nxx\n")
    assert "no certificate" in _refusal(deployment)
    (deployment.folder / "smpp.password").unlink()
    (deployment.folder / "operator.pem").unlink()
    done = dtns("serve", "-c", str(deployment.config))
    assert done.returncode == 3, done.stderr
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_sections_that_are_wrong(deployment: Deployment) -> None:
    """Every fault of a section is told at once, with its line and what is allowed."""
    text = deployment.config.read_text()
    deployment.config.write_text(
        text
        + """
[gateway.smpp.one]
port = 0
system_id = "sixteen-octets!!"
bind = "receiver"
binds = 17
window = 0
source = "a name that is too long"
source_ton = 256
tls_ca = "x"
password = "secret"
host = "http://smsc"
[gateway.smpp.Two]
host = "h"
"""
    )
    told = dtns("config", "check", "-c", str(deployment.config))
    assert told.returncode == 3
    for key in ("port", "system_id", "bind", "binds", "window", "source", "password", "host"):
        assert f"gateway.smpp.one.{key}" in told.stderr
    assert "gateway.smpp.Two" in told.stderr
    assert "Traceback" not in told.stderr


def test_what_a_section_must_have(deployment: Deployment) -> None:
    """Host, system_id and password_file have no default; a wrong type and plan are named too."""
    with deployment.config.open("a") as config:
        config.write("\n[gateway.smpp.one]\nsource_ton = 256\ntls_ca = 'x'\n")
    told = dtns("config", "check", "-c", str(deployment.config))
    assert told.returncode == 3
    for key in ("host", "system_id", "password_file", "source_ton", "tls_ca"):
        assert f"gateway.smpp.one.{key}" in told.stderr

"""What the operator does with modems: probe, status, suspend, resume, drain; the demo."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from deployment import Deployment, deploy, dtns, told
from modems import BRISK, EmulatorProcess

from dtns.gateway.modem.errors import SilentError
from dtns.gateway.modem.probe import probe
from dtns.gateway.modem.session import Settings
from dtns.sam.errors import ConfigError
from dtns.sam.service.modems import read_pin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def modem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Run one emulated modem."""
    with EmulatorProcess(tmp_path_factory.mktemp("modem")) as process:
        yield process


def test_probe_of_a_modem_in_order(modem: EmulatorProcess) -> None:
    """Everything about the modem is told, and nothing is missing."""
    modem.order("reset")
    done = dtns("modem", "probe", str(modem.pty), "--ussd", "*100#", "--json")
    facts = told(done)
    assert done.returncode == 0
    assert (facts["status"], facts["missing"]) == ("ready", [])
    assert (facts["model"], facts["sim"], facts["network"]) == ("E1752", "READY", "Loopback")
    assert facts["sms_centre"] == "+491710760000"
    assert facts["storage"]["SM"] == "0 of 50"
    assert facts["ussd_answer"]["text"] == "Your balance is 5"


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"op": "card", "state": "absent"}, "put one in"),
        ({"op": "card", "state": "pin"}, "pin_file"),
        ({"op": "card", "state": "puk"}, "PUK"),
        ({"op": "network", "registration": 2}, "no network"),
        ({"op": "network", "registration": 3}, "denies"),
        ({"op": "network", "signal": 2}, "move the antenna"),
    ],
)
def test_probe_tells_what_to_do(modem: EmulatorProcess, order: dict[str, Any], said: str) -> None:
    """What is missing is told with what to do about it; no PIN is entered."""
    modem.order("reset")
    modem.order(**order)
    (missing,) = probe(Settings(str(modem.pty)), timing=BRISK).missing
    assert said in missing
    assert modem.order("status")["card"]["entered"] == 0


def test_probe_where_something_is_missing(modem: EmulatorProcess) -> None:
    """Exit code 1, and a line for each thing that is missing."""
    modem.order("reset")
    modem.order("card", state="absent")
    done = dtns("modem", "probe", str(modem.pty))
    assert done.returncode == 1
    assert "MISSING  no SIM card" in done.stdout


@pytest.mark.slow
def test_probe_where_nothing_answers(modem: EmulatorProcess, tmp_path: Path) -> None:
    """A device that is not there ends with exit code 5; a silent one is told of."""
    modem.order("reset")
    absent = dtns("modem", "probe", str(tmp_path / "ttyUSB9"), "--json")
    assert absent.returncode == 5
    assert "plugged in" in told(absent)["message"]
    modem.order("faults", silent=True)
    with pytest.raises(SilentError, match="does not answer"):
        probe(Settings(str(modem.pty)), timing=BRISK)


def furnished(folder: Path, device: Path) -> Deployment:
    """Make a deployment that has both a loopback network and a modem."""
    deployment = deploy(folder)
    with deployment.config.open("a") as config:
        config.write(f'\n[gateway.modem.one]\ndevice = "{device}"\n')
    return deployment


def test_status_suspend_resume_drain(modem: EmulatorProcess, tmp_path: Path) -> None:
    """Each gateway is shown and moved, and Sam keeps it so."""
    modem.order("reset")
    deployment = furnished(tmp_path / "d", modem.pty)
    config = ("-c", str(deployment.config))

    def gateway(*arguments: str) -> subprocess.CompletedProcess[str]:
        return dtns("gateway", *arguments, *config)

    assert gateway("status").returncode == 1
    with deployment.sam():
        modem.order("deliver", sender="+254700000001", text="junk")
        for _ in range(50):
            facts = {each["name"]: each for each in told(gateway("status", "--json"))["gateways"]}
            if facts["modem.one"]["received"]:
                break
        assert facts["loopback"]["state"] == facts["modem.one"]["state"] == "up"
        assert (facts["modem.one"]["signal"], facts["modem.one"]["model"]) == (17, "huawei E1752")
        assert facts["modem.one"]["last_received"]
        (_, *rows) = csv.reader(gateway("status", "--csv").stdout.splitlines())
        assert {row[0] for row in rows} == {"loopback", "ussd.loopback", "modem.one"}
        drained = gateway("drain", "modem.one", "--json")
        assert (drained.returncode, told(drained)["state"]) == (0, "suspended")
        assert told(gateway("suspend", "loopback", "--json"))["state"] == "suspended"
        assert told(gateway("resume", "modem.one", "--json"))["name"] == "modem.one"
        gateway("resume", "loopback")
        for _ in range(50):
            facts = {each["name"]: each for each in told(gateway("status", "--json"))["gateways"]}
            if all(each["state"] == "up" for each in facts.values()):
                break
        assert all(each["state"] == "up" for each in facts.values()), facts
        assert gateway("suspend", "nobody").returncode == 1


def test_the_pin_file(tmp_path: Path) -> None:
    """A PIN is read from a file that others may not read, and from no other."""
    path = tmp_path / "pin"
    path.write_text("1234\n")
    path.chmod(0o600)
    assert read_pin(path) == "1234"
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_pin(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_pin(tmp_path / "none")
    assert read_pin(None) is None


@pytest.mark.slow
def test_the_demo_behind_a_modem() -> None:
    """The whole story holds with Sam behind a modem."""
    facts = told(dtns("demo", "--gateway", "modem", "--seed", "7", "--json"))
    assert (facts["status"], facts["gateway"]) == ("done", "modem")
    assert all(facts["proved"].values())


def test_a_network_with_a_modem(tmp_path: Path) -> None:
    """`dtns network --modem-pty` makes a modem that `dtns modem probe` finds in order."""
    endpoint, pty = f"unix:{tmp_path / 'n.sock'}", tmp_path / "tty"
    network = subprocess.Popen(
        [
            *(sys.executable, "-m", "dtns.sam", "network", "--endpoint", endpoint),
            *("--modem-pty", str(pty), "--modem-dialect", "quectel"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert network.stderr is not None
    try:
        assert json.loads(network.stderr.readline())["event"] == "ready"
        assert told(dtns("modem", "probe", str(pty), "--json"))["model"] == "EC25"
    finally:
        network.terminate()
        assert network.wait(10) == 0
        network.stderr.close()
    assert not pty.is_symlink()


def test_what_is_shipped_is_in_order(tmp_path: Path) -> None:
    """The commented configuration is a good one."""
    shipped = files("dtns.gateway.modem")
    deployment = deploy(tmp_path / "d")
    with deployment.config.open("a") as config:
        config.write((shipped / "modem.toml").read_text())
    shown = told(dtns("config", "show", "-c", str(deployment.config), "--json"))
    assert shown["gateway.modem.one"]["per_minute"] == 10

"""Metrics, health and the supervisor of a real `dtns serve`; the board and the alerts shipped."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import urllib.error
import urllib.request
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployment import Deployment, deploy, dtns, told
from prometheus_client.parser import text_string_to_metric_families

A, B = "+254712000001", "+254712000002"


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Return a deployment with metrics on a free port, whose network is another process."""
    found = deploy(tmp_path / "d")
    text = found.config.read_text().replace(
        'enabled = false\nlisten = "tcp:127.0.0.1:7281"',
        'enabled = true\nlisten = "tcp:127.0.0.1:0"',
    )
    found.config.write_text(text.replace("log_exchanges = false", "log_exchanges = true"))
    return found


def where(deployment: Deployment) -> str:
    """Return the address of the metrics, as the ready line tells it."""
    ready = next(line for line in deployment.log.splitlines() if '"ready"' in line)
    address: str = json.loads(ready)["metrics"]
    return f"http://{address.removeprefix('tcp:')}"


def get(url: str) -> tuple[int, str]:
    """Return status and body."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()


def samples(text: str) -> dict[str, float]:
    """Return the samples by name and labels."""
    return {
        sample.name + "".join(f",{key}={value}" for key, value in sorted(sample.labels.items())): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def metric_names(text: str) -> set[str]:
    """Return the names of dtns' own metrics in the text of queries."""
    return set(re.findall(r"\bdtns_[a-z_]+", text))


def test_a_running_sam_tells_its_figures_and_no_partys_number(deployment: Deployment) -> None:
    """Counters, gauges and the histogram move with the traffic; health and readiness agree."""
    alice, _ = deployment.enrol(A, B)
    with deployment.sam():
        base = where(deployment)
        assert get(f"{base}/healthz") == (200, "alive\n")
        status, body = get(f"{base}/readyz")
        assert (status, json.loads(body)["ready"]) == (200, True)
        assert dtns("phone", str(alice), "ask", B, "--wait", "10").returncode == 0
        status, text = get(f"{base}/metrics")
        now = samples(text)
        assert now["dtns_asks_total,outcome=issued"] == 1
        assert now["dtns_answers_total,event=accepted"] == 1
        assert now["dtns_decisions_total"] == now["dtns_ready"] == now["dtns_store_usable"] == 1
        assert now["dtns_outbox_waiting"] == 0
        assert now["dtns_gateway_up,gateway=loopback"] == 1
        assert now["dtns_commit_seconds_count"] >= 2
        assert now["process_resident_memory_bytes"] > 1e7
        assert A.lstrip("+") not in text
        board = json.loads((files("dtns.sam.service") / "grafana.json").read_text())
        queries = " ".join(t["expr"] for panel in board["panels"] for t in panel["targets"])
        rules = yaml.safe_load((files("dtns.sam.service") / "alerts.yml").read_text())
        queries += " ".join(rule["expr"] for rule in rules["groups"][0]["rules"])
        known = {name.removesuffix("_bucket") for name in metric_names(text)}
        assert len(metric_names(queries)) > 12
        asked = {name.removesuffix("_bucket") for name in metric_names(queries)}
        assert asked <= known | {f"{name}_total" for name in known}
        assert get(f"{base}/none")[0] == 404
    steps = [json.loads(line) for line in deployment.log.splitlines() if '"exchange"' in line]
    assert [step["step"] for step in steps] == ["issued", "accepted", "delivered"]
    assert {step["exchange"] for step in steps} == {1}
    assert A.lstrip("+") not in deployment.log


@pytest.mark.slow
def test_health_tells_what_is_wrong(deployment: Deployment) -> None:
    """Exit code 0 while ready, 1 where no gateway is connected and where no Sam runs."""
    config = ("-c", str(deployment.config))
    text = deployment.config.read_text().replace("embedded = true", "embedded = false")
    deployment.config.write_text(text)
    with deployment.sam():
        base = where(deployment)
        done = dtns("health", *config, "--json")
        assert done.returncode == 1
        failing = [check["name"] for check in told(done)["checks"] if not check["holds"]]
        assert failing == ["gateways"]
        status, body = get(f"{base}/readyz")
        assert (status, json.loads(body)["ready"]) == (503, False)
        assert "NOT READY: none of 1" in dtns("health", *config).stdout
    done = dtns("health", *config, "--json")
    assert done.returncode == 1
    assert "no Sam is running" in told(done)["reason"]


@pytest.mark.slow
def test_figures_go_on_while_the_store_is_locked(deployment: Deployment) -> None:
    """Another program that holds the store makes Sam not ready, and takes no figure of its own."""
    import sqlite3  # noqa: PLC0415 (only here)

    with deployment.sam():
        base = where(deployment)
        with sqlite3.connect(deployment.folder / "dtns.sqlite", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            now = samples(get(f"{base}/metrics")[1])
            assert now["dtns_store_usable"] == 0
            assert "dtns_ready" not in now
            assert now["dtns_asks_total,outcome=issued"] == 0
            status, body = get(f"{base}/readyz")
            assert status == 503
            assert json.loads(body)["checks"][0]["name"] == "store"
            other.execute("ROLLBACK")
        assert samples(get(f"{base}/metrics")[1])["dtns_store_usable"] == 1
        other.close()


def test_a_supervised_sam_tells_ready_alive_and_stopping(
    deployment: Deployment, tmp_path: Path
) -> None:
    """As systemd would hear it from a unit of Type=notify with a watchdog."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(os.fspath(tmp_path / "notify"))
        listener.settimeout(20)
        deployment.environment = {
            "NOTIFY_SOCKET": os.fspath(tmp_path / "notify"),
            "WATCHDOG_USEC": "300000",
        }
        with deployment.sam():
            heard = [listener.recv(99) for _ in range(4)]
        while heard[-1] != b"STOPPING=1":
            heard.append(listener.recv(99))
    assert heard[:2] == [b"READY=1", b"WATCHDOG=1"]
    assert set(heard[2:-1]) == {b"WATCHDOG=1"}


@pytest.mark.slow
def test_the_master_keys_may_be_a_credential(deployment: Deployment, tmp_path: Path) -> None:
    """Where systemd gives it, with its reader's access list as group bits, no file is needed."""
    deployment.enrol(A)
    given = tmp_path / "credentials"
    given.mkdir()
    shutil.move(deployment.folder / "master.key", given / "dtns-master-key")
    (given / "dtns-master-key").chmod(0o440)
    text = deployment.config.read_text().replace("# master_key_credential", "master_key_credential")
    deployment.config.write_text(text)
    missing = dtns("party", "list", "-c", str(deployment.config))
    assert missing.returncode == 3
    deployment.environment = {"CREDENTIALS_DIRECTORY": str(given)}
    with deployment.sam():
        assert dtns("party", "list", "-c", str(deployment.config)).returncode == 0
        deployment.enrol(B)
    (given / "dtns-master-key").chmod(0o444)
    with pytest.raises(AssertionError, match="others may read it"):
        deployment.start()


def test_a_port_in_use_keeps_sam_from_starting(deployment: Deployment) -> None:
    """The fault names the address, exit code 6; Sam stops cleanly and starts once it is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = deployment.config.read_text().replace("tcp:127.0.0.1:0", f"tcp:127.0.0.1:{port}")
        deployment.config.write_text(text)
        done = dtns("serve", "-c", str(deployment.config))
    assert done.returncode == 6
    assert f"cannot listen at tcp:127.0.0.1:{port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr
    with deployment.sam():
        assert get(f"http://127.0.0.1:{port}/healthz")[0] == 200


def test_the_unit_is_in_order() -> None:
    """It is supervised, hardened, and says where the secrets come from."""
    unit: Any = (files("dtns.sam.service") / "dtns.service").read_text()
    for line in ("Type=notify", "WatchdogSec=60", "NoNewPrivileges=yes"):
        assert f"\n{line}\n" in unit
    assert "LoadCredentialEncrypted=dtns-master-key" in unit

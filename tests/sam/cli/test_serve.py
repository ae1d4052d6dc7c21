"""`dtns serve` and `dtns network` as processes."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deployment import DTNS, Deployment, deploy, dtns, told

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Return a fresh deployment."""
    return deploy(tmp_path / "d")


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Run a server and yield it with the first line that it writes to stderr."""
    process = subprocess.Popen([*DTNS, *arguments], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        try:
            yield process, json.loads(process.stderr.readline())
        finally:
            process.kill()


def test_ready_is_told_once_it_is_true_and_a_stop_is_clean(deployment: Deployment) -> None:
    """The first line is the ready event; SIGTERM and SIGINT end with exit code 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        with running("serve", "-c", str(deployment.config)) as (process, facts):
            assert (facts["event"], facts["component"]) == ("ready", "sam")
            assert facts["pid"] == process.pid
            assert Path(facts["admin_socket"]).is_socket()
            assert Path(facts["network"].removeprefix("unix:")).is_socket()
            process.send_signal(number)
            _, logged = process.communicate(timeout=20)
            assert process.returncode == 0
        events = [json.loads(line) for line in logged.splitlines()]
        assert [event["event"] for event in events] == ["stopping"]


def test_a_second_serve_is_refused(deployment: Deployment) -> None:
    """Exit code 4, the first one named, and the first goes on."""
    with deployment.sam() as first:
        second = dtns("serve", "-c", str(deployment.config))
        assert second.returncode == 4
        assert f"process {first.pid}" in second.stderr
        assert "Traceback" not in second.stderr
        assert told(dtns("party", "list", "-c", str(deployment.config), "--json"))


def test_a_network_socket_in_use_is_told(deployment: Deployment) -> None:
    """Exit code 6 for an endpoint that somebody else has."""
    endpoint = f"unix:{deployment.folder / 'network.sock'}"
    with running("network", "--endpoint", endpoint) as (_, facts):
        assert facts["event"] == "ready"
        done = dtns("serve", "-c", str(deployment.config))
    assert done.returncode == 6
    assert "network.sock" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_configuration_does_not_start(deployment: Deployment) -> None:
    """Exit code 3 and every fault."""
    deployment.config.write_text("[polcy]\n[network]\nloss = 7\n")
    done = dtns("serve", "-c", str(deployment.config))
    assert done.returncode == 3
    assert "did you mean policy?" in done.stderr
    assert "from 0 to 1" in done.stderr


def test_a_store_that_cannot_grow_makes_sam_silent_until_it_can(deployment: Deployment) -> None:
    """With no room Sam acknowledges nothing and lives on; commands say why, exit code 4."""
    deployment.enrol("+254712000001")
    with running("serve", "-c", str(deployment.config)) as (process, facts):
        assert facts["event"] == "ready"
        limit = (1000, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limit)
        config = ("-c", str(deployment.config))
        done = dtns("enrol", *config, *(f"+2547120001{n:02}" for n in range(9)), "--json")
        assert done.returncode == 4
        message = told(done)["message"]
        assert "cannot be written" in message
        assert "Traceback" not in done.stderr
        assert not list((deployment.folder / "sims").glob("2547120001*"))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert dtns("enrol", *config, "+254712000199").returncode == 0
        process.terminate()
        assert process.wait(20) == 0


def test_a_network_is_changed_while_it_runs(tmp_path: Path) -> None:
    """Conditions given at the start hold, and others can be set; its counts are told."""
    endpoint = f"unix:{tmp_path / 'n.sock'}"
    options = ("--delay", "1.5", "--outage", "100:5", "--outage", "200:5", "--seed", "3")
    with running("network", "--endpoint", endpoint, *options) as (process, facts):
        assert facts["event"] == "ready"
        control = ("network", "--control", endpoint, "--json")
        conditions = told(dtns(*control))["conditions"]
        assert (conditions["delay"], conditions["outages"]) == (1.5, [[100.0, 5.0], [200.0, 5.0]])
        changed = told(dtns(*control, "--delay", "0", "--loss", "0.5", "--no-signal"))
        assert (changed["conditions"]["delay"], changed["conditions"]["loss"]) == (0.0, 0.5)
        assert changed["conditions"]["signal"] is False
        assert changed["counts"]["accepted"] == 0
        wrong = dtns(*control, "--loss", "7")
        assert wrong.returncode == 2
        assert "from 0 to 1" in told(wrong)["message"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--loss", "2"), 2, "from 0 to 1"),
        (("--endpoint", "udp:1"), 2, "unix:PATH or tcp:HOST:PORT"),
        (("--endpoint", "unix:" + "x" * 120), 2, "at most 107"),
        (("--outage", "5"), 2, "START:LENGTH"),
        (("--control", "unix:/nowhere/n.sock"), 5, "no network answers"),
    ],
)
def test_mistakes_at_the_network_are_told(
    tmp_path: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    """Usage errors and a network that is not there, each with its exit code."""
    done = dtns("network", *options)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_waits_for_a_sam_that_is_starting(deployment: Deployment) -> None:
    """Between the lock and the admin socket there is no gap that a command falls into."""
    process = subprocess.Popen(
        [*DTNS, "serve", "-c", str(deployment.config)], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(4):
            assert dtns("party", "list", "-c", str(deployment.config)).returncode == 0
    finally:
        process.terminate()
        assert process.wait(20) in {0, -signal.SIGTERM}


def test_everything_runs_as_a_module_from_anywhere(tmp_path: Path) -> None:
    """The default deployment is ./dtns-data."""
    environment = dict(os.environ)
    here = [sys.executable, "-m", "dtns.sam"]
    for arguments in (["init"], ["enrol", "+254712000001"], ["party", "list"]):
        done = subprocess.run(
            [*here, *arguments], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "dtns-data" / "sims" / "254712000001.sim").exists()

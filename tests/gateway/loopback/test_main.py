"""The network as a process: ready when it is, stopped when asked."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dtns.gateway.loopback.handset import Line

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, -signal.SIGINT)]
)
def test_ready_then_stopped(
    network_process: Callable[[str], Any],
    tmp_path: Path,
    kind: str,
    number: signal.Signals,
    status: int,
) -> None:
    """One ready event with the real address, then service, then a clean end; no file stays."""
    network = network_process(f"unix:{tmp_path}/n.sock" if kind == "unix" else "tcp:127.0.0.1:0")
    event = json.loads(network.first_line)
    assert event == {"event": "ready", "component": "network", "address": network.address}
    assert not network.address.endswith(":0")
    with Line(network.address, "700") as line:
        line.submit("700", "to myself")
        assert [message.text for message in line.messages(0)] == ["to myself"]
        code, said = network.end(number)
    assert code == status
    assert ("KeyboardInterrupt" in said) == (number == signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


def test_cannot_listen(network_process: Callable[[str], Any], tmp_path: Path) -> None:
    """If the address is taken the process ends with the reason, and says nothing of ready."""
    network = network_process(f"unix:{tmp_path}/n.sock")
    second = network_process(network.address)
    _, said = second.process.communicate(timeout=10)
    assert second.process.returncode == 1
    assert not second.is_ready()
    assert "AddressTakenError: a network already listens at unix:" in said
    with Line(network.address, "700"):
        pass


def test_restart_after_a_kill(network_process: Callable[[str], Any], tmp_path: Path) -> None:
    """After a SIGKILL the next network takes the stale socket over, with ids of its own."""
    address = f"unix:{tmp_path}/n.sock"
    ids = []
    for _ in range(2):
        network = network_process(address)
        with Line(address, "700") as line:
            ids.append(line.submit("701", "text").carrier_id)
        network.end(signal.SIGKILL)
        assert (tmp_path / "n.sock").exists()
    assert ids[0] != ids[1]

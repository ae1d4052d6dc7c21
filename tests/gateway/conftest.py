"""A loopback network as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dtns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NETWORK = """
import sys
from twisted.internet import reactor
from dtns.gateway.loopback.address import parse_address
from dtns.gateway.loopback.conditions import Conditions
from dtns.gateway.loopback.main import serve_network
serve_network(parse_address(sys.argv[1]), Conditions(), 1, reactor)
"""


class NetworkProcess:
    """A running network; `address` is where it says it listens."""

    def __init__(self, address: str) -> None:
        source = str(Path(dtns.__file__).parents[1])
        self.process = subprocess.Popen(
            [sys.executable, "-c", NETWORK, address],
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": source},
            text=True,
        )
        assert self.process.stderr is not None
        self.first_line = self.process.stderr.readline()
        self.address = json.loads(self.first_line)["address"] if self.is_ready() else ""

    def is_ready(self) -> bool:
        """Whether it announced itself; if not, `first_line` begins its last words."""
        return self.first_line.startswith("{")

    def end(self, signal: int) -> tuple[int, str]:
        """Send *signal*; return the exit status and what it said since."""
        if self.process.poll() is None:
            self.process.send_signal(signal)
        _, said = self.process.communicate(timeout=10)
        return self.process.returncode, said


@pytest.fixture
def network_process() -> Iterator[Callable[[str], NetworkProcess]]:
    """Start networks, given their addresses; those still running are killed in the end."""
    started: list[NetworkProcess] = []

    def start(address: str) -> NetworkProcess:
        started.append(NetworkProcess(address))
        return started[-1]

    yield start
    for network in started:
        network.process.kill()
        network.process.communicate()

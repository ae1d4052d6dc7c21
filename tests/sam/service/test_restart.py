"""A Sam that is killed at any moment loses nothing that it acknowledged."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deployment import Deployment, deploy

from dtns.gateway.carrier import Accepted
from dtns.gateway.loopback.handset import Line
from dtns.sam.handset.simfile import SimFile, read_sim_file
from dtns.sam.protocol.answer import Grant, read_answer
from dtns.sam.protocol.ask import Ask, Form
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.wire import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKERS, ASKS, KILLS = 4, 30, 4
SERVICE = "7267"


@contextmanager
def network(folder: Path) -> Iterator[str]:
    """Run `dtns network` and yield its endpoint."""
    endpoint = f"unix:{folder / 'outside.sock'}"
    process = subprocess.Popen(
        [sys.executable, "-m", "dtns.sam", "network", "--endpoint", endpoint, "--delay", "0.02"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process:
        assert json.loads(process.stderr.readline())["event"] == "ready"
        yield endpoint
        process.terminate()


def asks_of(sim: SimFile, holder: SimFile) -> dict[int, bytes]:
    """Return sealed asks by their counters."""
    return {
        counter: Ask(
            sim.party, counter, holder.number, 4, Direction.ASKER_PAYS, Form(counter % 3), 0
        ).seal(sim.keys.ask)
        for counter in range(1, ASKS + 1)
    }


def collect(line: Line, texts: dict[int, set[str]], wait: float) -> None:
    """Take in and acknowledge the answers that have come."""
    for message in line.messages(wait):
        texts.setdefault(read_answer(message.text).counter, set()).add(message.text)
        line.acknowledge(message.network_id)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_sigkill(tmp_path: Path) -> None:
    """Every ask that the network took is answered though Sam is killed again and again.

    The phones send each ask once. No two keys share an n, and no ask has two different answers.
    """
    dice = random.Random(1978)
    deployment: Deployment = deploy(tmp_path / "d")
    with network(tmp_path) as endpoint:
        text = deployment.config.read_text().replace("embedded = true", "embedded = false")
        text = text.replace('# endpoint = "tcp:127.0.0.1:7700"', f'endpoint = "{endpoint}"')
        deployment.config.write_text(text)
        numbers = [f"+25470000{n:04}" for n in range(ASKERS + 1)]
        *sims, holder = map(read_sim_file, deployment.enrol(*numbers))
        sam = deployment.start()
        answers: list[dict[int, set[str]]] = [{} for _ in sims]
        lines = [Line(endpoint, f"+{sim.number}") for sim in sims]
        for line in lines:
            line.open()
        asked = [asks_of(sim, holder) for sim in sims]
        for counter in range(1, ASKS + 1):
            for line, asks in zip(lines, asked, strict=True):
                assert isinstance(line.submit(SERVICE, to_text(asks[counter])), Accepted)
            if counter % (ASKS // KILLS) == 0:
                time.sleep(dice.uniform(0, 0.05))
                sam.send_signal(signal.SIGKILL)
                sam.wait()
                sam = deployment.start()
        deadline = time.monotonic() + 30
        while any(len(texts) < ASKS for texts in answers) and time.monotonic() < deadline:
            for line, texts in zip(lines, answers, strict=True):
                collect(line, texts, 0.1)
        sam.terminate()
        assert sam.wait(20) == 0, deployment.log
        for line in lines:
            line.close()
    for sim, asks, texts in zip(sims, asked, answers, strict=True):
        assert {counter: len(texts.get(counter, ())) for counter in asks} == dict.fromkeys(asks, 1)
        told = [
            read_answer(next(iter(texts[counter]))).open(sim.keys.answer, octets)
            for counter, octets in asks.items()
        ]
        assert sorted(grant.n for grant in told if isinstance(grant, Grant)) == [
            *range(1, ASKS + 1)
        ]

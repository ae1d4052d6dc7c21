"""Honest asks while a flood of forged ones comes in at full speed; one JSON line.

    python tests/bench/flood.py --rounds 5 --seconds 4 --forged-per-second 500

A `dtns serve` with its network embedded, phones that ask at a steady rate and wait for their
answers. In each round: alone; beside one sender that submits so many forged asks a second; beside
one sender, and beside a thousand on 20 connections, that submit as many as the network takes.
Prints for each how long honest asks took in milliseconds (median, 95th percentile, and the median
until the network let them in), the ratios to the quiet ones of the same round (median, least and
largest of the rounds), how many forged asks Sam turned away in a second, how many honest attempts
the network refused for now, which share of a core Sam and the flood's generator used, and Sam's
largest resident memory in KiB.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from deployment import Deployment, deploy

from dtns.gateway.carrier import Accepted
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.handset import Line
from dtns.gateway.loopback.wire import encode
from dtns.sam.configuration import load_config
from dtns.sam.handset.simfile import SimFile, read_sim_file
from dtns.sam.protocol.ask import Ask, Form
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.wire import to_text
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import GetStatus, Status

SERVICE = "7267"
"""The service's number in a fresh configuration."""
CROWD = 1000
CROWDS_CONNECTIONS = 20
PHONES = 10
ANSWER_SECONDS = 20.0
WARM_UP_SECONDS = 1.0
PIPELINE = 10


class Latency(NamedTuple):
    """Seconds from the first attempt to submit until it was let in, and until the answer."""

    let_in: float
    answered: float


class Party:
    """A phone that stays attached and asks by hand."""

    def __init__(self, sim: SimFile, holder: SimFile, line: Line) -> None:
        self.sim, self.holder, self.line = sim, holder, line
        self.counter = 0
        self.refused = 0

    def next_ask(self) -> str:
        """Return the text of the next ask."""
        self.counter += 1
        ask = Ask(
            *(self.sim.party, self.counter, self.holder.number),
            *(4, Direction.ASKER_PAYS, Form.DERIVED, 0),
        )
        return to_text(ask.seal(self.sim.keys.ask))

    def latency(self) -> Latency:
        """Ask, refused attempts included, and return how long it took."""
        text, began = self.next_ask(), time.monotonic()
        while not isinstance(self.line.submit(SERVICE, text), Accepted):
            if time.monotonic() > began + ANSWER_SECONDS:
                raise SystemExit("an honest ask was not let in")
            self.refused += 1
            time.sleep(0.01)
        let_in = time.monotonic()
        for message in self.line.messages(ANSWER_SECONDS):
            self.line.acknowledge(message.network_id)
            return Latency(let_in - began, time.monotonic() - began)
        raise SystemExit("an honest ask was not answered")


def flood(path: str, text: str, senders: int, per_second: float) -> None:
    """Submit so many forged asks a second, 0 for as many as the network takes, until killed."""
    forged = text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "QQQQ")
    connections = min(senders, CROWDS_CONNECTIONS)
    bursts: dict[socket.socket, deque[bytes]] = {}
    with selectors.DefaultSelector() as selector:
        for first in range(connections):
            numbers = [f"+2547990{n:05}" for n in range(first, senders, connections)]
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            connection.sendall(b"".join(encode(op.Attach(number)) for number in numbers))
            submits = [encode(op.Submit("1", number, SERVICE, forged)) for number in numbers]
            bursts[connection] = deque(submits * PIPELINE if senders == 1 else submits)
            selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        if per_second:
            _flood_at(per_second, *bursts.popitem(), selector)
        _flood_at_full_speed(bursts, selector)


def _flood_at(
    per_second: float,
    connection: socket.socket,
    submits: deque[bytes],
    selector: selectors.BaseSelector,
) -> None:
    due = time.monotonic()
    selector.modify(connection, selectors.EVENT_READ)
    while True:
        connection.sendall(b"".join(submits))
        due += len(submits) / per_second
        time.sleep(max(0.0, due - time.monotonic()))
        while selector.select(0):
            if not connection.recv(1 << 20):
                return


def _flood_at_full_speed(
    bursts: dict[socket.socket, deque[bytes]], selector: selectors.BaseSelector
) -> None:
    unsent = dict.fromkeys(bursts, b"")
    for connection in bursts:
        connection.setblocking(False)
    while True:
        for key, events in selector.select():
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            if events & selectors.EVENT_READ and not connection.recv(1 << 20):
                return
            if events & selectors.EVENT_WRITE:
                submits = bursts[connection]
                octets = unsent[connection] or b"".join(list(submits)[:PIPELINE])
                submits.rotate(-PIPELINE)
                unsent[connection] = octets[connection.send(octets) :]


@contextmanager
def flooded(endpoint: str, text: str, senders: int, per_second: float) -> Iterator[int]:
    """Flood from another process; gives its id."""
    path = endpoint.removeprefix("unix:")
    arguments = [sys.executable, __file__, "--flood", path, text, str(senders), str(per_second)]
    process = subprocess.Popen(arguments)
    try:
        time.sleep(WARM_UP_SECONDS)
        assert process.poll() is None
        yield process.pid
    finally:
        process.kill()
        process.wait()


def measure(parties: list[Party], seconds: float, rate: float) -> list[Latency]:
    """Ask at a steady rate, one ask at a time, and return the latencies."""
    latencies = []
    began = time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        latencies.append(parties[len(latencies) % len(parties)].latency())
        time.sleep(max(0.0, now + 1 / rate - time.monotonic()))
    return latencies


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def status(deployment: Deployment) -> Status:
    """Ask Sam how it is."""
    with reach(load_config(deployment.config)) as sam:
        found = sam.answer(GetStatus())
    assert isinstance(found, Status)
    return found


def until_quiet(deployment: Deployment) -> None:
    """Wait until what is left of a flood is served."""
    before, now = -1, status(deployment).counters["forged"]
    while before != now:
        time.sleep(0.5)
        before, now = now, status(deployment).counters["forged"]


class Spell(NamedTuple):
    """What was measured in one spell of asking."""

    latencies: list[Latency]
    forged_per_second: float
    sam_cores: float
    generator_cores: float
    rss_kib: int

    @property
    def median(self) -> float:
        """Half of the asks were answered within these seconds."""
        return statistics.median(each.answered for each in self.latencies)

    @property
    def p95(self) -> float:
        """95 of 100 asks were answered within these seconds."""
        return sorted(each.answered for each in self.latencies)[int(0.95 * len(self.latencies))]


def spell(
    deployment: Deployment, sam: int, generator: int, ask: Callable[[], list[Latency]]
) -> Spell:
    """Ask, and watch Sam and the generator, by their process ids, meanwhile."""
    before, began = status(deployment).counters["forged"], time.monotonic()
    used = [processor_seconds(pid) for pid in (sam, generator)]
    latencies = ask()
    took = time.monotonic() - began
    cores = [processor_seconds(pid) for pid in (sam, generator)]
    turned_away = status(deployment).counters["forged"] - before
    shares = [(end - start) / took for start, end in zip(used, cores, strict=True)]
    return Spell(latencies, turned_away / took, *shares, resident(sam))


def run(rounds: int, seconds: float, rate: float, forged: float) -> dict[str, Any]:
    """Measure quiet, then beside a flood within capacity, then beside floods at full speed."""
    with tempfile.TemporaryDirectory(prefix="dtns-flood-") as folder, ExitStack() as stack:
        deployment = deploy(Path(folder) / "d")
        numbers = [f"+2547000000{n:02}" for n in range(PHONES + 1)]
        holder, *sims = map(read_sim_file, deployment.enrol(*numbers))
        sam = stack.enter_context(deployment.sam())
        lines = [stack.enter_context(Line(sim.network, f"+{sim.number}")) for sim in sims]
        parties = [Party(sim, holder, line) for sim, line in zip(sims, lines, strict=True)]
        measure(parties, WARM_UP_SECONDS, rate)
        until_quiet(deployment)
        ask = partial(measure, parties, seconds, rate)
        spells: dict[str, list[Spell]] = {}
        for _ in range(rounds):
            quiet = spell(deployment, sam.pid, os.getpid(), ask)
            spells.setdefault("quiet", []).append(quiet)
            for name, senders, per_second in (
                ("within_capacity", 1, forged),
                ("one_sender", 1, 0.0),
                ("thousand_senders", CROWD, 0.0),
            ):
                text = parties[0].next_ask()
                with flooded(holder.network, text, senders, per_second) as generator:
                    loud = spell(deployment, sam.pid, generator, ask)
                spells.setdefault(name, []).append(loud)
                until_quiet(deployment)
        refused = sum(party.refused for party in parties)
    figures: dict[str, Any] = {
        name: _figures(found, spells["quiet"]) for name, found in spells.items()
    }
    return figures | {"refused_for_now": refused}


def _figures(found: list[Spell], quiet: list[Spell]) -> dict[str, Any]:
    pairs = list(zip(found, quiet, strict=True))
    latencies = [each for one in found for each in one.latencies]
    return {
        "asks": len(latencies),
        "median_ms": round(1000 * statistics.median(one.median for one in found), 1),
        "p95_ms": round(1000 * statistics.median(one.p95 for one in found), 1),
        "let_in_ms": round(1000 * statistics.median(each.let_in for each in latencies), 1),
        "median_ratio": _spread([one.median / other.median for one, other in pairs]),
        "p95_ratio": _spread([one.p95 / other.p95 for one, other in pairs]),
        "forged_per_second": round(statistics.median(one.forged_per_second for one in found)),
        "sam_cores": round(statistics.median(one.sam_cores for one in found), 2),
        "generator_cores": round(statistics.median(one.generator_cores for one in found), 2),
        "rss_kib": max(one.rss_kib for one in found),
    }


def _spread(ratios: list[float]) -> list[float]:
    return [round(each, 2) for each in (statistics.median(ratios), min(ratios), max(ratios))]


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--asks-per-second", type=float, default=10.0)
    parser.add_argument("--forged-per-second", type=float, default=500.0)
    parser.add_argument("--flood", nargs=4, metavar=("PATH", "TEXT", "SENDERS", "PER_SECOND"))
    options = parser.parse_args()
    if options.flood:
        path, text, senders, per_second = options.flood
        flood(path, text, int(senders), float(per_second))
    else:
        rate, forged = options.asks_per_second, options.forged_per_second
        print(json.dumps(run(options.rounds, options.seconds, rate, forged)))  # noqa: T201 (its output)


if __name__ == "__main__":
    main()

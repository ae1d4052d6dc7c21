"""Honest asks while a flood of forged ones comes in at full speed; one JSON line.

    python tests/bench/flood.py --seconds 10 --forged-per-second 500

A `dtns serve` with its network embedded, phones that ask at a steady rate and wait for their
answers: alone, then beside a client that submits so many forged asks a second, then beside one
that submits as many as the network takes. Prints the latency of honest asks in milliseconds
(median and 95th percentile, and the ratio of the medians to the quiet one), how many forged asks
Sam turned away in a second, how many asks the network refused for now, and Sam's resident memory
in KiB before and after each flood. At full speed honest asks queue in the network behind the
forged ones: it holds 1,000 for one number and refuses more for now.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

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
FLOODER = "+254799999999"
PHONES = 10
ANSWER_SECONDS = 20.0
WARM_UP_SECONDS = 1.0
PIPELINE = 10


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

    def latency(self) -> float:
        """Ask and return the seconds until the answer is here, refused attempts included."""
        text, began = self.next_ask(), time.monotonic()
        while not isinstance(self.line.submit(SERVICE, text), Accepted):
            self.refused += 1
            time.sleep(0.01)
        for message in self.line.messages(ANSWER_SECONDS):
            self.line.acknowledge(message.network_id)
            return time.monotonic() - began
        raise SystemExit("an honest ask was not answered")


def flood(path: str, number: str, text: str, per_second: float) -> None:
    """Submit so many forged asks a second, 0 for as many as the network takes, until killed."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(encode(op.Attach(number)))
        forged = text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "QQQQ")
        burst = b"".join(
            encode(op.Submit(str(n), number, SERVICE, forged)) for n in range(PIPELINE)
        )
        due = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            while True:
                connection.sendall(burst)
                due += PIPELINE / per_second if per_second else 0.0
                time.sleep(max(0.0, due - time.monotonic()))
                while selector.select(0):
                    if not connection.recv(1 << 20):
                        return


@contextmanager
def flooded(endpoint: str, text: str, per_second: float) -> Iterator[None]:
    """Flood from another process."""
    path = endpoint.removeprefix("unix:")
    arguments = [sys.executable, __file__, "--flood", path, FLOODER, text, str(per_second)]
    process = subprocess.Popen(arguments)
    try:
        time.sleep(WARM_UP_SECONDS)
        yield
    finally:
        process.kill()
        process.wait()


def measure(parties: list[Party], seconds: float, rate: float) -> list[float]:
    """Ask at a steady rate, one ask at a time, and return the latencies."""
    latencies = []
    began = time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        latencies.append(parties[len(latencies) % len(parties)].latency())
        time.sleep(max(0.0, now + 1 / rate - time.monotonic()))
    return latencies


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


def run(seconds: float, rate: float, forged: float) -> dict[str, Any]:
    """Measure quiet, then beside a flood within capacity, then beside one at full speed."""
    with tempfile.TemporaryDirectory(prefix="dtns-flood-") as folder, ExitStack() as stack:
        deployment = deploy(Path(folder) / "d")
        numbers = [f"+2547000000{n:02}" for n in range(PHONES + 1)]
        holder, *sims = map(read_sim_file, deployment.enrol(*numbers))
        sam = stack.enter_context(deployment.sam())
        lines = [stack.enter_context(Line(sim.network, f"+{sim.number}")) for sim in sims]
        parties = [Party(sim, holder, line) for sim, line in zip(sims, lines, strict=True)]
        measure(parties, WARM_UP_SECONDS, rate)
        quiet = measure(parties, seconds, rate)
        figures: dict[str, Any] = _milliseconds("quiet", quiet, quiet)
        figures["rss_kib"] = [resident(sam.pid)]
        for name, per_second in (("flooded", forged), ("full_speed", 0.0)):
            with flooded(holder.network, parties[0].next_ask(), per_second):
                before, began = status(deployment).counters["forged"], time.monotonic()
                loud = measure(parties, seconds, rate)
                turned_away = status(deployment).counters["forged"] - before
            figures |= _milliseconds(name, loud, quiet)
            figures[f"{name}_forged_per_second"] = round(turned_away / (time.monotonic() - began))
            figures["rss_kib"].append(resident(sam.pid))
        figures["refused_for_now"] = sum(party.refused for party in parties)
    return figures


def _milliseconds(name: str, latencies: list[float], quiet: list[float]) -> dict[str, float]:
    ranked = sorted(latencies)
    return {
        f"{name}_asks": len(ranked),
        f"{name}_median_ms": round(1000 * statistics.median(ranked), 1),
        f"{name}_p95_ms": round(1000 * ranked[int(0.95 * len(ranked))], 1),
        f"{name}_ratio": round(statistics.median(ranked) / statistics.median(quiet), 2),
    }


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--asks-per-second", type=float, default=10.0)
    parser.add_argument("--forged-per-second", type=float, default=500.0)
    parser.add_argument("--flood", nargs=4, metavar=("PATH", "NUMBER", "TEXT", "PER_SECOND"))
    options = parser.parse_args()
    if options.flood:
        flood(*options.flood[:3], float(options.flood[3]))
    else:
        figures = run(options.seconds, options.asks_per_second, options.forged_per_second)
        print(json.dumps(figures))  # noqa: T201 (its output)


if __name__ == "__main__":
    main()

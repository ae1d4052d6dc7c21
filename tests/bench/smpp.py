"""How fast Sam answers asks through an SMSC, beside the bare echo of the same client.

    python tests/bench/smpp.py --messages 2000 --rounds 5 --smsc smpp34

In turn, a round of each: `dtns serve` bound to an SMSC answers asks, each decided on and durable
before it is acknowledged, and its answer durable before it leaves; and a `SmppCarrier` alone,
bound to another SMSC process of the same kind with the same binds and windows, sends each message
back. Prints one JSON line: messages in a second of both (median, least, most), and the ratio of
the medians.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from deployment import deploy
from smpp_deployment import furnish
from smscs import SmscProcess

from dtns.sam.handset.card import MemoryCard, fresh_state
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.simfile import read_sim_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dtns.gateway.carrier import Inbound, Report, Settled

BINDS = 2
WINDOW = 50
AT_THE_SMSC = 500
"""How many messages are on their way at a time."""
PATIENCE_SECONDS = 60.0


class Echo:
    """A sink that sends each message back where it came from."""

    def __init__(self) -> None:
        self.carrier: Any = None
        self._sent = 0

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Send them back."""
        from dtns.gateway.carrier import Outbound  # noqa: PLC0415 (the other process's)

        settled(messages, None)
        back = [
            Outbound(str(self._sent + place), message.sender, message.text, 3600)
            for place, message in enumerate(messages, 1)
        ]
        self._sent += len(back)
        self.carrier.send_all(back, lambda _: None)

    async def reported(self, report: Report) -> None:
        """Have no use for it."""


def echo(port: int) -> None:
    """Run the bare client until it is terminated."""
    from twisted.internet import reactor  # noqa: PLC0415 (installs itself)
    from twisted.internet.defer import Deferred  # noqa: PLC0415 (the same)

    from dtns.gateway.smpp.carrier import SmppCarrier  # noqa: PLC0415 (the same)
    from dtns.gateway.smpp.endpoint import smsc_endpoint  # noqa: PLC0415 (the same)
    from dtns.gateway.smpp.messages import address_of  # noqa: PLC0415 (the same)
    from dtns.gateway.smpp.settings import Settings  # noqa: PLC0415 (the same)

    sink = Echo()
    endpoint = smsc_endpoint(reactor, "127.0.0.1", port, timeout=5.0)
    settings = Settings(
        *(endpoint, "here", "sam", "secret", address_of("7267")), binds=BINDS, window=WINDOW
    )
    sink.carrier = SmppCarrier(
        "smpp", {"one": settings}, sink, random=random.Random(), reactor=reactor
    )
    Deferred.fromCoroutine(sink.carrier.start())
    running: Any = reactor
    running.run()


@contextmanager
def echoing(port: int) -> Iterator[None]:
    """Run the bare client in another process."""
    process = subprocess.Popen([sys.executable, __file__, "--echo", str(port)])
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def rate(smsc: SmscProcess, messages: list[tuple[str, str]]) -> float:
    """Deliver these, and return how many came back in a second."""
    started = time.monotonic()
    came = begun = 0
    while came < len(messages):
        upto = min(len(messages), came + AT_THE_SMSC)
        came += len(smsc.order("turn", deliver=messages[begun:upto])["submitted"])
        begun = upto
        time.sleep(0.005)
        if time.monotonic() > started + PATIENCE_SECONDS:
            raise SystemExit(f"only {came} of {len(messages)} came back")
    return came / (time.monotonic() - started)


def bound(smsc: SmscProcess) -> None:
    """Wait until all binds are there."""
    while smsc.order("status")["receivers"] < BINDS:
        time.sleep(0.05)


def asks_of(sims: list[Path], rounds: int) -> list[list[tuple[str, str]]]:
    """Return for each round an ask of each phone for a key with the next one."""
    files = [read_sim_file(sim) for sim in sims]
    phones = [Handset(file, MemoryCard(fresh_state(file)), os.urandom) for file in files]
    made = []
    for _ in range(rounds):
        asks = []
        for phone, peer in zip(phones, files[1:] + files[:1], strict=True):
            asked = phone.ask(peer.number, Wish(), time.time(), anew=True)
            assert isinstance(asked, Asked), asked
            asks.append((str(phone.sim.number), asked.text))
        made.append(asks)
    return made


def run(messages: int, rounds: int, kind: str) -> dict[str, Any]:
    """Measure both, in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dtns-bench-")))
        sams, echos = (stack.enter_context(SmscProcess(kind)) for _ in range(2))
        deployment = deploy(folder / "d")
        furnish(deployment, [sams.port], binds=BINDS, window=WINDOW)
        sims = deployment.enrol_csv([f"+2547{number:08d}" for number in range(messages)])
        stack.enter_context(deployment.sam())
        stack.enter_context(echoing(echos.port))
        bound(sams)
        bound(echos)
        rates: dict[str, list[float]] = {"sam": [], "echo": []}
        for asks in asks_of(sims, rounds + 1):
            rates["echo"].append(rate(echos, asks))
            rates["sam"].append(rate(sams, asks))
    figures: dict[str, Any] = {"smsc": kind, "messages": messages, "rounds": rounds}
    for name, each in rates.items():
        warm = each[1:]
        figures[f"{name}_per_second"] = round(statistics.median(warm))
        figures[f"{name}_least_most"] = [round(min(warm)), round(max(warm))]
    ratio = statistics.median(rates["sam"][1:]) / statistics.median(rates["echo"][1:])
    return figures | {"ratio": round(ratio, 2)}


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--smsc", choices=("smpp34", "npm"), default="smpp34")
    parser.add_argument("--echo", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.echo:
        echo(options.echo)
    else:
        figures = run(options.messages, options.rounds, options.smsc)
        print(json.dumps(figures))  # noqa: T201 (its output)


if __name__ == "__main__":
    main()

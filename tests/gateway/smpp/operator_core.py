"""Bind to a real operator's core, Osmocom's, and submit to it; one JSON line.

    unshare --net python tests/gateway/smpp/operator_core.py

Runs osmo-stp, osmo-hlr and osmo-msc as Debian has them, on the loopback interface of a network
namespace of its own, with `sctp.c` preloaded where they want SCTP. The SMSC is osmo-msc's. Prints
how often it was bound, the answers to submissions and the names for them, whether its signalling
link to osmo-stp was up, and what the bind counted; the SMSC is ended in between, and begun again.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[3]
EQUIPMENT = ROOT / "tests" / "equipment"
sys.path[:0] = [str(EQUIPMENT)]

from sinks import KeepingSink  # noqa: E402
from twisted.internet import reactor  # noqa: E402
from twisted.internet.defer import Deferred  # noqa: E402
from twisted.internet.task import deferLater  # noqa: E402

from dtns.gateway.carrier import Accepted, Outbound  # noqa: E402
from dtns.gateway.smpp.carrier import SmppCarrier  # noqa: E402
from dtns.gateway.smpp.endpoint import smsc_endpoint  # noqa: E402
from dtns.gateway.smpp.messages import address_of  # noqa: E402
from dtns.gateway.smpp.settings import Settings  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

SMPP_PORT, GSUP_PORT, M3UA_PORT = 2775, 4222, 2905
MSC_PORT = 4254
START_SECONDS = 20.0
HLR = """
line vty
 bind 127.0.0.1
hlr
 subscriber-create-on-demand 5 cs
 gsup
  bind ip 127.0.0.1
"""
MSC = """
line vty
 bind 127.0.0.1
network
 network country code 1
 mobile network code 1
 short name dtns
 long name dtns
 encryption a5 0
 authentication optional
msc
 mgw remote-ip 127.0.0.1
hlr
 remote-ip 127.0.0.1
smpp
 local-tcp-ip 127.0.0.1 2775
 system-id osmomsc
 policy closed
 esme sam
  password samsecr
  route prefix unknown isdn 700
  default-route
"""
STP = """
line vty
 bind 127.0.0.1
cs7 instance 0
 xua rkm routing-key-allocation dynamic-permitted
 listen m3ua 2905
  accept-asp-connections dynamic-permitted
"""


@contextmanager
def running(
    folder: Path, program: str, config: str, preload: Path | None, *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the programs, its log beside its configuration."""
    file = folder / f"{program}.cfg"
    file.write_text(config)
    environment = dict(os.environ)
    if preload is not None:
        environment["LD_PRELOAD"] = str(preload)
    with (folder / f"{program}.log").open("ab") as log:
        process = subprocess.Popen(
            [program, "-c", str(file), *options],
            cwd=folder,
            stdout=log,
            stderr=log,
            env=environment,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, program: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and program.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    logs = "\n".join(file.read_text(errors="replace")[-2000:] for file in folder.glob("*.log"))
    raise SystemExit(f"nobody listens on port {port}:\n{logs}")


def shown(port: int, command: str) -> str:
    """Return what one of the programs shows on its terminal."""
    with socket.create_connection(("127.0.0.1", port), timeout=2.0) as terminal:
        terminal.sendall(f"{command}\n".encode())
        time.sleep(0.3)
        return terminal.recv(1 << 16).decode(errors="replace")


async def until(condition: Any, seconds: float = START_SECONDS) -> bool:
    """Wait until *condition* holds; tell whether it came to."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        await deferLater(reactor, 0.05)
    return bool(condition())


async def talk(folder: Path, shim: Path, stack: ExitStack) -> dict[str, Any]:
    """Bind, submit, lose the SMSC, bind again and submit again."""
    options = ("-l", str(folder / "hlr.db"))
    stp = stack.enter_context(running(folder, "osmo-stp", STP, shim))
    wait_for(M3UA_PORT, stp, folder)
    hlr = stack.enter_context(running(folder, "osmo-hlr", HLR, None, *options))
    wait_for(GSUP_PORT, hlr, folder)
    sink = KeepingSink()
    settings = Settings(
        smsc_endpoint(reactor, "127.0.0.1", SMPP_PORT, timeout=2.0),
        "osmo-msc",
        "sam",
        "samsecr",
        address_of("700"),
    )
    carrier = SmppCarrier(
        "smpp", {"osmo": settings}, sink, random=random.Random(1), reactor=reactor
    )
    smsc = carrier.smscs["osmo"]
    figures: dict[str, Any] = {"binds": 0, "answers": []}
    await carrier.start()
    for cut in range(2):
        with running(folder, "osmo-msc", MSC, shim) as msc:
            wait_for(SMPP_PORT, msc, folder)
            figures["binds"] += await until(lambda: carrier.connected)
            for number in range(3):
                message = Outbound(f"{cut}-{number}", "+254700000001", f"hello {number}", 3600)
                answer = await carrier.send(message)
                name = answer.carrier_id if isinstance(answer, Accepted) else answer.reason
                figures["answers"].append([type(answer).__name__, name])
            figures["signalling"] = await until(
                lambda: "ASP_ACTIVE" in shown(MSC_PORT, "show cs7 instance 0 asp"), 10.0
            )
            if cut:
                await carrier.stop()
        await until(lambda: not carrier.connected)
    return figures | {
        "sent": smsc.condition.sent,
        "failed": smsc.condition.failed,
        "counts": dict(smsc.condition.counts),
    }


def main() -> None:
    """Run the command line above."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="dtns-osmo-") as name, ExitStack() as stack:
        folder = Path(name)
        shim = folder / "sctp.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-o", shim, EQUIPMENT / "sctp.c", "-ldl"], check=True
        )
        outcome: list[Any] = []
        done = Deferred.fromCoroutine(talk(folder, shim, stack))
        loop: Any = reactor
        done.addBoth(outcome.append)
        done.addBoth(lambda _: loop.stop())
        loop.run()
        if not isinstance(outcome[0], dict):
            outcome[0].raiseException()
        if os.environ.get("DTNS_LOGS"):
            for file in folder.glob("*.log"):
                sys.stderr.write(f"== {file.name}\n{file.read_text(errors='replace')}\n")
    print(json.dumps(outcome[0]))  # noqa: T201 (its output)


if __name__ == "__main__":
    main()

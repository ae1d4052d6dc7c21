"""How long Sam takes to be ready, and how much memory it needs; one JSON line.

    python tests/bench/startup.py --many 1000000 --rounds 9

Starts `dtns serve` on a deployment with 1,000 parties and on one with *many* in turn, from the
exec to the line that says ready, beside a bare Python that imports what a Twisted program needs.
Then has Sam with an SMSC answer asks, and reports its resident memory before and after, and what
commands cost while it runs. As in an installation, all of it is compiled by then: a first start of
each is left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from figures import conclude, cores, cpu_seconds, on_core, ratios, resident_kib, spread, tell
from stand import Stand, enrol

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from deployment import DTNS, Deployment, deploy

FEW = 1000
ASKS = 50_000
SETTLED_SECONDS = 0.2
"""After which a program that has just started has let go of what only starting needed."""
_BARE = """\
import sys
import twisted.internet.reactor, cryptography.hazmat.primitives.cmac, sqlite3
print('"ready"', file=sys.stderr, flush=True)
sys.stdin.read()
"""


class Start(NamedTuple):
    """How long a program took until it was ready, by the clock and in CPU time; its memory."""

    milliseconds: float
    cpu_milliseconds: float
    resident_mib: float


def start(command: list[str], environment: Mapping[str, str], core: int) -> Start:
    """Start a program, and end it once it says that it is ready."""
    with on_core(core):
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
    assert process.stderr is not None
    if not any('"ready"' in line for line in process.stderr):
        sys.exit(f"it did not start: {' '.join(command)}")
    took = 1000 * (time.perf_counter() - began)
    cpu = 1000 * cpu_seconds(process.pid)
    time.sleep(SETTLED_SECONDS)
    found = Start(took, cpu, resident_kib(process.pid) / 1024)
    process.terminate()
    process.communicate()
    return found


def sam(deployment: Deployment) -> list[str]:
    """Return the command that serves a deployment."""
    return [*DTNS, "serve", "-c", str(deployment.config)]


def command_milliseconds(arguments: list[str], environment: Mapping[str, str]) -> float:
    """Return the CPU time of a whole command."""
    process = subprocess.Popen([*DTNS, *arguments], stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return 1000 * (usage.ru_utime + usage.ru_stime)


def compiled(folder: Path) -> dict[str, str]:
    """Return what has Python keep what it compiles in *folder*, whatever is set here."""
    return {"PYTHONPYCACHEPREFIX": str(folder), "PYTHONDONTWRITEBYTECODE": ""}


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--many", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dtns-startup-") as name:
        folder, both = Path(name), cores()
        environment = compiled(folder / "compiled")
        commands = {"bare": [sys.executable, "-c", _BARE]}
        for what, parties in ("few", FEW), ("many", options.many):
            deployment = deploy(folder / what)
            enrol(deployment.config, parties)
            commands[what] = sam(deployment)
        starts: dict[str, list[Start]] = {what: [] for what in commands}
        for turn in range(options.rounds + 1):
            for what, command in commands.items():
                found = start(command, os.environ | environment, both[0])
                if turn:
                    starts[what].append(found)
                    tell(f"{what:5} {found.milliseconds:5.0f} ms {found.resident_mib:5.1f} MiB")
        with Stand(folder / "first", FEW, both, environment=environment):
            pass
        with Stand(folder / "loaded", FEW, both, environment=environment) as stand:
            time.sleep(SETTLED_SECONDS)
            bound = stand.resident_kib
            stand.round(ASKS)
            loaded = stand.resident_kib
            status = ["gateway", "status", "--json", "-c", str(stand.deployment.config)]
            costs = {
                name: [
                    command_milliseconds(arguments, os.environ | environment)
                    for _ in range(options.rounds + 1)
                ][1:]
                for name, arguments in (("--help", ["--help"]), ("gateway status", status))
            }
    ready, cpu, resident = (
        {what: [found[figure] for found in every] for what, every in starts.items()}
        for figure in range(3)
    )
    conclude(
        "startup",
        {
            "many": options.many,
            "ready_ms": {what: spread(values, 0) for what, values in ready.items()},
            "cpu_ms": {what: spread(values, 0) for what, values in cpu.items()},
            "command_cpu_ms": {what: spread(values, 0) for what, values in costs.items()},
            "many_to_few": ratios(ready["many"], ready["few"]),
            "cpu_many_to_few": ratios(cpu["many"], cpu["few"]),
            "to_bare": ratios(ready["few"], ready["bare"]),
            "cpu_to_bare": ratios(cpu["few"], cpu["bare"]),
            "resident_mib": {what: spread(values, 1) for what, values in resident.items()}
            | {"bound": round(bound / 1024, 1), "loaded": round(loaded / 1024, 1)},
        },
    )


if __name__ == "__main__":
    main()

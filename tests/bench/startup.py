"""How long Sam takes to be ready, and how much memory it needs; one JSON line.

    python tests/bench/startup.py --many 1000000 --rounds 9

Starts `dtns serve` on a deployment with 1,000 parties and on one with *many* in turn, from the
exec to the line that says ready, beside a bare Python that imports what a Twisted program needs.
Then has the first answer asks, and reports its resident memory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import conclude, cores, on_core, ratios, resident_kib, spread, tell
from stand import Stand, enrol

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from deployment import DTNS, Deployment, deploy

FEW = 1000
ASKS = 50_000
_BARE = "import twisted.internet.reactor, cryptography.hazmat.primitives.cmac, sqlite3"


def start_milliseconds(deployment: Deployment, core: int) -> tuple[float, int]:
    """Start Sam and stop it; return the milliseconds until it was ready, and its memory in KiB."""
    with on_core(core):
        began = time.perf_counter()
        process = subprocess.Popen(
            [*DTNS, "serve", "-c", str(deployment.config)], stderr=subprocess.PIPE, text=True
        )
    assert process.stderr is not None
    for line in process.stderr:
        if '"ready"' in line:
            took = 1000 * (time.perf_counter() - began)
            break
    else:
        sys.exit("Sam did not start")
    resident = resident_kib(process.pid)
    process.terminate()
    process.communicate()
    return took, resident


def bare_milliseconds(core: int) -> float:
    """Return the milliseconds that the imports alone take."""
    with on_core(core):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", _BARE], check=True)
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--many", type=int, default=1_000_000)
    options = parser.parse_args()
    took: dict[int, list[float]] = {FEW: [], options.many: []}
    bare: list[float] = []
    with tempfile.TemporaryDirectory(prefix="dtns-startup-") as name:
        folder, both = Path(name), cores()
        deployments = {}
        for parties in took:
            deployments[parties] = deploy(folder / str(parties))
            enrol(deployments[parties].config, parties)
        for _ in range(options.rounds):
            bare.append(bare_milliseconds(both[0]))
            for parties, deployment in deployments.items():
                milliseconds, idle = start_milliseconds(deployment, both[0])
                took[parties].append(milliseconds)
                tell(f"{parties:8} parties: ready after {milliseconds:.0f} ms, {idle} KiB")
        with Stand(folder / "loaded", FEW, both) as stand:
            stand.round(ASKS)
            loaded = stand.resident_kib
    conclude(
        "startup",
        {
            "ready_ms": spread(took[FEW], 0),
            "ready_ms_many": spread(took[options.many], 0),
            "many": options.many,
            "many_to_few": ratios(took[options.many], took[FEW]),
            "imports_alone_ms": spread(bare, 0),
            "to_imports_alone": ratios(took[FEW], bare),
            "rss_idle_mib": round(idle / 1024, 1),
            "rss_loaded_mib": round(loaded / 1024, 1),
        },
    )


if __name__ == "__main__":
    main()

"""Callers of the USSD menu, all at once, by HTTP callback: how long each waits for a screen.

    python tests/bench/ussd.py --callers 200 --at-once 50

A real `dtns serve`; each caller asks for a key in five requests, repeats one, and types the answer
into a phone. Prints one line of JSON; exit code 1 if a screen took 2 seconds or a key is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "equipment"), str(ROOT / "src")]

from deployment import Deployment, deploy  # noqa: E402 (found only now)

from dtns.gateway.ussd.simulator import Caller  # noqa: E402 (as above)
from dtns.sam.handset.card import MemoryCard, fresh_state  # noqa: E402 (as above)
from dtns.sam.handset.exchanges import Asked  # noqa: E402 (as above)
from dtns.sam.handset.handset import Handset  # noqa: E402 (as above)
from dtns.sam.handset.simfile import read_sim_file  # noqa: E402 (as above)

SECRET = "a-path-that-nobody-guesses"
FIRST = 254712000001
LONGEST_SECONDS = 2.0


def main() -> int:
    """Run it, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dtns-ussd-") as folder:
        deployment = furnished(Path(folder) / "d")
        numbers = [f"+{FIRST + place}" for place in range(options.callers + 1)]
        sims = [read_sim_file(path) for path in deployment.enrol_csv(numbers)]
        phones = [Handset(sim, MemoryCard(fresh_state(sim)), os.urandom) for sim in sims]
        with deployment.sam():
            facts = measured(deployment, phones, options.at_once)
    sys.stdout.write(json.dumps(facts) + "\n")
    good = facts["keys"] == options.callers and facts["longest_seconds"] < LONGEST_SECONDS
    return 0 if good else 1


def furnished(folder: Path) -> Deployment:
    """Return a deployment with callbacks."""
    deployment = deploy(folder)
    secret = deployment.folder / "at.path"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    section = '[gateway.ussd.at]\nlisten = "tcp:127.0.0.1:0"\npath_file = "at.path"\n'
    deployment.config.write_text(f"{deployment.config.read_text()}\n{section}")
    return deployment


def measured(deployment: Deployment, phones: list[Handset], at_once: int) -> dict[str, Any]:
    """Let all phones but the last call, for keys with the last."""
    ready = next(json.loads(line) for line in deployment.log.splitlines() if '"ready"' in line)
    address = ready["ussd"]["ussd.at"].removeprefix("tcp:")
    url, holder = f"http://{address}/ussd/{SECRET}", phones[-1]
    begun = time.monotonic()
    with ThreadPoolExecutor(at_once) as threads:
        calls = list(threads.map(lambda phone: call(url, phone, holder), phones[:-1]))
    took = time.monotonic() - begun
    seconds = [each for call_seconds, _ in calls for each in call_seconds]
    return {
        "callers": len(calls),
        "at_once": at_once,
        "screens": len(seconds),
        "screens_a_second": round(len(seconds) / took, 1),
        "median_seconds": round(statistics.median(seconds), 4),
        "longest_seconds": round(max(seconds), 4),
        "keys": sum(good for _, good in calls),
    }


def call(url: str, phone: Handset, holder: Handset) -> tuple[list[float], bool]:
    """Ask for a key in digits; return what each screen took, and whether the key came."""
    asked = phone.ask_typed(holder.sim.number, time.time())
    assert isinstance(asked, Asked)
    caller, seconds = Caller(url, f"+{phone.sim.number}"), []
    screen = ""
    for typed in ("", "2", f"+{holder.sim.number}", asked.text.replace(" ", "")):
        screen = caller.type(typed) if typed else caller.dial()
        seconds.append(caller.seconds)
        while screen.startswith("Please wait"):
            screen = caller.type("1")
            seconds.append(caller.seconds)
    assert caller.again() == screen
    seconds.append(caller.seconds)
    digits = screen.splitlines()[0].partition(":")[2]
    return seconds, phone.enter_answer(digits).key is not None


if __name__ == "__main__":
    sys.exit(main())

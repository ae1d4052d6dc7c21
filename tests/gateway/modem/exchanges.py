"""Whole exchanges through modems with random faults: phone, network, modem, Sam and back.

    python tests/gateway/modem/exchanges.py --exchanges 1000 --modems 2 --seed 1

prints one JSON line: exchanges, confirmed, wrong, lost, asks sent, faults ordered, rounds, seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "tests" / part) for part in ("equipment", "end_to_end")]

from attrs import evolve  # noqa: E402
from deployment import Deployment, deploy, dtns  # noqa: E402
from modems import EmulatorProcess  # noqa: E402
from pairs import _hand_over  # noqa: E402

from dtns.sam.handset.exchanges import Wish  # noqa: E402
from dtns.sam.handset.phone import Phone  # noqa: E402

ASK_AGAIN_SECONDS = 12.0
PATIENCE_SECONDS = 280.0
FAULT_SECONDS = 0.3
DIALECTS = ("huawei", "quectel", "simcom", "zte")


class Trouble:
    """Orders random faults, some three a second; one that refuses ends with the next."""

    def __init__(self, modems: list[EmulatorProcess], seed: int) -> None:
        self._modems = modems
        self._random = random.Random(seed)
        self._next = 0.0
        self._away: dict[int, float] = {}
        self.ordered: Counter[str] = Counter()

    def make(self) -> None:
        """Order a fault if it is time, and end those that are over."""
        now = time.monotonic()
        for place, until in list(self._away.items()):
            if now >= until:
                self._modems[place].order("replug")
                del self._away[place]
        if now < self._next:
            return
        self._next = now + FAULT_SECONDS
        place = self._random.randrange(len(self._modems))
        if place in self._away:
            return
        name = self._random.choice(
            ["burst", "inside", "sticky", "refused", "busy", "hang_up", "unplug", "full", "slow"]
        )
        self.ordered[name] += 1
        self._order(name, place, now)

    def _order(self, name: str, place: int, now: float) -> None:
        modem = self._modems[place]
        modem.order("faults", submit_errors=[])
        match name:
            case "burst":
                modem.order("release")
                modem.order("faults", hold=True)
            case "inside":
                modem.order("release")
                modem.order("faults", inside=5, chatter=True)
            case "sticky":
                modem.order("faults", delete_errors=3)
            case "refused":
                modem.order("faults", submit_errors=[self._random.choice([38, 322, 500])])
            case "busy":
                modem.order("faults", busy=3)
            case "full":
                modem.order("slots", size=self._random.choice([3, 50]))
            case "slow":
                modem.order("faults", prompt_delay=self._random.choice([0.0, 0.2]), echo=True)
            case "hang_up":
                modem.order("hang_up")
            case "unplug":
                modem.order("unplug")
                self._away[place] = now + 2.0

    def end(self) -> None:
        """Put every modem in order."""
        for place, modem in enumerate(self._modems):
            if place in self._away:
                modem.order("replug")
            modem.order("release")
            modem.order("faults", delete_errors=0, busy=0, prompt_delay=0.0, submit_errors=[])
        self._away.clear()


def furnish(deployment: Deployment, modems: int) -> None:
    """Have Sam reach phones by modems alone, as fast as they can."""
    text = deployment.config.read_text()
    loopback = "a loopback network.\nenabled = "
    assert f"{loopback}true" in text
    text = text.replace(f"{loopback}true", f"{loopback}false")
    for number in range(modems):
        device = deployment.folder / f"modem{number}"
        text += f'\n[gateway.modem.m{number}]\ndevice = "{device}"\nper_minute = 0\n'
    deployment.config.write_text(text)


def start_modems(deployment: Deployment, count: int, stack: ExitStack) -> list[EmulatorProcess]:
    """Start modems on the deployment's network, under the service's number and those after it."""
    endpoint = f"unix:{deployment.folder / 'network.sock'}"
    return [
        stack.enter_context(
            EmulatorProcess(
                deployment.folder,
                f"modem{number}",
                *("--network", endpoint, "--number", str(7267 + number)),
                *("--iccid", f"892540212345678901{number}"),
                *("--dialect", DIALECTS[number % len(DIALECTS)]),
            )
        )
        for number in range(count)
    ]


def exchange(
    phones: list[tuple[Phone, Phone]], trouble: Trouble | None, deadline: float
) -> tuple[int, int]:
    """Let every asker ask, listen, and ask again now and then, until it has its answer."""
    waiting = dict.fromkeys(range(len(phones)), 0.0)
    sendings = rounds = 0
    while waiting and time.monotonic() < deadline:
        rounds += 1
        for place, asked_at in list(waiting.items()):
            if trouble is not None:
                trouble.make()
            asker, holder = phones[place]
            with asker.line() as line:
                if "answered" in [came.outcome for came in asker.take_in(line, 0)]:
                    del waiting[place]
                elif time.monotonic() - asked_at > ASK_AGAIN_SECONDS:
                    with asker.handset() as handset:
                        asked = handset.ask(holder.sim.number, Wish(), time.time())
                    assert not isinstance(asked, str), asked
                    sendings += asker.send(line, asked)
                    waiting[place] = time.monotonic()
        time.sleep(0.05)
    return sendings, rounds


def run(exchanges: int, modems: int, seed: int, *, faults: bool = True) -> dict[str, Any]:
    """Run it all and return the figures."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="dtns-modems-"))
        deployment = deploy(Path(folder) / "d")
        furnish(deployment, modems)
        stack.enter_context(deployment.sam())
        running = start_modems(deployment, modems, stack)
        sims = deployment.enrol_csv([f"+2547{number:08d}" for number in range(2 * exchanges)])
        phones = [
            (Phone(sims[number]), Phone(sims[number + exchanges])) for number in range(exchanges)
        ]
        for number, (asker, _) in enumerate(phones):
            asker.sim = evolve(asker.sim, service_number=str(7267 + number % modems))
        trouble = Trouble(running, seed) if faults else None
        started = time.monotonic()
        sendings, rounds = exchange(phones, trouble, started + PATIENCE_SECONDS)
        seconds = time.monotonic() - started
        if trouble is not None:
            trouble.end()
        outcomes = Counter(_hand_over(*pair) for pair in phones)
        done = dtns("gateway", "status", "-c", str(deployment.config), "--json")
        return {
            "exchanges": exchanges,
            **{kind: outcomes[kind] for kind in ("confirmed", "wrong", "lost")},
            "asks_sent": sendings,
            "rounds": rounds,
            "seconds": round(seconds, 1),
            "faults": dict(trouble.ordered) if trouble else {},
            "gateways": json.loads(done.stdout)["gateways"],
        }


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=1000)
    parser.add_argument("--modems", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-faults", dest="faults", action="store_false")
    options = vars(parser.parse_args())
    print(json.dumps(run(**options)))  # noqa: T201 (its output)


if __name__ == "__main__":
    main()

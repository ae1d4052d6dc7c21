"""Many pairs over a bad network: ask, answer, ticket, confirmation; none wrong, none lost.

    python tests/end_to_end/pairs.py --pairs 1000 --loss 0.2 --duplication 0.2 --reordering 0.2

prints one JSON line: pairs, confirmed, wrong (check values differ), lost (no answer), asks and
messages sent, rounds, seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from deployment import Deployment, deploy

from dtns.codecs.digits import Status
from dtns.sam.handset.confirmations import Code
from dtns.sam.handset.exchanges import Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.tickets import Shown
from dtns.sam.protocol.session import key_check_value

ROUNDS = 80
PAUSE_SECONDS = 0.2


def run_pairs(deployment: Deployment, pairs: int) -> dict[str, Any]:
    """Issue and confirm keys between *pairs* pairs of phones through the running Sam."""
    started = time.monotonic()
    numbers = [f"+2547{i:08d}" for i in range(2 * pairs)]
    sims = deployment.enrol_csv(numbers)
    askers = [Phone(sim) for sim in sims[:pairs]]
    holders = [Phone(sim) for sim in sims[pairs:]]
    sendings, rounds = _exchange(askers, holders)
    outcomes = [_hand_over(*pair) for pair in zip(askers, holders, strict=True)]
    return {
        "pairs": pairs,
        "confirmed": outcomes.count("confirmed"),
        "wrong": outcomes.count("wrong"),
        "lost": outcomes.count("lost"),
        "asks_sent": sendings,
        "rounds": rounds,
        "seconds": round(time.monotonic() - started, 1),
    }


def _exchange(askers: list[Phone], holders: list[Phone]) -> tuple[int, int]:
    """Let every asker come into signal, ask and listen, again and again until it is answered."""
    waiting = dict(zip(askers, holders, strict=True))
    sendings = 0
    for number in range(1, ROUNDS + 1):
        for asker, holder in list(waiting.items()):
            with asker.line() as line:
                came = [received.outcome for received in asker.take_in(line, 0)]
                if "answered" in came:
                    del waiting[asker]
                    continue
                with asker.handset() as handset:
                    asked = handset.ask(holder.sim.number, Wish(), time.time())
                assert not isinstance(asked, str)
                sendings += asker.send(line, asked)
        if not waiting:
            return sendings, number
        time.sleep(PAUSE_SECONDS)
    return sendings, ROUNDS


def _hand_over(asker: Phone, holder: Phone) -> str:
    """Carry the ticket and both confirmations between two phones, without a network."""
    alice, bob = asker.sim.number, holder.sim.number
    with asker.handset() as a, holder.handset() as b:
        shown = a.ticket(bob)
        if not isinstance(shown, Shown):
            return "lost"
        entered = b.enter(alice, shown.digits)
        challenge = b.challenge(alice)
        if entered.key is None or not isinstance(challenge, Code):
            return "wrong"
        response = a.respond(bob, challenge.digits)
        if not isinstance(response, Code):
            return "wrong"
        verdict = b.check(alice, response.digits)
        checks = {key_check_value(key.session) for _, key in [*a.keys(), *b.keys()]}
        good = verdict.status is Status.ACCEPTED and len(checks) == 1
        return "confirmed" if good else "wrong"


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    for name in ("loss", "duplication", "reordering", "delay"):
        parser.add_argument(f"--{name}", type=float, default=0.0 if name == "delay" else 0.2)
    parser.add_argument("--seed", type=int, default=1)
    options = vars(parser.parse_args())
    pairs = options.pop("pairs")
    with tempfile.TemporaryDirectory(prefix="dtns-pairs-") as folder:
        deployment = deploy(Path(folder) / "d")
        deployment.conditions(**options)
        with deployment.sam():
            print(json.dumps(run_pairs(deployment, pairs) | options))  # noqa: T201 (its output)


if __name__ == "__main__":
    main()

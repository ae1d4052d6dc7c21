"""Whole exchanges through an SMSC that nobody here wrote, cut off at random: ask to confirmed.

    python tests/gateway/smpp/exchanges.py --exchanges 100000 --smsc smpp34 --seed 1

Phones ask Sam (`dtns serve`) by deliver_sm, and have their answers by submit_sm; each answer's
ticket is handed to the other phone, and both confirm the key. Meanwhile the SMSC's connections
are cut, every two seconds or so; with --kills Sam is killed as often, and
started again. Prints one JSON line: exchanges, confirmed, wrong (keys differ, or are not
confirmed), lost (no answer), asks sent, cuts, kills, binds, seconds, exchanges in a second.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter, deque
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "tests" / "equipment")]

from deployment import Deployment, deploy, dtns  # noqa: E402
from smpp_deployment import furnish  # noqa: E402
from smscs import SmscProcess  # noqa: E402

from dtns.codecs.digits import Status  # noqa: E402
from dtns.sam.handset.card import MemoryCard, fresh_state  # noqa: E402
from dtns.sam.handset.confirmations import Code  # noqa: E402
from dtns.sam.handset.exchanges import Asked, Wish  # noqa: E402
from dtns.sam.handset.handset import Handset  # noqa: E402
from dtns.sam.handset.simfile import read_sim_file  # noqa: E402
from dtns.sam.handset.tickets import Shown  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

UNDER_WAY = 100
"""How many pairs of phones there are, each with one exchange at a time."""
EXCHANGES_OF_A_PAIR = 200
"""After so many exchanges a pair makes way for another: a key has at most 255 numbers."""
ASK_AGAIN_SECONDS = 6.0
CUT_SECONDS = 2.0
KILL_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
"""Without any answer for so long the run ends; what is under way is lost."""
PAUSE_SECONDS = 0.01


class Pair:
    """Two phones, and the exchanges that they have yet to make."""

    def __init__(self, asker: Handset, holder: Handset, exchanges: int) -> None:
        self.asker, self.holder = asker, holder
        self.left = exchanges
        self.asked_at = 0.0
        self.counter = 0

    @property
    def number(self) -> str:
        """The asker's number."""
        return str(self.asker.sim.number)

    def ask(self, *, anew: bool) -> str:
        """Return the text of the next ask, or of the same again."""
        self.asked_at = time.monotonic()
        asked = self.asker.ask(self.holder.sim.number, Wish(), time.time(), anew=anew)
        assert isinstance(asked, Asked), asked
        self.counter = asked.counter
        return asked.text

    def take(self, text: str) -> str | None:
        """Take an answer in and hand its key over; tell how that ended, None if it is no news."""
        received = self.asker.receive(text)
        if received.outcome != "answered" or received.key is None:
            return None
        return "confirmed" if self._hand_over(received.key.session) else "wrong"

    def _hand_over(self, session: Any) -> bool:
        alice, bob = self.asker.sim.number, self.holder.sim.number
        shown = self.asker.ticket(bob)
        if not isinstance(shown, Shown):
            return False
        entered = self.holder.enter(alice, shown.digits)
        challenge = self.holder.challenge(alice)
        if entered.key is None or not isinstance(challenge, Code):
            return False
        response = self.asker.respond(bob, challenge.digits)
        if not isinstance(response, Code):
            return False
        verdict = self.holder.check(alice, response.digits)
        return verdict.status is Status.ACCEPTED and entered.key.session == session


class Run:
    """All exchanges, a turn at a time."""

    def __init__(
        self,
        smsc: SmscProcess,
        pairs: list[Pair],
        dice: random.Random | None,
        restart: Callable[[], None] | None = None,
    ) -> None:
        self._smsc = smsc
        self._restart = restart
        self._kill_at = time.monotonic() + KILL_SECONDS
        self._tell_at = 0.0
        self.kills = 0
        self._later = deque(pairs)
        self._under_way: dict[str, Pair] = {}
        self._dice = dice
        self._cut_at = time.monotonic() + 1.0
        self.outcomes: Counter[str] = Counter()
        self.asks = 0
        self.cuts = 0

    def finish(self) -> None:
        """Make all exchanges."""
        answered_at = time.monotonic()
        deliver = self._begin()
        while self._under_way and time.monotonic() < answered_at + PATIENCE_SECONDS:
            self._cut()
            self.asks += len(deliver)
            came = self._smsc.order("turn", deliver=deliver)["submitted"]
            deliver = []
            for number, text in came:
                pair = self._under_way.get(number)
                outcome = pair.take(text) if pair else None
                if pair is None or outcome is None:
                    continue
                answered_at = time.monotonic()
                self.outcomes[outcome] += 1
                pair.left -= 1
                if pair.left:
                    deliver.append((number, pair.ask(anew=True)))
                else:
                    del self._under_way[number]
            deliver += self._begin() + self._again()
            self._tell()
            if not came:
                time.sleep(PAUSE_SECONDS)
        self.outcomes["lost"] = sum(pair.left for pair in [*self._under_way.values(), *self._later])

    def _tell(self) -> None:
        """Say on a terminal how far it has come."""
        if sys.stderr.isatty() and time.monotonic() >= self._tell_at:
            self._tell_at = time.monotonic() + 1.0
            sys.stderr.write(f"\r{dict(self.outcomes)} {self.cuts} cuts {self.kills} kills ")

    def _begin(self) -> list[tuple[str, str]]:
        begun = []
        while self._later and len(self._under_way) < UNDER_WAY:
            pair = self._later.popleft()
            self._under_way[pair.number] = pair
            begun.append((pair.number, pair.ask(anew=True)))
        return begun

    def _again(self) -> list[tuple[str, str]]:
        late = time.monotonic() - ASK_AGAIN_SECONDS
        return [
            (number, pair.ask(anew=False))
            for number, pair in self._under_way.items()
            if pair.asked_at < late
        ]

    def _cut(self) -> None:
        now = time.monotonic()
        if self._dice is not None and now >= self._cut_at:
            self._smsc.order("cut")
            self.cuts += 1
            self._cut_at = now + self._dice.uniform(0.0, 2 * CUT_SECONDS)
        if self._dice is not None and self._restart is not None and now >= self._kill_at:
            self._restart()
            self.kills += 1
            self._kill_at = time.monotonic() + self._dice.uniform(0.0, 2 * KILL_SECONDS)


class Sam:
    """A running `dtns serve`."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._process = deployment.start()

    def restart(self) -> None:
        """Kill it without a warning, and start it again."""
        self._process.kill()
        self._process.wait()
        self._process = self._deployment.start()

    def stop(self) -> None:
        """End it as an operator would; insist that it ends well."""
        self._process.terminate()
        assert self._process.wait(30) == 0, self._deployment.log


def make_pairs(sims: list[Path], exchanges: int) -> list[Pair]:
    """Make phones of SIM files, and share the exchanges out."""
    phones = [
        Handset(sim, MemoryCard(fresh_state(sim)), os.urandom) for sim in map(read_sim_file, sims)
    ]
    count = len(phones) // 2
    shares = [exchanges // count + (place < exchanges % count) for place in range(count)]
    return [
        Pair(asker, holder, share)
        for asker, holder, share in zip(phones[:count], phones[count:], shares, strict=True)
    ]


def run(
    exchanges: int, smsc: str, seed: int, *, cuts: bool = True, kills: bool = False, **values: Any
) -> dict[str, Any]:
    """Run it all and return the figures."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="dtns-smpp-"))
        centre = stack.enter_context(SmscProcess(smsc))
        deployment = deploy(Path(folder) / "d")
        furnish(deployment, [centre.port], **{"binds": 2, **values})
        count = max(min(exchanges, UNDER_WAY), -(-exchanges // EXCHANGES_OF_A_PAIR))
        sims = deployment.enrol_csv([f"+2547{number:08d}" for number in range(2 * count)])
        pairs = make_pairs(sims, exchanges)
        sam = Sam(deployment)
        stack.callback(sam.stop)
        dice = random.Random(seed) if cuts else None
        running = Run(centre, pairs, dice, sam.restart if kills else None)
        started = time.monotonic()
        running.finish()
        seconds = time.monotonic() - started
        status = dtns("gateway", "status", "-c", str(deployment.config), "--json")
        return {
            "smsc": smsc,
            "exchanges": exchanges,
            **{kind: running.outcomes[kind] for kind in ("confirmed", "wrong", "lost")},
            "asks_sent": running.asks,
            "cuts": running.cuts,
            "kills": running.kills,
            "binds": centre.order("status")["binds"],
            "seconds": round(seconds, 1),
            "per_second": round(exchanges / seconds, 1),
            "gateways": json.loads(status.stdout)["gateways"],
        }


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=1000)
    parser.add_argument("--smsc", choices=("smpp34", "npm"), default="smpp34")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-cuts", dest="cuts", action="store_false")
    parser.add_argument("--kills", action="store_true")
    options = vars(parser.parse_args())
    print(json.dumps(run(**options)))  # noqa: T201 (its output)


if __name__ == "__main__":
    main()

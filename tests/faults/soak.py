"""Sam under a steady load for a long time: does its memory stay flat?

    python tests/faults/soak.py --minutes 30

Phones ask, repeat, and send junk and forgeries at a steady rate, and all of their answers are
checked. Prints one JSON line: for Sam and for the network the resident memory in KiB after a tenth
of the time (`first`), half way from there (`half`), at the end (`last`) and at most, the ratio of
last to first and of last to half, and what was asked, answered and left unanswered. Sam remembers
the latest 10,000 sendings of a carrier, so that a rise up to there is no leak. The exit code is 1
if an ask was left unanswered.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from scene import Scene

from dtns.gateway.carrier import Accepted
from dtns.gateway.loopback.handset import Line
from dtns.sam.handset.simfile import SimFile, read_sim_file
from dtns.sam.protocol.answer import read_answer
from dtns.sam.protocol.ask import Ask, Form
from dtns.sam.protocol.session import MAX_N, Direction
from dtns.sam.protocol.wire import to_text

ASKERS = 24
SERVICE = "7267"
FIRST_NUMBER = 254700000000
_LAST_ANSWERS_SECONDS = 30.0


class Asker:
    """A SIM that asks for keys with all others in turn; it knows which asks are open."""

    def __init__(self, sim: SimFile, holders: list[SimFile], line: Line, dice: Random) -> None:
        self._sim, self._holders, self._line, self._dice = sim, holders, line, dice
        self._counter = 0
        self.open: dict[int, bytes] = {}
        self._recent: deque[str] = deque(maxlen=8)
        self.answered = self.sent = 0

    @property
    def used_up(self) -> bool:
        """Whether it has had all the keys that there are."""
        return self._counter >= MAX_N * len(self._holders)

    def say(self) -> None:
        """Send an ask, or sometimes something that is none."""
        kind = self._dice.random()
        if kind < 0.7 and not self.used_up:
            self._ask()
        elif kind < 0.85 and self._recent:
            self._line.submit(SERVICE, self._dice.choice(self._recent))
        else:
            self._line.submit(SERVICE, to_text(self._dice.randbytes(self._dice.randrange(1, 90))))

    def _ask(self) -> None:
        self._counter += 1
        holder = self._holders[self._counter % len(self._holders)]
        form = Form(self._dice.randrange(3))
        ask = Ask(self._sim.party, self._counter, holder.number, 4, Direction.ASKER_PAYS, form, 0)
        octets = ask.seal(self._sim.keys.ask)
        if isinstance(self._line.submit(SERVICE, to_text(octets)), Accepted):
            self.sent += 1
            self.open[self._counter] = octets
            self._recent.append(to_text(octets))

    def listen(self) -> None:
        """Take in what has come."""
        for message in self._line.messages(0):
            self._line.acknowledge(message.network_id)
            answer = read_answer(message.text)
            octets = self.open.get(answer.counter)
            if octets is not None:
                assert answer.open(self._sim.keys.answer, octets) is not None
                del self.open[answer.counter]
                self.answered += 1


class Memory:
    """Resident memory of one process, now and then."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.samples: list[int] = []

    def sample(self) -> None:
        """Look once."""
        line = next(line for line in self._status.read_text().splitlines() if "VmRSS" in line)
        self.samples.append(int(line.split()[1]))

    def facts(self) -> dict[str, Any]:
        """Return the samples in short."""
        first, half, last = (self.samples[place] for place in (0, len(self.samples) // 2, -1))
        facts = {"first": first, "half": half, "last": last, "max": max(self.samples)}
        return facts | {"ratio": round(last / first, 3), "late_ratio": round(last / half, 3)}


def soak(scene: Scene, minutes: float, rate: float, dice: Random) -> dict[str, Any]:
    """Keep the load up for so many minutes, at *rate* messages a second."""
    sims = [
        read_sim_file(path) for path in scene.enrol([f"+{FIRST_NUMBER + i}" for i in range(ASKERS)])
    ]
    watched = {"sam": Memory(scene.sam.pid), "network": Memory(scene.network.pid)}
    with ExitStack() as stack:
        askers = []
        for sim in sims:
            line = stack.enter_context(Line(scene.air, f"+{sim.number}"))
            askers.append(Asker(sim, [other for other in sims if other is not sim], line, dice))
        said = _keep_up(askers, watched, minutes * 60, rate, dice)
        deadline = time.monotonic() + _LAST_ANSWERS_SECONDS
        while any(asker.open for asker in askers) and time.monotonic() < deadline:
            for asker in askers:
                asker.listen()
    return {
        "minutes": minutes,
        "messages": said,
        "asks": sum(asker.sent for asker in askers),
        "answered": sum(asker.answered for asker in askers),
        "unanswered": sum(len(asker.open) for asker in askers),
        **{name: memory.facts() for name, memory in watched.items()},
    }


def _keep_up(
    askers: list[Asker], watched: dict[str, Memory], seconds: float, rate: float, dice: Random
) -> int:
    """Say something at each tick of the rate; return how often that was."""
    begin = time.monotonic()
    samples = begin + seconds / 10
    said = 0
    while (now := time.monotonic()) < begin + seconds:
        asker = dice.choice(askers)
        asker.say()
        asker.listen()
        said += 1
        if now >= samples:
            samples = now + max(1.0, seconds / 200)
            for memory in watched.values():
                memory.sample()
            _progress(now - begin, watched)
        time.sleep(max(0.0, begin + said / rate - time.monotonic()))
    return said


def _progress(seconds: float, watched: dict[str, Memory]) -> None:
    if sys.stderr.isatty():
        memory = ", ".join(f"{name} {m.samples[-1]} KiB" for name, m in watched.items())
        sys.stderr.write(f"\r{seconds:.0f} s: {memory} \033[K")


def main() -> int:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second")
    parser.add_argument("--seed", type=int, default=1978)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="dtns-soak-") as folder,
        Scene(Path(folder), options.seed) as scene,
    ):
        facts = soak(scene, options.minutes, options.rate, Random(options.seed))
        assert scene.sam.stop() == 0, scene.sam.log
    print(json.dumps(facts))  # noqa: T201 (its output)
    return 1 if facts["unanswered"] else 0


if __name__ == "__main__":
    sys.exit(main())

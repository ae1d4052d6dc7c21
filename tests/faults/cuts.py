"""The power goes, or the disk fails, before each step that changes a disk, one step at a time."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import osdisk
from disk import CUTS, Disk, Fault, Kind
from ledger import Ledger
from money import pay
from pair import Pair, any_wish
from scene import Process, Scene

from dtns.sam.errors import SimFileError

ANSWER_SECONDS = 20.0
STEPS_AT_MOST = 1000
_ERROR_SECONDS = 0.05

Meet = Callable[[Sequence[Path]], Pair]
"""Makes a pair of people of two SIM files."""


class Cuts:
    """Counts the cuts and errors survived: at `sam`, a `phone` or an `enrolment`, and the kind.

    *strides*: cuts come at every so many steps, errors at every so many; 0 for none.
    """

    def __init__(self, scene: Scene, ledger: Ledger, strides: tuple[int, int], seed: int) -> None:
        self._scene, self._ledger, self._strides, self._seed = scene, ledger, strides, seed
        self.cuts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.unanswered: list[str] = []

    def of_sam(self, pairs: list[Pair], progress: Callable[[str], None]) -> None:
        """Cut Sam's power at each step from its start, over one ask, to its stop.

        The phone sends its ask once, and the network loses nothing: the answer has to come.
        """
        for kind in Kind:
            for step in self._steps(kind):
                progress(f"Sam, {kind.value}, step {step}")
                fault = Fault(step, kind, self._seed + step, _ERROR_SECONDS)
                if not self._one_ask(fault, pairs[step % len(pairs)]):
                    break

    def of_phones(self, pairs: Iterator[Pair], progress: Callable[[str], None]) -> None:
        """Cut the power of two phones at each step of a key's life; then their owners go on."""
        for kind in Kind:
            for step in self._steps(kind):
                progress(f"phones, {kind.value}, step {step}")
                if not self._one_life(Fault(step, kind, self._seed + step), next(pairs)):
                    break

    def of_enrolments(
        self, parties: Iterator[Sequence[str]], meet: Meet, progress: Callable[[str], None]
    ) -> None:
        """Cut the power of `dtns enrol` at each step; then Sam starts, and it is done again.

        Each of *parties* is two new numbers, *meet* makes a pair of their SIM files.
        """
        for kind in CUTS:
            for step in self._steps(kind):
                progress(f"enrolment, {kind.value}, step {step}")
                if not self._one_enrolment(Fault(step, kind, self._seed + step), parties, meet):
                    break

    def _one_enrolment(self, fault: Fault, parties: Iterator[Sequence[str]], meet: Meet) -> bool:
        """Enrol two numbers, again if the power went; False if the step never came."""
        numbers = next(parties)
        self._scene.sam.stop()
        first = self._scene.fork_enrolment(fault, numbers)
        met = first.wait() != 0
        assert self._scene.fork_sam(None).ready(), self._scene.sam.log
        if met:
            self._count("enrolment", fault)
            again = self._scene.fork_enrolment(None, numbers)
            assert again.wait() == 0, again.log
        pair = meet([self._scene.sims / f"{number.removeprefix('+')}.sim" for number in numbers])
        if not pair.life(any_wish(Random(fault.seed)), ANSWER_SECONDS):
            self.unanswered.append(f"{numbers} have no key after {fault}")
        self._ledger.look([pair])
        return met

    def _steps(self, kind: Kind) -> Iterator[int]:
        stride = self._strides[kind not in CUTS]
        if stride:
            yield from range(1 + self._seed % stride, STEPS_AT_MOST, stride)

    def _count(self, where: str, fault: Fault) -> None:
        kinds = self.cuts if fault.kind in CUTS else self.errors
        kinds[f"{where} {fault.kind.value}"] += 1

    def _one_ask(self, fault: Fault, pair: Pair) -> bool:
        """Let Sam live for one ask, until the fault or its stop; False if the step never came."""
        self._scene.sam.stop()
        sam = self._scene.fork_sam(fault)
        asked = pair.ask(any_wish(Random(fault.seed)), anew=True)
        assert pair.send_once(asked), "the network does not take an ask"
        answered = self._await(pair, asked.counter, sam)
        code = sam.stop()
        met = code != 0 or '"not-stored"' in sam.log
        self._scene.fork_sam(None)
        if not answered:
            answered = self._await(pair, asked.counter, self._scene.sam)
        if not answered:
            self.unanswered.append(f"ask {asked.counter} of {pair.asker.sim.number}, {fault}")
        if met:
            self._count("sam", fault)
        self._ledger.look([pair])
        return met or (fault.kind not in CUTS and _steps_of(sam) >= fault.at)

    def _await(self, pair: Pair, counter: int, sam: Process) -> bool:
        """Tell whether the answer came before Sam died, and before patience ended."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            alive = sam.alive
            pair.exchange(0.1, sendings=0)
            if counter not in {asked.counter for asked in pair.waiting()}:
                return True
            if not alive:
                return False
        return False

    def _one_life(self, fault: Fault, pair: Pair) -> bool:
        """Let two phones live until the fault, then go on; False if the step never came."""
        wish = any_wish(Random(fault.seed))

        def live() -> None:
            disk = Disk(self._scene.sims, fault)
            osdisk.install(disk)
            while True:
                try:
                    assert pair.life(wish, ANSWER_SECONDS)
                except SimFileError:
                    continue
                break
            pair.promises.tell("steps", steps=disk.steps)
            assert disk.steps < fault.at

        met = self._scene.fork("people", live).wait() != 0
        self._ledger.look([pair])
        if met:
            self._count("phone", fault)
        if not pair.confirmed() and not pair.life(wish, ANSWER_SECONDS):
            self.unanswered.append(f"{pair.asker.sim.number} could not go on after {fault}")
        pay(pair)
        self._ledger.look([pair])
        return met


def _steps_of(sam: Process) -> int:
    """Return how many steps a Sam that ended by itself made on its disk."""
    said = re.findall(r'"event": "disk", "steps": (\d+)', sam.log)
    return int(said[-1]) if said else 0

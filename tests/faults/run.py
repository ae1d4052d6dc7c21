"""Faults of every kind against the real processes, and what held.

    python tests/faults/run.py --kills 1000 --seed 1978 --json

First kills: `--kills` processes are ended by SIGKILL at random points under load, among stalls,
partitions, cut lines, full disks and locked stores. Then cuts: the power goes before every step
that changes a disk, in one ask's life at Sam, in one key's life in a phone and in an enrolment,
three ways each; and at each step of the first two the disk fails for a moment, with EIO, for want
of space, or read-only. `--stride 7` takes every seventh step only, `--stride 0` none.
The last line of the output is one JSON object; the exit code is 1 if anything did not hold.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from cuts import Cuts
from kills import ASKS_A_PAIR, BURST, CALM_SECONDS, Storm
from ledger import Ledger, Traffic
from money import money_faults
from pair import Pair, Promises
from scene import Scene
from verdicts import Store, audit_fault, disagreements, lost, model_faults

from dtns.sam.errors import SimFileError
from dtns.sam.handset.exchanges import Wish
from dtns.sam.handset.phone import Phone

FIRST_NUMBER = 254700000000
SAMS_PAIRS = 8
ENROLLED_AT_ONCE = 20
_FAULTS_SHOWN = 20


class Trial:
    """A scene with people in it, and all that is known about them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.scene = Scene(folder, seed)
        self.promises = Promises(folder / "promises.jsonl")
        self.ledger = Ledger(self.promises)
        self.pairs: list[Pair] = []
        self._enrolled = 0

    def people(self, pairs: int) -> Iterator[Pair]:
        """Enrol so many pairs more, and yield each as it begins to count."""
        sims = self.scene.enrol([number for _ in range(pairs) for number in self.numbers()])
        for two in zip(sims[::2], sims[1::2], strict=True):
            yield self.meet(two)

    def numbers(self) -> tuple[str, str]:
        """Return two numbers that nobody has yet."""
        self._enrolled += 2
        return f"+{FIRST_NUMBER + self._enrolled - 2}", f"+{FIRST_NUMBER + self._enrolled - 1}"

    def meet(self, sims: Sequence[Path]) -> Pair:
        """Make a pair of the owners of two SIM files."""
        asker, holder = (Phone(sim, self.scene.air) for sim in sims)
        self.pairs.append(Pair(asker, holder, self.promises))
        return self.pairs[-1]

    def verdict(self, unanswered: list[str]) -> dict[str, Any]:
        """Stop Sam, and return what held and what did not, the asks *unanswered* among it."""
        stopped = self.scene.sam.stop()
        self.ledger.look(self.pairs)
        traffic, store = Traffic(self.scene.tap_log), Store(self.scene.store)
        contradictory = [*self.ledger.contradictions, *traffic.contradictions()]
        chain = [*store.chain_faults()]
        if audit := audit_fault(self.scene.deployment.config):
            chain.append(audit)
        model = [*model_faults(store, traffic, self.ledger, self.pairs), *self.ledger.broken]
        model += money_faults(self.pairs)
        if stopped:
            model.append(f"Sam ended with exit code {stopped}")
        missing = [*unanswered, *lost(store, traffic, self.ledger)]
        apart = disagreements(self.pairs)
        faults = [*missing, *contradictory, *chain, *model, *apart]
        return {
            "asks": len(store.decisions),
            "acknowledged": len(traffic.acknowledged),
            "confirmed": len(self.ledger.confirmed),
            "keys": len(self.ledger.keys),
            "payments": self.ledger.payments,
            "lost": len(missing),
            "contradictory": len(contradictory),
            "chain_ok": not chain,
            "model_ok": not model,
            "pairs": len(self.pairs),
            "disagreeing": len(apart),
            "faults": faults[:_FAULTS_SHOWN],
        }


def main() -> int:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--stride", type=int, default=1, help="cut at every so many steps; 0: none")
    parser.add_argument("--error-stride", type=int, help="errors, the same; by default as --stride")
    parser.add_argument("--seed", type=int, default=1978)
    parser.add_argument("--json", action="store_true", help="no table before the line of JSON")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dtns-faults-"))
    started = time.monotonic()
    try:
        facts = _run(folder, options)
    except (AssertionError, SimFileError) as fault:
        traceback.print_exc()
        facts = {"faults": [f"the run ended early: {fault}"]}
    finally:
        if options.keep:
            sys.stderr.write(f"{folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    facts |= {"seed": options.seed, "seconds": round(time.monotonic() - started, 1)}
    if not options.json:
        print(table(facts))  # noqa: T201 (its output)
    print(json.dumps(facts))  # noqa: T201 (its output)
    return 1 if facts["faults"] else 0


def _run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    trial = Trial(folder, options.seed)
    errors = options.stride if options.error_stride is None else options.error_stride
    with trial.scene:
        counts = _rage(trial, options.kills, options.seed)
        counts |= _cut(trial, (options.stride, errors), options.seed)
        return counts | trial.verdict(counts.pop("unanswered", []))


def _rage(trial: Trial, kills: int, seed: int) -> dict[str, Any]:
    if not kills:
        return {"kills": 0}
    people = [*trial.people(max(2 * BURST, kills * BURST // ASKS_A_PAIR))]
    storm = Storm(trial.scene, people, trial.ledger, Random(seed))
    storm.rage(kills, lambda done: _progress(f"kills: {done} of {kills}"))
    storm.calm_down()
    troubles: Counter[str] = storm.troubles
    return {"kills": storm.kills, "killed": dict(storm.killed), "troubles": dict(troubles)}


def _cut(trial: Trial, strides: tuple[int, int], seed: int) -> dict[str, Any]:
    if not any(strides):
        return {"cuts": 0, "errors": 0}
    cuts = Cuts(trial.scene, trial.ledger, strides, seed)
    cuts.of_phones(_more_people(trial), _progress)
    askers = [*trial.people(SAMS_PAIRS)]
    cuts.of_sam(askers, _progress)
    cuts.of_enrolments(iter(trial.numbers, None), trial.meet, _progress)
    for pair in askers:
        pair.life(Wish(), CALM_SECONDS)
    return {
        "cuts": cuts.cuts.total(),
        "cut": dict(cuts.cuts),
        "errors": cuts.errors.total(),
        "failed": dict(cuts.errors),
        "unanswered": cuts.unanswered,
    }


def _more_people(trial: Trial) -> Iterator[Pair]:
    while True:
        yield from trial.people(ENROLLED_AT_ONCE)


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{what} \033[K")


def table(facts: dict[str, Any]) -> str:
    """Return the counts as a table in Markdown."""
    rows = {"what was done": "times", "---": "---"}
    rows |= {f"SIGKILL under load: {who}": n for who, n in facts.get("killed", {}).items()}
    rows |= {f"power cut: {where}": n for where, n in facts.get("cut", {}).items()}
    rows |= {f"disk error: {where}": n for where, n in facts.get("failed", {}).items()}
    rows |= facts.get("troubles", {})
    rows |= {"**what came of it**": ""}
    came = ("asks", "acknowledged", "confirmed", "lost", "contradictory", "disagreeing")
    rows |= {name: facts[name] for name in (*came, "chain_ok", "model_ok") if name in facts}
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


if __name__ == "__main__":
    sys.exit(main())

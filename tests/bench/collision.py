"""Measure the collision attack: ``python tests/bench/collision.py --trials 2000``.

One JSON line a point: requests thrown away at each price, against the payee's success, for the
first protocol and for ours. The seed fixes every figure. ``--svg FILE`` draws the picture of
sam/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from collision_picture import Point, picture

from dtns.sam.analysis.attacks import COLLISION, run
from dtns.sam.analysis.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS = (1, 5, 10, 15, 20, 27, 35, 42, 50)


def points(target: str, trials: int, seed: int) -> Iterator[Point]:
    """Measure one protocol at each number of requests."""
    for aborted in REQUESTS:
        outcome = run(COLLISION, TARGETS[target], aborted, trials, random=Random(seed + aborted))
        yield Point(target, aborted, trials, outcome.succeeded, outcome.theory)


def main() -> None:
    """Print the points, and draw them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000, help="trials a point, first protocol")
    parser.add_argument("--our-trials", type=int, default=200, help="trials a point, ours")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--svg", type=Path, help="draw the points here")
    options = parser.parse_args()
    found: list[Point] = []
    for target, trials in (("first", options.trials), ("ours", options.our_trials)):
        for point in points(target, trials, options.seed):
            sys.stdout.write(json.dumps(point._asdict()) + "\n")
            found.append(point)
    if options.svg:
        options.svg.write_text(picture(found))


if __name__ == "__main__":
    main()

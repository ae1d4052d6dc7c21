"""How soon the operator's console shows something in Chromium, and how heavy its pages are.

    python tests/bench/console.py --rounds 15 --decisions 100000

Runs a real `dtns serve` whose log holds so many decisions, and loads each page afresh in Debian's
Chromium. Prints one JSON line: of each page the milliseconds to the first contentful paint (median,
least, largest), the octets of page, style and script.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from browser import visit
from deployment import dtns
from visitor import address, console_deployment, fill, token

PATHS = ("/", "/issues", "/issues/1", "/parties", "/deeds")


def measure(rounds: int, decisions: int) -> dict[str, Any]:
    """Return the figures of each page."""
    with tempfile.TemporaryDirectory(prefix="dtns-bench-") as folder:
        deployment = console_deployment(Path(folder) / "d")
        alice, _ = deployment.enrol("+254712000001", "+254712000002")
        with deployment.sam():
            dtns("phone", str(alice), "ask", "+254712000002", "--wait", "10")
        fill(deployment, decisions)
        with deployment.sam():
            told = visit(
                "paint.mjs",
                f"{address(deployment)}login",
                token=token(deployment),
                rounds=rounds,
                paths=PATHS,
            )
    return {path: _figures(**facts) for path, facts in told["facts"].items()}


def _figures(paints: list[float], octets: int) -> dict[str, float]:
    return {
        "median_ms": round(median(paints), 1),
        "least_ms": round(min(paints), 1),
        "largest_ms": round(max(paints), 1),
        "octets": octets,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--decisions", type=int, default=100_000)
    options = parser.parse_args()
    facts = {"rounds": options.rounds, "decisions": options.decisions}
    print(json.dumps(facts | {"pages": measure(options.rounds, options.decisions)}))  # noqa: T201


if __name__ == "__main__":
    main()

"""How cheap a forged ask is to refuse; one JSON line.

    python tests/bench/forged.py --rounds 9

In each round one Sam answers honest asks, then turns away as many forged ones: asks of enrolled
parties, right but for one bit of the MAC.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from figures import conclude, cores, ratios, spread, tell
from kdc import Round
from stand import WINDOW, Stand

PARTIES = 1000


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--asks", type=int, default=10_000)
    options = parser.parse_args()
    honest: list[Round] = []
    forged: list[Round] = []
    with (
        tempfile.TemporaryDirectory(prefix="dtns-forged-") as name,
        Stand(Path(name) / "sam", PARTIES, cores()) as stand,
    ):
        for warm in range(-1, options.rounds):
            taken = stand.round(options.asks)
            refused = stand.round(options.asks, forged=True)
            tell(f"{taken.rate:.0f}/s answered, {refused.rate:.0f}/s forged and refused")
            if warm >= 0:
                honest.append(taken)
                forged.append(refused)
    conclude(
        "forged",
        {
            "window": WINDOW,
            "rate_ratio": ratios([each.rate for each in forged], [each.rate for each in honest]),
            "cpu_ratio": ratios([each.cpu_us for each in honest], [each.cpu_us for each in forged]),
            "forged_cpu_us": spread([each.cpu_us for each in forged], 1),
        },
    )


if __name__ == "__main__":
    main()

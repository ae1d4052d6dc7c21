"""How fast the asks of a long outage are answered; one JSON line.

    python tests/bench/backlog.py --asks 1000000

The network holds so many asks of as many parties as the policy's 50 a day need, and delivers them
as fast as Sam acknowledges them, WINDOW at a time. Reports the seconds to the last answer, and
those for 1,000,000 asks at the same rate.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from figures import conclude, cores, spread, tell
from kdc import Round
from stand import Stand

WINDOW = 500
ASKS_PER_DAY = 50
MILLION = 1_000_000


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asks", type=int, default=100_000, help="of one outage")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    parties = max(2, 2 * options.asks * options.rounds // ASKS_PER_DAY)
    rounds: list[Round] = []
    with (
        tempfile.TemporaryDirectory(prefix="dtns-backlog-") as name,
        Stand(Path(name) / "sam", parties, cores(), asks_per_day=ASKS_PER_DAY) as stand,
    ):
        for _ in range(options.rounds):
            rounds.append(stand.round(options.asks, WINDOW))
            tell(f"{options.asks} asks: {options.asks / rounds[-1].rate:.1f} s")
        resident = stand.resident_kib
    conclude(
        "backlog",
        {
            "asks": options.asks,
            "window": WINDOW,
            "parties": parties,
            "seconds": spread([options.asks / each.rate for each in rounds]),
            "seconds_per_million": spread([MILLION / each.rate for each in rounds], 1),
            "cpu_us": spread([each.cpu_us for each in rounds], 1),
            "rss_mib": round(resident / 1024, 1),
        },
    )


if __name__ == "__main__":
    main()

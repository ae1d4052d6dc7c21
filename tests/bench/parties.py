"""Whether many parties cost more than few: CPU, latency and memory; one JSON line.

    python tests/bench/parties.py --many 1000000 --rounds 9

Two Sams, one with 1,000 parties and one with *many*, answer asks of parties drawn at random in
turn: in a window of 256, then one at a time for the latency.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from figures import conclude, cores, ratios, spread, tell
from kdc import Round
from stand import WINDOW, Stand

FEW = 1000


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--asks", type=int, default=10_000)
    parser.add_argument("--one-by-one", type=int, default=500)
    options = parser.parse_args()
    rounds: dict[int, list[Round]] = {FEW: [], options.many: []}
    latencies: dict[int, list[float]] = {FEW: [], options.many: []}
    with tempfile.TemporaryDirectory(prefix="dtns-parties-") as name:
        folder, both = Path(name), cores()
        with (
            Stand(folder / "few", FEW, both) as few,
            Stand(folder / "many", options.many, both) as many,
        ):
            stands = {FEW: few, options.many: many}
            for warm in range(-1, options.rounds):
                for parties, stand in stands.items():
                    took = stand.round(options.asks)
                    run, _ = stand.run(options.one_by_one, 1)
                    tell(f"{parties:8} parties: {took.cpu_us:6.1f} us, {run.latency_us:6.0f} us")
                    if warm >= 0:
                        rounds[parties].append(took)
                        latencies[parties].append(run.latency_us)
            resident = {parties: stand.resident_kib for parties, stand in stands.items()}
    cpu = {parties: [each.cpu_us for each in those] for parties, those in rounds.items()}
    conclude(
        "parties",
        {
            "few": FEW,
            "many": options.many,
            "window": WINDOW,
            "cpu_ratio": ratios(cpu[options.many], cpu[FEW]),
            "latency_ratio": ratios(latencies[options.many], latencies[FEW]),
            "latency_us": spread(latencies[options.many], 0),
            "rss_growth_mib": round((resident[options.many] - resident[FEW]) / 1024, 1),
            "rss_mib": round(resident[options.many] / 1024, 1),
        },
    )


if __name__ == "__main__":
    main()

"""What a message each way costs the SMPP carrier, on a connection in memory.

    python tests/bench/exchange.py --exchanges 10000 --read 32 --rounds 5

An SMSC delivers so many messages a read, a sink stores them at once, so many are sent back and
answered. Prints one JSON line: microseconds of CPU for a deliver_sm with its answer, a submit_sm,
its answer, and the whole (median, least, most of the rounds), and the octets of memory by which
one exchange grows what is remembered, while it grows.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from smpp_exchange import Exchange

STEPS = ("delivery", "submission", "answer")
REMEMBERED = 5000
"""Exchanges after which memory still grows, for the carrier remembers more."""


def measure(exchange: Exchange, exchanges: int) -> list[float]:
    """Return the microseconds of each step of an exchange."""
    runs = [exchange.run() for _ in range(max(1, exchanges // exchange.read))]
    return [sum(step) / len(runs) / exchange.read * 1e6 for step in zip(*runs, strict=True)]


def growth(read: int) -> float:
    """Return the octets that an exchange leaves."""
    exchange = Exchange(read)
    exchange.run()
    tracemalloc.start()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(REMEMBERED // read):
        exchange.run()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / (REMEMBERED // read * read)


def summary(values: list[float]) -> dict[str, float]:
    """Return the median, the least and the most."""
    figures = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return {name: round(value, 2) for name, value in figures.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exchanges", type=int, default=10_000)
    parser.add_argument("--read", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    exchange = Exchange(given.read)
    measure(exchange, given.exchanges)
    rounds = [measure(exchange, given.exchanges) for _ in range(given.rounds)]
    figures = {step: summary([one[place] for one in rounds]) for place, step in enumerate(STEPS)}
    figures["exchange"] = summary([sum(one) for one in rounds])
    print(json.dumps({"microseconds": figures, "octets": round(growth(given.read))}))  # noqa: T201


if __name__ == "__main__":
    main()

"""What durability costs: Sam's rate with its syncs and without, and syncs per key; one JSON line.

    python tests/bench/durability.py --rounds 9

Two Sams, alike but that in one of them fsync and fdatasync return at once, answer the same number
of asks in turn. In both the calls are counted.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from figures import conclude, cores, ratios, spread, tell
from kdc import Round
from stand import WINDOW, Stand

PARTIES = 1000
SOURCE = Path(__file__).with_name("nosync.c")
_COUNT_OCTETS = 8


class Syncs:
    """The calls to fsync and fdatasync of a process that runs with `environment`."""

    def __init__(self, folder: Path, *, work: bool) -> None:
        folder.mkdir()
        library = folder / "nosync.so"
        options = ("-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl")
        subprocess.run(["gcc", *options], check=True)
        self._counts = folder / "syncs"
        self._counts.write_bytes(bytes(_COUNT_OCTETS))
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "DTNS_SYNCS": str(self._counts),
            **({} if work else {"DTNS_NO_SYNC": "1"}),
        }

    @property
    def count(self) -> int:
        """How many there were."""
        return int.from_bytes(self._counts.read_bytes(), "little")


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--asks", type=int, default=10_000)
    options = parser.parse_args()
    rates: dict[bool, list[Round]] = {True: [], False: []}
    syncs = []
    with tempfile.TemporaryDirectory(prefix="dtns-durability-") as name:
        folder, both = Path(name), cores()
        counted = Syncs(folder / "counted", work=True)
        skipped = Syncs(folder / "skipped", work=False)
        with (
            Stand(folder / "durable", PARTIES, both, environment=counted.environment) as durable,
            Stand(folder / "not", PARTIES, both, environment=skipped.environment) as not_durable,
        ):
            for warm in range(-1, options.rounds):
                before = counted.count
                with_syncs = durable.round(options.asks)
                per_key = (counted.count - before) / options.asks
                without = not_durable.round(options.asks)
                tell(
                    f"{with_syncs.rate:.0f}/s durable, {without.rate:.0f}/s not, "
                    f"a sync for {1 / per_key:.0f} keys"
                )
                if warm >= 0:
                    rates[True].append(with_syncs)
                    rates[False].append(without)
                    syncs.append(per_key)
    conclude(
        "durability",
        {
            "window": WINDOW,
            "rate_ratio": ratios(
                [each.rate for each in rates[True]], [each.rate for each in rates[False]]
            ),
            "keys_per_sync": spread([1 / each for each in syncs], 1),
            "syncs_per_key": spread(syncs, 5),
        },
    )


if __name__ == "__main__":
    main()

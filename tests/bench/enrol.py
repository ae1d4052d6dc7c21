"""How fast parties are enrolled from a CSV file; one JSON line.

    python tests/bench/enrol.py --parties 1000000

Runs `dtns enrol --csv` with a SIM file for each party, on a fresh deployment.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from askers import FIRST_NUMBER
from figures import conclude, tell

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from deployment import deploy

MILLION = 1_000_000


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parties", type=int, default=20_000)
    options = parser.parse_args()
    numbers = [f"+{FIRST_NUMBER + index}" for index in range(options.parties)]
    with tempfile.TemporaryDirectory(prefix="dtns-enrol-") as name:
        deployment = deploy(Path(name) / "d")
        began = time.perf_counter()
        files = deployment.enrol_csv(numbers)
        seconds = time.perf_counter() - began
        assert all(file.exists() for file in files)
    tell(f"{options.parties} parties in {seconds:.1f} s")
    conclude(
        "enrol",
        {
            "parties": options.parties,
            "files_seconds": round(seconds, 2),
            "files_seconds_per_million": round(seconds * MILLION / options.parties, 1),
        },
    )


if __name__ == "__main__":
    main()

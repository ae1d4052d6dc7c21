"""All benchmarks of Sam's speed, one after the other; a JSON line from each.

    python tests/bench/all.py            # some minutes; smaller sizes than the targets name
    python tests/bench/all.py --full     # 10^6 parties and asks; about an hour

Exits with 1 if one of them ended early.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from figures import tell

SHORT = {
    "issue_rate": (),
    "durability": (),
    "forged": (),
    "parties": ("--many", "50000"),
    "backlog": ("--asks", "50000"),
    "startup": ("--many", "50000"),
    "enrol": ("--parties", "20000"),
}
FULL = {
    "issue_rate": ("--rounds", "15"),
    "durability": ("--rounds", "15"),
    "forged": ("--rounds", "15"),
    "parties": ("--many", "1000000", "--rounds", "9"),
    "backlog": ("--asks", "1000000", "--rounds", "1"),
    "startup": ("--many", "1000000", "--rounds", "9"),
    "enrol": ("--parties", "1000000"),
}


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    benches = FULL if parser.parse_args().full else SHORT
    failed = []
    for name, options in benches.items():
        tell(f"== {name} {' '.join(options)}")
        program = Path(__file__).with_name(f"{name}.py")
        if subprocess.run([sys.executable, str(program), *options], check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"ended early: {', '.join(failed)}")


if __name__ == "__main__":
    main()

"""What the compiled build gains: CPU time for each key, beside pure Python; one JSON line.

    python3 -m venv compiled && DTNS_COMPILE=1 compiled/bin/pip install .
    python tests/bench/builds.py --compiled compiled/bin/python --rounds 5

Run from an editable install by the same version of Python. In each round the two Sams in turn
answer so many asks by SMPP, each on the same core.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from figures import conclude, cores, ratios, spread, tell
from stand import Stand

from dtns.sam.build import is_compiled

PARTIES = 500
_FOLDER = (
    "import dtns, pathlib; from dtns.sam.build import is_compiled;"
    "print(pathlib.Path(dtns.__file__).parents[1] if is_compiled() else '')"
)


def compiled_folder(python: str) -> str:
    """Return the folder from which this interpreter imports a compiled dtns."""
    command = [python, "-I", "-c", _FOLDER]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return told or sys.exit(f"{python} has no compiled dtns")


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiled", required=True, help="the interpreter with the other build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--asks", type=int, default=20_000)
    options = parser.parse_args()
    if is_compiled():
        sys.exit("run this by an interpreter whose dtns is not compiled")
    environments = {"pure": {}, "built": {"PYTHONPATH": compiled_folder(options.compiled)}}
    micros: dict[str, list[float]] = {name: [] for name in environments}
    with tempfile.TemporaryDirectory(prefix="dtns-builds-") as folder:
        for round_ in range(options.rounds):
            for name, environment in environments.items():
                place = Path(folder) / f"{name}{round_}"
                with Stand(place, PARTIES, cores(), environment=environment) as stand:
                    stand.round(options.asks // 4)
                    micros[name].append(stand.round(options.asks).cpu_us)
            tell("  ".join(f"{name} {values[-1]:6.1f} us" for name, values in micros.items()))
    figures = {f"{name}_cpu_us": spread(values, 1) for name, values in micros.items()}
    conclude("builds", figures | {"built_to_pure": ratios(micros["built"], micros["pure"])})


if __name__ == "__main__":
    main()

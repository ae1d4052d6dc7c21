"""How fast parties are enrolled from a CSV file; one JSON line.

    python tests/bench/enrol.py --parties 1000000

Runs `dtns enrol --csv` on fresh deployments: all SIMs into one batch that is sealed for the
personaliser's public key, and every SIM read back from it; then a SIM file for each of some of the
parties, a tenth by default.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from askers import FIRST_NUMBER
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from figures import conclude, tell

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from deployment import DTNS, deploy

from dtns.sam.handset.simbatch import read_batch

MILLION = 1_000_000


def numbers(count: int) -> list[str]:
    """Return so many numbers."""
    return [f"+{FIRST_NUMBER + index}" for index in range(count)]


def into_batch(folder: Path, parties: int) -> float:
    """Enrol parties into a batch; return the seconds. Ends the benchmark if it lacks one."""
    deployment, key = deploy(folder / "batch"), X25519PrivateKey.generate()
    table, public, batch = folder / "parties.csv", folder / "public.pem", folder / "all.sims"
    table.write_text("\n".join(["number", *numbers(parties)]))
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(key.public_key().public_bytes(*form))
    files = ("--csv", str(table), "--batch", str(batch), "--for", str(public))
    began = time.perf_counter()
    subprocess.run([*DTNS, "enrol", "-c", str(deployment.config), *files], check=True)
    seconds = time.perf_counter() - began
    found = sum(1 for _ in read_batch(batch, key))
    if found != parties:
        sys.exit(f"the batch has {found} SIMs of {parties}")
    return seconds


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parties", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=0, help="parties with separate SIM files")
    options = parser.parse_args()
    files = options.files or options.parties // 10
    with tempfile.TemporaryDirectory(prefix="dtns-enrol-") as name:
        batch_seconds = into_batch(Path(name), options.parties)
        tell(f"{options.parties} parties into one batch in {batch_seconds:.1f} s")
        deployment = deploy(Path(name) / "files")
        began = time.perf_counter()
        assert all(file.exists() for file in deployment.enrol_csv(numbers(files)))
        files_seconds = time.perf_counter() - began
        tell(f"{files} parties into separate files in {files_seconds:.1f} s")
    conclude(
        "enrol",
        {
            "parties": options.parties,
            "batch_seconds": round(batch_seconds, 2),
            "batch_seconds_per_million": round(batch_seconds * MILLION / options.parties, 1),
            "files": files,
            "files_seconds": round(files_seconds, 2),
            "files_seconds_per_million": round(files_seconds * MILLION / files, 1),
        },
    )


if __name__ == "__main__":
    main()

"""How fast parties are enrolled from a CSV file; one JSON line.

    python tests/bench/enrol.py --parties 1000000

Runs `dtns enrol --csv` on fresh deployments: all SIMs into one batch that is sealed for the
personaliser's public key, unpacked into separate files in shards; then a SIM file for each of some
of the parties as `dtns enrol` writes them alone, each durable before the next.
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
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from figures import conclude, tell

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from deployment import DTNS, deploy

MILLION = 1_000_000


def numbers(count: int) -> list[str]:
    """Return so many numbers."""
    return [f"+{FIRST_NUMBER + index}" for index in range(count)]


def into_batch(folder: Path, parties: int) -> tuple[float, float]:
    """Enrol parties into a batch and unpack it; return the seconds of both."""
    deployment, key = deploy(folder / "batch"), X25519PrivateKey.generate()
    table, batch, sims = folder / "parties.csv", folder / "all.sims", folder / "sims"
    private, public = folder / "private.pem", folder / "public.pem"
    table.write_text("\n".join(["number", *numbers(parties)]))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files = ("--csv", str(table), "--batch", str(batch), "--for", str(public))
    began = time.perf_counter()
    subprocess.run([*DTNS, "enrol", "-c", str(deployment.config), *files], check=True)
    enrolled = time.perf_counter()
    options = ("--key", str(private), "--out", str(sims), "--shards")
    subprocess.run([*DTNS, "unpack", str(batch), *options], check=True)
    unpacked = time.perf_counter()
    found = sum(1 for _ in sims.rglob("*.sim"))
    if found != parties:
        sys.exit(f"the batch had {found} SIMs of {parties}")
    return enrolled - began, unpacked - enrolled


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parties", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=0, help="parties with separate SIM files")
    options = parser.parse_args()
    files = options.files or max(1, options.parties // 100)
    with tempfile.TemporaryDirectory(prefix="dtns-enrol-") as name:
        batch_seconds, unpack_seconds = into_batch(Path(name), options.parties)
        tell(
            f"{options.parties} parties into one batch in {batch_seconds:.1f} s,"
            f" out of it in {unpack_seconds:.1f} s"
        )
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
            "unpack_seconds": round(unpack_seconds, 2),
            "unpack_seconds_per_million": round(unpack_seconds * MILLION / options.parties, 1),
            "files": files,
            "files_seconds": round(files_seconds, 2),
            "files_seconds_per_million": round(files_seconds * MILLION / files, 1),
        },
    )


if __name__ == "__main__":
    main()

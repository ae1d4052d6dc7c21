"""Faults of disk and clock, to order, for a process that a test starts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


class Faults:
    """What goes wrong in processes that run with `environment`; see `diskfaults.c`."""

    def __init__(self, folder: Path, faulty: str) -> None:
        self._orders = folder / "faults"
        library = folder / "diskfaults.so"
        options = ("-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl")
        subprocess.run([compiler(), *options], check=True, capture_output=True)
        self.environment = {
            "LD_PRELOAD": str(library),
            "DTNS_FAULTS": str(self._orders),
            "DTNS_FAULTY": faulty,
        }

    def order(self, fault: str, value: int) -> None:
        """Let this fault happen from now on: `write` or `fsync` with an errno, `clock` seconds."""
        scratch = self._orders.with_suffix(".new")
        scratch.write_text(f"{fault} {value}\n")
        scratch.rename(self._orders)

    def end(self) -> None:
        """Let nothing go wrong any more."""
        self._orders.unlink(missing_ok=True)


def compiler() -> str:
    """Return the C compiler, or an empty text."""
    return shutil.which("cc") or ""

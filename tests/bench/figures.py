"""What every benchmark needs: cores, CPU time, ratios, and the conditions they were taken under."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dtns.sam.build import is_compiled

_SYNCS = 50
_NANOSECONDS = 1e9


def cores() -> tuple[int, int]:
    """Return the core for the server under test and the one for its load; exits without two."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        sys.exit("two cores are needed: one for the server, one for its load")
    return available[0], available[1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Have processes that are started inside run on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that all threads of a process have used, user and system."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / _NANOSECONDS


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Return the median, the extremes, and how many rounds they are of."""
    return {
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
        "rounds": len(values),
    }


def ratios(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """Return the spread of the ratios of figures that were taken in the same rounds."""
    return spread([one / other for one, other in zip(above, below, strict=True)])


def fsync_milliseconds() -> dict[str, float]:
    """Return how long it takes, here and now, to append 4 KiB to a file and have it durable."""
    times = []
    with tempfile.NamedTemporaryFile(dir=".") as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            times.append(1000 * (time.perf_counter() - began))
    return spread(times, 3)


def tell(text: str) -> None:
    """Show progress."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 (its output)


def conclude(bench: str, figures: dict[str, Any]) -> None:
    """Print the figures, of which build, and the conditions of the taking, as one JSON line."""
    conditions = {
        "compiled": is_compiled(),
        "load_average": os.getloadavg(),
        "fsync_ms": fsync_milliseconds(),
    }
    print(json.dumps({"bench": bench} | figures | conditions))  # noqa: T201 (its output)

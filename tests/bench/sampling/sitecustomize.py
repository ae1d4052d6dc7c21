"""Imported by Python itself where this folder is in PYTHONPATH: samples where its time goes.

With DTNS_SAMPLES in the environment, a sample is taken each millisecond of CPU time: the innermost
function of dtns, or `reactor` where none is running. SIGUSR1 begins anew; SIGUSR2 writes the counts
to that file as JSON.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_INTERVAL_SECONDS = 0.001
_counts: Counter[str] = Counter()


def _sample(_signal: int, frame: FrameType | None) -> None:
    while frame is not None:
        _, found, name = frame.f_code.co_filename.rpartition("/dtns/")
        if found and frame.f_code.co_name not in {"main", "serve", "<module>"}:
            _counts[f"{name}:{frame.f_code.co_name}"] += 1
            return
        frame = frame.f_back
    _counts["reactor"] += 1


def _begin(_signal: int, _frame: FrameType | None) -> None:
    _counts.clear()


def _write(_signal: int, _frame: FrameType | None) -> None:
    path = Path(os.environ["DTNS_SAMPLES"])
    path.with_suffix(".new").write_text(json.dumps(_counts))
    path.with_suffix(".new").rename(path)


if "DTNS_SAMPLES" in os.environ:
    signal.signal(signal.SIGPROF, _sample)
    signal.signal(signal.SIGUSR1, _begin)
    signal.signal(signal.SIGUSR2, _write)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL_SECONDS, _INTERVAL_SECONDS)

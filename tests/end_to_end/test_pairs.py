"""Keys between many pairs, over a network that loses, repeats and reorders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PAIRS = Path(__file__).parent / "pairs.py"


@pytest.mark.parametrize(
    "pairs", [20, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_no_pair_is_wrong_and_none_is_lost(pairs: int) -> None:
    """With a fifth lost, a fifth doubled and a fifth reordered, every pair gets its one key."""
    done = subprocess.run(
        [sys.executable, str(PAIRS), "--pairs", str(pairs), "--delay", "0.05"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["confirmed"] == pairs
    assert (figures["wrong"], figures["lost"]) == (0, 0)
    assert figures["asks_sent"] > pairs, "nothing was lost: the faults were not on"

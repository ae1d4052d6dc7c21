"""Whole exchanges: phone, network, modem, Sam, and back; faults on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXCHANGES = Path(__file__).with_name("exchanges.py")


@pytest.mark.parametrize(
    "exchanges", [20, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_no_exchange_is_lost_and_none_is_wrong(exchanges: int) -> None:
    """Through two modems with random faults every pair gets its one key."""
    done = subprocess.run(
        [sys.executable, str(EXCHANGES), "--exchanges", str(exchanges)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["confirmed"] == exchanges, figures
    assert (figures["wrong"], figures["lost"]) == (0, 0)
    assert figures["faults"], "no fault was ordered"
    assert all(gateway["received"] for gateway in figures["gateways"])

"""Whole exchanges: phone, SMSC, Sam, and back; with cuts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from smscs import INSTALL, node_modules

EXCHANGES = Path(__file__).with_name("exchanges.py")
WITH_NPM = pytest.mark.skipif(node_modules() is None, reason=INSTALL)
SLOW = (pytest.mark.slow, pytest.mark.timeout(600))


@pytest.mark.parametrize(
    ("smsc", "exchanges"),
    [
        ("smpp34", 100),
        pytest.param("smpp34", 5000, marks=SLOW),
        pytest.param("npm", 5000, marks=[WITH_NPM, *SLOW]),
    ],
)
def test_no_exchange_is_lost_and_none_is_wrong(smsc: str, exchanges: int) -> None:
    """Over two binds that are cut at random every pair gets its keys, each the same for both."""
    done = subprocess.run(
        [sys.executable, str(EXCHANGES), "--exchanges", str(exchanges), "--smsc", smsc],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["confirmed"] == exchanges, figures
    assert (figures["wrong"], figures["lost"]) == (0, 0)
    assert figures["gateways"][0]["received"] >= exchanges
    if exchanges > 1000:
        assert figures["cuts"] > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_lose_nothing_either() -> None:
    """What was acknowledged is answered although Sam is killed in between."""
    done = subprocess.run(
        [sys.executable, str(EXCHANGES), "--exchanges", "4000", "--kills"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["confirmed"], figures["wrong"], figures["lost"]) == (4000, 0, 0), figures
    assert figures["kills"] > 0


@pytest.mark.slow
def test_the_rate_is_measured() -> None:
    """The benchmark runs, and every message comes back both ways."""
    bench = EXCHANGES.parents[2] / "bench" / "smpp.py"
    done = subprocess.run(
        [sys.executable, str(bench), "--messages", "100", "--rounds", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout)
    assert figures["sam_per_second"] > 0
    assert figures["echo_per_second"] > 0

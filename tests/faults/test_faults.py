"""Nothing acknowledged is lost, and nothing contradicts itself, whatever happens in between."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from sqlitedisk import available

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not available(), reason="SQLite is built into this Python")


def told(program: str, *options: str) -> dict[str, Any]:
    """Run one of the programs here and return the JSON object that it printed last."""
    done = subprocess.run(
        [sys.executable, str(HERE / program), *options], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip(), done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, (facts, done.stderr)
    return facts


def held(facts: dict[str, Any]) -> bool:
    """Tell whether all held that must hold, and something was put to the test."""
    good = facts["chain_ok"] and facts["model_ok"] and not facts["faults"]
    bad = facts["lost"], facts["contradictory"], facts["disagreeing"]
    return good and bad == (0, 0, 0) and facts["asks"] > 0


@pytest.mark.slow
def test_a_few_kills_and_cuts_lose_nothing() -> None:
    """A few kills, and power cuts and disk errors at some steps, change nothing that was said."""
    facts = told("run.py", "--kills", "3", "--stride", "31", "--error-stride", "60", "--json")
    assert held(facts)
    assert facts["kills"] >= 3
    assert facts["cuts"] >= 6
    assert facts["errors"] >= 3
    assert facts["payments"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_under_load_lose_nothing() -> None:
    """Sixty processes are killed under load, among all other troubles."""
    facts = told("run.py", "--kills", "60", "--stride", "0", "--json")
    assert held(facts)
    assert facts["kills"] >= 60
    assert set(facts["killed"]) == {"sam", "network", "phone"}
    assert len(facts["troubles"]) >= 7


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_cut_loses_anything() -> None:
    """The power goes before every step that Sam and phones make on their disks, three ways each."""
    facts = told("run.py", "--kills", "0", "--stride", "1", "--error-stride", "5", "--json")
    assert held(facts)
    assert facts["cuts"] >= 250
    assert min(facts["cut"].values()) >= 20


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_memory_stays_flat() -> None:
    """Half a minute of load leaves no ask unanswered, and Sam grows no tenth in its second half."""
    facts = told("soak.py", "--minutes", "0.5")
    assert facts["unanswered"] == 0
    assert facts["asks"] > 500
    assert facts["sam"]["ratio"] < 1.3
    assert facts["sam"]["late_ratio"] < 1.1

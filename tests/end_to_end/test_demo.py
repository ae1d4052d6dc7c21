"""`dtns demo`: the story, on real processes."""

from __future__ import annotations

from typing import Any

import pytest
from deployment import dtns, told


def played(*options: str) -> dict[str, Any]:
    """Play the demo and return what it told."""
    done = dtns("demo", "--json", *options)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return told(done)


@pytest.mark.timeout(180)
def test_every_claim_is_proved_and_a_seed_repeats_the_digits() -> None:
    """Two runs with one seed show the same codes; every step's outcome is what the story says."""
    first, second = played("--seed", "11"), played("--seed", "11")
    assert first["status"] == "done"
    assert len(first["proved"]) >= 16
    assert all(first["proved"].values())
    codes = [
        [event["result"]["digits"] for event in run["events"] if "digits" in event["result"]]
        for run in (first, second)
    ]
    assert codes[0] == codes[1]
    assert len(codes[0]) == len(set(codes[0])) == 8


def test_it_explains_itself_on_a_terminal() -> None:
    """Without --json it tells the story and ends with what was shown."""
    done = dtns("demo", "--seed", "11")
    assert done.returncode == 0
    assert "Alice and Bob meet where there is no signal" in done.stdout
    assert "What was shown" in done.stdout
    assert "NO " not in done.stdout.partition("What was shown")[2]

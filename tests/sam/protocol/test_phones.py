"""The stories of phones.jsonl, told to this handset step by step.

A second implementation wrote them, with a phone of its own, from sam/README.md alone. Between
any two steps each phone is switched off and on: its state goes through its written form.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dtns.sam.conformance.player import Line, Player

VECTORS = Path(__file__).parents[2] / "vectors"
STORIES = [json.loads(line) for line in (VECTORS / "phones.jsonl").open(encoding="ascii")]
LONG = 100


@pytest.mark.parametrize("story", STORIES, ids=[story["note"] for story in STORIES])
def test_story(story: Line) -> None:
    """What comes out of each step is what the specification says."""
    player = Player(story["sims"])
    for at, step in enumerate(story["steps"]):
        assert player.play(step) == step["expect"], f"step {at}: {step}"
        if len(story["steps"]) < LONG:
            player.power_cycle()

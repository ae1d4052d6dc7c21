"""The stories of the vectors, told to a program step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files

from dtns.sam.conformance.findings import Findings
from dtns.sam.conformance.player import Line
from dtns.sam.conformance.program import Program, ProgramError

_LONG = 100
"""A story of more steps than this is told without switching phones off and on between them."""


def all_stories() -> list[Line]:
    """Return the stories, each with a note, SIMs and steps."""
    text = files("dtns.sam.conformance").joinpath("phones.jsonl").read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


def tell(program: Program, stories: list[Line], findings: Findings) -> Iterator[str]:
    """Tell each story up to the first step that comes out otherwise; yields its name when over."""
    for story in stories:
        _tell_one(program, story, findings)
        yield story["note"]


def _tell_one(program: Program, story: Line, findings: Findings) -> None:
    name = f"story: {story['note']}"
    step: Line = {"do": "story"}
    try:
        program.begin(story["sims"])
        for step in story["steps"]:
            said = {key: value for key, value in step.items() if key != "expect"}
            if not findings.expect(name, step, step["expect"], program.play(said)):
                return
            if len(story["steps"]) < _LONG:
                program.power_cycle()
    except ProgramError as fault:
        findings.expect(name, step, step.get("expect", {}), str(fault))

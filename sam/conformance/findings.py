"""What a program was asked and did otherwise, with the specification's section."""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field, frozen

from dtns.sam.conformance.player import Line

SECTIONS: Final = {
    "story": 15,
    "power-cycle": 15,
    "ask": 4,
    "receive": 6,
    "show": 7,
    "enter": 11,
    "challenge": 9,
    "respond": 9,
    "confirm": 9,
    "offer": 10,
    "withdraw": 10,
    "look": 11,
    "pin": 17,
    "charge": 17,
    "pay": 17,
    "accept": 17,
    "receipt": 17,
    "purse": 18,
    "log": 18,
}
"""The section of sam/README.md that tells most of a step."""


@frozen
class Finding:
    """A check that failed: in which story or exchange, at which step, what was due, what came."""

    check: str
    section: int
    step: Line
    expected: Any
    came: Any


@define
class Findings:
    """Counts checks, and keeps those that failed."""

    checks: int = 0
    failed: list[Finding] = field(factory=list)

    def expect(self, check: str, step: Line, expected: Any, came: Any) -> bool:
        """Count a check; what is expected is a value, or a part of the object that came."""
        self.checks += 1
        if isinstance(expected, dict) and isinstance(came, dict):
            good = all(came.get(name) == value for name, value in expected.items())
        else:
            good = came == expected
        if not good:
            section = SECTIONS.get(str(step.get("do")), 15)
            self.failed.append(Finding(check, section, step, expected, came))
        return good

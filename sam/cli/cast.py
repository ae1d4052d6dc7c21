"""Who is in the demo, who tells it, and the slip that people make."""

from __future__ import annotations

from typing import Any, Final, Protocol

ALICE: Final = "+254700000001"
BOB: Final = "+254700000002"
MALLORY: Final = "+254700000003"
PURSE: Final = "500.00"
GOOD_NETWORK: Final = ("--delay", "0.05")
WAIT: Final = ("--wait", "8")


class Narrator(Protocol):
    """Tells the story while it happens."""

    def scene(self, title: str, why: str) -> None:
        """Open a scene."""

    def says(self, who: str, what: str) -> None:
        """Tell what one of the parties did or saw."""


class Scenes(Protocol):
    """The story as a scene sees it."""

    narrator: Narrator

    def step(self, who: str, *step: str, typed: str = "") -> tuple[int, dict[str, Any]]:
        """Take a step on somebody's phone, and keep it on record."""

    def prove(self, claim: str, holds: bool) -> None:  # noqa: FBT001 (the claim reads as a sentence)
        """Keep a claim and whether it held."""


def with_a_slip(digits: str) -> str:
    """Return the digits with one of them wrong, as if the key beside it had been hit."""
    place = 7
    wrong = {"9": "8"}.get(digits[place], str(int(digits[place]) + 1)[-1])
    return digits[:place] + wrong + digits[place + 1 :]

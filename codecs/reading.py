"""What an entry turned out to be: a value, never an exception."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence


class Status(Enum):
    """The outcomes of an entry."""

    ACCEPTED = "accepted"
    REPAIRED = "repaired"
    MORE = "more"
    """One more parity group is wanted; what was typed stays typed."""
    SAY_AGAIN = "say-again"
    """The groups in ``doubtful`` are to be said again."""
    REFUSED = "refused"


_SENTENCES = {
    "": "The code is complete.",
    "empty": "Nothing was typed. Type the digits, four to a group.",
    "characters": "Only digits, spaces and dashes belong in a code.",
    "too-long": "That is far too long for a code. Type it once, four digits to a group.",
    "not-canonical": "A digit is wrong somewhere: no code reads like this.",
    "wrong": "The code does not verify.",
    "ambiguous": "A digit is wrong and more than one repair is possible.",
}


def listed(places: Sequence[int]) -> str:
    """Return ``group 3``, ``groups 3 and 7`` or ``groups 3, 7 and 9``."""
    numbers = [str(place) for place in places]
    if len(numbers) == 1:
        return f"group {numbers[0]}"
    return f"groups {', '.join(numbers[:-1])} and {numbers[-1]}"


@frozen
class Reading:
    """The outcome of one entry."""

    status: Status
    payload: int | None = field(default=None, repr=False)
    groups: tuple[int, ...] = field(default=(), repr=False)
    """The groups as they should have been typed, when accepted or repaired."""
    changed: tuple[int, ...] = ()
    """Groups that were repaired, counted from 1."""
    doubtful: tuple[int, ...] = ()
    """Groups to say again, counted from 1."""
    candidates_tried: int = 0
    """Readings that were tested against the MAC."""
    reason: str = ""
    """A short stable code: why it is not simply accepted."""
    wanted: int = 0
    """Groups a complete entry has, for the message."""

    def message(self) -> str:
        """Return a sentence for the person who typed: what is wrong and what to do, no digits."""
        if self.status is Status.ACCEPTED:
            return _SENTENCES[""]
        if self.status is Status.REPAIRED:
            return f"The code verifies after a repair in {listed(self.changed)}."
        return f"{self._complaint()} {self._remedy()}".rstrip()

    def _complaint(self) -> str:
        if self.reason == "length" and self.doubtful:
            return "A group has four digits."
        if self.reason == "length":
            return f"The code has {self.wanted} groups of four digits; this is not what was typed."
        return _SENTENCES[self.reason]

    def _remedy(self) -> str:
        if self.status is Status.MORE:
            return "Ask for one more group and type it after the last one."
        if self.status is Status.SAY_AGAIN:
            return f"Ask for {listed(self.doubtful)} again."
        return "" if self.reason in {"empty", "characters", "too-long"} else "Type it again."

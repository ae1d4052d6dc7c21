"""What a network answers to USSD, in the forms that modems give it; sans-I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ANSWER: Final = re.compile(r'\+CUSD: *(\d)(?: *, *"(.*?)"(?: *, *\d+)?)?', re.DOTALL)
_TERMINATED: Final = 2
_MEANINGS: Final = {
    0: "answered",
    1: "answered, and asks for more",
    2: "ended by the network",
    3: "answered elsewhere",
    4: "not supported",
    5: "the network did not answer in time",
}


@dataclass(frozen=True, slots=True)
class Ussd:
    """An answer: +CUSD's m, what it means, and the text if there is one."""

    form: int
    meaning: str
    text: str | None


def read_ussd(lines: Iterable[str]) -> Ussd | None:
    """Read the answer in what a modem said; None if there is none yet.

    A network that ends the session before it answers, or a text with line breaks, is understood.
    """
    found = [(int(form), text) for form, text in _ANSWER.findall("\r\n".join(lines))]
    if not found:
        return None
    told = [each for each in found if each[0] != _TERMINATED and each[1]]
    form, text = told[-1] if told else found[-1]
    return Ussd(form, _MEANINGS.get(form, "unknown"), text or None)

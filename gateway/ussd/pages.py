"""How much of a text fits one USSD screen, and how the rest follows."""

from __future__ import annotations

from typing import Final

from dtns.gateway.gsm7 import septets

SCREEN_SEPTETS: Final = 182
"""Septets that one USSD string has in 160 octets."""
SCREEN_CHARACTERS: Final = 160
"""What handsets show at ease; the default budget."""
WIDE_CHARACTERS: Final = 70
"""Of a text outside the GSM-7 alphabet, as UTF-16: 80 would fit, some networks take 70."""
LEAST_CHARACTERS: Final = 40
NEXT: Final = "9"
MARKER: Final = f"\n{NEXT} >>"
"""Ends a page that has another one after it."""


def fits(text: str, characters: int = SCREEN_CHARACTERS) -> bool:
    """Tell whether *text* fits one screen of so many characters, whatever its alphabet."""
    narrow = septets(text)
    if narrow is not None:
        return narrow <= min(characters, SCREEN_SEPTETS)
    return len(text.encode("utf-16-be", "replace")) // 2 <= min(characters, WIDE_CHARACTERS)


def pages(text: str, characters: int = SCREEN_CHARACTERS) -> list[str]:
    """Cut *text* into pages that fit, at spaces and line ends where there are any.

    All but the last end in the marker of a next page.
    """
    cut: list[str] = []
    rest = text.strip("\n")
    while not fits(rest, characters):
        length = _longest(rest, characters)
        cut.append(rest[:length].rstrip() + MARKER)
        rest = rest[length:].lstrip()
    return [*cut, rest]


def _longest(text: str, characters: int) -> int:
    """Return how much of the beginning makes a page with its marker; at least one character."""
    length = 1
    while length < len(text) and fits(text[: length + 1] + MARKER, characters):
        length += 1
    for end in range(length, length // 2, -1):
        if text[end].isspace():
            return end
    return length

"""A code as it is said: digit by digit, so that thirteen is never heard as thirty."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dtns.codecs.columns import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
        "sw": ("sifuri", "moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa"),
        "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
        "hi": ("शून्य", "एक", "दो", "तीन", "चार", "पाँच", "छह", "सात", "आठ", "नौ"),
    }
)
"""The ten digits in English, Swahili, French and Hindi."""


def speak(groups: Iterable[int], language: str = "en") -> str:
    """Return the groups in words: a space between digits, a comma between groups.

    Raises:
        ValueError: there are no words for this language.
    """
    words = WORDS.get(language)
    if words is None:
        raise ValueError(f"no words for {language!r}; there are {', '.join(WORDS)}")
    said = (f"{group:0{WIDTH}d}" for group in groups)
    return ", ".join(" ".join(words[int(digit)] for digit in digits) for digits in said)

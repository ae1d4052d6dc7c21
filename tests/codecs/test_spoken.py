"""Codes in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.spoken import WORDS, speak

GROUPS = st.lists(st.integers(0, 9972), min_size=1, max_size=17)


def test_a_code_is_said_digit_by_digit() -> None:
    """Thirteen is one three, and zero is said."""
    assert speak((1330, 7)) == "one three three zero, zero zero zero seven"
    assert speak((105,), "sw") == "sifuri moja sifuri tano"
    assert speak((1789,), "fr") == "un sept huit neuf"
    assert speak((2460,), "hi") == "दो चार छह शून्य"


@pytest.mark.parametrize("language", WORDS)
@given(groups=GROUPS)
def test_what_is_said_can_be_written_down(language: str, groups: list[int]) -> None:
    """No two digits share a word in any language."""
    words = WORDS[language]
    assert len(set(words)) == 10
    written = [
        int("".join(str(words.index(word)) for word in said.split()))
        for said in speak(groups, language).split(", ")
    ]
    assert written == groups


def test_an_unknown_language_names_the_known_ones() -> None:
    """The error says what is allowed."""
    with pytest.raises(ValueError, match="en, sw, fr, hi"):
        speak((1,), "de")

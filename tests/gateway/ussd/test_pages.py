"""Texts cut to screens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.gateway.gsm7 import septets
from dtns.gateway.ussd.pages import (
    LEAST_CHARACTERS,
    MARKER,
    SCREEN_CHARACTERS,
    SCREEN_SEPTETS,
    WIDE_CHARACTERS,
    fits,
    pages,
)

texts = st.text(st.sampled_from("abc 12\n€é{क ी"), max_size=600) | st.text(max_size=300)


@given(text=texts, characters=st.integers(LEAST_CHARACTERS, 200))
def test_every_page_fits_and_nothing_is_lost(text: str, characters: int) -> None:
    """Put together without their markers, pages have all that is not white space."""
    cut = pages(text, characters)
    assert all(fits(page, characters) for page in cut)
    assert all(page.endswith(MARKER) for page in cut[:-1])
    joined = "".join(page.removesuffix(MARKER) for page in cut[:-1]) + cut[-1]
    assert "".join(joined.split()) == "".join(text.split())


@given(text=texts, characters=st.integers(LEAST_CHARACTERS, 200))
def test_no_page_is_longer_than_ussd(text: str, characters: int) -> None:
    """Whatever is configured: 182 septets, or 70 characters of UTF-16."""
    for page in pages(text, characters):
        narrow = septets(page)
        if narrow is not None:
            assert narrow <= SCREEN_SEPTETS
        else:
            assert len(page.encode("utf-16-be", "replace")) <= 2 * WIDE_CHARACTERS


def test_short_texts_are_one_page() -> None:
    """No marker, no change."""
    assert pages("1 Ask\n0 End") == ["1 Ask\n0 End"]
    assert pages("") == [""]


def test_pages_end_between_words() -> None:
    """A number is not torn apart where it can be helped."""
    groups = [f"{value:04d}" for value in range(64)]
    for page in pages(" ".join(groups), SCREEN_CHARACTERS):
        assert set(page.removesuffix(MARKER).split()) <= set(groups)


@pytest.mark.parametrize(
    ("text", "good"),
    [("a" * 160, True), ("a" * 161, False), ("€" * 80, True), ("€" * 81, False),
     ("क" * 70, True), ("क" * 71, False), ("😀" * 35, True), ("😀" * 36, False)],
)  # fmt: skip
def test_what_fits(text: str, good: bool) -> None:  # noqa: FBT001 (a table)
    """Characters of the extension count two; outside of the alphabet it is 70 in all."""
    assert fits(text) is good

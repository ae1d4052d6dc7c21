"""Keys and boxes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.keyed import boxes_of, digits_of, keystroke


@pytest.mark.parametrize(
    ("entry", "boxes"),
    [
        ("1234 5678", ("1234", "5678")),
        ("1234-5678/901", ("1234", "5678", "901")),
        ("12345678", "12345678"),
        ("123", "123"),
        ("12 34 56 78", "12345678"),
        ("12345678 9012", "123456789012"),
        (("1234", "", "5 6"), ("1234", "", "56")),
        (("1234", "x"), None),
        ("1234 x", None),
        ("", ""),
        ((), ()),
    ],
)
def test_boxes_are_pieces_of_three_to_five_digits(
    entry: str | tuple[str, ...], boxes: tuple[str, ...] | str | None
) -> None:
    """Other separators say nothing about groups; a sequence is boxed as it stands."""
    assert boxes_of(entry, flat=False) == boxes


def test_flat_ignores_every_box() -> None:
    """One stream of digits, whatever the entry looked like."""
    assert boxes_of("1234 567", flat=True) == "1234567"
    assert boxes_of(("1234", "", "567"), flat=True) == "1234567"


@given(st.characters())
def test_a_key_is_a_digit_a_separator_invisible_or_nothing(character: str) -> None:
    """Decimal digits of any script count; superscripts, circled numbers and marks do not."""
    stroke = keystroke(character)
    if character.isdecimal():
        assert stroke == str(unicodedata.decimal(character))
    else:
        assert stroke in {None, "", " "}
    if unicodedata.category(character)[0] in "LMC" and character not in "\t\n\r\v\f":
        assert stroke in {None, ""}


@given(st.text())
def test_reading_twice_changes_nothing(text: str) -> None:
    """What was read is 0-9 with single spaces between."""
    read = digits_of(text)
    if read is not None:
        assert set(read) <= set("0123456789 ")
        assert "  " not in read
        assert digits_of(read) == read

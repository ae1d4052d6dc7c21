"""Party numbers: one canonical form, and a plus that a person cannot leave out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.errors import NumberError
from dtns.sam.protocol.numbers import is_number, masked, parse_number


@pytest.mark.parametrize(
    "text",
    ["+254712345678", "+254 712 345 678", " +(254) 712-345.678\t", "+2-5-4 712345678"],
)
def test_separators_do_not_matter(text: str) -> None:
    """However people group a number, it is the same one."""
    assert parse_number(text) == "254712345678"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "254712345678",
        "0712345678",
        "00254712345678",
        "+0712345678",
        "+123456",
        "+1234567890123456",
        "++254712345678",
        "+25471234567a",
        "+254712345678;",
        "+254\n712345678",
        "+\u0662\u0665\u0664\u0667\u0661\u0662\u0663\u0664",
        "+254712345\u00b2",
        "\uff0b254712345678",
    ],
)
def test_what_is_no_number(text: str) -> None:
    """Without a plus, with a leading nought, too short, too long, or in other digits."""
    with pytest.raises(NumberError):
        parse_number(text)


@given(st.from_regex(r"[0-9]{0,18}", fullmatch=True))
def test_length_and_first_digit_decide(digits: str) -> None:
    """7 to 15 digits, the first not 0, and nothing else about them."""
    good = 7 <= len(digits) <= 15 and not digits.startswith("0")
    assert is_number(digits) is good
    if good:
        assert parse_number("+" + digits) == digits


@given(st.text())
def test_any_text_is_a_number_or_an_error(text: str) -> None:
    """No text makes anything else happen."""
    try:
        number = parse_number(text)
    except NumberError:
        return
    assert is_number(number)


def test_masked_hides_the_middle() -> None:
    """A log shows neither the number nor its length."""
    assert masked("254712345678") == masked("25499999978") == "+254…78"

"""The GSM-7 alphabet: what one short message can say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.gateway import gsm7


def test_alphabet_has_all_codes() -> None:
    """The default alphabet has 127 characters beside the escape; the extension table has ten."""
    assert len(gsm7.BASIC) == 127
    assert len(gsm7.EXTENSION) == 10
    assert not gsm7.BASIC & gsm7.EXTENSION


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("@", 1), ("Grüße 12", 8), ("€", 2), ("a{b}", 6), ("\f", 2), ("ΔΩ\n", 3)],
)
def test_septets(text: str, expected: int) -> None:
    """A character takes one septet, one of the extension table two."""
    assert gsm7.septets(text) == expected


@pytest.mark.parametrize("text", ["ж", "ç", "\x1b", "`", "\ud800", "a\0", "😀"])
def test_outside_the_alphabet(text: str) -> None:
    """Whatever is outside the alphabet is refused, with the reason."""
    assert gsm7.septets(text) is None
    assert "alphabet" in str(gsm7.refusal(text))


@pytest.mark.parametrize(
    ("text", "fits"), [("a" * 160, True), ("a" * 161, False), ("€" * 81, False)]
)
def test_length(text: str, fits: bool) -> None:  # noqa: FBT001 # a table column
    """One message has 160 septets and not one more; the reason tells how many there are."""
    assert (gsm7.refusal(text) is None) == fits
    if not fits:
        assert str(gsm7.septets(text)) in str(gsm7.refusal(text))


@given(st.text(alphabet=sorted(gsm7.BASIC | gsm7.EXTENSION)))
def test_codes_round_trip(text: str) -> None:
    """A text of the alphabet comes back from its codes, one octet a septet."""
    codes = gsm7.encode(text)
    assert len(codes) == gsm7.septets(text)
    assert gsm7.decode(codes) == text


def test_codes_are_the_standard_s() -> None:
    """Codes are those of TS 23.038 tables 6.2.1 and 6.2.1.1; an unknown escape is a space."""
    assert gsm7.encode("@\nA€à") == bytes((0x00, 0x0A, 0x41, 0x1B, 0x65, 0x7F))
    assert gsm7.decode(bytes((0x1B, 0x01, 0x41))) == " A"
    with pytest.raises(ValueError, match="alphabet"):
        gsm7.encode("\x1b")

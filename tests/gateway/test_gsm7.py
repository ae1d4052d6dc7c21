"""The GSM-7 alphabet: what one short message can say."""

from __future__ import annotations

import pytest

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

"""Octets on the wire: one form for each value, and no way to overrun."""

from __future__ import annotations

import base64
from string import whitespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.numbers import Number, is_number
from dtns.sam.protocol.wire import (
    MAX_TEXT,
    MalformedError,
    Reader,
    from_text,
    number_field,
    to_text,
)

NUMBERS = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True).map(Number)
LONGEST = MAX_TEXT * 5 // 8


@given(st.binary(max_size=LONGEST))
def test_text_goes_both_ways(octets: bytes) -> None:
    """Octets come back from their text, which fits one SMS and needs no GSM extension."""
    text = to_text(octets)
    assert from_text(text) == octets
    assert len(text) <= MAX_TEXT
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@given(st.binary(max_size=60), st.data())
def test_case_and_white_space_do_not_matter(octets: bytes, data: st.DataObject) -> None:
    """A text that some network folded or broke into lines reads as before."""
    broken = ""
    for letter in to_text(octets):
        space = data.draw(st.text(whitespace, max_size=1))
        broken += space + (letter.lower() if data.draw(st.booleans()) else letter)
    assert from_text(broken) == octets


@given(st.text() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abz= \n", max_size=200))
def test_any_text_reads_canonically_or_not_at_all(text: str) -> None:
    """No text makes anything but MalformedError happen, and no two texts are one message."""
    try:
        octets = from_text(text)
    except MalformedError:
        return
    assert to_text(octets) == "".join(text.split()).upper()


@given(
    st.binary(min_size=1, max_size=60).filter(lambda octets: len(octets) % 5), st.integers(1, 15)
)
def test_spare_bits_are_nought(octets: bytes, bits: int) -> None:
    """A last letter with spare bits set is another text, and none of ours."""
    text = to_text(octets)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    spare = -len(octets) * 8 % 5
    last = alphabet.index(text[-1]) | bits % (1 << spare)
    other = text[:-1] + alphabet[last]
    if other == text:
        assert from_text(other) == octets
    else:
        with pytest.raises(MalformedError):
            from_text(other)


def test_a_message_is_one_sms() -> None:
    """A hundred octets fit; one more is a mistake of the caller."""
    assert len(to_text(bytes(LONGEST))) == MAX_TEXT
    with pytest.raises(ValueError, match="at most 100 octets"):
        to_text(bytes(LONGEST + 1))


def test_long_texts_are_refused() -> None:
    """A text far beyond an SMS is not even looked at."""
    with pytest.raises(MalformedError):
        from_text("A" * 10_000)
    with pytest.raises(MalformedError):
        from_text(" " * 10_000_000)


@given(NUMBERS, st.binary(max_size=3))
def test_number_fields_go_both_ways(number: Number, rest: bytes) -> None:
    """A number comes back from its field, whatever follows it, and the field is minimal."""
    field = number_field(number)
    assert len(field) == 1 + (len(number) + 1) // 2
    reader = Reader(field + rest)
    assert reader.number() == number
    assert reader.rest() == rest


@given(NUMBERS, NUMBERS)
def test_number_fields_are_prefix_free(one: Number, other: Number) -> None:
    """No number's field begins another's, so fields in a row are read in one way."""
    assert one == other or not number_field(one).startswith(number_field(other))


@given(st.binary(max_size=12))
def test_a_field_read_is_the_field_written(octets: bytes) -> None:
    """Any octets are a number field in its one form, or malformed."""
    reader = Reader(octets)
    try:
        number = reader.number()
    except MalformedError:
        return
    assert is_number(number)
    assert number_field(number) + reader.rest() == octets


@given(st.binary(max_size=20), st.lists(st.integers(0, 8), max_size=8))
def test_a_reader_gives_each_octet_once(octets: bytes, counts: list[int]) -> None:
    """What is taken is the octets in their order; beyond the last one it is malformed."""
    reader, taken = Reader(octets), b""
    for count in counts:
        if len(taken) + count > len(octets):
            with pytest.raises(MalformedError):
                reader.take(count)
            return
        taken += reader.take(count)
    assert octets.startswith(taken)
    if taken == octets:
        reader.end()
    else:
        with pytest.raises(MalformedError):
            reader.end()
    assert taken + reader.rest() == octets


def test_integers_are_big_endian() -> None:
    """The first octet is the highest."""
    assert Reader(b"\x01\x02\x03").integer(2) == 0x0102


def test_base32_is_rfc_4648() -> None:
    """The alphabet is the standard one, and the padding is left out."""
    octets = bytes(range(0, 250, 5))
    assert to_text(octets) == base64.b32encode(octets).decode().rstrip("=")
    assert to_text(b"foobar") == "MZXW6YTBOI"

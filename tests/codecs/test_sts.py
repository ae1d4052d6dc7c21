"""STS tokens against published ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.sts import token_block, token_digits

VECTORS = Path(__file__).parents[1] / "vectors" / "sts.jsonl"
LINES = [json.loads(line) for line in VECTORS.read_text().splitlines()]


def crc(data: bytes) -> int:
    """Return the CRC-16 (0xA001 reflected, preset 0xFFFF) with its octets swapped, as STS does."""
    value = 0xFFFF
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return int.from_bytes(value.to_bytes(2, "little"), "big")


def test_published_tokens_carry_their_class_and_block() -> None:
    """Each vector's digits give its block and class, and back."""
    for line in LINES:
        read = token_block(line["digits"])
        if line["block"] is None:
            assert read is None
            continue
        assert read == (int(line["block"], 16), line["class"])
        assert token_digits(*read) == line["digits"].replace(" ", "")


def test_the_checksum_of_clear_tokens_fits_the_transposed_block() -> None:
    """Class 1 tokens are not encrypted: their own CRC proves where the class bits go."""
    clear = [token_block(line["digits"]) for line in LINES if line["crc"]]
    assert len(clear) == 18
    for read in clear:
        assert read is not None
        block, token_class = read
        covered = (token_class << 48 | block >> 16).to_bytes(7, "big")
        assert crc(covered) == block & 0xFFFF


@given(st.integers(0, 2**64 - 1), st.integers(0, 3))
def test_every_block_and_class_comes_back(block: int, token_class: int) -> None:
    """Twenty digits hold the 66 bits exactly."""
    digits = token_digits(block, token_class)
    assert len(digits) == 20
    assert token_block(digits) == (block, token_class)
    assert token_block(f"{digits[:4]}-{digits[4:11]} {digits[11:]}") == (block, token_class)


@given(st.integers(2**66, 10**20 - 1))
def test_numbers_beyond_66_bits_are_no_tokens(number: int) -> None:
    """No two entries mean one token."""
    assert token_block(str(number)) is None


@pytest.mark.parametrize(("block", "token_class"), [(-1, 0), (2**64, 0), (0, 4), (0, -1)])
def test_what_fits_no_token_is_an_error(block: int, token_class: int) -> None:
    """A block has 64 bits and a class two."""
    with pytest.raises(ValueError, match="STS"):
        token_digits(block, token_class)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    """Whatever is typed gives a block or None."""
    read = token_block(text)
    assert read is None or token_digits(*read)

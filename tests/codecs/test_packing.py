"""Payloads as field elements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.columns import P
from dtns.codecs.packing import pack, unpack
from dtns.codecs.profiles import PROFILES


def groups_for(bits: int) -> int:
    """Return the fewest groups that hold this many bits."""
    return next(count for count in range(1, 40) if P**count >> bits)


@pytest.mark.parametrize("bits", range(1, 321))
def test_every_length_keeps_its_smallest_and_largest_payloads(bits: int) -> None:
    """1 to 320 bits: the ends of the range and a leading zero come back."""
    groups = groups_for(bits)
    for payload in {0, 1, 2**bits - 1, 2 ** (bits - 1)}:
        symbols = pack(payload, bits, groups)
        assert len(symbols) == groups
        assert unpack(symbols, bits) == payload


@given(st.data())
def test_every_payload_comes_back(data: st.DataObject) -> None:
    """Round trip for all lengths from 1 to 320 bits."""
    bits = data.draw(st.integers(1, 320))
    payload = data.draw(st.integers(0, 2**bits - 1))
    symbols = pack(payload, bits, groups_for(bits))
    assert all(0 <= symbol < P for symbol in symbols)
    assert unpack(symbols, bits) == payload


def test_every_profile_has_room_for_its_payload() -> None:
    """The groups hold the bits, and one group fewer would not."""
    for profile in PROFILES.values():
        assert groups_for(profile.bits) == profile.groups


@pytest.mark.parametrize("payload", [-1, 2**66, 2**67 + 3])
def test_a_payload_out_of_range_is_an_error(payload: int) -> None:
    """Nothing is cut off silently."""
    with pytest.raises(ValueError, match="66 bits"):
        pack(payload, 66, 5)


@given(st.integers(2**66, P**5 - 1))
def test_what_is_beyond_the_payload_is_not_canonical(number: int) -> None:
    """Values that no payload packs to are refused."""
    symbols = [number // P**place % P for place in (4, 3, 2, 1, 0)]
    assert unpack(symbols, 66) is None

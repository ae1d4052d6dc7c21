"""Limit classes."""

from __future__ import annotations

import pytest

from dtns.sam.protocol.limits import MAX_LIMIT_CLASS, limit_of


def test_classes_are_one_two_five() -> None:
    """No payment, then 1, 2, 5 times each power of ten from 100 minor units, in order."""
    limits = [limit_of(limit_class) for limit_class in range(MAX_LIMIT_CLASS + 1)]
    assert limits[:8] == [0, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]
    assert limits[31] == 1_000_000_000_000
    assert limits == sorted(set(limits))
    assert len(limits) == 32


def test_classes_follow_the_formula() -> None:
    """(1, 2, 5)[(c-1) mod 3] x 10^(2 + floor((c-1)/3)), whole numbers all."""
    for limit_class in range(1, 32):
        expected = (1, 2, 5)[(limit_class - 1) % 3] * 10 ** (2 + (limit_class - 1) // 3)
        assert limit_of(limit_class) == expected
        assert type(limit_of(limit_class)) is int


@pytest.mark.parametrize("limit_class", [-1, 32, 255])
def test_there_are_no_others(limit_class: int) -> None:
    """A class outside the five bits is a mistake of the caller."""
    with pytest.raises(ValueError, match="0 to 31"):
        limit_of(limit_class)

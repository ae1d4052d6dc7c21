"""The slips of one group and their costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.columns import P
from dtns.codecs.slips import PHONETIC, POSSIBLE, REPAIRABLE, explanations, slip_cost

TYPED = st.text("0123456789", min_size=3, max_size=5)


@pytest.mark.parametrize(
    ("typed", "group", "cost"),
    [
        ("1234", 1234, 0),
        ("1235", 1234, 5),
        ("1254", 1234, 7),
        ("1264", 1234, 5),
        ("1232", 1230, 7),
        ("1238", 1230, 5),
        ("1324", 1234, 5),
        ("3214", 1234, 7),
        ("4231", 1234, None),
        ("5534", 1134, 8),
        ("5254", 1214, 9),
        ("3034", 1334, 8),
        ("1334", 3034, 8),
        ("1034", 1134, 7),
        ("9934", 1234, None),
        ("9876", 1234, None),
        ("234", 1234, 5),
        ("124", 1234, 5),
        ("134", 1334, 5),
        ("987", 1234, None),
        ("12334", 1234, 6),
        ("12934", 1234, 11),
        ("99999", 1234, None),
        ("12", 1234, 12),
        ("24", 1234, 12),
        ("21", 1234, None),
        ("112233", 1234, None),
        ("912348", 1234, 14),
        ("", 1234, 6),
        ("1", 1234, None),
        ("1234567", 1234, None),
    ],
)
def test_each_kind_of_slip_has_its_cost(typed: str, group: int, cost: int | None) -> None:
    """Typed text, what was said, what it costs as an explanation."""
    assert slip_cost(typed, group) == cost


@given(TYPED)
def test_explanations_are_exactly_the_groups_one_slip_away(typed: str) -> None:
    """The list for a text holds every group with a cost above zero, once."""
    found = sorted(explanations(typed))
    expected = [(cost, group) for group in range(P) if (cost := slip_cost(typed, group))]
    assert found == sorted(expected)


@given(st.integers(0, P - 1), st.integers(0, P - 1))
def test_a_slip_that_keeps_the_length_has_a_possible_error(typed: int, group: int) -> None:
    """The quick test by difference never rules out a slip that the digits allow."""
    cost = slip_cost(f"{typed:04d}", group)
    assert cost is None or cost == 0 or POSSIBLE[(typed - group) % P]


@given(st.integers(0, P - 1), st.data())
def test_slips_but_the_phonetic_ones_are_repairable(typed: int, data: st.DataObject) -> None:
    """What the columns keep apart covers every other slip in a group."""
    text = f"{typed:04d}"
    cost, group = data.draw(st.sampled_from(sorted(explanations(text))))
    assert cost == PHONETIC or (typed - group) % P in REPAIRABLE


def test_there_are_242_repairable_errors() -> None:
    """Substitutions, both transpositions, twins and jump twins; 36 more are phonetic alone."""
    assert len(REPAIRABLE) == 242
    assert sum(POSSIBLE) == 278

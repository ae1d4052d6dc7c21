"""Repairs against brute force."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, Profile, encode, show
from dtns.codecs.equations import equations_of
from dtns.codecs.repair import DEPTHS, candidates
from dtns.codecs.slips import GARBLED, explanations

if TYPE_CHECKING:
    from collections.abc import Iterator

TICKET = PROFILES["ticket"]
KEY = PROFILES["key"]
BOXES = st.lists(st.integers(0, 9972), min_size=6, max_size=6)


def one_slip_away(boxes: tuple[str, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Return every reading one in-group slip or one swap of neighbours away, with its cost."""
    values = tuple(map(int, boxes))
    for place, box in enumerate(boxes):
        for cost, group in explanations(box):
            yield cost, (*values[:place], group, *values[place + 1 :])
    for i in range(len(boxes) - 1):
        if values[i] != values[i + 1]:
            yield 6, (*values[:i], values[i + 1], values[i], *values[i + 2 :])


def fitting(profile: Profile, parity: int, boxes: tuple[str, ...]) -> dict[tuple[int, ...], int]:
    """Return the readings one slip away that fit the parity equations, and their least cost."""
    equations = equations_of(profile, parity)
    costs: dict[tuple[int, ...], int] = {}
    for cost, groups in one_slip_away(boxes):
        if not any(equations.syndromes(groups)):
            costs[groups] = min(cost, costs.get(groups, cost))
    return costs


@given(BOXES)
def test_with_one_parity_group_no_reading_one_slip_away_is_missed(groups: list[int]) -> None:
    """Solving the equation finds exactly what trying every slip in every group finds."""
    boxes = tuple(show(groups).split())
    found = candidates(TICKET, boxes, 1, 1)
    assert {each.groups: each.cost for each in found} == fitting(TICKET, 1, boxes)


@pytest.mark.parametrize("seed", range(6))
def test_two_slips_with_one_parity_group_are_all_found(seed: int) -> None:
    """The pairs of slips are those that trying all of both finds."""
    random = Random(seed)
    boxes = show(encode(TICKET, random.getrandbits(66), parity=1)).split()
    for place in random.sample(range(6), 2):
        boxes[place] = f"{random.choice(explanations(boxes[place]))[1]:04d}"
    typed = tuple(boxes)
    found = {each.groups for each in candidates(TICKET, typed, 1, 2)}
    expected = set()
    for place, box in enumerate(typed):
        for _, group in explanations(box):
            near = (*typed[:place], f"{group:04d}", *typed[place + 1 :])
            for groups in fitting(TICKET, 1, near):
                changed = [i for i in range(6) if groups[i] != int(typed[i])]
                in_groups = all(
                    (groups[i]) in dict(map(reversed, explanations(typed[i]))) for i in changed
                )
                if len(changed) == 2 and in_groups:
                    expected.add(groups)
    assert expected
    assert expected <= found


@given(st.lists(st.integers(0, 9972), min_size=12, max_size=12), st.sampled_from([1, 2]))
def test_candidates_fit_the_equations_and_come_by_rank(groups: list[int], slips: int) -> None:
    """Whatever is offered is consistent, differs from what was typed, and is listed once."""
    boxes = tuple(show(groups).split())
    equations = equations_of(KEY, 2)
    found = candidates(KEY, boxes, 2, slips)
    assert found == sorted(found, key=lambda each: each.rank)
    assert len({each.groups for each in found}) == len(found)
    for each in found:
        assert not any(equations.syndromes(each.groups))
        assert {i for i in range(12) if each.groups[i] != groups[i]} <= set(each.places)


@given(st.integers(0, 2**128 - 1), st.integers(0, 11), st.integers(0, 9972))
def test_a_garbled_group_costs_most(payload: int, place: int, wrong: int) -> None:
    """With two parity groups any wrong group has an explanation, garbled the last resort."""
    groups = list(encode(KEY, payload, parity=2))
    true, groups[place] = tuple(groups), wrong
    if tuple(groups) == true:
        return
    found = [each for each in candidates(KEY, tuple(show(groups).split()), 2, 1) if each.single]
    assert [(each.groups, each.places) for each in found] == [(true, (place,))]
    assert found[0].cost <= GARBLED


@given(payload=st.integers(0, 2**128 - 1), at=st.integers(0, 47), missed=st.booleans())
def test_a_missed_or_doubled_key_in_a_stream_is_among_few(
    payload: int, at: int, *, missed: bool
) -> None:
    """The true code is offered, and seldom anything else."""
    true = encode(KEY, payload, parity=2)
    text = show(true).replace(" ", "")
    typed = text[:at] + text[at + 1 :] if missed else text[:at] + text[at] + text[at:]
    found = [each.groups for each in candidates(KEY, typed, 2, 1)]
    assert true in found
    assert len(found) <= 3


def test_there_is_a_depth_for_every_number_of_parity_groups() -> None:
    """A profile with r parity groups has its row."""
    assert len(DEPTHS) == 1 + max(profile.max_parity for profile in PROFILES.values())

"""The frozen columns carry what the README promises, by enumeration."""

from __future__ import annotations

from itertools import combinations

import pytest

from dtns.codecs.columns import MULTIPLIERS, POINTS, POLES, P
from dtns.codecs.parity import generator
from dtns.codecs.profiles import MAX_PARITY, PROFILES

COLUMNS = (*MULTIPLIERS, P - 1)


def substitutions() -> set[int]:
    """Return every value one wrong digit can add to a group."""
    return {a * 10**k for k in range(4) for a in range(-9, 10) if a}


def pair_errors(gap: int, *, twin: bool) -> set[int]:
    """Return what a swapped pair of digits, or a pair turned into another pair, adds."""
    size = 10**gap + (1 if twin else -1)
    return {size * a * 10**k for k in range(4 - gap) for a in range(-9, 10) if a}


COMMON = (substitutions() | pair_errors(1, twin=False) | pair_errors(2, twin=False)) | pair_errors(
    1, twin=True
)
ALL = COMMON | pair_errors(2, twin=True)


def clashes(places: range, errors: set[int]) -> list[tuple[int, int]]:
    """Return the pairs of columns that give one first syndrome to two different slips."""
    columns = {i: COLUMNS[i] for i in (*places, -1)}
    seen = {i: {column * error % P for error in errors} for i, column in columns.items()}
    return [(i, j) for i, j in combinations(seen, 2) if seen[i] & seen[j]]


def test_one_parity_group_repairs_every_in_group_slip_of_a_key() -> None:
    """44 digits: 11 groups and 242 errors each give 2,662 different syndromes, none of them 0."""
    syndromes = {
        (place, error): COLUMNS[place] * error % P for place in (*range(10), -1) for error in ALL
    }
    assert len(ALL) == 242
    assert len(set(syndromes.values())) == len(syndromes) == 11 * 242
    assert 0 not in syndromes.values()


def test_the_full_guarantee_holds_for_thirteen_data_groups() -> None:
    """14 columns keep all five kinds of slip apart."""
    assert clashes(range(13), ALL) == []


def test_every_profile_keeps_all_slips_but_jump_twins_apart() -> None:
    """17 columns keep substitutions, both transpositions and twins apart."""
    assert max(profile.groups for profile in PROFILES.values()) == 16
    assert clashes(range(16), COMMON) == []


def test_jump_twins_clash_in_few_pairs_of_columns() -> None:
    """Beyond 13 data groups exactly these pairs leave a jump twin ambiguous."""
    assert clashes(range(16), ALL) == [(0, 15), (8, 15), (11, 14), (12, 13), (12, 14)]


@pytest.mark.parametrize("rows", range(1, MAX_PARITY + 1))
def test_every_square_of_the_generator_can_be_solved(rows: int) -> None:
    """The code is maximum distance separable with one, two and three parity groups."""
    full = generator(16)
    for chosen in combinations(range(MAX_PARITY), rows):
        for columns in combinations(range(16), rows):
            square = [[full[row][column] for column in columns] for row in chosen]
            assert determinant(square) % P


def determinant(square: list[list[int]]) -> int:
    """Return the determinant by its definition."""
    if not square:
        return 1
    top, rest = square[0], square[1:]
    minors = ([row[:i] + row[i + 1 :] for row in rest] for i in range(len(top)))
    return sum(
        (-1) ** i * a * determinant(m) for i, (a, m) in enumerate(zip(top, minors, strict=True))
    )


@pytest.mark.parametrize("groups", sorted({profile.groups for profile in PROFILES.values()}))
def test_two_swapped_groups_never_look_like_one_wrong_group(groups: int) -> None:
    """With two parity groups a swap of any two groups has no single-group explanation."""
    rows = [
        (*row, *(P - 1 if i == j else 0 for i in (0, 1)))
        for j, row in enumerate(row[:groups] for row in generator(groups)[:2])
    ]
    columns = list(zip(*rows, strict=True))
    for (a, b), (c, d) in combinations(columns, 2):
        swap = ((a - c) % P, (b - d) % P)
        assert all((swap[0] * y - swap[1] * x) % P for x, y in columns)


def test_the_points_are_distinct_and_no_poles() -> None:
    """Equal points, or a point on a pole, would leave two groups indistinguishable."""
    assert len({*POINTS, *POLES}) == len(POINTS) + len(POLES)
    assert all(0 <= point < P for point in (*POINTS, *POLES))
    assert all(0 < multiplier < P for multiplier in MULTIPLIERS)

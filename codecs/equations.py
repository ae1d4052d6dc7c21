"""The parity equations, solved for the groups that may be wrong."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from operator import mul
from typing import TYPE_CHECKING

from attrs import frozen

from dtns.codecs.columns import P
from dtns.codecs.parity import code_of
from dtns.codecs.slips import POSSIBLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dtns.codecs.profiles import Profile

Row = tuple[int, ...]


@frozen
class Solution:
    """What the syndromes say about a set of groups that may be wrong."""

    places: tuple[int, ...]
    corrections: tuple[Row, ...]
    """One row a place: times the syndromes it is what to add to that group."""
    checks: tuple[Row, ...]
    """Rows whose product with the syndromes is zero if no other group is wrong."""

    def solve(self, syndromes: Row) -> list[int] | None:
        """Return what to add to each place, or None when another group has to be wrong."""
        for row in self.checks:
            if sum(map(mul, row, syndromes)) % P:
                return None
        return [sum(map(mul, row, syndromes)) % P for row in self.corrections]


@frozen
class Equations:
    """The parity equations of one profile shown with a number of parity groups."""

    profile: Profile
    rows: tuple[Row, ...]
    """One row a parity group, one entry a group."""
    offsets: Row

    @property
    def groups(self) -> int:
        """Return the number of groups, data and parity."""
        return self.profile.groups + len(self.rows)

    def syndromes(self, values: Sequence[int]) -> Row:
        """Return the left sides of the equations: all zero for a code."""
        pairs = zip(self.rows, self.offsets, strict=True)
        return tuple([(sum(map(mul, row, values)) + offset) % P for row, offset in pairs])


@lru_cache(maxsize=64)
def equations_of(profile: Profile, parity: int) -> Equations:
    """Return the equations of a profile shown with this many parity groups."""
    code = code_of(profile)
    rows = tuple(
        (*row, *(P - 1 if i == j else 0 for i in range(parity)))
        for j, row in enumerate(code.rows[:parity])
    )
    return Equations(profile, rows, code.offsets[:parity])


@lru_cache(maxsize=4096)
def solutions(
    profile: Profile, parity: int, known: tuple[int, ...], unknown: int
) -> tuple[Solution, ...]:
    """Return a solution for each set that holds the known places and ``unknown`` others."""
    places = range(profile.groups + parity)
    others = combinations((place for place in places if place not in known), unknown)
    return tuple(_solution(profile, parity, tuple(sorted((*known, *more)))) for more in others)


@lru_cache(maxsize=8192)
def _solution(profile: Profile, parity: int, places: tuple[int, ...]) -> Solution:
    rows = equations_of(profile, parity).rows
    system = [
        [row[place] for place in places] + [int(i == j) for i in range(parity)]
        for j, row in enumerate(rows)
    ]
    size = len(places)
    for column in range(size):
        _eliminate(system, column)
    right = [tuple(row[size:]) for row in system]
    corrections = tuple(tuple(-entry % P for entry in row) for row in right[:size])
    return Solution(places, corrections, tuple(right[size:]))


def _eliminate(system: list[list[int]], column: int) -> None:
    pivot = next(i for i in range(column, len(system)) if system[i][column])
    system[column], system[pivot] = system[pivot], system[column]
    inverse = pow(system[column][column], -1, P)
    lead = system[column] = [entry * inverse % P for entry in system[column]]
    for i, row in enumerate(system):
        if i != column and row[column]:
            factor = row[column]
            system[i] = [(a - factor * b) % P for a, b in zip(row, lead, strict=True)]


@lru_cache(maxsize=8)
def single_slips(profile: Profile) -> Mapping[int, tuple[tuple[int, int], ...]]:
    """Return ``(place, what to add)`` of each slip in one group, by the first syndrome."""
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    (row,) = equations_of(profile, 1).rows
    for place, entry in enumerate(row):
        for correction in range(1, P):
            if POSSIBLE[correction]:
                syndrome = -entry * correction % P
                found[syndrome] = (*found.get(syndrome, ()), (place, correction))
    return found

"""Repairs: every reading of an entry that a given number of slips explains, likeliest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from dtns.codecs.alignments import Alignment, alignments
from dtns.codecs.columns import WIDTH, P
from dtns.codecs.equations import equations_of, single_slips, solutions
from dtns.codecs.slips import GARBLED, POSSIBLE, REPAIRABLE, explanations, slip_cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dtns.codecs.equations import Equations, Solution
    from dtns.codecs.profiles import Profile

DEPTHS = ((1,), (1, 1), (1, 2, 0), (1, 2, 0))
"""How deep to look, by parity groups: for one slip, two, three, how many may move digits."""

LONGEST_FOR_THREE = 14
"""Groups of the longest code in which three slips at unknown places are looked for."""


@frozen
class Candidate:
    """A reading that the parity groups allow."""

    cost: int
    places: tuple[int, ...]
    """Places it changes, counted from 0."""
    groups: tuple[int, ...] = field(repr=False)
    certain: bool = False
    """Whether a parity group is left over to confirm it, or the multipliers guarantee it."""
    single: bool = False
    """Whether exactly one group is wrong, all others standing where they were typed."""

    @property
    def rank(self) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
        """Return the sort key: cost, then the places it changes, then what the groups become."""
        return self.cost, self.places, self.groups


@frozen
class _Laid:
    """An alignment as numbers: unreadable groups are zero and known to be wrong."""

    alignment: Alignment
    values: tuple[int, ...]
    wrong: tuple[int, ...]
    unknown: int
    """Further slips, each in a group of its own that is not known."""

    def replaced(self, place: int, group: int, cost: int) -> _Laid:
        """Return the same with one group taken to be ``group``."""
        a = self.alignment
        boxes = (*a.boxes[:place], f"{group:04d}", *a.boxes[place + 1 :])
        settled = Alignment(boxes, a.events + 1, a.cost + cost, (*a.moved, place))
        values = (*self.values[:place], group, *self.values[place + 1 :])
        return _Laid(settled, values, tuple(w for w in self.wrong if w != place), self.unknown)


def candidates(
    profile: Profile, typed: tuple[str, ...] | str, parity: int, slips: int
) -> list[Candidate]:
    """Return the readings that exactly ``slips`` slips explain, the likeliest first.

    Args:
        profile: the kind of code.
        typed: one text a box, or an unbroken stream of digits.
        parity: parity groups the code was shown with.
        slips: 1 to ``len(DEPTHS[parity])``.
    """
    equations = equations_of(profile, parity)
    found: dict[tuple[int, ...], Candidate] = {}
    moves = DEPTHS[parity][slips - 1]
    for alignment in alignments(typed, equations.groups, moves):
        laid = _lay(alignment, slips)
        for candidate in _explain(equations, laid) if laid else ():
            known = found.get(candidate.groups)
            if known is None or candidate.rank < known.rank:
                found[candidate.groups] = candidate
    return sorted(found.values(), key=lambda candidate: candidate.rank)


def garbled(profile: Profile, boxes: tuple[str, ...]) -> list[Candidate]:
    """Return the readings in which any one group is wrong, for a code with one parity group.

    There is one for each group and nothing but the MAC tells them apart.
    """
    if len(boxes) != profile.groups + 1:
        return []
    laid = _lay(Alignment(boxes, as_typed=True), 1)
    if laid is None:
        return []
    syndromes = equations_of(profile, 1).syndromes(laid.values)
    found = []
    for solution in solutions(profile, 1, laid.wrong, laid.unknown):
        (place,), (correction,) = solution.places, solution.solve(syndromes) or (0,)
        group = (laid.values[place] + correction) % P
        groups = (*laid.values[:place], group, *laid.values[place + 1 :])
        found.append(Candidate(GARBLED, (place,), groups))
    return found


def _lay(alignment: Alignment, slips: int) -> _Laid | None:
    values = [int(box) if len(box) == WIDTH else P for box in alignment.boxes]
    wrong = tuple([place for place, value in enumerate(values) if value >= P])
    unknown = slips - alignment.events - len(wrong)
    if unknown < 0:
        return None
    for place in wrong:
        values[place] = 0
    return _Laid(alignment, tuple(values), wrong, unknown)


def _explain(equations: Equations, laid: _Laid) -> Iterable[Candidate]:
    if laid.unknown > 2 and equations.groups > LONGEST_FOR_THREE:  # noqa: PLR2004 (three slips)
        return ()
    excess = len(laid.wrong) + laid.unknown - len(equations.rows)
    if excess <= 0:
        return _solve(equations, laid)
    if excess > 1 or laid.unknown > 1 + (not laid.wrong and len(equations.rows) == 1):
        return ()
    if laid.wrong:
        if laid.unknown and not laid.alignment.as_typed:
            return ()
        return _complete(equations, laid)
    return _pair(equations, laid) if equations.rows else _neighbours(equations, laid)


def _solve(equations: Equations, laid: _Laid) -> Iterator[Candidate]:
    syndromes = equations.syndromes(laid.values)
    for solution, corrections in _solved(equations, laid, syndromes):
        candidate = _judge(laid, solution, corrections)
        if candidate is not None:
            yield candidate


def _solved(
    equations: Equations, laid: _Laid, syndromes: tuple[int, ...]
) -> Iterator[tuple[Solution, list[int]]]:
    parity = len(equations.rows)
    possible = solutions(equations.profile, parity, laid.wrong, laid.unknown)
    if parity == 1 and not laid.wrong and laid.unknown:
        for place, correction in single_slips(equations.profile).get(syndromes[0], ()):
            yield possible[place], [correction]
        return
    for solution in possible:
        corrections = solution.solve(syndromes)
        if corrections is not None:
            yield solution, corrections


def _judge(laid: _Laid, solution: Solution, corrections: list[int]) -> Candidate | None:
    """Return the reading if every correction undoes a slip; the code may vouch for a garble."""
    alignment, spare = laid.alignment, len(solution.checks)
    vouched = spare if alignment.as_typed else 0
    total, garbled = alignment.cost, 0
    for place, correction in zip(solution.places, corrections, strict=True):
        if not (POSSIBLE[correction] or place in laid.wrong or (vouched and correction)):
            return None
    groups = list(laid.values)
    for place, correction in zip(solution.places, corrections, strict=True):
        box = alignment.boxes[place]
        groups[place] = (groups[place] + correction) % P
        cost = slip_cost(box, groups[place])
        if cost is None:
            garbled += 1
            if not vouched or len(box) != WIDTH:
                return None
            cost = GARBLED
        total += cost
    places = tuple(sorted({*alignment.moved, *solution.places}))
    single = alignment.as_typed and len(solution.places) == 1
    certain = garbled <= 1 if spare else single and _guaranteed(alignment.boxes, places[0], groups)
    return Candidate(total, places, tuple(groups), certain, single)


def _guaranteed(boxes: tuple[str, ...], place: int, groups: list[int]) -> bool:
    """Return whether the multipliers keep this one slip apart from all others of its kind."""
    box = boxes[place]
    whole = len(box) == WIDTH
    return (int(box) - groups[place]) % P in REPAIRABLE if whole else bool(box)


def _complete(equations: Equations, laid: _Laid) -> Iterator[Candidate]:
    """Try what the unreadable group with the fewest explanations can have been."""
    choices = {place: explanations(laid.alignment.boxes[place]) for place in laid.wrong}
    place = min(laid.wrong, key=lambda wrong: (len(choices[wrong]), wrong))
    for cost, group in choices[place]:
        for candidate in _solve(equations, laid.replaced(place, group, cost)):
            if candidate.groups[place] == group:
                yield candidate


def _neighbours(equations: Equations, laid: _Laid) -> Iterator[Candidate]:
    """Try every slip in every group: there is no equation to tell them apart."""
    for place in range(equations.groups):
        for cost, group in explanations(laid.alignment.boxes[place]):
            groups = (*laid.values[:place], group, *laid.values[place + 1 :])
            yield Candidate(laid.alignment.cost + cost, (place,), groups)


def _pair(equations: Equations, laid: _Laid) -> Iterator[Candidate]:
    """Try every slip in every group together with the slip it leaves for a later group."""
    hits = single_slips(equations.profile)
    (row,), (syndrome,) = equations.rows, equations.syndromes(laid.values)
    values = laid.values
    costs = [{group: cost for cost, group in explanations(box)} for box in laid.alignment.boxes]
    for place, value in enumerate(values):
        for group, cost in costs[place].items():
            left = (syndrome + row[place] * (group - value)) % P
            for other, correction in hits.get(left, ()):
                said = (values[other] + correction) % P
                if other > place and said in costs[other]:
                    groups = list(values)
                    groups[place], groups[other] = group, said
                    total = laid.alignment.cost + cost + costs[other][said]
                    moved = tuple(sorted({*laid.alignment.moved, place, other}))
                    yield Candidate(total, moved, tuple(groups))

"""The verdict on an entry: take it, repair it, ask for one more group, or say which are wrong."""

from __future__ import annotations

from functools import partial
from operator import sub
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from dtns.codecs.columns import WIDTH, P
from dtns.codecs.equations import equations_of
from dtns.codecs.packing import unpack
from dtns.codecs.parity import code_of
from dtns.codecs.reading import Reading, Status
from dtns.codecs.repair import DEPTHS, Candidate, candidates, garbled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dtns.codecs.profiles import Profile

Typed = tuple[str, ...] | str
"""One text a box, or an unbroken stream of digits."""

_WHOLE = {WIDTH}


@define
class Guesses:
    """The MAC and how often it may still be asked."""

    check: Callable[[int], bool] | None
    limit: int
    tried: int = 0
    refused: set[int] = field(factory=set, repr=False)

    def accepts(self, payload: int) -> bool:
        """Return whether the MAC takes this payload; ask it only if it may and has not yet."""
        if self.check is None or self.tried >= self.limit or payload in self.refused:
            return False
        self.tried += 1
        self.refused.add(payload)
        return self.check(payload)

    @property
    def left(self) -> bool:
        """Return whether another payload may be tested."""
        return self.check is not None and self.tried < self.limit


def payload_of(profile: Profile, groups: Sequence[int]) -> int | None:
    """Return the payload that the data groups carry, None when they are not canonical."""
    symbols = [
        value % P for value in map(sub, groups[: profile.groups], code_of(profile).constants)
    ]
    return unpack(symbols, profile.bits)


def plausible(profile: Profile, typed: Typed, parity: int | None) -> bool:
    """Return whether boxes may be one code, at most one box left out or added."""
    least = profile.groups + (profile.parity if parity is None else parity)
    most = profile.groups + (profile.max_parity if parity is None else parity)
    return isinstance(typed, str) or least - 1 <= len(typed) <= most + 1


def judge(profile: Profile, typed: Typed, parity: int | None, guesses: Guesses) -> Reading:
    """Return the reading of an entry; the first number of parity groups that fits decides."""
    likeliest = _parity(profile, typed) if parity is None else parity
    reading = _judge_as(profile, typed, likeliest, guesses)
    if reading.payload is not None or parity is not None or not guesses.left:
        return reading
    for other in _others(profile, likeliest):
        reading_as = _judge_as(profile, typed, other, guesses, most=1)
        if reading_as.payload is not None:
            return reading_as
    return evolve(reading, candidates_tried=guesses.tried)


def _parity(profile: Profile, typed: Typed) -> int:
    """Return the parity groups the entry was likely shown with, no fewer than the default."""
    size = len(typed) if isinstance(typed, tuple) else round(len(typed) / WIDTH)
    return min(max(size - profile.groups, profile.parity), profile.max_parity)


def _others(profile: Profile, parity: int) -> list[int]:
    """Return the numbers it may have been shown with if a whole group is missing or added.

    None when it has no parity group: nothing but the MAC could tell those readings apart.
    """
    lowest = max(profile.parity, 1)
    near = (parity + 1, parity - 1) if parity else ()
    return [other for other in near if lowest <= other <= profile.max_parity]


@frozen
class _Entry:
    """An entry beside the number of parity groups that it is read with."""

    profile: Profile
    typed: Typed
    parity: int
    boxes: tuple[str, ...]
    """One text a group when the entry has as many groups as a code, else nothing."""
    values: tuple[int, ...]
    """What the boxes say, likewise."""
    wrong: tuple[int, ...]
    """Groups, counted from 1, that are no group values: too short, too long or above 9972."""
    unequal: tuple[int, ...]
    """Those of them that are too short or too long."""
    consistent: bool
    """Whether every group is readable and the parity equations hold."""


def _read(profile: Profile, typed: Typed, parity: int) -> _Entry:
    wanted = profile.groups + parity
    while len(typed) > wanted and not typed[-1]:
        typed = typed[:-1]
    if isinstance(typed, tuple):
        as_typed = typed
    else:
        as_typed = tuple([typed[i : i + WIDTH] for i in range(0, len(typed), WIDTH)])
    if len(as_typed) != wanted or (isinstance(typed, str) and len(typed) != WIDTH * wanted):
        return _Entry(profile, typed, parity, (), (), (), (), consistent=False)
    if {*map(len, as_typed)} == _WHOLE:
        values = tuple(map(int, as_typed))
        if max(values) < P:
            consistent = not any(equations_of(profile, parity).syndromes(values))
            return _Entry(profile, typed, parity, as_typed, values, (), (), consistent)
    unequal = tuple([place for place, box in enumerate(as_typed, 1) if len(box) != WIDTH])
    values = tuple([P if i in unequal else int(box) for i, box in enumerate(as_typed, 1)])
    wrong = tuple([place for place, value in enumerate(values, 1) if value >= P])
    return _Entry(profile, typed, parity, as_typed, values, wrong, unequal, consistent=False)


def _judge_as(
    profile: Profile, typed: Typed, parity: int, guesses: Guesses, most: int = 0
) -> Reading:
    entry = _read(profile, typed, parity)
    if entry.consistent:
        payload = payload_of(profile, entry.values)
        if payload is not None and (guesses.check is None or guesses.accepts(payload)):
            return Reading(Status.ACCEPTED, payload, entry.values, candidates_tried=guesses.tried)
        if parity:
            return _declined(entry, guesses, ambiguous=False)
    ambiguous = False
    if profile.repairs and (parity or profile.neighbours):
        if guesses.check is None:
            found, ambiguous = _guaranteed(entry)
        else:
            found = _verified(entry, guesses, most or len(DEPTHS[parity]))
        if found is not None:
            return found
    return _declined(entry, guesses, ambiguous=ambiguous)


def _repaired(candidate: Candidate, payload: int, tried: int) -> Reading:
    changed = tuple([place + 1 for place in candidate.places])
    return Reading(Status.REPAIRED, payload, candidate.groups, changed, candidates_tried=tried)


def _verified(entry: _Entry, guesses: Guesses, most: int) -> Reading | None:
    """Return the likeliest repair of at most ``most`` slips that the MAC takes."""
    profile, typed, parity = entry.profile, entry.typed, entry.parity
    searches = [partial(candidates, profile, typed, parity, slips + 1) for slips in range(most)]
    if parity == 1:
        searches.append(partial(garbled, profile, entry.boxes))
    for search in searches:
        if not guesses.left:
            return None
        for candidate in search():
            payload = payload_of(profile, candidate.groups)
            if payload is not None and guesses.accepts(payload):
                return _repaired(candidate, payload, guesses.tried)
    return None


def _guaranteed(entry: _Entry) -> tuple[Reading | None, bool]:
    """Return the one repair that the code guarantees, or whether several compete."""
    for slips in range(1, max(2, entry.parity)):
        found: list[tuple[Candidate, int]] = []
        for candidate in candidates(entry.profile, entry.typed, entry.parity, slips):
            payload = payload_of(entry.profile, candidate.groups) if candidate.certain else None
            if payload is not None:
                found.append((candidate, payload))
        found = [pair for pair in found if pair[0].single] or found
        if found:
            return (_repaired(*found[0], 0), False) if len(found) == 1 else (None, True)
    return None, False


def _declined(entry: _Entry, guesses: Guesses, *, ambiguous: bool) -> Reading:
    profile, tried = entry.profile, guesses.tried
    wanted = profile.groups + entry.parity
    if not entry.values or entry.unequal:
        reason = "length"
    elif ambiguous:
        reason = "ambiguous"
    else:
        reason = "wrong" if tried else "not-canonical"
    status = Status.REFUSED
    doubtful: tuple[int, ...] = ()
    if not profile.repairs or not entry.values or (entry.consistent and entry.parity):
        pass
    elif entry.wrong:
        status, doubtful = Status.SAY_AGAIN, entry.wrong
    elif entry.parity < profile.max_parity:
        status = Status.MORE
    return Reading(status, doubtful=doubtful, candidates_tried=tried, reason=reason, wanted=wanted)

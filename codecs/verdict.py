"""The verdict on an entry: take it, repair it, ask for one more group, or say which are wrong."""

from __future__ import annotations

from operator import sub
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from dtns.codecs.alignments import WIDTH, alignments
from dtns.codecs.columns import P
from dtns.codecs.equations import equations_of
from dtns.codecs.packing import unpack
from dtns.codecs.parity import code_of
from dtns.codecs.reading import Reading, Status
from dtns.codecs.repair import Candidate, candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dtns.codecs.profiles import Profile

Typed = tuple[str, ...] | str
"""One text a box, or an unbroken stream of digits."""

_MOST_SLIPS = (1, 2, 3, 3)
"""Slips that are looked for with 0, 1, 2, 3 parity groups."""

_FEW = 3
"""Groups that are worth saying again one by one."""


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
    first, *others = [parity] if parity is not None else _parities(profile, typed)
    reading = _judge_as(profile, typed, first, guesses)
    if not guesses.left or reading.payload is not None or not profile.repairs:
        return reading
    for other in others:
        reading_as = _judge_as(profile, typed, other, guesses)
        if reading_as.payload is not None:
            return reading_as
    return evolve(reading, candidates_tried=guesses.tried)


def _parities(profile: Profile, typed: Typed) -> list[int]:
    """Return the numbers of parity groups the entry may have been shown with, likeliest first.

    Never fewer than the profile's default, and none but the likeliest without an equation to test.
    """
    size = len(typed) if isinstance(typed, tuple) else round(len(typed) / WIDTH)
    likeliest = min(max(size - profile.groups, profile.parity), profile.max_parity)
    lowest = max(profile.parity, 1)
    near = (likeliest + 1, likeliest - 1)
    return [likeliest, *(other for other in near if lowest <= other <= profile.max_parity)]


@frozen
class _Entry:
    """An entry beside the number of parity groups that it is read with."""

    profile: Profile
    typed: Typed
    parity: int
    as_typed: tuple[str, ...]
    """One text a group when the entry has as many as a code, else nothing."""
    wrong: tuple[int, ...]
    """Groups, counted from 1, that are no group values: too short, too long or above 9972."""
    consistent: bool
    """Whether every group is readable and the parity equations hold."""


def _read(profile: Profile, typed: Typed, parity: int) -> _Entry:
    wanted = profile.groups + parity
    while len(typed) > wanted and not typed[-1]:
        typed = typed[:-1]
    as_typed = next((a.boxes for a in alignments(typed, wanted, 0) if a.as_typed), ())
    wrong = tuple([i for i, box in enumerate(as_typed, 1) if len(box) != WIDTH or int(box) >= P])
    readable = bool(as_typed) and not wrong
    consistent = readable and not any(
        equations_of(profile, parity).syndromes([*map(int, as_typed)])
    )
    return _Entry(profile, typed, parity, as_typed, wrong, consistent)


def _judge_as(profile: Profile, typed: Typed, parity: int, guesses: Guesses) -> Reading:
    entry = _read(profile, typed, parity)
    if entry.consistent:
        groups = tuple(map(int, entry.as_typed))
        payload = payload_of(profile, groups)
        if payload is not None and (guesses.check is None or guesses.accepts(payload)):
            return Reading(Status.ACCEPTED, payload, groups, candidates_tried=guesses.tried)
        if parity:
            return _declined(entry, guesses, [])
    unsettled: list[Candidate] = []
    if profile.repairs and (parity or profile.neighbours):
        if guesses.check is None:
            found, unsettled = _guaranteed(entry)
        else:
            found = _verified(entry, guesses)
        if found is not None:
            return found
    return _declined(entry, guesses, unsettled)


def _repaired(candidate: Candidate, payload: int, tried: int) -> Reading:
    changed = tuple([place + 1 for place in candidate.places])
    return Reading(Status.REPAIRED, payload, candidate.groups, changed, candidates_tried=tried)


def _verified(entry: _Entry, guesses: Guesses) -> Reading | None:
    """Return the likeliest repair that the MAC takes."""
    for slips in range(1, _MOST_SLIPS[entry.parity] + 1):
        if not guesses.left:
            return None
        for candidate in candidates(entry.profile, entry.typed, entry.parity, slips):
            payload = payload_of(entry.profile, candidate.groups)
            if payload is not None and guesses.accepts(payload):
                return _repaired(candidate, payload, guesses.tried)
    return None


def _guaranteed(entry: _Entry) -> tuple[Reading | None, list[Candidate]]:
    """Return the one repair that the code guarantees, or those it cannot decide between."""
    for slips in range(1, max(2, entry.parity)):
        found: list[tuple[Candidate, int]] = []
        for candidate in candidates(entry.profile, entry.typed, entry.parity, slips):
            payload = payload_of(entry.profile, candidate.groups) if candidate.certain else None
            if payload is not None:
                found.append((candidate, payload))
        found = [pair for pair in found if pair[0].single] or found
        if len(found) == 1:
            return _repaired(*found[0], 0), []
        if found:
            return None, [candidate for candidate, _ in found]
    return None, []


def _declined(entry: _Entry, guesses: Guesses, unsettled: list[Candidate]) -> Reading:
    profile, tried = entry.profile, guesses.tried
    wanted = profile.groups + entry.parity
    if not entry.as_typed or any(len(entry.as_typed[i - 1]) != WIDTH for i in entry.wrong):
        reason = "length"
    elif unsettled:
        reason = "ambiguous"
    else:
        reason = "wrong" if tried else "not-canonical"
    status = Status.REFUSED
    doubtful: tuple[int, ...] = ()
    places = sorted({place + 1 for candidate in unsettled for place in candidate.places})
    if not profile.repairs or not entry.as_typed or (entry.consistent and entry.parity):
        pass
    elif entry.wrong:
        status, doubtful = Status.SAY_AGAIN, entry.wrong
    elif entry.parity < profile.max_parity:
        status = Status.MORE
    elif 0 < len(places) <= _FEW:
        status, doubtful = Status.SAY_AGAIN, tuple(places)
    return Reading(status, doubtful=doubtful, candidates_tried=tried, reason=reason, wanted=wanted)

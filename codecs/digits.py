"""Digits for people: encode a payload into groups of four digits and read what people type.

This is the public face of the room; its README specifies the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtns.codecs.columns import P
from dtns.codecs.keyed import LONGEST, boxes_of
from dtns.codecs.packing import pack
from dtns.codecs.parity import code_of
from dtns.codecs.profiles import MAX_PARITY, PROFILES, Profile
from dtns.codecs.reading import Reading, Status
from dtns.codecs.verdict import Guesses, judge, plausible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "MAX_PARITY",
    "PROFILES",
    "Profile",
    "Reading",
    "Status",
    "decode",
    "encode",
    "parity_groups",
    "show",
]


def encode(profile: Profile, payload: int, *, parity: int | None = None) -> tuple[int, ...]:
    """Return the code's groups, each in 0..9972: data groups, then parity groups.

    Args:
        profile: the kind of code.
        payload: an integer in ``0 <= payload < 2**profile.bits``.
        parity: parity groups to append; the profile's default when None.

    Raises:
        ValueError: the payload or the number of parity groups is out of range.
    """
    code = code_of(profile)
    count = profile.parity if parity is None else parity
    if not 0 <= count <= profile.max_parity:
        raise ValueError(f"{profile.name} shows 0 to {profile.max_parity} parity groups")
    symbols = pack(payload, profile.bits, profile.groups)
    shown = [(s + c) % P for s, c in zip(symbols, code.constants, strict=False)]
    return (*shown, *code.parity(shown, 0, count))


def parity_groups(profile: Profile, payload: int, first: int, count: int) -> tuple[int, ...]:
    """Return ``count`` parity groups from number ``first`` (counted from 0), for one more group.

    Raises:
        ValueError: the payload or the parity groups asked for are out of range.
    """
    if first < 0 or count < 0:
        raise ValueError("parity groups are counted from 0")
    return encode(profile, payload, parity=first + count)[profile.groups + first :]


def show(groups: Iterable[int]) -> str:
    """Return the groups as a person reads them: four digits each, one space between."""
    return " ".join([f"{group:04d}" for group in groups])


def decode(
    profile: Profile,
    entry: str | Sequence[str],
    *,
    check: Callable[[int], bool] | None = None,
    parity: int | None = None,
    flat: bool = False,
    candidates: int | None = None,
) -> Reading:
    """Read what a person typed; no entry makes it raise.

    With ``check`` a reading is accepted or repaired only if ``check`` takes its payload. Without,
    a repair is one that the code itself guarantees, and a code without parity groups is accepted
    for being well formed.

    Args:
        profile: the kind of code that is expected.
        entry: a text whose separators make the boxes, or one text a box.
        check: the MAC: called at most ``candidates`` times, never twice with one payload.
        parity: parity groups the code was shown with; inferred from the entry when None.
        flat: take the digits as one stream and ignore the boxes.
        candidates: readings that may be tested; the profile's own limit when None.

    Raises:
        ValueError: the profile never shows that many parity groups, or ``candidates`` is negative.
    """
    if parity is not None and not 0 <= parity <= profile.max_parity:
        raise ValueError(f"{profile.name} shows 0 to {profile.max_parity} parity groups")
    limit = profile.candidates if candidates is None else candidates
    if limit < 0:
        raise ValueError("the number of candidates cannot be negative")
    if (len(entry) if isinstance(entry, str) else sum(map(len, entry))) > LONGEST:
        return Reading(Status.REFUSED, reason="too-long")
    typed = boxes_of(entry, flat=flat)
    if typed is None:
        return Reading(Status.REFUSED, reason="characters")
    if not any(typed):
        return Reading(Status.REFUSED, reason="empty")
    if isinstance(entry, str) and not plausible(profile, typed, parity):
        typed = "".join(typed)
    return judge(profile, typed, parity, Guesses(check, limit))

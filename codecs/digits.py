"""Digits for people: encode a payload into groups of four digits and read what people type.

This is the public face of the room; its README specifies the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtns.codecs.columns import P
from dtns.codecs.keyed import GROUP_DIGITS, LONGEST, boxes_of
from dtns.codecs.packing import pack, unpack
from dtns.codecs.parity import code_of
from dtns.codecs.profiles import MAX_PARITY, PROFILES, Profile
from dtns.codecs.reading import Reading, Status

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
    """Read what a person typed; no string makes it raise.

    Args:
        profile: the kind of code that is expected.
        entry: a text whose separators make the boxes, or one string a box.
        check: the MAC: called with a payload, at most ``candidates`` times.
        parity: parity groups the code was shown with; inferred from the entry when None.
        flat: take the digits as one stream and ignore the boxes.
        candidates: readings that may be tested; the profile's own limit when None.
    """
    if sum(map(len, entry)) > LONGEST:
        return Reading(Status.REFUSED, reason="too-long", wanted=profile.groups)
    boxes = boxes_of(entry, flat=flat)
    if boxes is None:
        return Reading(Status.REFUSED, reason="characters", wanted=profile.groups)
    if isinstance(boxes, str):
        boxes = tuple(boxes[i : i + GROUP_DIGITS] for i in range(0, len(boxes), GROUP_DIGITS))
    if not any(boxes):
        return Reading(Status.REFUSED, reason="empty", wanted=profile.groups)
    count = len(boxes) - profile.groups if parity is None else parity
    wanted = profile.groups + min(max(count, profile.parity), profile.max_parity)
    if len(boxes) != wanted or any(len(box) != GROUP_DIGITS for box in boxes):
        return Reading(Status.REFUSED, reason="length", wanted=wanted)
    return _plain(profile, tuple(map(int, boxes)), check, candidates)


def _plain(
    profile: Profile,
    groups: tuple[int, ...],
    check: Callable[[int], bool] | None,
    candidates: int | None,
) -> Reading:
    code = code_of(profile)
    shown, said = groups[: profile.groups], list(groups[profile.groups :])
    symbols = [(g - c) % P for g, c in zip(shown, code.constants, strict=False)]
    payload = unpack(symbols, profile.bits)
    more = Status.MORE if len(said) < profile.max_parity else Status.REFUSED
    if payload is None or max(groups) >= P or code.parity(shown, 0, len(said)) != said:
        return Reading(more, reason="not-canonical", wanted=len(groups))
    if check is None:
        return Reading(Status.ACCEPTED, payload, groups, wanted=len(groups))
    tried = min(1, profile.candidates if candidates is None else candidates)
    if tried and check(payload):
        return Reading(Status.ACCEPTED, payload, groups, candidates_tried=1, wanted=len(groups))
    return Reading(more, candidates_tried=tried, reason="wrong", wanted=len(groups))

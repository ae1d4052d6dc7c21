"""Typing a code on the phone: boxes that fill, a mark under each, on 20 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import click

from dtns.codecs.digits import Profile
from dtns.codecs.entry import Entry, Mark

_BOXES_A_LINE: Final = 4
_DIGITS: Final = 4
_ENTER: Final = {"\r", "\n"}
_LEAVE: Final = {"\x1b", "\x04"}
_UP: Final = "\x1b[{}A"
_CLEAR_BELOW: Final = "\x1b[J"
_SIGNS: Final = {
    Mark.EMPTY: "    ",
    Mark.OPEN: "^   ",
    Mark.OK: "ok  ",
    Mark.SHORT: "few ",
    Mark.LONG: "many",
    Mark.NO_GROUP: "no  ",
}
_COLOURS: Final = {
    Mark.OK: "green",
    Mark.SHORT: "yellow",
    Mark.LONG: "yellow",
    Mark.NO_GROUP: "red",
}


def drawn(entry: Entry) -> list[str]:
    """Return the entry as lines of at most 20 columns: four boxes a line, marks below them.

    The marks come from keyless checks alone: ok, few or many digits, no group of such value.
    """
    cells = [
        (_fitted(box), click.style(_SIGNS[mark], fg=_COLOURS.get(mark)))
        for box, mark in zip(entry.boxes, entry.marks, strict=True)
    ]
    return _lines(cells)


def highlighted(groups: Iterable[int], changed: Iterable[int]) -> list[str]:
    """Return the code as it should have been typed, the repaired groups (from 1) in reverse."""
    repaired = set(changed)
    cells = [
        (
            click.style(f"{group:04d}", reverse=place in repaired),
            "^^^^" if place in repaired else "    ",
        )
        for place, group in enumerate(groups, 1)
    ]
    return _lines(cells)


def fill(
    entry: Entry,
    read_key: Callable[[], str],
    write: Callable[[str], None],
    keep: Callable[[Entry], None],
) -> Entry | None:
    """Let a person type until the entry is complete, or Enter; None if the person leaves.

    read_key gives one key or several, an empty text at the end of input; write takes what goes to
    the screen; keep is called with the entry whenever a box was closed and when the person leaves.
    """
    shown = 0
    keys = ""
    while True:
        lines = drawn(entry)
        write((_UP.format(shown) + "\r" + _CLEAR_BELOW if shown else "") + "\n".join(lines) + "\n")
        shown = len(lines)
        if entry.complete:
            return entry
        keys = keys or _pressed(read_key())
        key, keys = keys[0], keys[1:]
        if key in _LEAVE | _ENTER:
            keep(entry)
            return None if key in _LEAVE else entry
        before, entry = entry, entry.typed(key)
        if entry.at != before.at:
            keep(entry)


def _pressed(keys: str) -> str:
    """Return at least one key: cursor keys count as a space, the end of input as leaving."""
    if not keys:
        return "\x04"
    return " " if keys.startswith("\x1b[") else keys


def resumed(profile: Profile, text: str) -> Entry:
    """Return the entry that was typed so far as *text*; an empty one if it cannot be gone on with.

    A person may have typed fewer or more groups than the profile shows by default.
    """
    if "/" in text:
        try:
            return Entry.resume(profile, text)
        except ValueError:
            return Entry.begin(profile)
    groups = len(text.split())
    parity = min(max(groups - profile.groups, profile.parity), profile.max_parity)
    return Entry.begin(profile, parity).typed(text)


def _fitted(box: str) -> str:
    return box.ljust(_DIGITS, "_") if len(box) <= _DIGITS else box[: _DIGITS - 1] + "+"


def _lines(cells: list[tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    for start in range(0, len(cells), _BOXES_A_LINE):
        row = cells[start : start + _BOXES_A_LINE]
        lines += [" ".join(cell[0] for cell in row), " ".join(cell[1] for cell in row)]
    return lines

"""A way through a theory as a message chart, in text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from words import Event

_ORDER = ("Sam", "A", "A2", "Eve", "B", "B2", "D")
_LEAST = 14
"""Columns between two lifelines, unless a message needs more."""


def chart(events: Sequence[Event]) -> str:
    """Draw each event as an arrow between lifelines, or beside the one it happens at."""
    people = [one for one in _ORDER if any(one in (e.source, e.target) for e in events)]
    places = _places(people, events)
    lines = [_row(places, {places[one]: one for one in people}, " ")]
    for event in events:
        lines += _drawn(event, places)
    return "\n".join(line.rstrip() for line in [*lines, _row(places, {}, "|")])


def _places(people: Sequence[str], events: Sequence[Event]) -> dict[str, int]:
    """Return the column of each lifeline, far enough apart for what is said between them."""
    places = {people[0]: 2}
    for before, one in pairwise(people):
        wide = [
            len(e.short) + 6 for e in events if {e.source, e.target} in ({before, one}, {before})
        ]
        places[one] = places[before] + max([_LEAST, *wide])
    return places


def _row(places: dict[str, int], marks: dict[int, str], line: str) -> str:
    """Return a line of text with the marks at their columns and lifelines elsewhere."""
    cells = [" "] * (max(places.values()) + 60)
    for place in places.values():
        cells[place] = line
    for place, mark in marks.items():
        cells[place : place + len(mark)] = mark
    return "".join(cells)


def _drawn(event: Event, places: dict[str, int]) -> list[str]:
    source, target = places[event.source], places[event.target]
    if source == target:
        return [_row(places, {source: f"* {event.short}"}, "|")]
    left, right = sorted((source, target))
    arrow = "-" * (right - left - 2)
    ends = f"{arrow}>" if source < target else f"<{arrow}"
    said = {left + 2: event.short}
    return [_row(places, said, "|"), _row(places, {left + 1: ends}, "|")]

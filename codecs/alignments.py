"""Where the typed digits may belong: the ways to lay an entry over the groups of a code.

Everything that moves digits from one group to another is an alignment: swapped groups, a group
left out or said twice, and in a flat stream every missed or added key.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations
from typing import TYPE_CHECKING, Final

from attrs import frozen

from dtns.codecs.columns import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SWAPPED: Final = 6
REPEATED: Final = 6
FOREIGN: Final = 12
BORDER_TRANSPOSITION: Final = 5
BORDER_JUMP: Final = 7


@frozen
class Alignment:
    """One way to read an entry as a code: a text for each group, empty when it was left out."""

    boxes: tuple[str, ...]
    events: int = 0
    """Slips this alignment already explains."""
    cost: int = 0
    moved: tuple[int, ...] = ()
    """Places, counted from 0, that it changes by itself."""
    as_typed: bool = False
    """Whether every text stands where it was typed."""


def alignments(typed: tuple[str, ...] | str, groups: int, events: int) -> Iterator[Alignment]:
    """Return the ways to lay boxes, or an unbroken stream of digits, over ``groups`` groups.

    Those that explain more than ``events`` slips by themselves are left out.
    """
    if isinstance(typed, str):
        return flat(typed, groups, events)
    return boxed(typed, groups, events)


def boxed(boxes: tuple[str, ...], groups: int, events: int) -> Iterator[Alignment]:
    """Return the alignments of filled boxes that explain at most ``events`` slips."""
    surplus = len(boxes) - groups
    if surplus == 0:
        yield Alignment(boxes, as_typed=True)
        if events:
            yield from _swaps(boxes)
    elif events and surplus == -1:
        yield from (_left_out(boxes, place) for place in range(groups))
    elif events and surplus == 1:
        yield from _dropped(boxes)


def flat(digits: str, groups: int, events: int) -> Iterator[Alignment]:
    """Return the alignments of an unbroken stream that explain at most ``events`` slips."""
    surplus = len(digits) - WIDTH * groups
    if surplus == 0:
        yield Alignment(_cut(digits, {}, groups), as_typed=True)
    if events:
        yield from _one_event(digits, groups, surplus)
    if events > 1:
        yield from _two_events(digits, groups, surplus)


def _one_event(digits: str, groups: int, surplus: int) -> Iterator[Alignment]:
    if surplus == 0:
        yield from _swaps(_cut(digits, {}, groups))
        yield from _border_slips(digits, groups)
    elif abs(surplus) == 1:
        lengths = ({place: WIDTH + surplus} for place in range(groups))
        yield from (Alignment(_cut(digits, length, groups)) for length in lengths)
    elif abs(surplus) == WIDTH:
        yield from boxed(_cut(digits, {}, groups + surplus // WIDTH), groups, 1)


def _two_events(digits: str, groups: int, surplus: int) -> Iterator[Alignment]:
    """Return the alignments with two groups too short or too long."""
    places = range(groups)
    if surplus == 0:
        for i, j in permutations(places, 2):
            yield Alignment(_cut(digits, {i: WIDTH - 1, j: WIDTH + 1}, groups))
    elif abs(surplus) == 2:  # noqa: PLR2004 (two keys missed or added)
        step = surplus // 2
        for i, j in combinations_with_replacement(places, 2):
            lengths = {i: WIDTH + step, j: WIDTH + step} if i != j else {i: WIDTH + surplus}
            yield Alignment(_cut(digits, lengths, groups))


def _cut(digits: str, lengths: dict[int, int], groups: int) -> tuple[str, ...]:
    pieces: list[str] = []
    start = 0
    for place in range(groups):
        end = start + lengths.get(place, WIDTH)
        pieces.append(digits[start:end])
        start = end
    return tuple(pieces)


def _swaps(boxes: tuple[str, ...]) -> Iterator[Alignment]:
    for i in range(len(boxes) - 1):
        if boxes[i] != boxes[i + 1]:
            swapped = (*boxes[:i], boxes[i + 1], boxes[i], *boxes[i + 2 :])
            yield Alignment(swapped, 1, SWAPPED, (i, i + 1))


def _left_out(boxes: tuple[str, ...], place: int) -> Alignment:
    return Alignment((*boxes[:place], "", *boxes[place:]))


def _dropped(boxes: tuple[str, ...]) -> Iterator[Alignment]:
    for place, box in enumerate(boxes):
        if place and box == boxes[place - 1]:
            continue
        cost = REPEATED if box in boxes[place + 1 : place + 2] else FOREIGN
        kept = boxes[:place] + boxes[place + 1 :]
        yield Alignment(kept, 1, cost, (min(place, len(kept) - 1),))


def _border_slips(digits: str, groups: int) -> Iterator[Alignment]:
    for first in range(1, groups):
        border = WIDTH * first
        yield from _exchanged(digits, groups, border - 1, (border,), BORDER_TRANSPOSITION)
        yield from _exchanged(digits, groups, border - 2, (border,), BORDER_JUMP)
        yield from _exchanged(digits, groups, border - 1, (border + 1,), BORDER_JUMP)


def _exchanged(
    digits: str, groups: int, i: int, others: Iterable[int], cost: int
) -> Iterator[Alignment]:
    for j in others:
        if digits[i] != digits[j]:
            text = digits[:i] + digits[j] + digits[i + 1 : j] + digits[i] + digits[j + 1 :]
            yield Alignment(_cut(text, {}, groups), 1, cost, (i // WIDTH, j // WIDTH))

"""How people spoil a code: slips in the mix of Verhoeff's counts, with whole-group slips added."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NEIGHBOURS = {
    "1": "24", "2": "135", "3": "26", "4": "157", "5": "2468",
    "6": "359", "7": "48", "8": "5790", "9": "68", "0": "8",
}  # fmt: skip
DIGITS = "0123456789"


class Mix(NamedTuple):
    """A kind of slip and how many of a hundred slips are of that kind."""

    percent: float
    kind: str


MIX = (
    Mix(58, "substitution"),
    Mix(11, "transposition"),
    Mix(1.5, "jump transposition"),
    Mix(1.5, "twin"),
    Mix(0.5, "jump twin"),
    Mix(1.5, "phonetic"),
    Mix(10, "omission"),
    Mix(8, "insertion"),
    Mix(2, "groups swapped"),
    Mix(2, "group omitted"),
    Mix(2, "group doubled"),
    Mix(2, "group garbled"),
)
KINDS = [mix.kind for mix in MIX]
BOUNDS = list(accumulate(mix.percent for mix in MIX))


def _substitution(text: str, random: Random) -> str | None:
    place = random.randrange(len(text))
    keys = NEIGHBOURS[text[place]] if random.random() < 0.5 else DIGITS.replace(text[place], "")
    return text[:place] + random.choice(keys) + text[place + 1 :]


def _swap(gap: int) -> Callable[[str, Random], str | None]:
    def slip(text: str, random: Random) -> str | None:
        i = random.randrange(max(len(text) - gap, 1))
        j = i + gap
        if j >= len(text) or text[i] == text[j]:
            return None
        return text[:i] + text[j] + text[i + 1 : j] + text[i] + text[j + 1 :]

    return slip


def _twin(gap: int) -> Callable[[str, Random], str | None]:
    def slip(text: str, random: Random) -> str | None:
        sites = [i for i in range(len(text) - gap) if text[i] == text[i + gap]]
        if not sites:
            return None
        i = random.choice(sites)
        other = random.choice(DIGITS.replace(text[i], ""))
        return text[:i] + other + text[i + 1 : i + gap] + other + text[i + gap + 1 :]

    return slip


def _phonetic(text: str, random: Random) -> str | None:
    pairs = [(i, text[i : i + 2]) for i in range(len(text) - 1)]
    sites = [(i, f"{p[1]}0") for i, p in pairs if p[0] == "1" and p[1] > "1"]
    sites += [(i, f"1{p[0]}") for i, p in pairs if p[1] == "0" and p[0] > "1"]
    if not sites:
        return None
    i, heard = random.choice(sites)
    return text[:i] + heard + text[i + 2 :]


def _omission(text: str, random: Random) -> str | None:
    place = random.randrange(len(text))
    return text[:place] + text[place + 1 :]


def _insertion(text: str, random: Random) -> str | None:
    place = random.randrange(len(text))
    key = text[place] if random.random() < 0.7 else random.choice(DIGITS)
    return text[:place] + key + text[place:]


IN_TEXT: dict[str, Callable[[str, Random], str | None]] = {
    "substitution": _substitution,
    "transposition": _swap(1),
    "jump transposition": _swap(2),
    "twin": _twin(1),
    "jump twin": _twin(2),
    "phonetic": _phonetic,
    "omission": _omission,
    "insertion": _insertion,
}


def _move_groups(boxes: list[str], kind: str, random: Random) -> list[str] | None:
    i = random.randrange(len(boxes))
    if kind == "group omitted":
        return boxes[:i] + boxes[i + 1 :]
    if kind == "group doubled":
        return [*boxes[:i], boxes[i], *boxes[i:]]
    if kind == "group garbled":
        garbage = "".join(random.choices(DIGITS, k=len(boxes[i])))
        return [*boxes[:i], garbage, *boxes[i + 1 :]]
    if i + 1 == len(boxes):
        return None
    return [*boxes[:i], boxes[i + 1], boxes[i], *boxes[i + 2 :]]


def _once(boxes: list[str], width: int, random: Random, *, stream: bool) -> list[str]:
    while True:
        kind = random.choices(KINDS, cum_weights=BOUNDS)[0]
        moved: list[str] | None
        if kind not in IN_TEXT:
            moved = _move_groups(boxes, kind, random)
        elif stream:
            text = IN_TEXT[kind]("".join(boxes), random)
            moved = (
                None if text is None else [text[i : i + width] for i in range(0, len(text), width)]
            )
        else:
            i = random.randrange(len(boxes))
            slipped = IN_TEXT[kind](boxes[i], random) if boxes[i] else None
            moved = None if slipped is None else [*boxes[:i], slipped, *boxes[i + 1 :]]
        if moved and moved != boxes:
            return moved


def spoil(boxes: list[str], slips: int, random: Random, *, stream: bool = False) -> list[str]:
    """Return the boxes after exactly ``slips`` slips that do not undo each other.

    In a stream the digit slips cross the borders of groups, and what comes after a missed or
    added key moves along.
    """
    width = max(map(len, boxes))
    while True:
        spoiled = boxes
        for _ in range(slips):
            spoiled = _once(spoiled, width, random, stream=stream)
        if not slips or spoiled != boxes:
            return spoiled

"""The slips that people make in one group, and what each of them costs as an explanation.

A cost is minus the binary logarithm of the slip's probability, rounded: the smaller, the likelier.
"""

from __future__ import annotations

from typing import Final

from dtns.codecs.columns import WIDTH, P

TRANSPOSITION: Final = 5
NEIGHBOUR: Final = 5
SUBSTITUTION: Final = 7
JUMP: Final = 7
TWIN: Final = 8
PHONETIC: Final = 8
JUMP_TWIN: Final = 9
OMISSION: Final = 5
DOUBLED: Final = 6
INSERTION: Final = 11
TWO_OMITTED: Final = 12
TWO_INSERTED: Final = 14
MISSING: Final = 6
GARBLED: Final = 19

_KEYS = {
    "1": "24", "2": "135", "3": "26", "4": "157", "5": "2468",
    "6": "359", "7": "48", "8": "5790", "9": "68", "0": "8",
}  # fmt: skip
"""Keys beside each key of a telephone keypad."""

_WEIGHTS = (1000, 100, 10, 1)
_SUBSTITUTIONS = {
    typed: tuple(
        (said - int(typed), NEIGHBOUR if str(said) in _KEYS[typed] else SUBSTITUTION)
        for said in range(10)
        if said != int(typed)
    )
    for typed in _KEYS
}


def _errors(*, phonetic: bool) -> frozenset[int]:
    """Return ``typed - said`` over all slips that keep a group's length, as elements of GF(P)."""
    spans = ((1, 4), (9, 3), (11, 3), (99, 2), (101, 2))
    sizes = {a * unit * 10**k for unit, places in spans for k in range(places) for a in range(10)}
    if phonetic:
        sizes |= {(9 * x - 10) * 10**k for k in range(3) for x in range(2, 10)}
    return frozenset(sign * size % P for size in sizes - {0} for sign in (1, -1))


REPAIRABLE = _errors(phonetic=False)
"""Errors of a substitution, transposition, jump transposition, twin or jump twin in one group."""

_ANY = _errors(phonetic=True)
POSSIBLE = bytes(error in _ANY for error in range(P))
"""Whether an error can come from one slip at all, phonetic ones included."""


def _same_length(typed: str, said: str) -> int | None:
    wrong = [place for place in range(WIDTH) if typed[place] != said[place]]
    if len(wrong) == 1:
        return NEIGHBOUR if said[wrong[0]] in _KEYS[typed[wrong[0]]] else SUBSTITUTION
    if len(wrong) != 2 or wrong[1] - wrong[0] > 2:  # noqa: PLR2004 (two digits, at most a jump)
        return None if wrong else 0
    i, j = wrong
    beside = j - i == 1
    if typed[i] == said[j] and typed[j] == said[i]:
        return TRANSPOSITION if beside else JUMP
    if typed[i] == typed[j] and said[i] == said[j]:
        return TWIN if beside else JUMP_TWIN
    ends = {(typed[i], said[j], said[i], typed[j]), (said[i], typed[j], typed[i], said[j])}
    sounds_alike = any(a == "1" and b == "0" and x == y for a, b, x, y in ends)
    return PHONETIC if beside and sounds_alike else None


def _without(text: str, place: int) -> str:
    return text[:place] + text[place + 1 :]


def _shorter(typed: str, said: str) -> int | None:
    if len(typed) == WIDTH - 1:
        return OMISSION if any(_without(said, i) == typed for i in range(WIDTH)) else None
    pairs = (said[i] + said[j] for i in range(WIDTH) for j in range(i + 1, WIDTH))
    return TWO_OMITTED if typed in pairs else None


def _longer(typed: str, said: str) -> int | None:
    added = [i for i in range(len(typed)) if _without(typed, i) == said]
    if len(typed) == WIDTH + 1:
        doubled = any(typed[i] in typed[max(i - 1, 0) : i] + typed[i + 1 : i + 2] for i in added)
        return (DOUBLED if doubled else INSERTION) if added else None
    shorter = (_without(typed, i) for i in range(len(typed)))
    return TWO_INSERTED if any(_longer(text, said) for text in shorter) else None


def slip_cost(typed: str, group: int) -> int | None:
    """Return the cost of one slip that makes ``typed`` out of a group, None when none does.

    Typed text of two to six digits is compared; an empty box is a group that was left out.
    """
    if not typed:
        return MISSING
    said = f"{group:04d}"
    if len(typed) == len(said):
        return _same_length(typed, said)
    if abs(len(typed) - WIDTH) <= 2:  # noqa: PLR2004 (two digits too few or too many)
        return _shorter(typed, said) if len(typed) < len(said) else _longer(typed, said)
    return None


def _swapped(typed: str, i: int, j: int) -> int:
    value, difference = int(typed), int(typed[j]) - int(typed[i])
    return value + difference * (_WEIGHTS[i] - _WEIGHTS[j])


def _pairs(typed: str, gap: int, swap: int, twin: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    value = int(typed)
    for i in range(WIDTH - gap):
        j = i + gap
        if typed[i] != typed[j]:
            found.append((swap, _swapped(typed, i, j)))
            continue
        both, digit = _WEIGHTS[i] + _WEIGHTS[j], int(typed[i])
        found += [(twin, value + (said - digit) * both) for said in range(10) if said != digit]
    return found


def _alike(typed: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for i in range(3):
        pair, rest = int(typed[i : i + 2]), int(typed) - int(typed[i : i + 2]) * _WEIGHTS[i + 1]
        tens, ones = divmod(pair, 10)
        if tens == 1 and ones > 1:
            found.append((PHONETIC, rest + ones * 10 * _WEIGHTS[i + 1]))
        elif ones == 0 and tens > 1:
            found.append((PHONETIC, rest + (10 + tens) * _WEIGHTS[i + 1]))
    return found


def _texts(typed: str) -> set[str]:
    if len(typed) == WIDTH - 1:
        return {typed[:i] + digit + typed[i:] for i in range(WIDTH) for digit in _KEYS}
    return {_without(typed, i) for i in range(WIDTH + 1)} if len(typed) == WIDTH + 1 else set()


def explanations(typed: str) -> list[tuple[int, int]]:
    """Return ``(cost, group)`` for every group that one slip turns into ``typed``.

    Three, four or five digits; nothing explains any other length.
    """
    if len(typed) == WIDTH:
        value = int(typed)
        found = [
            (cost, value + step * weight)
            for digit, weight in zip(typed, _WEIGHTS, strict=True)
            for step, cost in _SUBSTITUTIONS[digit]
        ]
        found += _pairs(typed, 1, TRANSPOSITION, TWIN)
        found += _pairs(typed, 2, JUMP, JUMP_TWIN)
        found += _alike(typed)
        return [pair for pair in found if pair[1] < P]
    groups = {int(text) for text in _texts(typed)}
    costs = ((slip_cost(typed, group), group) for group in groups if group < P)
    return [(cost, group) for cost, group in costs if cost is not None]

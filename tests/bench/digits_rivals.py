"""The schemes that dtns codes are measured beside: each detects slips, none repairs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_BITS = 128
DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


class Rival(NamedTuple):
    """A scheme for a 128-bit key: how it is shown, what it accepts, what it can point at."""

    name: str
    show: Callable[[int], list[str]]
    read: Callable[[list[str]], int | None]
    """The accepted payload, or None."""
    faulty: Callable[[list[str]], list[int]]
    """Boxes that it can name as wrong by themselves."""


def _cut(text: str, width: int) -> list[str]:
    return [text[i : i + width] for i in range(0, len(text), width)]


def _key(value: int) -> int | None:
    return value if value < 1 << KEY_BITS else None


def _nothing(boxes: list[str]) -> list[int]:
    return []


def _plain_read(boxes: list[str]) -> int | None:
    text = "".join(boxes)
    return _key(int(text)) if len(text) == 39 else None


def _mod97_read(boxes: list[str]) -> int | None:
    text = "".join(boxes)
    return _key(int(text[:-2])) if len(text) == 41 and int(text) % 97 == 1 else None


def damm(text: str) -> int:
    """Return Damm's check digit; zero over a text that ends in its own."""
    state = 0
    for digit in text:
        state = int(DAMM[state][int(digit)])
    return state


def _damm_show(payload: int) -> list[str]:
    return [f"{group}{damm(group)}" for group in _cut(f"{payload:040d}", 4)]


def _damm_faulty(boxes: list[str]) -> list[int]:
    return [i for i, box in enumerate(boxes) if len(box) != 5 or damm(box)]


def _damm_read(boxes: list[str]) -> int | None:
    if len(boxes) != 10 or _damm_faulty(boxes):
        return None
    return _key(int("".join(box[:4] for box in boxes)))


def _bitlocker_show(payload: int) -> list[str]:
    return [f"{(payload >> 16 * i & 0xFFFF) * 11:06d}" for i in range(8)]


def _bitlocker_faulty(boxes: list[str]) -> list[int]:
    return [
        i for i, box in enumerate(boxes) if len(box) != 6 or int(box) % 11 or int(box) >= 720896
    ]


def _bitlocker_read(boxes: list[str]) -> int | None:
    if len(boxes) != 8 or _bitlocker_faulty(boxes):
        return None
    return sum(int(box) // 11 << 16 * i for i, box in enumerate(boxes))


RIVALS = (
    Rival("plain decimal", lambda key: _cut(f"{key:039d}", 4), _plain_read, _nothing),
    Rival(
        "mod 97-10",
        lambda key: _cut(f"{key:039d}{98 - key * 100 % 97:02d}", 4),
        _mod97_read,
        _nothing,
    ),
    Rival("BitLocker", _bitlocker_show, _bitlocker_read, _bitlocker_faulty),
    Rival("Damm per group", _damm_show, _damm_read, _damm_faulty),
)

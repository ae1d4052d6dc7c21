"""What the stage can be told to do: one JSON object a line, each with its bounds."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any, Final

from attrs import frozen

from dtns.sam.errors import SamError
from dtns.sam.handset.screens import KEYS

MOST_DAYS: Final = 366
BOUNDS: Final = {"delay": 20.0, "loss": 1.0, "duplication": 1.0}
"""The most that each of the network's conditions can be set to."""
MAX_ID: Final = 64
ATTACKS: Final = ("collision", "replay")


class OrderError(SamError, ValueError):
    """An order that is none; the message says what is allowed."""


@frozen
class Press:
    """Press a key of a phone."""

    phone: str
    key: str


@frozen
class Signal:
    """Give a phone signal, or take it."""

    phone: str
    on: bool


@frozen
class Battery:
    """Pull the battery out of a phone, whatever it is at, and put it in again."""

    phone: str


@frozen
class Weather:
    """Change what the network does to messages."""

    changes: dict[str, float]


@frozen
class Pass:
    """Let so many days go by."""

    days: int


@frozen
class Again:
    """Send a message of the network once more, as whoever sent it; with an octet changed or not."""

    message: str
    altered: bool


@frozen
class Attack:
    """Run an attack on the first protocol that payments had, and on ours."""

    name: str


Order = Press | Signal | Battery | Weather | Pass | Again | Attack


def read_order(line: bytes | str, phones: Collection[str]) -> Order:
    """Return the order on a line; OrderError says what is wrong with it."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise OrderError("an order is one JSON object") from None
    match told:
        case {"phone": str(phone), **rest} if len(rest) == 1:
            return _to_phone(_one_of(phone, phones, "phone"), told)
        case {"network": dict(changes), **rest} if changes and not rest:
            return Weather({name: _condition(name, value) for name, value in changes.items()})
        case {"days": int(days), **rest} if not rest and not isinstance(days, bool):
            if not 1 <= days <= MOST_DAYS:
                raise OrderError(f"days are 1 to {MOST_DAYS}")
            return Pass(days)
        case {"again": str(message), "altered": bool(altered), **rest} if not rest:
            if len(message) > MAX_ID:
                raise OrderError("no message has such a name")
            return Again(message, altered)
        case {"attack": str(name), **rest} if not rest:
            return Attack(_one_of(name, ATTACKS, "attack"))
    raise OrderError(
        "an order has phone and one of press, signal and battery; or network, days or attack; or "
        "again and altered"
    )


def _to_phone(phone: str, order: dict[str, Any]) -> Order:
    match order:
        case {"press": str(key)}:
            return Press(phone, _one_of(key, KEYS, "key"))
        case {"signal": bool(on)}:
            return Signal(phone, on)
        case {"battery": "out"}:
            return Battery(phone)
    raise OrderError('a phone takes press with a key, signal true or false, or battery "out"')


def _one_of(name: str, known: Collection[str], kind: str) -> str:
    if name not in known:
        raise OrderError(f"a {kind} is one of {', '.join(sorted(known))}")
    return name


def _condition(name: str, value: Any) -> float:
    most = BOUNDS.get(name)
    if most is None:
        raise OrderError(f"the network has {', '.join(BOUNDS)}")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= most:
        raise OrderError(f"{name} is a number from 0 to {most:g}")
    return float(value)

"""How values are written in the vectors."""

from __future__ import annotations

import hashlib
from typing import Any

from reference import Context

Line = dict[str, Any]


def octets(label: str, count: int) -> bytes:
    """Give octets that look random and never change."""
    return hashlib.shake_256(label.encode()).digest(count)


def payload(value: int, bits: int) -> str:
    """Write the payload of a digit code, all its bits."""
    return f"{value:0{(bits + 3) // 4}x}"


def flipped(text: str, bit: int) -> str:
    """Change one bit of octets in hexadecimal, the first the highest."""
    count = len(text) * 4
    return f"{int(text, 16) ^ 1 << count - 1 - bit:0{len(text)}x}"


def context_fields(context: Context) -> Line:
    """Write the fields of a context."""
    return {
        "asker": context.asker,
        "asker_generation": context.asker_generation,
        "holder": context.holder,
        "holder_generation": context.holder_generation,
        "epoch": context.epoch,
        "n": context.n,
        "expiry": context.expiry,
        "limit_class": context.limit_class,
        "direction": context.direction,
        "nonce": None if context.nonce is None else payload(context.nonce, 26),
    }

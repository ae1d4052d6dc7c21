"""The digit code of codecs/README.md, one way only: from a payload to its digits."""

from __future__ import annotations

import hashlib

PRIME = 9973
POINTS = (
    4472, 2135, 1001, 4614, 1699, 2639, 9127, 8212,
    5344, 8753, 5069, 9212, 2408, 5036, 24, 1783,
)  # fmt: skip
FACTORS = (
    3372, 4182, 4298, 1469, 2667, 4341, 4647, 635,
    289, 4891, 3038, 2296, 4911, 358, 1926, 4121,
)  # fmt: skip
POLES = (None, 0, 9972)
PROFILES = {
    "ticket": (5, 0),
    "sealed": (16, 1),
    "request": (2, 0),
    "confirm": (2, 0),
    "ask": (3, 0),
    "cheque": (4, 0),
    "response": (3, 0),
    "answer": (15, 1),
}


def digits_of(profile: str, payload: int, parity: int | None = None) -> str:
    """Write a payload in digits, without spaces, with the profile's least parity or more."""
    groups, least = PROFILES[profile]
    data = []
    for _ in range(groups):
        payload, symbol = divmod(payload, PRIME)
        data.insert(0, symbol)
    row = data + [parity_of(data, pole) for pole in POLES[: least if parity is None else parity]]
    return "".join(f"{(symbol + mask(profile, at)) % PRIME:04d}" for at, symbol in enumerate(row))


def parity_of(data: list[int], pole: int | None) -> int:
    """Give one parity symbol."""
    total = 0
    for symbol, point, factor in zip(data, POINTS, FACTORS, strict=False):
        total += symbol * factor * (1 if pole is None else pow(point - pole, -1, PRIME))
    return total % PRIME


def mask(profile: str, at: int) -> int:
    """Give what is added to the symbol at one place of a profile."""
    told = f"dtns digits 1 {profile} {at}".encode("ascii")
    return int.from_bytes(hashlib.sha256(told).digest(), "big") % (PRIME - 1) + 1


def payload_of(profile: str, digits: str) -> int:
    """Read digits that are right, without parity, as their payload."""
    payload = 0
    for at in range(PROFILES[profile][0]):
        symbol = (int(digits[4 * at : 4 * at + 4]) - mask(profile, at)) % PRIME
        payload = payload * PRIME + symbol
    return payload

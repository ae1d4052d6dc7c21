"""Pack a payload into field elements: one integer in radix 9973, leading zeros kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtns.codecs.columns import P

if TYPE_CHECKING:
    from collections.abc import Iterable


def pack(payload: int, bits: int, groups: int) -> list[int]:
    """Return the payload as ``groups`` elements of GF(9973), most significant first.

    Raises:
        ValueError: the payload is negative or has more than ``bits`` bits.
    """
    if payload < 0 or payload >> bits:
        raise ValueError(f"the payload has to fit into {bits} bits")
    symbols = [0] * groups
    for place in range(groups - 1, -1, -1):
        payload, symbols[place] = divmod(payload, P)
    return symbols


def unpack(symbols: Iterable[int], bits: int) -> int | None:
    """Return the payload, or None when these elements are no payload of ``bits`` bits."""
    payload = 0
    for symbol in symbols:
        payload = payload * P + symbol
    return None if payload >> bits else payload

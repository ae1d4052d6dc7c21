"""Octets on the wire: number fields, a reader that never overruns, and the SMS text form."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from dtns.sam.protocol.numbers import MAX_DIGITS, Number, is_number

MAX_TEXT: Final = 160
"""Characters in one SMS of the GSM 7-bit alphabet."""


class MalformedError(ValueError):
    """A received octet string breaks its layout; the text says where. Caught by each parser."""


def number_field(number: Number) -> bytes:
    """Encode a number: one octet of digit count, then packed BCD, the last nibble F if odd."""
    padded = number if len(number) % 2 == 0 else number + "f"
    return bytes([len(number)]) + bytes.fromhex(padded)


class Reader:
    """Takes fields off the front of an octet string."""

    __slots__ = ("_octets", "_position")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    def take(self, count: int) -> bytes:
        """Return the next *count* octets; MalformedError if so many are not left."""
        start, self._position = self._position, self._position + count
        if self._position > len(self._octets):
            raise MalformedError("too short")
        return self._octets[start : self._position]

    def integer(self, count: int) -> int:
        """Return the next *count* octets as a big-endian integer."""
        return int.from_bytes(self.take(count))

    def number(self) -> Number:
        """Return the number field that comes next; refuses every form but the canonical one."""
        count = self.integer(1)
        if count > MAX_DIGITS:
            raise MalformedError("number too long")
        text = self.take((count + 1) // 2).hex()
        digits, pad = text[:count], text[count:]
        if not is_number(digits) or pad != "f" * (count % 2):
            raise MalformedError("not a number")
        return Number(digits)

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(self.left)

    @property
    def left(self) -> int:
        """How many octets are left."""
        return len(self._octets) - self._position

    def end(self) -> None:
        """Insist that nothing is left."""
        if self.left:
            raise MalformedError("too long")


def to_text(octets: bytes) -> str:
    """Write a message as SMS text: base32 (RFC 4648) without padding, all in GSM 7-bit."""
    text = base64.b32encode(octets).decode("ascii").rstrip("=")
    if len(text) > MAX_TEXT:
        raise ValueError(f"a message is at most {MAX_TEXT * 5 // 8} octets, not {len(octets)}")
    return text


def from_text(text: str) -> bytes:
    """Read SMS text; letter case and white space do not matter. MalformedError if it is none."""
    if len(text) > 2 * MAX_TEXT:
        raise MalformedError("text too long")
    if not text.isascii() or "=" in text:
        raise MalformedError("not base32")
    compact = "".join(text.split()).upper()
    try:
        octets = base64.b32decode(compact + "=" * (-len(compact) % 8))
    except binascii.Error:
        raise MalformedError("not base32") from None
    if base64.b32encode(octets).decode("ascii").rstrip("=") != compact:
        raise MalformedError("not canonical base32")
    return octets

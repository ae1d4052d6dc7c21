"""Octets on the wire: number fields, a reader that never overruns, and the SMS text form."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any, Final

from dtns.sam.protocol.numbers import MAX_DIGITS, Number, is_number

MAX_TEXT: Final = 160
"""Characters in one SMS of the GSM 7-bit alphabet."""
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_ALPHABET: Final = _ALPHABET.ljust(256)
_WHITE_SPACE: Final = bytes(octet for octet in range(128) if chr(octet).isspace())
_TO_PYTHON: Final = bytes(
    b"0123456789abcdefghijklmnopqrstuv!"[_ALPHABET.find(chr(octet).upper().encode())]
    for octet in range(256)
)
"""Each letter as Python's digit, whatever its case; all else as what is none."""
_COUNTS: Final = [f"{count:02x}" for count in range(MAX_DIGITS + 1)]
_PADS: Final = ["f" * (count % 2) for count in range(MAX_DIGITS + 1)]
"""What goes before and after the digits of a number in its field, by their count."""
_DIGIT_BITS: Final = 5
_MOST_DIGITS: Final = 256
"""A power of two, and more than a text can have."""


class MalformedError(ValueError):
    """A received octet string breaks its layout; the text says where. Caught by each parser."""


def number_field(number: Number) -> bytes:
    """Encode a number: one octet of digit count, then packed BCD, the last nibble F if odd."""
    count = len(number)
    return bytes.fromhex(_COUNTS[count] + number + _PADS[count])


def number_at(octets: bytes, place: int) -> tuple[Number, int]:
    """Return the number whose field begins at this octet, and where the field ends.

    MalformedError for every form but the canonical one.
    """
    count = octets[place] if place < len(octets) else 0
    end = place + 1 + (count + 1) // 2
    digits = octets[place + 1 : end].hex()
    if count % 2:
        digits, pad = digits[:-1], digits[-1:]
        if pad != "f":
            raise MalformedError("a number's odd nibble that is not F")
    if len(digits) != count or not is_number(digits):
        raise MalformedError("not a number")
    return digits, end


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

    def unpack(self, layout: Struct) -> tuple[Any, ...]:
        """Return the fields of a fixed layout that come next."""
        return layout.unpack(self.take(layout.size))

    def number(self) -> Number:
        """Return the number field that comes next; refuses every form but the canonical one."""
        number, self._position = number_at(self._octets, self._position)
        return number

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
    count = -(-len(octets) * 8 // _DIGIT_BITS)
    if count > MAX_TEXT:
        raise ValueError(f"a message is at most {MAX_TEXT * 5 // 8} octets, not {len(octets)}")
    value = int.from_bytes(octets) << (count * _DIGIT_BITS - len(octets) * 8)
    return _spread(value).to_bytes(count).translate(_TO_ALPHABET).decode("ascii")


def from_text(text: str) -> bytes:
    """Read SMS text; letter case and white space do not matter. MalformedError if it is none."""
    if len(text) > 2 * MAX_TEXT:
        raise MalformedError("text too long")
    try:
        digits = text.encode("ascii").translate(_TO_PYTHON, _WHITE_SPACE)
        value = int(digits or b"0", 32)
    except ValueError:
        raise MalformedError("not base32") from None
    count, spare = divmod(len(digits) * _DIGIT_BITS, 8)
    if spare >= _DIGIT_BITS or value & ((1 << spare) - 1):
        raise MalformedError("not canonical base32")
    return (value >> spare).to_bytes(count)


def _spread(value: int) -> int:
    """Return a number of 5-bit digits with each of them in an octet of its own.

    Halves of the digits move apart, then the halves of the halves, and so on.
    """
    for low, high, shift in _HALVES:
        value = value & low | (value & high) << shift
    return value


def _halves() -> Iterator[tuple[int, int, int]]:
    """Yield for each step which bits stay, which move, and how far they move."""
    half = _MOST_DIGITS // 2
    while half:
        field, octets = (1 << half * _DIGIT_BITS) - 1, half * 8
        low = sum(field << start for start in range(0, _MOST_DIGITS * 8, 2 * octets))
        yield low, low << half * _DIGIT_BITS, octets - half * _DIGIT_BITS
        half //= 2


_HALVES: Final = tuple(_halves())

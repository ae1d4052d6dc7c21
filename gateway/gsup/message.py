"""GSUP messages of supplementary services: a type, then elements of tag, length and value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from dtns.gateway.gsup.errors import GsupError


class Kind(IntEnum):
    """The messages that carry USSD."""

    REQUEST = 0x20
    ERROR = 0x21
    RESULT = 0x22


class State(IntEnum):
    """Where a session stands after a message."""

    BEGIN = 1
    CONTINUE = 2
    END = 3


_IMSI, _CAUSE, _MSISDN, _CLASS = 0x01, 0x02, 0x08, 0x0A
_SESSION, _STATE, _SS_INFO = 0x30, 0x31, 0x35
_USSD: Final = 3
_LONGEST_VALUE: Final = 255


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `info` is a component of MAP; `msisdn` the digits, where the HLR tells them."""

    kind: Kind
    imsi: str = field(repr=False)
    session: int
    state: State
    info: bytes = field(repr=False, default=b"")
    msisdn: str = field(repr=False, default="")
    cause: int | None = None

    def encode(self) -> bytes:
        """Write the message.

        Raises:
            GsupError: the component is longer than 255 octets.
        """
        elements = [(_IMSI, _digits(self.imsi))]
        if self.cause is not None:
            elements.append((_CAUSE, bytes([self.cause])))
        elements.append((_SESSION, self.session.to_bytes(4, "big")))
        elements.append((_STATE, bytes([self.state])))
        if self.info:
            elements.append((_SS_INFO, self.info))
        elements.append((_CLASS, bytes([_USSD])))
        if any(len(value) > _LONGEST_VALUE for _, value in elements):
            raise GsupError("a component is longer than 255 octets")
        body = b"".join(bytes([tag, len(value)]) + value for tag, value in elements)
        return bytes([self.kind]) + body


def read_message(octets: bytes) -> Message | None:
    """Read a message; None if it is of another kind than those of USSD.

    Raises:
        GsupError: it is cut short, or lacks what every one has.
    """
    if not octets:
        raise GsupError("an empty message")
    if octets[0] not in list(Kind):
        return None
    elements = _elements(octets[1:])
    missing = {_IMSI, _SESSION, _STATE} - elements.keys()
    if missing or elements[_STATE] not in {bytes([state]) for state in State}:
        raise GsupError("a message without its session")
    return Message(
        Kind(octets[0]),
        _read_digits(elements[_IMSI]),
        int.from_bytes(elements[_SESSION], "big") & 0xFFFF_FFFF,
        State(elements[_STATE][0]),
        elements.get(_SS_INFO, b""),
        _read_digits(elements.get(_MSISDN, b"")[1:]),
    )


def _elements(octets: bytes) -> dict[int, bytes]:
    """Return the first value of each tag."""
    elements: dict[int, bytes] = {}
    at = 0
    while at < len(octets):
        length = octets[at + 1] if at + 1 < len(octets) else _LONGEST_VALUE + 1
        value = octets[at + 2 : at + 2 + length]
        if len(value) != length:
            raise GsupError("an element is cut short")
        elements.setdefault(octets[at], value)
        at += 2 + length
    return elements


def _digits(digits: str) -> bytes:
    """Write digits two in an octet, the first in its low half, an odd count ended by 15."""
    padded = digits + "f" * (len(digits) % 2)
    pairs = (padded[at + 1] + padded[at] for at in range(0, len(padded), 2))
    return bytes.fromhex("".join(pairs))


def _read_digits(octets: bytes) -> str:
    """Read digits written so; what follows one that is none is dropped."""
    swapped = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in octets)
    end = next((at for at, digit in enumerate(swapped) if not digit.isdecimal()), len(swapped))
    return swapped[:end]

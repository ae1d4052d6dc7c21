"""MAP components of USSD: what a phone dialled, a screen, what was typed; in BER.

3GPP TS 24.080 has the components, TS 23.038 the coding scheme and how septets are packed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from dtns.gateway import gsm7
from dtns.gateway.gsup.errors import GsupError

INVOKE, RESULT, ERROR, REJECT = 0xA1, 0xA2, 0xA3, 0xA4
_INTEGER, _ENUMERATED, _OCTETS, _SEQUENCE = 0x02, 0x0A, 0x04, 0x30
_SHORT: Final = 0x80
_GSM7: Final = 0x0F
_UCS2: Final = 0x48
_CR: Final = 0x0D


class Operation(IntEnum):
    """The operations of USSD."""

    PROCESS_REQUEST = 59
    """The phone dialled."""
    REQUEST = 60
    """The network shows, and the phone answers."""


@dataclass(frozen=True, slots=True)
class Component:
    """An invoke or a result of an operation, with its text; `kind` is the tag."""

    kind: int
    invoke: int
    operation: Operation
    text: str = field(repr=False)

    def encode(self) -> bytes:
        """Write the component."""
        scheme, content = _written(self.text)
        argument = _tlv(_SEQUENCE, _tlv(_OCTETS, bytes([scheme])) + _tlv(_OCTETS, content))
        body = _tlv(_INTEGER, bytes([self.operation])) + argument
        if self.kind == RESULT:
            body = _tlv(_SEQUENCE, body)
        return _tlv(self.kind, _tlv(_INTEGER, bytes([self.invoke])) + body)


def read_component(octets: bytes) -> Component | None:
    """Read a component; None if it is an error, a reject, or of another operation.

    Raises:
        GsupError: it is no BER, or lacks what it has to have.
    """
    kind, body, _ = _read(octets)
    if kind not in {INVOKE, RESULT}:
        return None
    invoke, rest = _take(body, _INTEGER)
    if kind == RESULT:
        rest, _ = _take(rest, _SEQUENCE)
    operation, rest = _take(rest, _INTEGER)
    if len(invoke) != 1 or operation not in {bytes([known]) for known in Operation}:
        return None
    argument, _ = _take(rest, _SEQUENCE)
    scheme, rest = _take(argument, _OCTETS)
    content, _ = _take(rest, _OCTETS)
    return Component(kind, invoke[0], Operation(operation[0]), _text(scheme, content))


def _written(text: str) -> tuple[int, bytes]:
    if gsm7.septets(text) is None:
        return _UCS2, text.encode("utf-16-be", "replace")
    return _GSM7, pack(gsm7.encode(text))


def _text(scheme: bytes, content: bytes) -> str:
    if scheme[:1] in {bytes([_UCS2]), b"\x11"}:
        return content.decode("utf-16-be", "replace")
    return gsm7.decode(unpack(content))


def pack(septets: bytes) -> bytes:
    """Pack septets, eight in seven octets; seven spare bits at the end are a carriage return."""
    padded = septets + bytes([_CR]) if len(septets) % 8 == 7 else septets  # noqa: PLR2004 (of 8)
    bits = sum(septet << 7 * at for at, septet in enumerate(padded))
    return bits.to_bytes((7 * len(padded) + 7) // 8, "little")


def unpack(octets: bytes) -> bytes:
    """Undo pack."""
    bits, count = int.from_bytes(octets, "little"), 8 * len(octets) // 7
    septets = bytes(bits >> 7 * at & 0x7F for at in range(count))
    return septets[:-1] if count and count % 8 == 0 and septets[-1] == _CR else septets


def _tlv(tag: int, value: bytes) -> bytes:
    length = len(value)
    if length >= _SHORT:
        return bytes([tag, _SHORT | 1, length]) + value
    return bytes([tag, length]) + value


def _take(octets: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return the value of the element that comes next, which must have this tag, and the rest."""
    found, value, rest = _read(octets)
    if found != tag:
        raise GsupError("a component without one of its parts")
    return value, rest


def _read(octets: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and value of the first element, and what follows it."""
    if len(octets) < 2:  # noqa: PLR2004 (a tag and a length)
        raise GsupError("a component is cut short")
    tag, length, at = octets[0], octets[1], 2
    if length & _SHORT:
        count = length & ~_SHORT
        if count != 1 or len(octets) <= at:
            raise GsupError("a component of a length that is not read")
        length, at = octets[at], at + 1
    value = octets[at : at + length]
    if len(value) != length:
        raise GsupError("a component is cut short")
    return tag, value, octets[at + length :]

"""Short messages as a phone gets them: SMS-DELIVER and SMS-STATUS-REPORT, 3GPP TS 23.040.

The driver's own decoder loses a trailing `@` and the first character of parts with a 16-bit
reference; this one reads what comes in, the driver's encoder writes what goes out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Final

from dtns.gateway import gsm7
from dtns.gateway.carrier import Part

INTERNATIONAL: Final = 0x91
UNKNOWN: Final = 0x81
UCS2: Final = 0x08
_KIND: Final = 0x70
_KIND_INTERNATIONAL: Final = 0x10
_KIND_ALPHANUMERIC: Final = 0x50
_ALPHABET: Final = 0x0C
_GENERAL_CODING: Final = 0xC0
_8BIT: Final = 0x04
_SEPTET: Final = 0x7F
_TYPE: Final = 0x03
_DELIVER: Final = 0x00
_STATUS_REPORT: Final = 0x02
_HEADER: Final = 0x40
_CONCATENATIONS: Final = {(0x00, 3), (0x08, 4)}


class PduError(ValueError):
    """Octets that are no message of the kind looked for."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """An SMS-DELIVER: a message, or a part of one, that came in. *sent_at* is the SMSC's time."""

    sender: str = field(repr=False)
    text: str = field(repr=False)
    sent_at: float
    part: Part | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """An SMS-STATUS-REPORT on the message that was sent under *reference*; *status* is TP-ST."""

    reference: int
    recipient: str = field(repr=False)
    status: int


def read_incoming(pdu: str) -> Deliver | StatusReport:
    """Read the hexadecimal *pdu* of a message that came in, the SMSC's address before it.

    Raises:
        PduError: it is none that a phone gets.
    """
    try:
        octets = bytes.fromhex(pdu)
        tpdu = octets[1 + octets[0] :]
        kind = tpdu[0] & _TYPE
        if kind == _DELIVER:
            return _read_deliver(tpdu)
        if kind == _STATUS_REPORT:
            number, _ = read_address(tpdu, 2)
            return StatusReport(tpdu[1], number, tpdu[_after_address(tpdu, 2) + 14])
    except (ValueError, IndexError, OverflowError) as fault:
        raise PduError(str(fault)) from None
    raise PduError("not a message that came in")


def _read_deliver(tpdu: bytes) -> Deliver:
    sender, place = read_address(tpdu, 1)
    coding = tpdu[place + 1]
    sent_at = _read_time(tpdu[place + 2 : place + 9])
    length, data = tpdu[place + 9], tpdu[place + 10 :]
    header = data[1 : 1 + data[0]] if tpdu[0] & _HEADER else None
    return Deliver(sender, read_text(length, data, coding, header), sent_at, _part_in(header))


def read_address(tpdu: bytes, place: int) -> tuple[str, int]:
    """Read the address at *place*; return it and the place after it."""
    digits, kind, end = tpdu[place], tpdu[place + 1], _after_address(tpdu, place)
    octets = tpdu[place + 2 : end]
    if kind & _KIND == _KIND_ALPHANUMERIC:
        return gsm7.decode(unpack(octets, digits * 4 // 7)), end
    number = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in octets)[:digits]
    if len(number) != digits or not number.isdecimal():
        raise PduError("the address is no number")
    return (f"+{number}" if kind & _KIND == _KIND_INTERNATIONAL else number), end


def _after_address(tpdu: bytes, place: int) -> int:
    return place + 2 + (tpdu[place] + 1) // 2


def _read_time(octets: bytes) -> float:
    digits = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in octets[:6])
    zone = octets[6]
    quarters = (zone & 0x07) * 10 + (zone >> 4)
    offset = timedelta(minutes=15 * (-quarters if zone & 0x08 else quarters))
    time = datetime.strptime(digits, "%y%m%d%H%M%S").replace(tzinfo=timezone(offset))
    return time.timestamp()


def read_text(length: int, data: bytes, coding: int, header: bytes | None) -> str:
    """Read user data: *length* as the PDU says, *data* with the *header* at its start, if any."""
    skip = 0 if header is None else 1 + len(header)
    alphabet = coding & _ALPHABET if coding & _GENERAL_CODING == 0 else 0
    if alphabet == UCS2:
        return data[skip:length].decode("utf-16-be")
    if alphabet == _8BIT:
        return data[skip:length].decode("latin-1")
    if len(data) < (length * 7 + 7) // 8:
        raise PduError("the user data are shorter than they say")
    return gsm7.decode(unpack(data, length)[(skip * 8 + 6) // 7 :])


def _part_in(header: bytes | None) -> Part | None:
    while header:
        kind, length = header[0], header[1]
        body, header = header[2 : 2 + length], header[2 + length :]
        if (kind, length) in _CONCATENATIONS and len(body) == length:
            part = Part(int.from_bytes(body[:-2], "big"), body[-2], body[-1])
            return part if 1 <= part.number <= part.total else None
    return None


def unpack(octets: bytes, count: int) -> bytes:
    """Return the first *count* septets packed in *octets*, one an octet."""
    bits = int.from_bytes(octets, "little")
    return bytes(bits >> 7 * place & _SEPTET for place in range(count))

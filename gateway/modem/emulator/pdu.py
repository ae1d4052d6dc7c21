"""Short messages as PDUs, the network's side: 3GPP TS 23.040, as far as text messages need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from dtns.gateway import gsm7
from dtns.gateway.modem.pdu import (
    INTERNATIONAL,
    UCS2,
    UNKNOWN,
    PduError,
    read_address,
    read_text,
)

PART_SEPTETS: Final = 153
PART_UCS2: Final = 67
_SMSC: Final = "+491710760000"


@dataclass(frozen=True, slots=True)
class Submit:
    """An SMS-SUBMIT: what a modem is told to send; `report` asks for a status report."""

    recipient: str = field(repr=False)
    text: str = field(repr=False)
    report: bool
    validity_seconds: float | None


def read_submit(pdu: str, length: int) -> Submit:
    """Read the hexadecimal *pdu* of an SMS-SUBMIT with *length* octets after the SMSC's address.

    Raises:
        PduError: it is none, or is longer or shorter than *length*.
    """
    try:
        octets = bytes.fromhex(pdu)
        tpdu = octets[1 + octets[0] :]
        if len(tpdu) != length:
            raise PduError("the length is not that of the PDU")
        return _read_submit(tpdu)
    except (ValueError, IndexError) as fault:
        raise PduError(str(fault)) from None


def _read_submit(tpdu: bytes) -> Submit:
    first = tpdu[0]
    if first & 0x03 != 0x01:
        raise PduError("not an SMS-SUBMIT")
    recipient, end = read_address(tpdu, 2)
    coding, place = tpdu[end + 1], end + 2
    validity = None
    if first & 0x18 == 0x10:  # noqa: PLR2004 (relative format)
        validity, place = _validity(tpdu[place]), place + 1
    elif first & 0x18:
        place += 7
    length, data = tpdu[place], tpdu[place + 1 :]
    header = data[1 : 1 + data[0]] if first & 0x40 else None
    if not coding and len(data) != (length * 7 + 7) // 8:
        raise PduError("the user data are longer or shorter than they say")
    text = read_text(length, data, coding, header)
    return Submit(recipient, text, bool(first & 0x20), validity)


def _validity(code: int) -> float:
    for highest, seconds in (
        (143, (code + 1) * 300),
        (167, 12 * 3600 + (code - 143) * 1800),
        (196, (code - 166) * 86400),
    ):
        if code <= highest:
            return float(seconds)
    return float((code - 192) * 7 * 86400)


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Pack *septets*, one an octet, after so many fill bits."""
    bits = sum(septet << 7 * place for place, septet in enumerate(septets)) << fill_bits
    return bits.to_bytes((7 * len(septets) + fill_bits + 7) // 8, "little")


def write_deliver(
    sender: str, text: str, sent_at: float, part: tuple[int, int, int] | None = None
) -> str:
    """Write an SMS-DELIVER in hexadecimal, with the SMSC's address before it.

    GSM-7 where the alphabet has all characters, else UCS-2; *part* is reference, total and
    number, a reference above 255 takes the 16-bit form. *sent_at* is in POSIX seconds.
    """
    header = b"" if part is None else _concatenation(*part)
    if gsm7.septets(text) is None:
        body = header + text.encode("utf-16-be")
        coding, length = UCS2, len(body)
    else:
        skip = (len(header) * 8 + 6) // 7
        septets = gsm7.encode(text)
        body = header + pack(septets, skip * 7 - len(header) * 8)
        coding, length = 0, skip + len(septets)
    first = 0x44 if header else 0x04
    tpdu = bytes((first,)) + _number(sender) + bytes((0, coding)) + _time(sent_at)
    return _with_smsc(tpdu + bytes((length,)) + body)


def write_status_report(
    reference: int, recipient: str, sent_at: float, done_at: float, status: int
) -> str:
    """Write an SMS-STATUS-REPORT in hexadecimal; *status* is TP-ST, 0 for delivered."""
    times = _time(sent_at) + _time(done_at)
    return _with_smsc(bytes((0x06, reference)) + _number(recipient) + times + bytes((status,)))


def parts_of(text: str) -> list[str]:
    """Cut *text* into parts that fit a concatenated message."""
    if gsm7.septets(text) is None:
        return [text[at : at + PART_UCS2] for at in range(0, len(text), PART_UCS2)]
    parts, room = [""], PART_SEPTETS
    for character in text:
        takes = gsm7.septets(character) or 0
        if takes > room:
            parts.append("")
            room = PART_SEPTETS
        parts[-1] += character
        room -= takes
    return parts


def tpdu_length(pdu: str) -> int:
    """Return the number of octets after the SMSC's address, as +CMGL and +CDS tell it."""
    try:
        return max(0, len(pdu) // 2 - 1 - int(pdu[:2], 16))
    except ValueError:  # junk has a length too
        return len(pdu) // 2


def _concatenation(reference: int, total: int, number: int) -> bytes:
    if reference > 0xFF:  # noqa: PLR2004 (one octet)
        return bytes((6, 8, 4, reference >> 8, reference & 0xFF, total, number))
    return bytes((5, 0, 3, reference, total, number))


def _number(number: str) -> bytes:
    digits = number.removeprefix("+")
    kind = INTERNATIONAL if number.startswith("+") else UNKNOWN
    return bytes((len(digits), kind)) + _semi_octets(digits)


def _semi_octets(digits: str) -> bytes:
    digits += "f" * (len(digits) % 2)
    return bytes.fromhex("".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2)))


def _time(seconds: float) -> bytes:
    return _semi_octets(datetime.fromtimestamp(seconds, UTC).strftime("%y%m%d%H%M%S") + "00")


def _with_smsc(tpdu: bytes) -> str:
    smsc = bytes((INTERNATIONAL,)) + _semi_octets(_SMSC[1:])
    return (bytes((len(smsc),)) + smsc + tpdu).hex().upper()

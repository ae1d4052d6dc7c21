"""What a message says: alphabets, user data headers, and which part of a long message it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dtns.gateway import gsm7
from dtns.gateway.carrier import Part
from dtns.gateway.smpp.pdu import Tag, whole

if TYPE_CHECKING:
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.pdu import Tlvs

UDHI: Final = 0x40
_OCTET, _UCS2 = 0x04, 0x08
_GENERAL, _CLASS = 0x3, 0xF
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08
_MOST_PARTS: Final = 255


def read_content(delivery: Delivery) -> tuple[str, Part | None]:
    """Return a delivery's text, and its place if it is one part of a long message.

    Octets that the alphabet has not are read as Latin-1; a header that cannot be read is
    skipped. 3GPP TS 23.040 section 9.2.3.24 has the header, 23.038 section 4 the alphabets.
    """
    content, part = delivery.content, None
    if delivery.esm_class & UDHI and content:
        header, content = content[1 : 1 + content[0]], content[1 + content[0] :]
        part = _part_in_header(header)
    if delivery.tlvs and part is None:
        part = _part_in_tlvs(delivery.tlvs)
    return read_text(content, delivery.data_coding), part


def read_text(content: bytes, data_coding: int) -> str:
    """Read octets by their data_coding; nothing is refused."""
    alphabet = _alphabet(data_coding) if data_coding else 0
    if alphabet == _UCS2:
        return content.decode("utf-16-be", "replace")
    if alphabet == 0 and content.isascii():
        return gsm7.decode(content)
    return content.decode("latin-1")


def _alphabet(data_coding: int) -> int:
    """Return 0 for GSM-7, `_UCS2`, or another for octets that are Latin-1, or may be."""
    group = data_coding >> 4
    if group == 0:
        return data_coding
    if group <= _GENERAL or group == _CLASS:
        return {0x00: 0, 0x08: _UCS2}.get(data_coding & 0x0C, _OCTET)
    return {0xC: 0, 0xD: 0, 0xE: _UCS2}.get(group, _OCTET)


def _part_in_header(header: bytes) -> Part | None:
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        at += 2 + length
        if element == _CONCATENATED_8 and len(value) == 3:  # noqa: PLR2004 (its three octets)
            return _part(value[0], value[1], value[2])
        if element == _CONCATENATED_16 and len(value) == 4:  # noqa: PLR2004 (its four octets)
            return _part(value[0] << 8 | value[1], value[2], value[3])
    return None


def _part_in_tlvs(tlvs: Tlvs) -> Part | None:
    reference = whole(tlvs, Tag.SAR_MSG_REF_NUM)
    total = whole(tlvs, Tag.SAR_TOTAL_SEGMENTS)
    number = whole(tlvs, Tag.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or number is None:
        return None
    return _part(reference & 0xFFFF, total, number)


def _part(reference: int, total: int, number: int) -> Part | None:
    """Return the place, None where it is that of a message with one part, or can be of none."""
    possible = 1 <= number <= total <= _MOST_PARTS and total > 1
    return Part(reference, total, number) if possible else None

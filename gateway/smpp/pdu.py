"""PDUs of SMPP 3.4: the header, optional parameters, and all but the messages; sans-I/O.

`messages` has submit_sm, deliver_sm and data_sm. Section numbers are those of the SMPP Protocol
Specification v3.4, issue 1.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from dtns.gateway.smpp.errors import PduError, PduLengthError
from dtns.gateway.smpp.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER_OCTETS: Final = 16
LONGEST_PDU: Final = 70_000
"""Octets of the longest PDU that is read: a full message_payload, and room for the rest."""
RESPONSE: Final = 0x8000_0000
HIGHEST_SEQUENCE: Final = 0x7FFF_FFFF
VERSION: Final = 0x34
_PRINTABLE: Final = {
    code: "?" for code in range(0x100) if not (chr(code).isascii() and chr(code).isprintable())
}
_LONGEST_NAME: Final = 64
_HEADER: Final = struct.Struct(">IIII")
_DELIVERY_ANSWER: Final = struct.Struct(">IIIIx")
_TLV_HEADER: Final = struct.Struct(">HH")

Tlvs = tuple[tuple[int, bytes], ...]
"""Optional parameters as they stand in the PDU: tag and value, unknown tags too."""


class Command(IntEnum):
    """command_id; section 5.1.2.1."""

    GENERIC_NACK = 0x8000_0000
    BIND_RECEIVER = 0x0000_0001
    BIND_TRANSMITTER = 0x0000_0002
    SUBMIT_SM = 0x0000_0004
    DELIVER_SM = 0x0000_0005
    UNBIND = 0x0000_0006
    BIND_TRANSCEIVER = 0x0000_0009
    OUTBIND = 0x0000_000B
    ENQUIRE_LINK = 0x0000_0015
    ALERT_NOTIFICATION = 0x0000_0102
    DATA_SM = 0x0000_0103


class Tag(IntEnum):
    """Tags of the optional parameters that are used here; section 5.3.2."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427
    USSD_SERVICE_OP = 0x0501
    ITS_SESSION_INFO = 0x1383


class Pdu(NamedTuple):
    """One PDU, its body unread."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def encode(self) -> bytes:
        """Write the PDU."""
        return write_pdu(*self)

    def __repr__(self) -> str:
        return f"Pdu(0x{self.command:08X}, {self.status}, {self.sequence}, {len(self.body)} octets)"


def write_pdu(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """Write a PDU."""
    return _HEADER.pack(HEADER_OCTETS + len(body), command, status, sequence) + body


def write_delivery_answer(command: int, status: int, sequence: int) -> bytes:
    """Write a deliver_sm_resp or data_sm_resp, its message_id empty; section 4.6.2."""
    length = _DELIVERY_ANSWER.size
    return _DELIVERY_ANSWER.pack(length, command | RESPONSE, status, sequence)


class Frames:
    """Cuts what comes over a connection into PDUs; holds at most one that is not whole."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._wanted = 0

    def feed(self, data: bytes) -> Iterator[Pdu]:
        """Yield the PDUs that *data* completes.

        Raises:
            PduLengthError: a length below 16 or above `LONGEST_PDU`; nothing more can be read.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return
            data = bytes(self._rest)
        self._rest, self._wanted = bytearray(), HEADER_OCTETS
        start, end = 0, len(data)
        while end - start >= HEADER_OCTETS:
            length, command, status, sequence = _HEADER.unpack_from(data, start)
            if not HEADER_OCTETS <= length <= LONGEST_PDU:
                reason = f"a PDU of {length} octets; 16 to {LONGEST_PDU} are read"
                raise PduLengthError(reason, Status.RINVCMDLEN)
            if end - start < length:
                self._wanted = length
                break
            yield Pdu(command, status, sequence, data[start + HEADER_OCTETS : start + length])
            start += length
        self._rest += data[start:]


@dataclass(frozen=True, slots=True)
class BindAnswer:
    """What a bind response tells beside its status; version is 0 where it is not told."""

    system_id: str
    version: int


class Alert(NamedTuple):
    """Who became reachable, by alert_notification."""

    source: str
    esme: str


def encode_bind(
    command: Command, system_id: str, password: str, system_type: str, sequence: int
) -> bytes:
    """Write a bind request that names no addresses; section 4.1."""
    texts = b"".join(c_octets(text) for text in (system_id, password, system_type))
    return Pdu(command, Status.ROK, sequence, texts + bytes((VERSION, 0, 0, 0))).encode()


def read_bind_answer(body: bytes) -> BindAnswer:
    """Read a bind response; PduError if it cannot be read. An error's may have no body."""
    if not body:
        return BindAnswer("", 0)
    system_id, at = read_c_octets(body, 0)
    version = first(read_tlvs(body, at), Tag.SC_INTERFACE_VERSION)
    return BindAnswer(system_id[:_LONGEST_NAME], version[0] if version else 0)


def read_message_id(body: bytes) -> str:
    """Read the message_id of a submit_sm_resp, 64 characters at most, empty if there is none."""
    if not body:
        return ""
    end = body.find(0)
    if end < 0:
        raise PduError("a text without its end", Status.RINVPARLEN)
    return printable(body[: min(end, _LONGEST_NAME)])


def read_alert(body: bytes) -> Alert:
    """Read an alert_notification; PduError if it cannot be read. Section 4.12."""
    source, at = read_c_octets(body, 2)
    esme, at = read_c_octets(body, at + 2)
    read_tlvs(body, at)
    return Alert(source, esme)


def c_octets(text: str) -> bytes:
    """Write a C-Octet String; PduError if it holds what such a string cannot."""
    if not text.isascii() or "\0" in text:
        raise PduError("a field is no ASCII", Status.RINVPARLEN)
    return text.encode() + b"\0"


def read_c_octets(body: bytes, start: int) -> tuple[str, int]:
    """Read a C-Octet String at *start*; return it and where the next field begins."""
    end = body.find(b"\0", start)
    if end < 0:
        raise PduError("a text without its end", Status.RINVPARLEN)
    return printable(body[start:end]), end + 1


def printable(octets: bytes) -> str:
    """Return what an SMSC calls something, fit for any terminal: printable ASCII, else `?`."""
    text = octets.decode("latin-1")
    return text if text.isascii() and text.isprintable() else text.translate(_PRINTABLE)


def read_tlvs(body: bytes, start: int) -> Tlvs:
    """Read the optional parameters that begin at *start*; PduError if one is not whole."""
    tlvs, end = read_whole_tlvs(body, start)
    if end < len(body):
        raise PduError("an optional parameter is cut short", Status.RINVOPTPARSTREAM)
    return tlvs


def read_whole_tlvs(body: bytes, start: int) -> tuple[Tlvs, int]:
    """Read the optional parameters that begin at *start*, and where those that are whole end."""
    tlvs = []
    while len(body) - start >= _TLV_HEADER.size:
        tag, length = _TLV_HEADER.unpack_from(body, start)
        end = start + _TLV_HEADER.size + length
        if end > len(body):
            break
        tlvs.append((tag, body[end - length : end]))
        start = end
    return tuple(tlvs), start


def write_tlvs(tlvs: Tlvs) -> bytes:
    """Write optional parameters; struct.error if one is too long."""
    octets = b""
    for tag, value in tlvs:
        octets += _TLV_HEADER.pack(tag, len(value)) + value
    return octets


def first(tlvs: Tlvs, tag: int) -> bytes | None:
    """Return the value of the first parameter with *tag*; None if there is none."""
    for each, value in tlvs:
        if each == tag:
            return value
    return None


def whole(tlvs: Tlvs, tag: int) -> int | None:
    """Return the first parameter with *tag* as a whole number; None if there is none."""
    value = first(tlvs, tag)
    return int.from_bytes(value, "big") if value else None

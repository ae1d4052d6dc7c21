"""The PDUs that carry messages: submit_sm, deliver_sm and data_sm; sans-I/O."""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from typing import Final, NamedTuple

from dtns.gateway.smpp.errors import PduError
from dtns.gateway.smpp.pdu import (
    Command,
    Pdu,
    Tag,
    Tlvs,
    c_octets,
    first,
    read_c_octets,
    read_tlvs,
    read_whole_tlvs,
    write_tlvs,
)
from dtns.gateway.smpp.status import Status

INTERNATIONAL: Final = 1
ALPHANUMERIC: Final = 5
ISDN: Final = 1
RECEIPT_WANTED: Final = 0x01
SHORT_MESSAGE_OCTETS: Final = 254
_ADDRESS_OCTETS: Final = 20
_LONGEST_DAYS: Final = 30
_LONGEST_ADDRESS: Final = 64
_OCTET: Final = struct.Struct("B")
_KIND: Final = struct.Struct("BB")
_BEFORE_TIMES: Final = struct.Struct("BBB")
_AFTER_TIMES: Final = struct.Struct("BBBB")
_FIELDS: Final = re.compile(
    rb"([^\0]*+)\0"  # service_type
    rb"(..[^\0]*+)\0"  # source_addr and its kind
    rb"(..[^\0]*+\0"  # destination_addr and its kind
    rb"...[^\0]*+\0[^\0]*+\0"  # esm_class, protocol_id, priority_flag; the two times
    rb"....)"  # registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id
    rb"(.)",  # sm_length
    re.DOTALL,
)
"""A deliver_sm before its text; section 4.6.1."""


class Address(NamedTuple):
    """A number with its type of number and numbering plan; sections 5.2.5 and 5.2.6."""

    digits: str
    ton: int = 0
    npi: int = 0

    def __repr__(self) -> str:
        return f"Address({len(self.digits)} digits, {self.ton}, {self.npi})"


class Submission(NamedTuple):
    """What a submit_sm says; *tlvs* go out as they are. *content* beyond 254 octets goes there."""

    source: Address
    destination: Address
    content: bytes
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = RECEIPT_WANTED
    validity_period: str = ""
    service_type: str = ""
    protocol_id: int = 0
    tlvs: Tlvs = ()

    def __repr__(self) -> str:
        return f"Submission({self.source!r}, {self.destination!r}, {len(self.content)} octets)"

    def encode(self) -> bytes:
        """Write the PDU's body, section 4.4.1; PduError if a field is too long, or no ASCII."""
        content, tlvs = self.content, self.tlvs
        if len(content) > SHORT_MESSAGE_OCTETS:
            content, tlvs = b"", (*tlvs, (Tag.MESSAGE_PAYLOAD, content))
        try:
            return b"".join(
                (
                    _write_source(self.service_type, self.source),
                    _write_address(self.destination),
                    _write_options(
                        self.esm_class,
                        self.protocol_id,
                        self.validity_period,
                        self.registered_delivery,
                        self.data_coding,
                    ),
                    _OCTET.pack(len(content)),
                    content,
                    write_tlvs(tlvs),
                )
            )
        except struct.error as fault:
            raise PduError(f"SMPP cannot hold this: {fault}", Status.RINVMSGLEN) from None


def _write_address(address: Address) -> bytes:
    digits, ton, npi = address
    if len(digits) > _ADDRESS_OCTETS or not digits.isascii() or not digits.isprintable():
        raise PduError("an address that SMPP cannot hold", Status.RINVDSTADR)
    return _KIND.pack(ton, npi) + digits.encode() + b"\0"


@lru_cache
def _write_source(service_type: str, source: Address) -> bytes:
    """Write what all submissions of an account begin with."""
    return _write_address(Address(service_type))[_KIND.size :] + _write_address(source)


@lru_cache
def _write_options(
    esm_class: int, protocol_id: int, validity: str, registered_delivery: int, data_coding: int
) -> bytes:
    """Write what is between the addresses and the text; there is no schedule."""
    before = _BEFORE_TIMES.pack(esm_class, protocol_id, 0)
    after = _AFTER_TIMES.pack(registered_delivery, 0, data_coding, 0)
    return before + b"\0" + c_octets(validity) + after


class Delivery(NamedTuple):
    """What a deliver_sm or data_sm says, its optional parameters as they came; `body` is all."""

    command: int
    sequence: int
    source: Address
    destination: Address
    content: bytes
    data_coding: int
    esm_class: int
    service_type: str
    protocol_id: int = 0
    tlvs: Tlvs = ()
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Delivery({self.sequence}, {self.source!r}, {len(self.content)} octets)"


def read_delivery(pdu: Pdu) -> Delivery:
    """Read a deliver_sm or data_sm; PduError if it cannot be read."""
    return _read_data_sm(pdu) if pdu.command == Command.DATA_SM else _read_deliver_sm(pdu)


def _read_deliver_sm(pdu: Pdu) -> Delivery:
    """Read a deliver_sm, section 4.6.1; what follows a text may be cut short, and is dropped.

    Fields may be longer than the specification allows.
    """
    command, _, sequence, body = pdu
    fields = _FIELDS.match(body)
    if fields is None:
        raise PduError("a deliver_sm that is cut short", Status.RINVPARLEN)
    service_type, source, middle, length = fields.groups()
    start = fields.end()
    end = start + length[0]
    if end > len(body):
        raise PduError("a text that is cut short", Status.RINVPARLEN)
    content = body[start:end]
    tlvs: Tlvs = ()
    if end < len(body):
        tlvs, end = read_whole_tlvs(body, end)
        content = content or first(tlvs, Tag.MESSAGE_PAYLOAD) or b""
        if not content and end < len(body):
            raise PduError("a deliver_sm that is cut short", Status.RINVOPTPARSTREAM)
    destination, esm_class, protocol_id, coding = _read_middle(middle)
    return Delivery(
        command,
        sequence,
        _read_address(source),
        destination,
        content,
        coding,
        esm_class,
        service_type.decode("utf-8", "replace"),
        protocol_id,
        tlvs,
        body,
    )


@lru_cache
def _read_middle(octets: bytes) -> tuple[Address, int, int, int]:
    """Read what all deliveries to a number share: it, esm_class, protocol_id, data_coding."""
    end = octets.index(0, _KIND.size)
    return _read_address(octets[:end]), octets[end + 1], octets[end + 2], octets[-2]


def _read_address(octets: bytes) -> Address:
    digits = octets[2:].decode("utf-8", "replace")
    if len(digits) > _LONGEST_ADDRESS:
        raise PduError("an address that is too long", Status.RINVSRCADR)
    return Address(digits, octets[0], octets[1])


def _read_data_sm(pdu: Pdu) -> Delivery:
    """Read a data_sm; section 4.7."""
    body = pdu.body
    service_type, at = read_c_octets(body, 0)
    addresses = []
    for _ in range(2):
        kind = body[at : at + 2]
        digits, at = read_c_octets(body, at + 2)
        if len(digits) > _LONGEST_ADDRESS:
            raise PduError("an address that is too long", Status.RINVSRCADR)
        addresses.append(Address(digits, *kind))
    if len(body) < at + 3:
        raise PduError("a data_sm is cut short", Status.RINVCMDLEN)
    tlvs = read_tlvs(body, at + 3)
    content = first(tlvs, Tag.MESSAGE_PAYLOAD) or b""
    source, destination = addresses
    coding, esm_class = body[at + 2], body[at]
    return Delivery(
        *(pdu.command, pdu.sequence, source, destination, content, coding, esm_class),
        *(service_type, 0, tlvs, body),
    )


def address_of(number: str) -> Address:
    """Return a number as SMPP writes it: international with `+`, or a name, or of unknown kind."""
    if number.startswith("+"):
        return Address(number[1:], INTERNATIONAL, ISDN)
    return Address(number, 0 if number.isdecimal() else ALPHANUMERIC, 0)


def number_of(address: Address) -> str:
    """Return an address as a number: with `+` if it is international."""
    digits = address.digits.removeprefix("+")
    return f"+{digits}" if address.ton == INTERNATIONAL else digits


@lru_cache
def relative_period(seconds: int) -> str:
    """Return a validity period from now, at most 30 days; section 7.1.1."""
    left = min(max(1, seconds), _LONGEST_DAYS * 86_400)
    days, left = divmod(left, 86_400)
    hours, left = divmod(left, 3600)
    minutes, left = divmod(left, 60)
    return f"0000{days:02}{hours:02}{minutes:02}{left:02}000R"

"""The PDUs that carry messages, by the `smpp34` codec: submit_sm, deliver_sm; and data_sm."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import smpp34

from dtns.gateway.smpp.errors import PduError
from dtns.gateway.smpp.pdu import (
    HEADER_OCTETS,
    Command,
    Pdu,
    Tag,
    Tlvs,
    first,
    read_c_octets,
    read_tlvs,
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
_LONGEST_VALUE: Final = 0xFFFF


class Address(NamedTuple):
    """A number with its type of number and numbering plan; sections 5.2.5 and 5.2.6."""

    digits: str
    ton: int = 0
    npi: int = 0

    def __repr__(self) -> str:
        return f"Address({len(self.digits)} digits, {self.ton}, {self.npi})"


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submit_sm says; *tlvs* go out as they are. *content* beyond 254 octets goes there."""

    source: Address
    destination: Address
    content: bytes = field(repr=False)
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = RECEIPT_WANTED
    validity_period: str = ""
    service_type: str = ""
    protocol_id: int = 0
    tlvs: Tlvs = field(default=(), repr=False)

    def encode(self, sequence: int) -> bytes:
        """Write the PDU; PduError if a field is too long, or no ASCII."""
        content, tlvs = self.content, self.tlvs
        if len(content) > SHORT_MESSAGE_OCTETS:
            content, tlvs = b"", (*tlvs, (Tag.MESSAGE_PAYLOAD, content))
        for text in (self.source.digits, self.destination.digits, self.service_type):
            if len(text) > _ADDRESS_OCTETS or not text.isascii() or not text.isprintable():
                raise PduError("an address that SMPP cannot hold", Status.RINVDSTADR)
        if any(len(value) > _LONGEST_VALUE for _, value in tlvs):
            raise PduError("a message that SMPP cannot hold", Status.RINVMSGLEN)
        try:
            return smpp34.SubmitSm(
                self.source.digits,
                self.destination.digits,
                content,
                service_type=self.service_type,
                source_addr_ton=self.source.ton,
                source_addr_npi=self.source.npi,
                dest_addr_ton=self.destination.ton,
                dest_addr_npi=self.destination.npi,
                esm_class=self.esm_class,
                protocol_id=self.protocol_id,
                validity_period=self.validity_period,
                registered_delivery=self.registered_delivery,
                data_coding=self.data_coding,
                tlvs=[smpp34.Tlv(tag, value) for tag, value in tlvs],
                sequence_number=sequence,
            ).encode()
        except (ValueError, OverflowError) as fault:
            raise PduError(f"SMPP cannot hold this: {fault}", Status.RINVMSGLEN) from None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a deliver_sm or data_sm says, its optional parameters as they came."""

    command: int
    sequence: int
    source: Address
    destination: Address
    content: bytes = field(repr=False)
    data_coding: int
    esm_class: int
    service_type: str
    protocol_id: int = 0
    tlvs: Tlvs = field(default=(), repr=False)


def read_delivery(pdu: Pdu) -> Delivery:
    """Read a deliver_sm or data_sm; PduError if it cannot be read."""
    read = _read_data_sm if pdu.command == Command.DATA_SM else _read_deliver_sm
    delivery = read(pdu)
    if max(len(delivery.source.digits), len(delivery.destination.digits)) > _LONGEST_ADDRESS:
        raise PduError("an address that is too long", Status.RINVSRCADR)
    return delivery


def _read_deliver_sm(pdu: Pdu) -> Delivery:
    """Read a deliver_sm; what follows the text may be cut short, for the codec drops that."""
    try:
        read = smpp34.decode(pdu.encode())
    except smpp34.SmppError as fault:
        raise PduError(f"a deliver_sm that cannot be read: {fault}", Status.RINVPARLEN) from None
    if not isinstance(read, smpp34.DeliverSm):
        raise PduError("no deliver_sm", Status.RINVCMDID)
    tlvs = tuple((tlv.tag, tlv.value) for tlv in read.tlvs)
    content = read.short_message or first(tlvs, Tag.MESSAGE_PAYLOAD) or b""
    if not content and len(read.encode()) != HEADER_OCTETS + len(pdu.body):
        raise PduError("a deliver_sm that is cut short", Status.RINVOPTPARSTREAM)
    return Delivery(
        pdu.command,
        pdu.sequence,
        Address(read.source_addr, read.source_addr_ton, read.source_addr_npi),
        Address(read.destination_addr, read.dest_addr_ton, read.dest_addr_npi),
        content,
        read.data_coding,
        read.esm_class,
        read.service_type,
        read.protocol_id,
        tlvs,
    )


def _read_data_sm(pdu: Pdu) -> Delivery:
    """Read a data_sm; section 4.7."""
    body = pdu.body
    service_type, at = read_c_octets(body, 0)
    addresses = []
    for _ in range(2):
        kind = body[at : at + 2]
        digits, at = read_c_octets(body, at + 2)
        addresses.append(Address(digits, *kind))
    if len(body) < at + 3:
        raise PduError("a data_sm is cut short", Status.RINVCMDLEN)
    tlvs = read_tlvs(body, at + 3)
    content = first(tlvs, Tag.MESSAGE_PAYLOAD) or b""
    source, destination = addresses
    coding, esm_class = body[at + 2], body[at]
    return Delivery(
        *(pdu.command, pdu.sequence, source, destination, content, coding, esm_class),
        *(service_type, 0, tlvs),
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


def relative_period(seconds: int) -> str:
    """Return a validity period from now, at most 30 days; section 7.1.1."""
    left = min(max(1, seconds), _LONGEST_DAYS * 86_400)
    days, left = divmod(left, 86_400)
    hours, left = divmod(left, 3600)
    minutes, left = divmod(left, 60)
    return f"0000{days:02}{hours:02}{minutes:02}{left:02}000R"

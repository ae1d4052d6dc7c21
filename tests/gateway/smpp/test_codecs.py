"""Every PDU that is written or read here, against smpp34, smpplib and npm smpp."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import smpp34
import smpplib.command
import smpplib.pdu
from hypothesis import given, settings
from hypothesis import strategies as st
from smscs import EQUIPMENT, INSTALL, node_modules

from dtns.gateway.smpp.errors import PduError, PduLengthError
from dtns.gateway.smpp.messages import (
    SHORT_MESSAGE_OCTETS,
    Address,
    Delivery,
    Submission,
    read_delivery,
    relative_period,
)
from dtns.gateway.smpp.pdu import (
    LONGEST_PDU,
    RESPONSE,
    Command,
    Frames,
    Pdu,
    Tag,
    encode_bind,
    read_alert,
    read_bind_answer,
    read_message_id,
    write_tlvs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGITS = st.text("0123456789", max_size=20)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=15)
OCTET = st.integers(0, 255)
SEQUENCE = st.integers(1, 0x7FFFFFFF)
SHORT = st.binary(min_size=1, max_size=254)
ADDRESS = st.builds(Address, DIGITS, st.integers(0, 6), st.integers(0, 18))
ADDRESSES = st.fixed_dictionaries(
    {
        "source_addr": DIGITS,
        "source_addr_ton": st.integers(0, 6),
        "source_addr_npi": st.integers(0, 18),
        "destination_addr": DIGITS,
        "dest_addr_ton": st.integers(0, 6),
        "dest_addr_npi": st.integers(0, 18),
    }
)
TEXTUAL = {
    "bind_transmitter": Command.BIND_TRANSMITTER,
    "bind_receiver": Command.BIND_RECEIVER,
    "bind_transceiver": Command.BIND_TRANSCEIVER,
}
BARE = {
    "unbind": Command.UNBIND,
    "unbind_resp": Command.UNBIND | RESPONSE,
    "enquire_link": Command.ENQUIRE_LINK,
    "enquire_link_resp": Command.ENQUIRE_LINK | RESPONSE,
    "generic_nack": Command.GENERIC_NACK,
}


class NpmCodec:
    """The other codec, in a process of its own."""

    def __init__(self) -> None:
        environment = {**os.environ, "NODE_PATH": str(node_modules())}
        self.process = subprocess.Popen(
            ["node", str(EQUIPMENT / "codec_npm.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def read(self, octets: bytes) -> dict[str, Any]:
        """Read a PDU."""
        return self._ask({"read": octets.hex()})

    def write(self, command: str, **options: Any) -> bytes:
        """Write a PDU."""
        plain = {
            key: {"hex": value.hex()} if isinstance(value, bytes) else value
            for key, value in options.items()
        }
        return bytes.fromhex(self._ask({"write": command, "options": plain})["hex"])


@pytest.fixture(scope="module")
def npm() -> Iterator[NpmCodec]:
    """Run the codec."""
    if node_modules() is None:
        pytest.skip(INSTALL)
    codec = NpmCodec()
    yield codec
    codec.process.communicate()


class _Sequences:
    """What smpplib has sequences from, until they are set."""

    sequence = 0

    def next_sequence(self) -> int:
        """Return one."""
        return 0


SEQUENCES = _Sequences()


def by_smpplib(octets: bytes) -> Any:
    """Read a PDU by smpplib."""
    name = smpplib.pdu.extract_command(octets)
    read = smpplib.command.factory(name, client=SEQUENCES, allow_unknown_opt_params=True)
    read.parse(octets)
    return read


def written_by_smpplib(name: str, sequence: int, **values: Any) -> bytes:
    """Write a PDU by smpplib."""
    pdu = smpplib.command.factory(name, client=SEQUENCES, **values)
    pdu.sequence = sequence
    octets: bytes = pdu.generate()
    return octets


def pdu_of(octets: bytes) -> Pdu:
    """Return the one PDU in *octets*."""
    (pdu,) = Frames().feed(octets)
    return pdu


def written(submission: Submission, sequence: int) -> bytes:
    """Return a submit_sm."""
    return Pdu(Command.SUBMIT_SM, 0, sequence, submission.encode()).encode()


def addresses_of(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery's addresses as the other codecs name them."""
    return {
        "source_addr": delivery.source.digits,
        "source_addr_ton": delivery.source.ton,
        "source_addr_npi": delivery.source.npi,
        "destination_addr": delivery.destination.digits,
        "dest_addr_ton": delivery.destination.ton,
        "dest_addr_npi": delivery.destination.npi,
    }


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TEXTUAL)), NAMES, st.text("abc123", max_size=8), SEQUENCE)
def test_binds(npm: NpmCodec, name: str, system_id: str, password: str, sequence: int) -> None:
    """Both read the same bind, and write the same octets."""
    ours = encode_bind(TEXTUAL[name], system_id, password, "dtns", sequence)
    fields = {
        "system_id": system_id,
        "password": password,
        "system_type": "dtns",
        "interface_version": 0x34,
    }
    assert ours == written_by_smpplib(name, sequence=sequence, **fields)
    assert ours == npm.write(name, sequence_number=sequence, **fields)
    read, lib = npm.read(ours), by_smpplib(ours)
    for key, value in fields.items():
        assert read[key] == value
        text = getattr(lib, key)
        assert (text.decode() if isinstance(text, bytes) else text) == value


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(BARE)), SEQUENCE)
def test_pdus_without_a_body(npm: NpmCodec, name: str, sequence: int) -> None:
    """All three write the same octets."""
    ours = Pdu(BARE[name], 0, sequence).encode()
    assert ours == npm.write(name, sequence_number=sequence)
    assert ours == written_by_smpplib(name, sequence=sequence)
    assert pdu_of(ours) == Pdu(BARE[name], 0, sequence)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(TEXTUAL)), NAMES, SEQUENCE)
def test_bind_answers(npm: NpmCodec, name: str, system_id: str, sequence: int) -> None:
    """What both write is read here, version and all."""
    options = {"system_id": system_id, "sc_interface_version": 0x34}
    for octets in (
        npm.write(f"{name}_resp", sequence_number=sequence, **options),
        written_by_smpplib(f"{name}_resp", sequence=sequence, **options),
    ):
        pdu = pdu_of(octets)
        assert (pdu.command, pdu.sequence) == (TEXTUAL[name] | RESPONSE, sequence)
        answer = read_bind_answer(pdu.body)
        assert answer.system_id == system_id
        assert answer.version in (0x34, 0)


@settings(max_examples=80, deadline=None)
@given(
    st.tuples(ADDRESS, ADDRESS, SHORT, OCTET).map(lambda fields: Submission(*fields)),
    st.integers(1, 0xFFFF),
    st.integers(1, 2_000_000),
    SEQUENCE,
)
def test_submissions(
    npm: NpmCodec, submission: Submission, reference: int, seconds: int, sequence: int
) -> None:
    """Both read of a submit_sm what went into it."""
    period = relative_period(seconds)
    given_tlvs = (Tag.USER_MESSAGE_REFERENCE, reference.to_bytes(2, "big")), (0x1501, b"vendor")
    octets = written(submission._replace(validity_period=period, tlvs=given_tlvs), sequence)
    source, destination = submission.source, submission.destination
    content, coding = submission.content, submission.data_coding
    lib, read = by_smpplib(octets), npm.read(octets)
    assert lib.short_message == content
    assert (lib.source_addr, lib.destination_addr) == (
        source.digits.encode(),
        destination.digits.encode(),
    )
    assert (lib.source_addr_ton, lib.source_addr_npi) == (source.ton, source.npi)
    assert (lib.dest_addr_ton, lib.dest_addr_npi) == (destination.ton, destination.npi)
    assert (lib.user_message_reference, lib.validity_period) == (reference, period.encode())
    assert (lib.registered_delivery, lib.data_coding, lib.sequence) == (1, coding, sequence)
    assert (read["source_addr"], read["destination_addr"]) == (source.digits, destination.digits)
    assert (read["source_addr_ton"], read["dest_addr_npi"]) == (source.ton, destination.npi)
    assert (read["user_message_reference"], read["sequence_number"]) == (reference, sequence)
    assert read[str(0x1501)] == {"hex": b"vendor".hex()}
    assert (read["command_length"], read["registered_delivery"]) == (len(octets), 1)


TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=30)), max_size=3).map(tuple)
SUBMISSIONS = st.builds(
    Submission,
    *(ADDRESS, ADDRESS, st.binary(max_size=300), OCTET, OCTET, OCTET),
    validity_period=st.integers(1, 2_000_000).map(relative_period),
    service_type=st.sampled_from(["", "USSD", "CMT"]),
    protocol_id=OCTET,
    tlvs=TLVS,
)


@settings(max_examples=200, deadline=None)
@given(SUBMISSIONS, SEQUENCE)
def test_submissions_are_those_of_smpp34(submission: Submission, sequence: int) -> None:
    """It writes the same octets."""
    source, destination = submission.source, submission.destination
    content, tlvs = submission.content, submission.tlvs
    if len(content) > SHORT_MESSAGE_OCTETS:
        content, tlvs = b"", (*tlvs, (Tag.MESSAGE_PAYLOAD, content))
    theirs = smpp34.SubmitSm(
        source.digits,
        destination.digits,
        content,
        service_type=submission.service_type,
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        esm_class=submission.esm_class,
        protocol_id=submission.protocol_id,
        validity_period=submission.validity_period,
        registered_delivery=submission.registered_delivery,
        data_coding=submission.data_coding,
        tlvs=[smpp34.Tlv(tag, value) for tag, value in tlvs],
        sequence_number=sequence,
    )
    assert written(submission, sequence) == theirs.encode()


def by_smpp34(body: bytes) -> Delivery | None:
    """Read a deliver_sm by smpp34; None if that refuses it, or no text is left of what is cut."""
    try:
        read = smpp34.decode(Pdu(Command.DELIVER_SM, 0, 7, body).encode())
    except smpp34.SmppError:
        return None
    tlvs = tuple((tlv.tag, tlv.value) for tlv in read.tlvs)
    content = read.short_message or next((v for t, v in tlvs if t == Tag.MESSAGE_PAYLOAD), b"")
    source = Address(read.source_addr, read.source_addr_ton, read.source_addr_npi)
    destination = Address(read.destination_addr, read.dest_addr_ton, read.dest_addr_npi)
    if max(len(source.digits), len(destination.digits)) > LONGEST_ADDRESS:
        return None
    if not content and len(read.encode()) < 16 + len(body):
        return None
    return Delivery(
        *(Command.DELIVER_SM, 7, source, destination, content, read.data_coding, read.esm_class),
        *(read.service_type, read.protocol_id, tlvs, body),
    )


LONGEST_ADDRESS = 64
OCTETS = st.one_of(st.binary(max_size=22), st.just(b"2" * 65))
UTF_8 = st.one_of(st.text(max_size=22), st.just("254700000001")).map(str.encode)


def delivery_bodies(field: st.SearchStrategy[bytes], least: int) -> st.SearchStrategy[bytes]:
    """Make bodies of deliver_sm, with texts in *field* and a short_message of *least* octets."""
    text = field.map(lambda octets: octets.replace(b"\0", b"") + b"\0")
    kind = st.binary(min_size=2, max_size=2)
    return st.tuples(
        *(text, kind, text, kind, text),
        *(st.binary(min_size=3, max_size=3), text, text, st.binary(min_size=4, max_size=4)),
        st.binary(min_size=least, max_size=255).map(lambda said: bytes((len(said),)) + said),
        TLVS.map(write_tlvs),
        st.binary(max_size=5),
    ).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(st.one_of(delivery_bodies(UTF_8, 0), delivery_bodies(OCTETS, 1)), st.integers(0, 400))
def test_deliveries_are_those_of_smpp34(body: bytes, cut: int) -> None:
    """Whole or cut short, it reads the same and refuses the same."""
    for octets in (body, body[:cut]):
        try:
            ours = read_delivery(Pdu(Command.DELIVER_SM, 0, 7, octets))
        except PduError:
            assert by_smpp34(octets) is None
        else:
            assert ours == by_smpp34(octets)


@settings(max_examples=80, deadline=None)
@given(ADDRESSES, SHORT, OCTET, st.booleans())
def test_deliveries(
    npm: NpmCodec,
    addresses: dict[str, Any],
    content: bytes,
    coding: int,
    payload: bool,  # noqa: FBT001 (drawn)
) -> None:
    """What both write is read here, content in short_message or in message_payload."""
    where = "message_payload" if payload else "short_message"
    sequence = 77
    fields = {**addresses, "data_coding": coding, "esm_class": 4, where: content}
    options = {"user_message_reference": 42, "message_state": 2}
    for octets in (
        npm.write("deliver_sm", sequence_number=sequence, **fields, **options),
        written_by_smpplib("deliver_sm", sequence=sequence, **fields, **options),
    ):
        delivery = read_delivery(pdu_of(octets))
        assert addresses_of(delivery) == addresses
        assert delivery.content == content
        assert (delivery.data_coding, delivery.esm_class) == (coding, 4)
        assert delivery.sequence == sequence
        tlvs = dict(delivery.tlvs)
        assert tlvs[Tag.USER_MESSAGE_REFERENCE] == b"\x00\x2a"
        assert tlvs[Tag.MESSAGE_STATE] == b"\x02"


@settings(max_examples=40, deadline=None)
@given(ADDRESSES, SHORT, OCTET, SEQUENCE)
def test_data_sm(
    npm: NpmCodec, addresses: dict[str, Any], content: bytes, coding: int, sequence: int
) -> None:
    """A data_sm is read as npm writes it."""
    octets = npm.write(
        "data_sm",
        sequence_number=sequence,
        **addresses,
        data_coding=coding,
        esm_class=4,
        message_payload=content,
    )
    delivery = read_delivery(pdu_of(octets))
    assert addresses_of(delivery) == addresses
    assert (delivery.content, delivery.data_coding) == (content, coding)
    assert delivery.command == Command.DATA_SM


@settings(max_examples=40, deadline=None)
@given(NAMES, SEQUENCE)
def test_answers(npm: NpmCodec, message_id: str, sequence: int) -> None:
    """A submit_sm_resp is read as both write it; both read the answer to a delivery."""
    for octets in (
        npm.write("submit_sm_resp", sequence_number=sequence, message_id=message_id),
        written_by_smpplib("submit_sm_resp", sequence=sequence, message_id=message_id),
    ):
        assert read_message_id(pdu_of(octets).body) == message_id
    for name, command in (("deliver_sm", Command.DELIVER_SM), ("data_sm", Command.DATA_SM)):
        ours = Pdu(command | RESPONSE, 0, sequence, b"\0").encode()
        assert ours == npm.write(f"{name}_resp", sequence_number=sequence)
        assert by_smpplib(ours).sequence == sequence


@settings(max_examples=40, deadline=None)
@given(DIGITS, DIGITS, SEQUENCE)
def test_alerts(npm: NpmCodec, source: str, esme: str, sequence: int) -> None:
    """An alert_notification is read as npm writes it, and as smpplib does."""
    fields = {"source_addr": source, "esme_addr": esme, "source_addr_ton": 3}
    octets = npm.write("alert_notification", sequence_number=sequence, **fields)
    assert tuple(read_alert(pdu_of(octets).body)) == (source, esme)
    assert by_smpplib(octets).source_addr == source.encode()


@pytest.mark.parametrize("length", [0, 15, LONGEST_PDU + 1, 0xFFFFFFFF])
def test_lengths_that_cannot_be(length: int) -> None:
    """They end the reading; what came whole before them is read."""
    good = Pdu(Command.UNBIND, 0, 1).encode()
    frames = Frames().feed(good + length.to_bytes(4, "big") + good[4:])
    assert next(frames) == Pdu(Command.UNBIND, 0, 1)
    with pytest.raises(PduLengthError):
        next(frames)


@given(st.lists(st.binary(max_size=60), max_size=10), st.integers(1, 50))
def test_pdus_in_pieces(bodies: list[bytes], size: int) -> None:
    """However a connection cuts them, the same PDUs come out."""
    pdus = [Pdu(5, 0, place, body) for place, body in enumerate(bodies)]
    octets = b"".join(pdu.encode() for pdu in pdus)
    frames = Frames()
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
    assert [pdu for piece in pieces for pdu in frames.feed(piece)] == pdus


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from([Command.DELIVER_SM, Command.DATA_SM]),
    st.binary(max_size=300),
    st.booleans(),
)
def test_bodies_of_junk(command: Command, body: bytes, plausible: bool) -> None:  # noqa: FBT001
    """Reading them gives a delivery or a PduError, nothing else."""
    if plausible:
        body = b"\0\1\1" + b"254\0" + b"\1\1700\0" + body
    for read in (
        lambda: read_delivery(Pdu(command, 0, 1, body)),
        lambda: read_bind_answer(body),
        lambda: read_message_id(body),
        lambda: read_alert(body),
    ):
        with suppress(PduError):
            read()


@pytest.mark.parametrize(
    "submission",
    [
        Submission(Address("7" * 21), Address("1"), b"x"),
        Submission(Address("7"), Address("1\0002"), b"x"),
        Submission(Address("7"), Address("\u00e9"), b"x"),
        Submission(Address("7"), Address("1"), b"x" * 70_000),
        Submission(Address("7", 256), Address("1"), b"x"),
    ],
)
def test_what_smpp_cannot_hold(submission: Submission) -> None:
    """It is refused before anything is written."""
    with pytest.raises(PduError):
        submission.encode()


def test_a_long_content_goes_into_message_payload() -> None:
    """Beyond 254 octets the short message is empty."""
    octets = written(Submission(Address("7"), Address("1"), b"x" * 300), 1)
    assert by_smpplib(octets).message_payload == b"x" * 300

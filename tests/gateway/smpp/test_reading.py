"""What deliveries say: text, parts, receipts, and whether they came before."""

from __future__ import annotations

from typing import Any

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from dtns.gateway import gsm7
from dtns.gateway.carrier import Part, Report
from dtns.gateway.smpp.arrivals import REMEMBERED, Arrivals, digest
from dtns.gateway.smpp.content import read_content, read_text
from dtns.gateway.smpp.messages import (
    Address,
    Delivery,
    address_of,
    number_of,
    read_delivery,
    relative_period,
)
from dtns.gateway.smpp.pdu import Command, Pdu, Tag, read_bind_answer, read_message_id
from dtns.gateway.smpp.receipts import Receipt, is_receipt, read_receipt
from dtns.gateway.smpp.submissions import REMEMBERED as SUBMISSIONS
from dtns.gateway.smpp.submissions import Submissions, user_reference

ALICE = "+254700000001"
BOB = "+254700000002"


def delivery(content: bytes = b"hi", **values: Any) -> Delivery:
    """Return a delivery from ALICE."""
    fields: dict[str, Any] = {
        "command": Command.DELIVER_SM,
        "sequence": 1,
        "source": address_of(ALICE),
        "destination": Address("700"),
        "content": content,
        "data_coding": 0,
        "esm_class": 0,
        "service_type": "",
    }
    return Delivery(**{**fields, **values})


@pytest.mark.parametrize(
    ("content", "coding", "text"),
    [
        (gsm7.encode("a@_{€"), 0x00, "a@_{€"),
        (gsm7.encode("a@"), 0xF1, "a@"),
        (gsm7.encode("a@"), 0xC0, "a@"),
        (b"a@_", 0x01, "a@_"),
        (b"\xe9t\xe9", 0x00, "\u00e9t\u00e9"),
        (b"\xe9", 0x03, "\u00e9"),
        (b"\x80\xff", 0x04, "\x80\xff"),
        (b"\x80\xff", 0x02, "\x80\xff"),
        (b"\x80", 0xF4, "\x80"),
        ("हाँ".encode("utf-16-be"), 0x08, "हाँ"),
        ("हाँ".encode("utf-16-be"), 0x18, "हाँ"),
        ("हाँ".encode("utf-16-be"), 0xE0, "हाँ"),
        (b"\0a\xd8", 0x08, "a\ufffd"),
        (b"a", 0x85, "a"),
    ],
)
def test_alphabets(content: bytes, coding: int, text: str) -> None:
    """Octets are read by their data_coding, those it has not as Latin-1."""
    assert read_text(content, coding) == text


@given(st.binary(max_size=300), st.integers(0, 255), st.integers(0, 255))
def test_any_octets_are_some_text(content: bytes, coding: int, esm_class: int) -> None:
    """Whatever the octets, their coding and their header, nothing is raised."""
    text, part = read_content(delivery(content, data_coding=coding, esm_class=esm_class))
    assert len(text) <= len(content)
    assert part is None or 1 <= part.number <= part.total


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (b"\0\3\x4d\2\1", Part(0x4D, 2, 1)),
        (b"\x08\4\1\2\3\2", Part(0x102, 3, 2)),
        (b"\5\4\x0b\x84\0\0\0\3\x4d\2\2", Part(0x4D, 2, 2)),
        (b"\0\3\x4d\2\3", None),
        (b"\0\3\x4d\2\0", None),
        (b"\0\3\x4d\1\1", None),
        (b"\0\xff\x4d", None),
        (b"\0", None),
        (b"", None),
    ],
)
def test_parts_by_header(header: bytes, part: Part | None) -> None:
    """A user data header tells the part in 8 or 16 bits, beside others or alone; else none."""
    content = bytes((len(header),)) + header + b"text"
    assert read_content(delivery(content, esm_class=0x40)) == ("text", part)


def test_parts_by_optional_parameters() -> None:
    """The sar_ parameters tell it, too, if all three are there and can be."""
    tlvs = (
        (Tag.SAR_MSG_REF_NUM, b"\1\2"),
        (Tag.SAR_TOTAL_SEGMENTS, b"\3"),
        (Tag.SAR_SEGMENT_SEQNUM, b"\2"),
    )
    assert read_content(delivery(tlvs=tlvs)) == ("hi", Part(0x102, 3, 2))
    for missing in range(3):
        assert read_content(delivery(tlvs=tlvs[:missing] + tlvs[missing + 1 :])) == ("hi", None)
    assert read_content(delivery(tlvs=(*tlvs[:2], (Tag.SAR_SEGMENT_SEQNUM, b"")))) == ("hi", None)


@pytest.mark.parametrize(
    ("number", "address"),
    [
        (ALICE, Address(ALICE[1:], 1, 1)),
        ("700", Address("700", 0, 0)),
        ("dtns", Address("dtns", 5)),
    ],
)
def test_numbers(number: str, address: Address) -> None:
    """International numbers have a plus and a type; names have one of their own."""
    assert address_of(number) == address
    assert number_of(address) == number
    assert number_of(Address("+254", 1)) == "+254"
    assert "254" not in repr(address)


@pytest.mark.parametrize(
    ("seconds", "period"),
    [
        (0, "000000000001000R"),
        (3661, "000000010101000R"),
        (604_800, "000007000000000R"),
        (10**9, "000030000000000R"),
    ],
)
def test_validity(seconds: int, period: str) -> None:
    """Periods are relative, a second to 30 days, in 16 characters."""
    assert relative_period(seconds) == period
    assert len(period) == 16


TEXT = "id:{} sub:001 dlvrd:001 submit date:{} done date:{} stat:{} err:{} text:hello"


@pytest.mark.parametrize(
    ("text", "receipt"),
    [
        (
            TEXT.format("0123", "2611231201", "2611231202", "DELIVRD", "000"),
            Receipt("0123", "delivered", "000", None),
        ),
        (
            TEXT.format("a", "YYMMDDhhmm", "99999999999", "EXPIRED", "0A1"),
            Receipt("a", "expired", "0A1", None),
        ),
        ("id:7 stat:UNDELIV", Receipt("7", "failed", "", None)),
        ("ID: 7 STAT: rejectd ERR: 5", Receipt("7", "failed", "5", None)),
        ("id:7 stat:ACCEPTD", Receipt("7", None, "", None)),
        ("id:7 stat:ENROUTE", Receipt("7", None, "", None)),
        ("stat:DELIVRD", Receipt("", "delivered", "", None)),
        ("id:7 stat:WHAT", None),
        ("hello", None),
        ("", None),
    ],
)
def test_receipts_by_text(text: str, receipt: Receipt | None) -> None:
    """A state is enough; dates are never looked at."""
    said = delivery(text.encode(), esm_class=0x04)
    assert is_receipt(said)
    assert read_receipt(said) == receipt


@pytest.mark.parametrize(
    ("state", "told"), [(2, "delivered"), (3, "expired"), (5, "failed"), (1, None), (99, None)]
)
def test_receipts_by_optional_parameters(state: int, told: str | None) -> None:
    """They say more than the text, and are enough without one."""
    tlvs = (
        (Tag.RECEIPTED_MESSAGE_ID, b"abc\0"),
        (Tag.MESSAGE_STATE, bytes((state,))),
        (Tag.USER_MESSAGE_REFERENCE, b"\0\7"),
    )
    for said in (
        delivery(b"", esm_class=0x04, tlvs=tlvs),
        delivery(b"", tlvs=tlvs),
        delivery(b"id:other stat:ENROUTE err:000", esm_class=0x04, tlvs=tlvs),
    ):
        assert is_receipt(said)
        read = read_receipt(said)
        assert read is not None
        assert (read.message_id, read.state, read.user_reference) == ("abc", told, 7)


def test_ids_of_any_length() -> None:
    """An id of thousands of digits, or with escapes for a terminal, is cut and cleaned."""
    for octets, cleaned in ((b"9" * 5000, "9" * 64), (b"f" * 5000, "f" * 64), (b"\x1b[2J", "?[2J")):
        tlvs = ((Tag.RECEIPTED_MESSAGE_ID, octets), (Tag.MESSAGE_STATE, b"\2"))
        read = read_receipt(delivery(b"", tlvs=tlvs, esm_class=4))
        assert read is not None
        assert read.message_id == cleaned
        assert Submissions("one").report(read, ALICE) is not None
        assert read_message_id(octets + b"\0") == cleaned
        assert read_bind_answer(octets + b"\0").system_id == cleaned


def test_a_notice_on_the_way_is_no_end() -> None:
    """An intermediate notification says nothing final, whatever its state."""
    read = read_receipt(delivery(b"id:7 stat:DELIVRD", esm_class=0x20))
    assert read is not None
    assert read.state is None
    assert not is_receipt(delivery(b"id:7 stat:DELIVRD"))


@given(st.binary(max_size=300), st.integers(0, 255))
def test_receipts_of_junk(content: bytes, coding: int) -> None:
    """Nothing is raised, and an id has no spaces."""
    read = read_receipt(delivery(b"stat:DELIVRD id:" + content, esm_class=4, data_coding=coding))
    assert read is None or " " not in read.message_id


def receipt(message_id: str = "", user_reference: int | None = None, error: str = "") -> Receipt:
    """Return a receipt that a message was delivered."""
    return Receipt(message_id, "delivered", error, user_reference)


def sent(known: Submissions, reference: str, party: str, message_id: str) -> str:
    """Have a message leave and be accepted; return its name."""
    return known.accepted(known.begin(reference, party), reference, message_id)


class TestSubmissions:
    """Which message a receipt is on."""

    def test_by_id(self) -> None:
        """The SMSC's id leads to the reference; zeros before it do not matter, nor the party."""
        known = Submissions("one")
        assert sent(known, "a", ALICE, "0042") == "one-0042"
        sent(known, "b", BOB, "43")
        assert known.report(receipt("42"), "0700") == Report("one-0042", "a", "delivered")
        assert known.report(receipt("43"), BOB) == Report("one-43", "b", "delivered")
        sent(known, "c", BOB, "0044")
        assert known.report(receipt("44"), "0700") == Report("one-0044", "c", "delivered")

    def test_in_hexadecimal(self) -> None:
        """An id that the receipt writes in another base is found, for the same party alone."""
        known = Submissions("one")
        sent(known, "a", ALICE, "1F4")
        sent(known, "b", BOB, "600")
        assert known.report(receipt("500"), ALICE) == Report("one-1F4", "a", "delivered")
        assert known.report(receipt("500"), BOB) == Report("one-500", None, "delivered")
        assert known.report(receipt("258"), BOB) == Report("one-600", "b", "delivered")

    def test_of_another_run(self) -> None:
        """A receipt on what this process never sent has the id alone."""
        known = Submissions("one")
        assert known.report(receipt("7"), ALICE) == Report("one-7", None, "delivered")
        assert known.report(receipt("7", 1), ALICE) == Report("one-7", None, "delivered")
        assert known.report(receipt(), ALICE) is None

    def test_before_the_answer(self) -> None:
        """A receipt that comes first is passed on by its id, which the answer has then, too."""
        known = Submissions("one")
        number = known.begin("a", ALICE)
        early = known.report(receipt("7"), ALICE)
        assert early == Report("one-7", None, "delivered")
        assert known.report(receipt("7", 1), ALICE) == Report("one-7", "a", "delivered")
        assert known.accepted(number, "a", "7") == early.carrier_id

    @pytest.mark.parametrize("constant", ["msg_id_not_implemented", ""])
    def test_ids_that_mean_nothing(self, constant: str) -> None:
        """Where ids repeat, receipts are on the oldest messages to their party, one on each."""
        known = Submissions("one")
        names = [
            sent(known, reference, party, constant)
            for reference, party in [("a", BOB), ("b", ALICE), ("c", BOB), ("d", ALICE)]
        ]
        assert len(set(names)) == 4
        found = [known.report(receipt("00000001"), ALICE) for _ in range(3)]
        assert [each and each.reference for each in found] == ["b", "d", None]
        assert found[2] is None
        assert known.report(receipt(constant), BOB) == Report(names[0], "a", "delivered")

    def test_ids_that_come_round(self) -> None:
        """An SMSC that counts anew after its restart keeps its ids' meaning."""
        known = Submissions("one")
        for reference, message_id in [("a", "1"), ("b", "2"), ("c", "1"), ("d", "2")]:
            sent(known, reference, ALICE, message_id)
        assert known.report(receipt("1"), ALICE) == Report("one-1", "c", "delivered")

    def test_by_user_reference(self) -> None:
        """Where the SMSC returns it, it decides, and no guess is made if it is strange."""
        known = Submissions("one")
        numbers = [known.begin(reference, ALICE) for reference in "ab"]
        for number, reference in zip(numbers, "ab", strict=True):
            known.accepted(number, reference, "constant")
        found = known.report(receipt("9", 2), ALICE)
        assert found is not None
        assert found.reference == "b"
        for strange in (0, 3, 0xFFFF, 0x10000, 1 << 80):
            assert known.report(receipt("9", strange), ALICE) is None
        assert known.report(receipt("9", 2), BOB) is None

    def test_user_references_come_round(self) -> None:
        """They begin again after 65,535; of those that are remembered each has its own."""
        known = Submissions("one")
        for number in range(0xFFFF + 5):
            own = user_reference(known.begin(str(number), ALICE))
            assert int.from_bytes(own, "big") == number % 0xFFFF + 1
        for wanted, reference in ((1, "65535"), (5, "65539"), (0xFFFF, "65534"), (60_000, "59999")):
            found = known.report(receipt("9", wanted), ALICE)
            assert found is not None
            assert found.reference == reference
        assert known.report(receipt("9", 6), ALICE) == Report("one-9", None, "delivered")

    def test_reasons(self) -> None:
        """An error's code is passed on, but for what was delivered."""
        known = Submissions("one")
        failed = Receipt("7", "failed", "0A1", None)
        assert known.report(failed, ALICE) == Report(
            "one-7", None, "failed", "the network reports error 0A1"
        )
        assert known.report(receipt("7", error="0A1"), ALICE) == Report("one-7", None, "delivered")
        assert known.report(Receipt("7", None, "", None), ALICE) is None

    @pytest.mark.parametrize("indexed", [False, True])
    def test_memory_is_bounded(self, indexed: bool) -> None:  # noqa: FBT001 (parametrized)
        """The oldest messages are forgotten, and all that leads to them."""
        known = Submissions("one")
        if indexed:
            known._index_by_id()
            known._index_by_party()
        for number in range(SUBMISSIONS + 5):
            sent(known, str(number), f"+{number % 7}", f"id{number}")
        assert len(known) == len(known._index_by_id()) == SUBMISSIONS
        assert sum(map(len, known._index_by_party().values())) == SUBMISSIONS
        known.forget(7)
        known.forget(7)
        known.forget(1)
        known.forget(SUBMISSIONS + 5)
        assert len(known) == len(known._index_by_id()) == SUBMISSIONS - 1
        assert sum(map(len, known._index_by_party().values())) == SUBMISSIONS - 1
        assert known.report(receipt("id0"), "+0") == Report("one-id0", None, "delivered")

    def test_an_id_that_is_the_reference(self) -> None:
        """It is not mistaken for that of a message that was forgotten."""
        known = Submissions("one")
        known._index_by_id()
        sent(known, "7", ALICE, "7")
        for number in range(SUBMISSIONS):
            known.begin(f"other {number}", BOB)
        assert known.report(receipt("7"), ALICE) == Report("one-7", None, "delivered")

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["begin", "accept", "forget", "report", "look"]),
                st.integers(0, 9),
                st.sampled_from([ALICE, BOB]),
                st.sampled_from(["", "7", "07", "A", "10", "9"]),
            ),
            max_size=40,
        )
    )
    def test_indexes_made_late_tell_the_same(self, steps: list[tuple[str, int, str, str]]) -> None:
        """It makes no difference whether they are there from the start."""
        early, late = Submissions("one"), Submissions("one")
        early._index_by_id()
        early._index_by_party()
        begun, answered = 0, set()
        for step, number, party, word in steps:
            told = []
            for known in (early, late):
                if step == "begin":
                    told.append(known.begin(str(begun), party))
                elif step == "accept" and number < begun and number not in answered:
                    told.append(known.accepted(number, str(number), word))
                elif step == "forget":
                    told.append(known.forget(number))
                elif step == "report":
                    told.append(known.report(receipt(word, number or None), party))
                elif step == "look":
                    told.append(known.report(receipt(word), party))
            begun += step == "begin"
            answered |= {number} if step == "accept" and number < begun else set()
            assert len(set(told)) <= 1


def body(content: bytes = b"hi", **values: Any) -> bytes:
    """Return the body of a deliver_sm from ALICE."""
    fields = {"source_addr_ton": 1, "source_addr_npi": 1, **values}
    source, destination = fields.pop("source", ALICE[1:]), fields.pop("destination", "700")
    pdu: bytes = smpp34.DeliverSm(source, destination, content, **fields).encode()
    return pdu[16:]


SAID, OTHER = digest(body()), digest(body(b"ho"))


class TestArrivals:
    """Redeliveries, and phones that say the same again."""

    def test_what_was_not_acknowledged_comes_again(self) -> None:
        """However often, on whatever connection."""
        arrivals = Arrivals()
        first = arrivals.identify([SAID], 0.0)
        assert arrivals.identify([SAID], 7200.0) == first
        assert arrivals.identify([OTHER], 0.0) != first

    def test_what_was_acknowledged_is_said_again(self) -> None:
        """It is another message, on the same connection and on the next one."""
        arrivals = Arrivals()
        seen = []
        for count in (1, 2, 3):
            seen += arrivals.identify([SAID], 0.0)
            arrivals.acknowledged([SAID], "link", count)
        arrivals.heard("link", 3)
        arrivals.lost("link")
        seen += arrivals.identify([SAID], 0.0)
        assert len(set(seen)) == 4

    def test_an_acknowledgement_that_may_be_lost(self) -> None:
        """What the SMSC did not surely read comes once more, then it is another message."""
        arrivals = Arrivals()
        first = arrivals.identify([SAID], 0.0)
        arrivals.acknowledged([SAID, OTHER], "link", 2)
        arrivals.heard("link", 0)
        arrivals.lost("link")
        assert arrivals.identify([SAID], 0.0) == first
        arrivals.acknowledged([SAID], "next", 1)
        assert arrivals.identify([SAID], 0.0) != first

    def test_some_of_many_were_read(self) -> None:
        """Of what was acknowledged together, what the SMSC read is not expected again."""
        arrivals = Arrivals()
        one, other = arrivals.identify([SAID, OTHER], 0.0)
        arrivals.acknowledged([SAID, OTHER], "link", 9)
        arrivals.heard("link", 8)
        arrivals.lost("link")
        assert arrivals.identify([SAID], 0.0) != [one]
        assert arrivals.identify([OTHER], 0.0) == [other]

    def test_another_process(self) -> None:
        """Within the hour it gives the same identity; later another."""
        assert Arrivals().identify([SAID], 3600.0) == Arrivals().identify([SAID], 7199.0)
        assert Arrivals().identify([SAID], 3600.0) != Arrivals().identify([SAID], 7200.0)

    def test_the_count_goes_on(self) -> None:
        """An identity tells what was said, the hour in which it was, and how often before."""
        arrivals = Arrivals()
        for hour, count in ((5, 0), (5, 1), (9, 2)):
            (identity,) = arrivals.identify([SAID], 3600.0 * hour + 1)
            assert identity == f"{SAID.hex()}-{hour:x}-{count}"
            arrivals.acknowledged([SAID], "link", count + 1)

    def test_all_that_is_said_counts(self) -> None:
        """Two deliveries that differ in anything but their sequence are two."""
        others = [
            body(source=BOB[1:]),
            body(destination="701"),
            body(data_coding=1),
            body(esm_class=0x40),
            body(service_type="USSD"),
            body(protocol_id=1),
            body(tlvs=[smpp34.Tlv(0x204, b"\0\1")]),
            body(tlvs=[smpp34.Tlv(0x204, b"\0\2")]),
        ]
        assert len({digest(each) for each in [body(), *others]}) == 9
        reads = [read_delivery(Pdu(Command.DELIVER_SM, 0, n, body())) for n in (1, 2)]
        assert reads[0].body == reads[1].body == body()

    def test_memory_is_bounded(self) -> None:
        """The messages that came longest ago are forgotten."""
        arrivals = Arrivals()
        for number in range(REMEMBERED + 10):
            said = number.to_bytes(16, "big")
            arrivals.identify([said], 0.0)
            arrivals.acknowledged([said], "link", number + 1)
        assert len(arrivals._known) == len(arrivals._unheard["link"]) == REMEMBERED

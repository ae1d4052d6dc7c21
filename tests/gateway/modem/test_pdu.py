"""Two PDU coders, ours and the driver's, against each other."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from gsmmodem.pdu import decodeSmsPdu, encodeSmsSubmitPdu
from hypothesis import example, given
from hypothesis import strategies as st

from dtns.gateway import gsm7
from dtns.gateway.carrier import Part
from dtns.gateway.modem.emulator.pdu import (
    parts_of,
    read_submit,
    tpdu_length,
    write_deliver,
    write_status_report,
)
from dtns.gateway.modem.pdu import Deliver, PduError, StatusReport, read_incoming

SENT_AT = 1_700_000_000
TEXTS = st.text(alphabet=sorted(gsm7.BASIC | gsm7.EXTENSION), max_size=80)
NUMBERS = st.from_regex(r"\+[1-9][0-9]{4,14}", fullmatch=True)


@given(number=NUMBERS, text=TEXTS, days=st.integers(2, 30))
@example(number="+254700000001", text="a" * 160, days=7)
@example(number="+254700000001", text="seven 7@", days=7)
def test_the_driver_s_submissions_are_read(number: str, text: str, days: int) -> None:
    """What the driver encodes, the emulated network reads: number, text, report, validity."""
    (pdu,) = encodeSmsSubmitPdu(number, text, validity=timedelta(days=days))
    submit = read_submit(str(pdu), pdu.tpduLength)
    assert (submit.recipient, submit.text, submit.report) == (number, text, True)
    assert submit.validity_seconds == days * 86400


@given(number=NUMBERS, text=TEXTS)
@example(number="+254700000001", text="a" * 160)
@example(number="+254700000001", text="seven 7@")
@example(number="+254700000001", text="жизнь")
def test_deliveries_are_read(number: str, text: str) -> None:
    """What the emulated network delivers comes out: number, text and time."""
    pdu = write_deliver(number, text, SENT_AT)
    assert read_incoming(pdu) == Deliver(number, text, SENT_AT, None)
    assert decodeSmsPdu(pdu)["tpdu_length"] == tpdu_length(pdu)


@given(number=NUMBERS, text=st.text("abcXYZ019 .+-€{}", max_size=80))
def test_the_driver_agrees_on_deliveries(number: str, text: str) -> None:
    """The driver's decoder, written by others, reads the same in what it can read."""
    read = decodeSmsPdu(write_deliver(number, text, SENT_AT))
    assert (read["number"], read["text"]) == (number, text)
    assert read["time"].timestamp() == SENT_AT


def test_defect_a_trailing_at_sign_is_lost() -> None:
    """Upstream: a text that ends in the last of eight septets with an @ loses it; ours does not."""
    pdu = write_deliver("+254700000001", "seven 7@", SENT_AT)
    assert decodeSmsPdu(pdu)["text"] == "seven 7"
    assert read_incoming(pdu).text == "seven 7@"


def test_defect_parts_with_16_bit_references_are_garbled() -> None:
    """Upstream: parts with 16-bit references come out wrong; ours do not."""
    pdu = write_deliver("+254700000001", "hello world", SENT_AT, (300, 2, 1))
    assert decodeSmsPdu(pdu)["text"] != "hello world"
    assert read_incoming(pdu).text == "hello world"


@pytest.mark.parametrize("reference", [7, 300])
@pytest.mark.parametrize("text", ["a{" * 200, "жизнь " * 40])
def test_parts(reference: int, text: str) -> None:
    """Parts of a long text come out with their place, in both forms of the reference."""
    parts = parts_of(text)
    joined = ""
    for number, part in enumerate(parts, start=1):
        place = (reference, len(parts), number)
        read = read_incoming(write_deliver("+254700000001", part, SENT_AT, place))
        assert read.part == Part(*place)
        joined += read.text
    assert joined == text


def test_status_reports() -> None:
    """Reference, recipient and status come out, as the driver's decoder has them too."""
    pdu = write_status_report(255, "+254700000001", SENT_AT, SENT_AT + 5, 0)
    assert read_incoming(pdu) == StatusReport(255, "+254700000001", 0)
    read = decodeSmsPdu(pdu)
    assert (read["reference"], read["number"], read["status"]) == (255, "+254700000001", 0)


@pytest.mark.parametrize("zone", ["00", "21", "29", "8A"])
def test_time_zones(zone: str) -> None:
    """The SMSC's time is read with its zone, as the driver reads it, where the zone is sound."""
    pdu = write_deliver("+254700000001", "text", SENT_AT)
    assert "32114122310200" in pdu
    moved = pdu.replace("32114122310200", f"321141223102{zone}")
    read = read_incoming(moved)
    assert read.sent_at == decodeSmsPdu(moved)["time"].timestamp()


@given(st.binary(max_size=60))
def test_junk_that_comes_in_is_refused(pdu: bytes) -> None:
    """Whatever came in, reading it ends in a value or in one kind of error."""
    with suppress(PduError):
        read_incoming(pdu.hex())


@given(st.text(alphabet="0123456789ABCDEF", max_size=60), st.integers(0, 40))
def test_junk_is_refused(pdu: str, length: int) -> None:
    """Whatever is no submission is refused by one kind of error."""
    with suppress(PduError):
        read_submit(pdu, length)

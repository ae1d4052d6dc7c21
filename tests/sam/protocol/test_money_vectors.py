"""Every line of the vectors of payments, small payments and logs, against this implementation.

The vectors come from a second implementation that was written from sam/README.md alone.
"""

from __future__ import annotations

import pytest
from vectorlines import Line, bits_of, context_of, digits_of, each, lines_of, octets_of

from dtns.sam.protocol import payments, small
from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.log import Entry, Kind, LogMessage, fitting, read_log
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode, Payment
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.ticket import Header, split_ticket
from dtns.sam.protocol.wire import MalformedError, to_text


def _payment(line: Line) -> Payment:
    return Payment(line["currency"], line["amount"])


def _codes(line: Line) -> dict[str, int]:
    (session,) = octets_of(line, "session_key")
    context, payment, number, count = (
        context_of(line), _payment(line), line["number"], line["count"],
    )  # fmt: skip
    return {
        "express": payments.express(session, context, payment),
        "cheque": payments.cheque(session, context, number, payment),
        "charge": payments.charge(session, context, count, payment),
        "response": payments.response(session, context, count, payment),
    }


@each("payments")
def test_payments(line: Line) -> None:
    """The four codes of a sum, in bits and in digits, and its three receipts."""
    profiles = {"express": "ticket", "charge": "request"}
    for name, bits in _codes(line).items():
        assert bits == bits_of(line, name)
        assert digits_of(profiles.get(name, name), bits) == line[f"{name}_digits"]
    assert split_ticket(bits_of(line, "express"))[0] == Header.of(context_of(line))
    assert payments.split_cheque(bits_of(line, "cheque"))[0] == line["number"]
    assert payments.split_charge(bits_of(line, "charge"))[0] == line["count"]
    (session,) = octets_of(line, "session_key")
    shown = [
        payments.receipt(session, context_of(line), mode, number, _payment(line))
        for mode, number in (
            (Mode.EXPRESS, 0), (Mode.CHEQUE, line["number"]), (Mode.CHALLENGE, line["count"]),
        )
    ]  # fmt: skip
    assert [f"{receipt:04d}" for receipt in shown] == line["receipts"]


@each("payments", valid=False)
def test_payments_refused(line: Line) -> None:
    """None of the codes is good under this key and context, for this sum, number and count."""
    for name, bits in _codes(line).items():
        assert bits != bits_of(line, name), name


def _deal(line: Line) -> tuple[small.Deal, small.UniversalKey]:
    payer, payee = Number(line["payer"]), Number(line["payee"])
    universal = small.UniversalKey(line["period"], *octets_of(line, "universal_key"))
    return small.Deal(payer, payee, _payment(line), line["count"]), universal


@each("small")
def test_small(line: Line) -> None:
    """Charge and response under the universal key of a period, and the receipt."""
    deal, universal = _deal(line)
    (master,) = octets_of(line, "master")
    assert MasterKey(line["period"], master).universal_key() == universal
    charge, response = deal.charge(universal), deal.response(universal, line["payer_nonce"])
    assert (charge, response) == (bits_of(line, "charge"), bits_of(line, "response"))
    assert small.split_charge(charge)[0] == line["count"]
    assert small.payer_nonce(response) == line["payer_nonce"]
    assert digits_of("request", charge) == line["charge_digits"]
    assert digits_of("confirm", response) == line["response_digits"]
    assert f"{deal.receipt(universal):04d}" == line["receipt"]


@each("small", valid=False)
def test_small_refused(line: Line) -> None:
    """Neither code is good for this deal under this key."""
    deal, universal = _deal(line)
    assert deal.charge(universal) != bits_of(line, "charge")
    assert deal.response(universal, line["payer_nonce"]) != bits_of(line, "response")


def _entry(told: Line) -> Entry:
    return Entry(
        kind=Kind(told["kind"]),
        other=Party(Number(told["other"]), told["other_generation"]),
        **{name: told[name] for name in ("epoch", "n", "number", "amount", "week", "older")},
    )


@each("logs")
def test_logs(line: Line) -> None:
    """A message of the log opens to what it says, and is made again octet for octet."""
    (ask_key,) = octets_of(line, "ask_key")
    entries = tuple(_entry(told) for told in line["entries"])
    party = Party(Number(line["number"]), line["generation"])
    message = LogMessage(party, line["first"], line["currency"], entries)
    received = read_log(line["text"])
    assert (received.party, received.first) == (party, line["first"])
    assert received.open(ask_key) == message
    assert to_text(message.seal(ask_key)) == line["text"]
    assert fitting(party.number, list(entries)) == len(entries)


@each("logs", valid=False)
def test_logs_refused(line: Line) -> None:
    """What is damaged, malformed or under another key brings nothing."""
    (ask_key,) = octets_of(line, "ask_key")
    try:
        received = read_log(line["text"])
    except MalformedError:
        return
    assert received.open(ask_key) is None


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_entry_has_a_line(kind: Kind) -> None:
    """No kind that this implementation writes is without a vector."""
    lines = [line for line in lines_of("logs") if line.get("valid", True)]
    assert any(entry["kind"] == kind for line in lines for entry in line["entries"])

"""Requests and results on the admin socket's wire."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.errors import ConfigError, KeyFileError, StoreError, UnreachableError
from dtns.sam.protocol.keys import PartyKeys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.small import UniversalKey
from dtns.sam.service import requests as ask
from dtns.sam.service.adminwire import (
    MAX_LINE,
    JunkError,
    decode_request,
    decode_result,
    encode_fault,
    encode_request,
    encode_result,
)
from dtns.sam.store.lock import StoreInUseError

N = Number("254700000001")
KEYS = PartyKeys(*(bytes([n] * 16) for n in range(5)))
SIM = ask.Personalisation(N, 1, 1, 100, KEYS, UniversalKey(1, bytes(16)))
RECORD = ask.PartyRecord(N, 1, 1, 1, 5.0, False, 0, 0, 0)
KEY = ask.KeyRecord(1, 1, 1, 4, "asker-pays", 9.0, "derived")
DELIVERY = ask.DeliveryRecord("loopback", "queued", 5.0, 0, "", None)
ISSUE = ask.IssueRecord(1, N, 1, 1, N, 5.0, "loopback", 0, None, KEY, (DELIVERY,))
GATEWAY = ask.GatewayRecord("modem.one", "up", True, signal=17, last_received=5.0)
EXCHANGES: list[tuple[Any, Any]] = [
    (ask.Enrol((N,)), ask.Enrolments((ask.Enrolled(N, ask.Enrolment.NEW, SIM),))),
    (ask.Enrol((), create=False), ask.Enrolments(())),
    (ask.ListParties("*", N, 3), ask.Parties((RECORD,), True)),
    (ask.Purge(7, dry=True), ask.Purged(2, None)),
    (ask.ShowParty(N), ask.PartyDetails(RECORD, 2, 1)),
    (ask.SetSuspended(N, True), RECORD),
    (ask.Rekey(N), SIM),
    (ask.Renew(N), ask.Told(1, at_once=True)),
    (ask.EndLock(N, 3), ask.Told(1, at_once=False)),
    (ask.EndPinLock(N, 1, forget=True), ask.Told(1, at_once=False)),
    (ask.LoadPurse(N, "KES", 450), ask.Loaded(65537, at_once=True)),
    (ask.Refund(N, 65538), ask.Loaded(65539, at_once=False)),
    (
        ask.CheckLedger(),
        ask.LedgerState(
            *(9, 2, {"KES": 450}),
            (ask.LedgerFinding("balance", False, N, 65538, None, 450, "KES", ""),),
            more=False,
        ),
    ),
    (ask.Withdraw(N), ask.Told(7, at_once=True)),
    (ask.RotateMaster(), ask.Rotated(2, 9)),
    (ask.ListIssues(None, 7, 1, True, 2.5, None), ask.Issues((ISSUE,), 7)),
    (ask.ShowIssue(1), ISSUE),
    (ask.Retry(7), ISSUE),
    (ask.ImportAsks(("A", "B"), True), ask.Imported(("issued", "forged"), 1)),
    (
        ask.GetVitals(),
        ask.Vitals(
            (ask.Check("store", True, "can be written"),),
            *(1, 2, 3, 4.5, 6.0, {"issued": 2}),
            {"c": ask.CarrierRecord(True, "n", 3, 1, 0.5, None)},
        ),
    ),
    (ask.ListGateways(), ask.GatewayRecords((GATEWAY,))),
    (ask.MoveGateway("modem.one", "drain"), GATEWAY),
    (
        ask.GetStatus(),
        ask.Status(
            *(True, "i", 1, False, 1, 0, 2, 1, {"queued": 1}, {"forged": 2}),
            {"c": ask.CarrierRecord(True, "n", 3, 1, 0.5, None)},
        ),
    ),
]


@pytest.mark.parametrize(("request_", "result"), EXCHANGES)
def test_requests_and_results_come_across_whole(request_: Any, result: Any) -> None:
    """What is decoded equals what was encoded, on one line, keys included."""
    for line in (encode_request(request_), encode_result(result)):
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
    assert decode_request(encode_request(request_)) == request_
    assert decode_result(encode_result(result), request_) == result


def test_every_request_is_known_on_the_wire() -> None:
    """No kind of request is missing from the exchanges above."""
    kinds = {kind for kind in vars(ask).values() if isinstance(kind, type)}
    requests = {kind for kind in kinds if issubclass(kind, ask.Request)} - {ask.Request}
    assert {type(request) for request, _ in EXCHANGES} == requests


def test_refusals_come_across() -> None:
    """A refusal is a value on both sides."""
    refusal = ask.Refusal("no")
    assert decode_result(encode_result(refusal), ask.GetStatus()) == refusal


@pytest.mark.parametrize("kind", [StoreError, KeyFileError, ConfigError])
def test_faults_come_across_as_what_they_are(kind: type[Exception]) -> None:
    """A fault at Sam ends the command as the same fault here would."""
    with pytest.raises(kind, match="the disk is full"):
        decode_result(encode_fault(kind("the disk is full")), ask.GetStatus())


def test_kinds_of_faults_that_are_not_named_keep_their_family() -> None:
    """A more special fault arrives as its known parent, anything else as Sam's failure."""
    with pytest.raises(StoreError):
        decode_result(encode_fault(StoreInUseError("in use")), ask.GetStatus())
    with pytest.raises(UnreachableError):
        decode_result(encode_fault(ZeroDivisionError("oops")), ask.GetStatus())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"request": "Enrol"}',
        b'{"request": "Drop", "body": {}}',
        b'{"request": ["Enrol"], "body": {}}',
        b'{"request": "Enrol", "body": {"numbers": ["0700"]}}',
        b'{"request": "Enrol", "body": {"numbers": [254700000001]}}',
        b'{"request": "Enrol", "body": {"numbers": "254700000001"}}',
        b'{"request": "Enrol", "body": {"numbers": [], "create": 1}}',
        b'{"request": "Enrol", "body": {"numbers": [], "extra": 1}}',
        b'{"request": "ShowIssue", "body": {"id": true}}',
        b'{"request": "ShowIssue", "body": {"id": 9223372036854775808}}',
        b'{"request": "ShowIssue", "body": {"id": 1e400}}',
        b'{"request": "GetStatus", "body": 7}',
        b"[" * 100_000,
    ],
)
def test_junk_is_no_request(line: bytes) -> None:
    """Whatever is not a request is told apart, and the answer repeats nothing of it."""
    with pytest.raises(JunkError, match="no request; known are Enrol"):
        decode_request(line)


@given(st.binary(max_size=200))
def test_any_octets_are_a_request_or_junk(line: bytes) -> None:
    """No input does anything else."""
    with pytest.raises(JunkError):
        decode_request(line)


@pytest.mark.parametrize("line", [b"", b"hello", b"{}", b'{"result": {}}', b'{"fault": 1}'])
def test_an_answer_that_is_none_is_told(line: bytes) -> None:
    """Something else at the socket is not taken for Sam."""
    with pytest.raises(UnreachableError):
        decode_result(line, ask.GetStatus())


def test_the_largest_batch_fits_a_line() -> None:
    """A full batch of enrolments is within the bound, both ways."""
    numbers = tuple(Number(str(999_999_999_999_000 + n)) for n in range(ask.MAX_BATCH))
    keys = PartyKeys(bytes(16), bytes(32), bytes(16), bytes(16), bytes(16))
    enrolled = tuple(
        ask.Enrolled(
            number,
            ask.Enrolment.ALREADY,
            ask.Personalisation(number, 0xFFFF, 0xFFFF, 0xFFFF, keys),
        )
        for number in numbers
    )
    assert len(encode_request(ask.Enrol(numbers))) < MAX_LINE
    assert len(encode_result(ask.Enrolments(enrolled))) < MAX_LINE
    issues = ask.Issues((ISSUE,) * ask.MAX_BATCH, True)
    assert len(encode_result(issues)) < MAX_LINE

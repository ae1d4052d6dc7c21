"""Vitals at any size of the store, the retry of an answer, and the log of exchanges."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.logger import LogEvent, globalLogPublisher

from dtns.gateway.carrier import Failed, Outbound, Report
from dtns.sam.handset.handset import Handset
from dtns.sam.service.administration import Administration
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.outbox import VALIDITY_SECONDS
from dtns.sam.service.requests import GetVitals, Refusal, Retry, Vitals
from dtns.sam.service.vitals import Pulse
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.outbox import _WAITING


@pytest.fixture
def office(bench: Any) -> Administration:
    """What the operator asks of the running bench."""
    store, master = bench.world.store, bench.world.master
    pulse = Pulse(store, bench.now, bench.counters, bench.traffic.carriers, bench.clock.seconds)
    keys = MasterKeys({1: master}, {1: "check"})
    return Administration(store, keys, bench.now, pulse=pulse, outbox=bench.outbox)


def vitals(office: Administration) -> Vitals:
    """Return the vitals."""
    told = office.answer(GetVitals())
    assert not isinstance(told, Refusal)
    return told


def refuse(message: Outbound) -> Failed:
    """No signal."""
    return Failed(message.reference, permanent=False, reason="no signal")


def test_what_waits_is_counted_and_the_oldest_aged(
    bench: Any, office: Administration, alice: Handset, bob: Handset
) -> None:
    """Waiting answers grow old by the second; those that left are not counted."""
    assert (vitals(office).waiting, vitals(office).oldest) == (0, None)
    bench.carrier.answer = refuse
    bench.deliver(bench.ask(alice, bob))
    bench.pass_time(300)
    told = vitals(office)
    assert told.waiting == 1
    assert 295 <= (told.oldest or 0) <= 301
    assert told.counters["issued"] == 1
    bench.carrier.answer = bench.carrier._accept
    bench.pass_time(120)
    assert vitals(office).waiting == 0
    assert vitals(office).ready


def test_without_a_connected_gateway_sam_is_not_ready(bench: Any, office: Administration) -> None:
    """The check that fails is named."""
    bench.carrier.disconnect()
    told = vitals(office)
    assert not told.ready
    assert [check.name for check in told.checks if not check.holds] == ["gateways"]


def test_a_store_that_is_behind_is_not_ready(bench: Any, office: Administration) -> None:
    """Nothing is issued then, and the finding says what to do."""
    with bench.world.store.transaction() as store:
        store.note_behind(2)
    told = vitals(office)
    assert [check.name for check in told.checks if not check.holds] == ["memory"]


def test_vitals_never_look_at_every_answer(bench: Any) -> None:
    """What has arrived is not in the index that is counted."""
    plan = bench.world.store.connection.execute(f"EXPLAIN QUERY PLAN {_WAITING}").fetchall()
    assert "USING INDEX outbox_due" in plan[0][3]


def test_no_running_sam_has_no_vitals(bench: Any) -> None:
    """The request is refused, and says what to start."""
    office = Administration(bench.world.store, MasterKeys({}, {}), bench.now)
    for request in (GetVitals(), Retry(1)):
        told = office.answer(request)
        assert isinstance(told, Refusal)
        assert "dtns serve" in told.reason


def test_a_failed_answer_is_tried_again(
    bench: Any, office: Administration, alice: Handset, bob: Handset
) -> None:
    """The operator's retry sends the same octets again, with a whole validity."""
    bench.carrier.answer = lambda message: Failed(message.reference, permanent=True, reason="no")
    bench.deliver(bench.ask(alice, bob))
    bench.turn()
    assert bench.states() == {"failed": 1}
    bench.carrier.answer = bench.carrier._accept
    record = office.answer(Retry(1))
    assert not isinstance(record, Refusal)
    assert record.deliveries[-1].state == "retrying"
    bench.pass_time(1)
    assert bench.states() == {"accepted": 1}
    first, second = bench.carrier.submitted[-2:]
    assert first.text == second.text
    expiry = bench.world.store.connection.execute("SELECT expires_at FROM outbox").fetchone()[0]
    assert expiry >= VALIDITY_SECONDS


def test_what_arrived_or_is_under_way_is_not_tried_again(
    bench: Any, office: Administration, alice: Handset, bob: Handset
) -> None:
    """A second copy would be paid for, and could change nothing."""
    told = office.answer(Retry(1))
    assert isinstance(told, Refusal)
    assert "no issue" in told.reason
    bench.deliver(bench.ask(alice, bob))
    bench.turn()
    for _ in range(2):
        told = office.answer(Retry(1))
        assert isinstance(told, Refusal)
        assert "nothing to try again" in told.reason
    assert bench.states() == {"accepted": 1}


def test_each_step_of_an_exchange_is_logged_under_one_number(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Decided, taken, delivered: the number that `dtns issue show` takes, and no party's."""
    exchanges = ExchangeLog(bench.world.store.connection)
    bench.intake._exchanges = bench.outbox._outcomes.exchanges = exchanges
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    try:
        text = bench.ask(alice, bob)
        bench.deliver(text)
        bench.turn()
        (message,) = bench.carrier.submitted
        bench.sink.reported(Report("?", message.reference, "delivered"))
        bench.turn()
        bench.deliver(text)
        bench.turn()
        bench.deliver("JUNK")
        bench.turn()
    finally:
        globalLogPublisher.removeObserver(events.append)
    told = [event for event in events if event.get("event") == "exchange"]
    steps = [(event["exchange"], event["step"]) for event in told]
    whole = ["issued", "accepted", "delivered", "repeated", "accepted"]
    assert steps == [(1, step) for step in whole]
    assert str(alice.sim.number) not in str(told)

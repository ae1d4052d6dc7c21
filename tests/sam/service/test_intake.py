"""Intake: store first, then acknowledge, then answer."""

from __future__ import annotations

from typing import Any

import pytest
from sinks import stored
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from dtns.gateway.carrier import Inbound, Part
from dtns.gateway.memory import MemoryCarrier
from dtns.sam.errors import StoreError
from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.issuer import Answer, Issuer, Silence
from dtns.sam.protocol.ask import ReceivedAsk
from dtns.sam.protocol.wire import from_text
from dtns.sam.service import intake as module
from dtns.sam.service.intake import StoppingError


class Shaky:
    """An issuer with a fault that one ask brings out, after it has written something."""

    def __init__(self, issuer: Issuer, poison: str) -> None:
        self._issuer = issuer
        self._poison = from_text(poison)

    def decide_read(
        self, records: Any, received: ReceivedAsk, carrier: str, now: float, *, identity: str
    ) -> Answer | Silence:
        """Fail at the poison."""
        if received.octets == self._poison:
            records.note_behind(1)
            raise ZeroDivisionError
        return self._issuer.decide_read(records, received, carrier, now, identity=identity)


def test_an_ask_is_acknowledged_once_it_is_stored(bench: Any, alice: Handset, bob: Handset) -> None:
    """Before the commit neither the carrier nor the phone hears anything."""
    delivered = bench.deliver(bench.ask(alice, bob), "m1")
    assert bench.unacknowledged == {"m1"}
    assert bench.carrier.submitted == []
    bench.turn()
    bench.done(delivered)
    assert bench.unacknowledged == set()
    (message,) = bench.carrier.submitted
    assert alice.receive(message.text).key is not None
    assert bench.counters["issued"] == 1


def test_the_answer_goes_to_the_enrolled_number(bench: Any, alice: Handset, bob: Handset) -> None:
    """The sender of the SMS is a hint, never an address."""
    bench.deliver(bench.ask(alice, bob), sender="+15550123")
    bench.turn()
    assert bench.carrier.submitted[0].recipient == f"+{alice.sim.number}"


def test_a_burst_is_one_transaction(bench: Any, alice: Handset, bob: Handset) -> None:
    """Forty asks: one transaction decides and hands over, one notes the outcomes."""
    texts = [bench.ask(alice, bob) for _ in range(40)]
    start = len(bench.statements)
    for text in texts:
        bench.deliver(text)
    bench.turn()
    assert len(bench.carrier.submitted) == 40
    assert bench.states() == {"accepted": 40}
    assert bench.commits_since(start) == 2
    script = "\n".join(bench.statements[start:])
    deciding = [each for each in script.split("BEGIN") if "INSERT INTO decision" in each]
    assert len(deciding) == 1
    assert deciding[0].count("INSERT INTO handed") == 1
    assert script.count("INSERT INTO outbox") == 40
    assert "UPDATE outbox" not in script


def test_a_flood_is_cut_into_bounded_transactions(
    bench: Any, alice: Handset, bob: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction decides on more than BATCH messages."""
    monkeypatch.setattr(module, "BATCH", 10)
    for _ in range(25):
        bench.deliver(bench.ask(alice, bob))
    bench.turn(20)
    assert bench.counters["issued"] == 25
    assert bench.states() == {"accepted": 25}


def test_junk_and_forgeries_are_acknowledged_counted_and_unanswered(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Silence, a counter, and not one change to the store."""
    text = bench.ask(alice, bob)
    forged = text[:-3] + ("AAA" if text[-3:] != "AAA" else "QQQ")
    before = bench.world.store.connection.total_changes
    delivered = [bench.deliver(each) for each in ("hello", forged, "", "=" * 500)]
    bench.turn()
    for each in delivered:
        bench.done(each)
    assert bench.carrier.submitted == []
    assert bench.world.store.connection.total_changes == before
    silences = {silence.value for silence in Silence}
    assert sum(count for name, count in bench.counters.items() if name in silences) == 4


def test_a_redelivered_message_changes_nothing(bench: Any, alice: Handset, bob: Handset) -> None:
    """The same identity again is acknowledged, and neither counted as a repeat nor answered."""
    text = bench.ask(alice, bob)
    bench.deliver(text, "m1")
    bench.turn()
    again = [bench.deliver(text, "m1"), bench.deliver(text, "m1")]
    bench.turn()
    for each in again:
        bench.done(each)
    assert len(bench.carrier.submitted) == 1
    assert bench.counters == {"issued": 1, "redelivered": 2, "answers-accepted": 1}
    repeats = bench.world.store.connection.execute("SELECT repeats FROM decision").fetchall()
    assert repeats == [(0,)]


def test_the_same_message_twice_in_a_turn_is_answered_once(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """A redelivery within the very transaction is known, too."""
    text = bench.ask(alice, bob)
    bench.deliver(text, "m1")
    bench.deliver(text, "m1")
    bench.turn()
    assert len(bench.carrier.submitted) == 1


def test_a_repeated_ask_is_answered_again_with_the_same_text(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """The phone's own repeat is another message: it gets the same octets once more."""
    text = bench.ask(alice, bob)
    bench.deliver(text, "m1")
    bench.turn()
    bench.deliver(text, "m2")
    bench.turn()
    first, second = bench.carrier.submitted
    assert first.text == second.text
    assert first.reference != second.reference
    assert bench.counters["repeated"] == 1


def test_what_is_not_stored_is_neither_acknowledged_nor_answered(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """A store that fails makes Sam silent; when it is well again, the redelivery is served."""
    text = bench.ask(alice, bob)
    bench.writable(yes=False)
    with capturedLogs() as logged:
        failed = bench.deliver(text, "m1")
        bench.turn()
        with pytest.raises(StoreError, match="cannot be written"):
            bench.done(failed)
    assert bench.unacknowledged == {"m1"}
    assert bench.carrier.submitted == []
    assert bench.counters == {"not-stored": 1}
    assert any(event.get("event") == "not-stored" for event in logged)
    bench.writable(yes=True)
    bench.deliver(text, "m1")
    bench.pass_time(1)
    assert bench.unacknowledged == set()
    assert alice.receive(bench.carrier.submitted[0].text).key is not None


def test_a_full_disk_loses_nothing(bench: Any, alice: Handset, bob: Handset) -> None:
    """Asks that meet a full disk are taken when there is room again, with no n left out."""
    connection = bench.world.store.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    texts = {f"m{n}": bench.ask(alice, bob) for n in range(60)}
    failed = [bench.deliver(text, identity) for identity, text in texts.items()]
    bench.turn()
    assert bench.counters["not-stored"] == 60
    for each in failed:
        with pytest.raises(StoreError, match="disk is full"):
            bench.done(each)
    connection.execute("PRAGMA max_page_count = 100000")
    for identity, text in texts.items():
        bench.deliver(text, identity)
    bench.pass_time(1)
    rows = connection.execute("SELECT n FROM decision WHERE n IS NOT NULL ORDER BY id").fetchall()
    assert [row[0] for row in rows] == list(range(1, 51))


def test_an_unforeseen_fault_costs_only_the_message_that_meets_it(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """The others of its turn are served; what it wrote is undone; it is logged and counted."""
    texts = [bench.ask(alice, bob) for _ in range(3)]
    bench.world.issuer = Shaky(bench.world.issuer, texts[1])
    bench.start()
    with capturedLogs() as logged:
        delivered = [bench.deliver(text) for text in texts]
        bench.turn()
    for each in delivered:
        bench.done(each)
    assert len(bench.carrier.submitted) == 2
    assert (bench.counters["issued"], bench.counters["faults"]) == (2, 1)
    assert any(event.get("event") == "fault" for event in logged)
    with bench.world.store.transaction():
        assert not bench.world.store.behind


def test_a_closed_intake_finishes_what_it_has_and_takes_no_more(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """At the stop a message is either stored or left with the carrier."""
    kept = bench.deliver(bench.ask(alice, bob), "m1")
    bench.intake.close()
    turned_away = bench.deliver(bench.ask(alice, bob), "m2")
    bench.turn()
    bench.done(kept)
    with pytest.raises(StoppingError):
        bench.done(turned_away)
    assert bench.unacknowledged == {"m2"}


def test_no_text_and_no_full_number_is_logged(bench: Any, alice: Handset, bob: Handset) -> None:
    """Whatever happens, logs hold neither messages nor numbers."""
    text = bench.ask(alice, bob)
    with capturedLogs() as logged:
        bench.deliver(text)
        bench.turn()
        bench.writable(yes=False)
        bench.deliver(text).addErrback(lambda _: None)
        bench.turn()
        bench.writable(yes=True)
    told = repr(logged)
    assert text not in told
    assert alice.sim.number not in told
    assert text not in repr(Inbound("memory", "m", "+99", text, 0.0))


def test_a_store_put_back_is_told_to_the_operator(bench: Any, alice: Handset, bob: Handset) -> None:
    """Once a phone proves it, Sam says aloud why it issues nothing, once."""
    snapshot = bench.world.copy_of_store()
    alice.receive(bench.world.answer(bench.world.ask(alice, bob)))
    bench.world.store.close()
    bench.world.open_store(snapshot)
    bench.start()
    with capturedLogs() as logged:
        for _ in range(3):
            bench.deliver(bench.ask(alice, bob))
            bench.turn()
    assert bench.counters["refused"] == 3
    assert [event["event"] for event in logged if event.get("event")] == ["behind"]


def parts_of(text: str, reference: int = 9, count: int = 3) -> list[Inbound]:
    """Cut a text into the parts of a long message."""
    size = -(-len(text) // count)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return [
        Inbound("memory", f"p{reference}-{n}", "+99", piece, 0.0, Part(reference, len(pieces), n))
        for n, piece in enumerate(pieces, 1)
    ]


def bring(bench: Any, *messages: Inbound) -> None:
    """Bring messages, one a turn; each must be acknowledged."""
    for message in messages:
        storing = stored(bench.sink, message)
        bench.turn()
        bench.done(storing)


def test_an_ask_in_parts_is_joined_across_restarts(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Each part is acknowledged once it is durable; the last one, days later, makes the ask."""
    first, second, third = parts_of(bench.ask(alice, bob))
    bring(bench, third)
    bench.start()
    bench.pass_time(5 * 86400, step=3600)
    bring(bench, first)
    bench.start()
    assert bench.carrier.submitted == []
    bring(bench, second)
    assert alice.receive(bench.carrier.submitted[0].text).key is not None
    assert (bench.counters["part"], bench.counters["issued"]) == (2, 1)


def test_parts_that_come_again_change_nothing(bench: Any, alice: Handset, bob: Handset) -> None:
    """Before and after the message is whole, a redelivered part is acknowledged and forgotten."""
    parts = parts_of(bench.ask(alice, bob))
    bring(bench, parts[0], parts[0], parts[1], parts[2], *parts)
    assert bench.counters["redelivered"] == 4
    assert len(bench.carrier.submitted) == 1
    with bench.world.store.transaction():
        assert bench.world.store.parts.count() == 0


def test_a_part_that_is_not_stored_is_not_acknowledged(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """While the disk is unwell, parts stay with the carrier."""
    parts = parts_of(bench.ask(alice, bob))
    bench.writable(yes=False)
    failed = stored(bench.sink, parts[0])
    bench.turn()
    with pytest.raises(StoreError):
        bench.done(failed)


def test_orphans_are_dropped_and_counted(bench: Any, alice: Handset, bob: Handset) -> None:
    """A part whose message never comes does not stay for ever."""
    lonely, *_ = parts_of(bench.ask(alice, bob))
    bring(bench, lonely)
    bench.clock.advance(8 * 86400)
    bring(bench, parts_of(bench.ask(alice, bob), reference=10)[0])
    assert bench.counters["part-dropped"] == 1


def test_a_redelivery_is_known_after_a_restart(bench: Any, alice: Handset, bob: Handset) -> None:
    """What was acknowledged, but not so that the carrier heard it, comes again and does nothing."""
    text = bench.ask(alice, bob)
    bench.deliver(text, "m1")
    bench.turn()
    bench.start()
    again = bench.deliver(text, "m1")
    bench.turn()
    bench.done(again)
    assert bench.counters["redelivered"] == 1
    assert bench.carrier.submitted == []


def test_the_same_identity_of_another_carrier_is_another_message(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Identities are a carrier's own."""
    bench.use(MemoryCarrier("other", bench.traffic.sink("other"), bench.clock))
    bring(bench, Inbound("memory", "m1", "+99", bench.ask(alice, bob), 0.0))
    message = Inbound("other", "m1", "+99", bench.ask(alice, bob), 0.0)
    storing = stored(bench.traffic.sink("other"), message)
    bench.turn()
    bench.done(storing)
    assert bench.counters["issued"] == 2


def test_repeats_are_not_queued_while_an_answer_waits(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """A phone that keeps asking while nothing can leave is sent its answer once, not ten times."""
    bench.carrier.disconnect()
    text = bench.ask(alice, bob)
    for _ in range(10):
        bench.deliver(text)
        bench.turn()
    assert (bench.counters["issued"], bench.counters["waiting"]) == (1, 9)
    bench.done(Deferred.fromCoroutine(bench.carrier.start()))
    bench.pass_time(1)
    assert len(bench.carrier.submitted) == 1
    bench.deliver(text)
    bench.turn()
    assert len(bench.carrier.submitted) == 2
    assert bench.counters["repeated"] == 1
    rows = bench.world.store.connection.execute("SELECT repeats FROM decision").fetchall()
    assert rows == [(1,)]


def test_a_phone_that_repeats_within_a_turn_is_answered_once(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Its answer is about to leave: the repeats are neither answered nor counted, then or later."""
    first, second = bench.ask(alice, bob), bench.ask(alice, bob)
    for text in (first, second, first, first):
        bench.deliver(text)
    bench.turn()
    assert (bench.counters["issued"], bench.counters["waiting"]) == (2, 2)
    for _ in range(3):
        bench.deliver(second)
    bench.turn()
    assert (bench.counters["repeated"], bench.counters["waiting"]) == (1, 4)
    assert len(bench.carrier.submitted) == 3
    rows = bench.world.store.connection.execute("SELECT repeats FROM decision ORDER BY id")
    assert rows.fetchall() == [(0,), (1,)]

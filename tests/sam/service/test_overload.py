"""Overload: bounded, fair, and cheap for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sinks import stored
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from dtns.gateway.carrier import Inbound
from dtns.gateway.memory import MemoryCarrier
from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.policy import Policy
from dtns.sam.service import intake as module
from dtns.sam.service.pace import Pace


def forged(bench: Any, alice: Handset, bob: Handset) -> str:
    """Return an ask with a bad MAC."""
    text = bench.ask(alice, bob)
    return text[:-3] + ("AAA" if text[-3:] != "AAA" else "QQQ")


def bring(
    bench: Any, carrier: str, text: str, identity: str, sender: str = "+99"
) -> Deferred[None]:
    """Bring a carrier's message."""
    message = Inbound(carrier, identity, sender, text, 0.0)
    return stored(bench.traffic.sink(carrier), message)


def test_what_is_beyond_the_bound_stays_with_the_carrier(
    bench: Any, alice: Handset, bob: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The intake keeps so many waiting; further ones are turned away, counted, and come again."""
    monkeypatch.setattr(module, "WAITING", 20)
    text = forged(bench, alice, bob)
    honest = bench.ask(alice, bob)
    for n in range(50):
        bench.carrier.deliver(f"+{n % 5}", text, f"f{n}")
    for n in range(5, 10):
        bench.carrier.deliver(f"+{n}", text, f"f5{n}")
    bench.carrier.deliver("+99", honest, "honest")
    bench.turn()
    assert bench.counters["overloaded"] == 36
    assert len(bench.carrier.unacknowledged) == 36
    assert "honest" in bench.carrier.unacknowledged
    bench.pass_time(10)
    assert bench.carrier.unacknowledged == {}
    assert bench.counters["forged"] == 55
    assert alice.receive(bench.carrier.submitted[0].text).key is not None


def test_a_flooded_carrier_does_not_hold_up_another(
    bench: Any, alice: Handset, bob: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every carrier has the same share of a turn, whatever waits of the others."""
    monkeypatch.setattr(module, "BATCH", 10)
    bench.use(MemoryCarrier("quiet", bench.traffic.sink("quiet"), bench.clock))
    text = forged(bench, alice, bob)
    for n in range(500):
        bring(bench, "memory", text, f"f{n}")
    honest = bring(bench, "quiet", bench.ask(alice, bob), "h")
    served_before: list[int] = []
    honest.addCallback(lambda _: served_before.append(bench.counters["forged"]))
    bench.turn()
    bench.done(honest)
    assert served_before[0] <= 20
    assert bench.counters["forged"] == 500


@pytest.mark.parametrize("senders", [1, 300])
def test_flooding_senders_do_not_hold_up_another(
    bench: Any,
    alice: Handset,
    bob: Handset,
    monkeypatch: pytest.MonkeyPatch,
    senders: int,
) -> None:
    """An honest ask is in the next transaction, however many messages of others wait."""
    monkeypatch.setattr(module, "BATCH", 10)
    text, events = forged(bench, alice, bob), list[str]()
    flood = [bring(bench, "memory", text, f"f{n}", f"+{n % senders}") for n in range(990)]
    for each in flood:
        each.addCallback(lambda _: events.append("forged"))

    def ask(_: None) -> None:
        honest = bring(bench, "memory", bench.ask(alice, bob), "h", "+254700000009")
        honest.addCallback(lambda _: events.append("honest"))

    flood[senders + 100].addCallback(ask)
    bench.turn()
    assert events.index("honest") <= senders + 100 + 2 * module.BATCH
    assert sorted(events) == ["forged"] * 990 + ["honest"]


def test_a_flooding_sender_leaves_room_for_others(
    bench: Any, alice: Handset, bob: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one sender only as many wait as are still free; another's is taken."""
    monkeypatch.setattr(module, "WAITING", 20)
    text = forged(bench, alice, bob)
    for n in range(15):
        bench.carrier.deliver("+99", text, f"f{n}")
    bench.carrier.deliver("+11", bench.ask(alice, bob), "honest")
    bench.turn()
    assert (bench.counters["overloaded"], bench.counters["forged"]) == (5, 10)
    assert bench.counters["issued"] == 1


def test_forged_asks_write_nothing(bench: Any, alice: Handset, bob: Handset) -> None:
    """A flood costs no write, so it fills no disk."""
    text = forged(bench, alice, bob)
    before = bench.world.store.connection.total_changes
    for n in range(300):
        bring(bench, "memory", text, f"f{n}")
    bench.turn()
    assert bench.counters["forged"] == 300
    assert bench.world.store.connection.total_changes == before


def test_a_carriers_inbound_rate_is_kept(bench: Any, alice: Handset, bob: Handset) -> None:
    """Beyond its rate a carrier's messages wait, unacknowledged, and none is lost."""
    bench.traffic.intake.limit("memory", 60)
    text = forged(bench, alice, bob)
    for n in range(20):
        bench.carrier.deliver("+99", text, f"f{n}")
    bench.pass_time(10)
    assert 9 <= bench.counters["forged"] <= 12
    bench.pass_time(15)
    assert bench.counters["forged"] == 20
    assert bench.carrier.unacknowledged == {}


def test_a_carriers_outbound_rate_is_kept(bench: Any, alice: Handset, bob: Handset) -> None:
    """Answers beyond the rate wait their turn; none is lost."""
    bench.use(bench.carrier, send_per_minute=60)
    for _ in range(20):
        bench.deliver(bench.ask(alice, bob))
    bench.pass_time(10)
    assert 9 <= len(bench.carrier.submitted) <= 12
    bench.pass_time(15)
    assert len(bench.carrier.submitted) == 20


def test_a_party_costs_only_so_many_sms_a_day(make_bench: Any) -> None:
    """Asks, refusals and repeats together stay within the day's shares, however hard one tries."""
    bench = make_bench(Policy(asks_per_day=5, repeats_per_day=7, repeats_per_ask=3))
    alice, bob = bench.world.phone(), bench.world.phone()
    texts = [bench.ask(alice, bob) for _ in range(30)]
    for _ in range(6):
        for text in texts:
            bench.deliver(text)
            bench.turn()
    assert len(bench.carrier.submitted) == 2 * 5 + 7
    assert {message.recipient for message in bench.carrier.submitted} == {f"+{alice.sim.number}"}
    bench.clock.advance(86400)
    for text in texts[:5]:
        bench.deliver(text)
        bench.turn()
    assert len(bench.carrier.submitted) <= 2 * (2 * 5 + 7)


def test_a_pace_gives_what_it_says() -> None:
    """So many a minute on the long run, one at once at least, nothing saved up."""
    times = iter([0.0, 0.0, 0.0, 0.0, 30.0, 30.0, 600.0])
    pace = Pace(2, lambda: next(times))
    assert pace.room(5) == 1
    pace.take(1)
    assert pace.room(5) == 0
    assert pace.wait() == pytest.approx(30)
    assert pace.room(5) == 1
    pace.take(1)
    assert pace.wait() == pytest.approx(30)
    assert pace.room(5) == 1


def test_no_limit_is_no_limit() -> None:
    """A rate of 0 lets everything through at once."""
    pace = Pace(0, lambda: 0.0)
    assert pace.room(10**6) == 10**6
    assert pace.wait() == 0


@pytest.mark.parametrize("waiting", [0, 1])
def test_answers_that_have_to_wait_leave_in_turns(make_bench: Any, waiting: int) -> None:
    """A party that asked a hundred times in a turn does not hold up another that asked once."""
    bench = make_bench(Policy(asks_per_day=500))
    flooder, late, bob = (bench.world.phone() for _ in range(3))
    bench.use(bench.carrier, in_flight=10, send_per_minute=60)
    for _ in range(waiting):
        bench.deliver(bench.ask(flooder, bob))
        bench.deliver(bench.ask(flooder, bob))
        bench.turn()
    for _ in range(100):
        bench.deliver(bench.ask(flooder, bob), sender="+1")
    bench.deliver(bench.ask(late, bob), sender="+2")
    bench.pass_time(120)
    order = [message.recipient for message in bench.carrier.submitted]
    assert len(order) == 101 + 2 * waiting
    assert order.index(f"+{late.sim.number}") <= 1 + 2 * waiting


def test_the_same_message_twice_is_settled_twice(
    bench: Any, alice: Handset, bob: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever brings a message twice at once hears of both, though they wait for their turns."""
    monkeypatch.setattr(module, "BATCH", 1)
    message = Inbound("memory", "m1", "+99", bench.ask(alice, bob), 0.0)
    heard: list[Inbound] = []

    def settled(messages: Sequence[Inbound], failure: Failure | None) -> None:
        assert failure is None
        heard.extend(messages)

    bench.sink.received([message, message, message], settled)
    bench.turn(10)
    assert heard == [message] * 3
    assert (bench.counters["issued"], bench.counters["redelivered"]) == (1, 2)

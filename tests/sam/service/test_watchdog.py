"""The watchdog: a carrier that stalls is noticed, and stopped and started."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from onebyone import OneByOne
from sinks import stored
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from dtns.gateway.carrier import Accepted, Failed, Inbound, Outbound
from dtns.sam.handset.handset import Handset
from dtns.sam.service.watchdog import Patience, Watchdog


class Carrier(OneByOne):
    """A carrier that answers only if told to; stopping it ends nothing."""

    def __init__(self, name: str = "memory", *, answers: bool = False) -> None:
        self.name = name
        self.answers = answers
        self.connected = True
        self.events: list[str] = []
        self.sent: list[Outbound] = []

    async def start(self) -> None:
        """Connect."""
        self.events.append("start")

    async def stop(self) -> None:
        """Disconnect."""
        self.events.append("stop")

    async def send(self, message: Outbound) -> Accepted | Failed:
        """Answer, or never."""
        self.sent.append(message)
        if self.answers:
            return Accepted(message.reference, f"net-{len(self.sent)}")
        return await Deferred()


@pytest.fixture
def watchdog(bench: Any) -> Watchdog:
    """A watchdog over the bench, patient for a minute."""
    watchdog = Watchdog(
        bench.outbox.routes,
        counters=bench.counters,
        reactor=bench.clock,
        patience=Patience(deafness=600),
    )
    watchdog.start()
    return watchdog


def inbound(bench: Any, carrier: str, number: int) -> None:
    """Bring a carrier's junk."""
    stored(bench.traffic.sink(carrier), Inbound(carrier, f"i{number}", "+9", "junk", 0.0))
    bench.turn()


def test_a_carrier_that_answers_no_sending_is_started_anew(
    bench: Any, watchdog: Watchdog, alice: Handset, bob: Handset
) -> None:
    """It is logged, counted and shown; the answer goes again, as one perhaps sent."""
    carrier = Carrier()
    bench.use(carrier, patience=60)
    bench.deliver(bench.ask(alice, bob))
    bench.pass_time(55)
    assert carrier.events == ["start"]
    carrier.answers = True
    with capturedLogs() as logged:
        bench.pass_time(20)
    assert carrier.events == ["start", "stop", "start"]
    assert bench.counters["carrier-stalled"] == 1
    assert bench.counters["answers-perhaps-sent"] == 1
    assert any(event.get("event") == "carrier-stalled" for event in logged)
    assert bench.traffic.carriers()["memory"].stalls == 1
    assert bench.states() == {"accepted": 1}
    assert len({message.reference for message in carrier.sent}) == 1


def test_a_carrier_that_does_not_stop_is_started_all_the_same(
    bench: Any, watchdog: Watchdog, alice: Handset, bob: Handset
) -> None:
    """Half a minute is enough for a stop."""

    class Stubborn(Carrier):
        async def stop(self) -> None:
            await Deferred()

    carrier = Stubborn()
    bench.use(carrier, patience=60)
    bench.deliver(bench.ask(alice, bob))
    bench.pass_time(110)
    assert carrier.events[:2] == ["start", "start"]


def test_a_slow_carrier_that_goes_on_answering_is_left_alone(
    bench: Any, watchdog: Watchdog, alice: Handset, bob: Handset
) -> None:
    """Many wait, one is answered now and then: slow, but alive."""
    waiting: list[Deferred[Accepted]] = []

    class Slow(Carrier):
        async def send(self, message: Outbound) -> Accepted | Failed:
            waiting.append(Deferred())
            return await waiting[-1]

    carrier = Slow()
    bench.use(carrier, patience=60)
    for _ in range(10):
        bench.deliver(bench.ask(alice, bob))
    bench.turn()
    for number in range(8):
        bench.pass_time(50, step=5)
        waiting[number].callback(Accepted("r", f"net-{number}"))
    assert carrier.events == ["start"]


def test_a_carrier_that_hears_nothing_while_others_do_is_started_anew(
    bench: Any, watchdog: Watchdog
) -> None:
    """Deaf for ten minutes beside one that hears; a quiet network alone is no reason."""
    deaf, hearing = Carrier("deaf"), Carrier("hearing")
    bench.use(deaf)
    bench.use(hearing)
    bench.pass_time(1000, step=5)
    assert (deaf.events, hearing.events) == (["start"], ["start"])
    for number in range(15):
        inbound(bench, "hearing", number)
        bench.pass_time(100, step=5)
    assert deaf.events[:3] == ["start", "stop", "start"]
    assert hearing.events == ["start"]


def test_carriers_of_different_networks_are_not_compared(bench: Any, watchdog: Watchdog) -> None:
    """That phones of one network ask says nothing about the carrier of another."""
    quiet = Carrier("quiet")
    bench.use(quiet, network="other")
    for number in range(15):
        inbound(bench, "memory", number)
        bench.pass_time(100, step=5)
    assert quiet.events == ["start"]


def test_a_disconnected_carrier_is_not_stalled(bench: Any, watchdog: Watchdog) -> None:
    """A carrier that knows it has no network mends itself."""
    away = Carrier("away")
    away.connected = False
    bench.use(away)
    for number in range(15):
        inbound(bench, "memory", number)
        bench.pass_time(100, step=5)
    assert away.events == ["start"]


def test_a_stopped_watchdog_sleeps(bench: Any, watchdog: Watchdog) -> None:
    """No timer is left behind."""
    watchdog.stop()
    bench.pass_time(1)
    assert bench.clock.getDelayedCalls() == []
    assert bench.counters == Counter()

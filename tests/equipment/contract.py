"""The contract of a carrier, to be run against every provider.

A provider's tests subclass `Contract` with a `NetworkSide` of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from dtns.gateway.carrier import Accepted, Carrier, Failed, Inbound, Outbound, Report
from dtns.gateway.errors import ReferenceReusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dtns.gateway.carrier import Settled

PHONE = "+254700000001"
SAM = "700"
MESSAGE = Outbound("ref-1", PHONE, "an answer", 3600)


def running(awaitable: Any) -> Deferred[Any]:
    """Start it now, whether it is a coroutine or a Deferred."""
    return ensureDeferred(awaitable)


async def until(condition: Callable[[], object]) -> None:
    """Wait until *condition* holds; the test's time limit ends it if it never does."""
    while not condition():
        await deferLater(reactor, 0.01)


class RecordingSink:
    """Records what comes; stores when `gate` lets it, and fails `faults` times first."""

    def __init__(self) -> None:
        self.messages: list[Inbound] = []
        self.reports: list[Report] = []
        self.gate: Deferred[None] | None = None
        self.faults = 0

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Store messages."""
        self.messages += messages
        if self.gate is None:
            self._settle(messages, settled)
        else:
            self.gate.addCallback(lambda _: self._settle(messages, settled))

    def _settle(self, messages: Sequence[Inbound], settled: Settled) -> None:
        faulty, good = messages[: self.faults], messages[self.faults :]
        self.faults -= len(faulty)
        if faulty:
            settled(faulty, Failure(OSError("disk full")))
        if good:
            settled(good, None)

    async def reported(self, report: Report) -> None:
        """Store a report."""
        self.reports.append(report)


class NetworkSide(Protocol):
    """A carrier, and the network behind it as the test moves it."""

    carrier: Carrier
    sink: RecordingSink

    async def set_up(self) -> None:
        """Make the network; the carrier is not started."""

    async def tear_down(self) -> None:
        """Take everything down; the carrier is stopped already."""

    async def disconnect(self) -> None:
        """Take the network away."""

    def deliver(self, text: str) -> None:
        """Have the phone send *text* to the carrier's number."""

    def unacknowledged(self) -> int:
        """Count the phone's messages that the carrier has not acknowledged."""

    async def submitted(self) -> list[tuple[str, str]]:
        """List recipient and text of all messages the carrier submitted."""

    async def settle(self) -> None:
        """Let the phone acknowledge what it got, so that it is reported delivered."""


class Contract:
    """What every carrier promises."""

    timeout = 20
    network: NetworkSide

    def make_network(self) -> NetworkSide:
        """Make the provider's network side."""
        raise NotImplementedError

    async def setUp(self) -> None:
        """Make the network and start the carrier."""
        self.network = self.make_network()
        await self.network.set_up()
        self.carrier, self.sink = self.network.carrier, self.network.sink
        await self.start()

    async def tearDown(self) -> None:
        """Stop everything."""
        await self.carrier.stop()
        await self.network.tear_down()

    async def start(self) -> None:
        """Start the carrier and wait for its connection."""
        await self.carrier.start()
        await until(lambda: self.carrier.connected)

    async def test_a_message_comes_in(self) -> None:
        """A message reaches the sink whole, with an identity of its own, and is acknowledged."""
        self.network.deliver("first")
        self.network.deliver("second")
        await until(lambda: len(self.sink.messages) == 2 and not self.network.unacknowledged())
        first, second = self.sink.messages
        assert (first.carrier, first.sender, first.text) == ("the carrier", PHONE, "first")
        assert second.text == "second"
        assert first.identity != second.identity
        assert abs(first.received_at - reactor.seconds()) < 60

    async def test_acknowledged_only_once_stored(self) -> None:
        """Nothing is acknowledged while the sink is storing it."""
        self.sink.gate = Deferred()
        self.network.deliver("text")
        await until(lambda: self.sink.messages)
        await deferLater(reactor, 0.05)
        assert self.network.unacknowledged() == 1
        self.sink.gate.callback(None)
        await until(lambda: not self.network.unacknowledged())
        assert len(self.sink.messages) == 1

    async def test_a_slow_message_holds_up_no_other(self) -> None:
        """While one message is being stored the next ones are stored too."""
        slow: Deferred[None] = Deferred()
        self.sink.gate = slow
        self.network.deliver("slow")
        await until(lambda: self.sink.messages)
        self.sink.gate = None
        self.network.deliver("quick")
        await until(lambda: self.network.unacknowledged() == 1)
        slow.callback(None)

    async def test_offered_again_if_not_stored(self) -> None:
        """If the sink fails, the same message is offered again until it is stored."""
        self.sink.faults = 1
        self.network.deliver("text")
        await until(lambda: len(self.sink.messages) == 2 and not self.network.unacknowledged())
        first, second = self.sink.messages
        assert (first.identity, first.text) == (second.identity, second.text)
        assert len(self.flushLoggedErrors(OSError)) == 1

    async def test_some_of_many_are_stored(self) -> None:
        """Of what comes at once, what is stored is acknowledged; the rest is offered again."""
        self.sink.gate, self.sink.faults = Deferred(), 2
        for number in range(10):
            self.network.deliver(f"text {number}")
        await until(lambda: len(self.sink.messages) == 10)
        gate, self.sink.gate = self.sink.gate, None
        gate.callback(None)
        await until(lambda: self.network.unacknowledged() == 2)
        await until(lambda: not self.network.unacknowledged())
        assert len(self.sink.messages) == 12
        assert len({each.identity for each in self.sink.messages}) == 10
        self.flushLoggedErrors(OSError)

    async def test_redelivered_after_a_restart(self) -> None:
        """What was not stored before a stop comes again after the start, with its identity."""
        self.sink.faults = 1
        self.network.deliver("text")
        await until(lambda: not self.sink.faults)
        await self.carrier.stop()
        assert self.network.unacknowledged() == 1
        await self.start()
        await until(lambda: not self.network.unacknowledged())
        first, second = self.sink.messages
        assert first.identity == second.identity
        self.flushLoggedErrors(OSError)

    async def test_stop_waits_for_the_sink(self) -> None:
        """A stop lets the sink finish, acknowledges, and calls it no more."""
        self.sink.gate = Deferred()
        self.network.deliver("text")
        await until(lambda: self.sink.messages)
        stopping = running(self.carrier.stop())
        await deferLater(reactor, 0.05)
        assert not stopping.called
        self.sink.gate.callback(None)
        await stopping
        assert not self.carrier.connected
        self.network.deliver("after the stop")
        await deferLater(reactor, 0.05)
        assert len(self.sink.messages) == 1

    async def test_send(self) -> None:
        """A message sent is submitted once, and accepted under its reference."""
        answer = await self.carrier.send(MESSAGE)
        assert isinstance(answer, Accepted)
        assert answer.reference == MESSAGE.reference
        assert await self.network.submitted() == [(PHONE, "an answer")]

    async def test_never_submitted_twice(self) -> None:
        """The same message, at the same time and later, is submitted once; another is refused."""
        answers = await gatherResults([running(self.carrier.send(MESSAGE)) for _ in range(3)])
        answers.append(await self.carrier.send(MESSAGE))
        assert len(set(answers)) == 1
        assert isinstance(answers[0], Accepted)
        with pytest.raises(ReferenceReusedError):
            await self.carrier.send(Outbound(MESSAGE.reference, PHONE, "another", 3600))
        assert await self.network.submitted() == [(PHONE, "an answer")]

    async def test_many_at_once(self) -> None:
        """Each has one outcome, whatever becomes of the others."""
        many = [Outbound(f"m{number}", PHONE, f"text {number}", 3600) for number in range(20)]
        long = Outbound("long", PHONE, "x" * 161, 3600)
        reused = Outbound("m3", PHONE, "another", 3600)
        outcomes: list[Any] = []
        self.carrier.send_all([long, *many, reused], outcomes.extend)
        await until(lambda: len(outcomes) == 22)
        refused = [each for each in outcomes if isinstance(each, Failed)]
        assert {(each.reference, each.permanent) for each in refused} == {
            ("long", True),
            ("m3", True),
        }
        accepted = [each for each in outcomes if isinstance(each, Accepted)]
        assert sorted(each.reference for each in accepted) == sorted(m.reference for m in many)
        again: list[Any] = []
        self.carrier.send_all(many[:5], again.extend)
        assert set(again) < set(accepted)
        submitted = await self.network.submitted()
        assert sorted(submitted) == sorted((PHONE, message.text) for message in many)

    async def test_many_while_disconnected(self) -> None:
        """Without a connection each fails at once, for now."""
        await self.network.disconnect()
        outcomes: list[Any] = []
        many = [Outbound(f"m{number}", PHONE, "text", 3600) for number in range(3)]
        self.carrier.send_all(many, outcomes.extend)
        assert [each.reference for each in outcomes] == ["m0", "m1", "m2"]
        assert not any(each.permanent or each.maybe_sent for each in outcomes)

    async def test_refused_for_good(self) -> None:
        """A text that no short message can hold fails for good, with the reason."""
        answer = await self.carrier.send(Outbound("ref-2", PHONE, "x" * 161, 3600))
        assert isinstance(answer, Failed)
        assert (answer.reference, answer.permanent, answer.maybe_sent) == ("ref-2", True, False)
        assert "161" in answer.reason
        assert await self.network.submitted() == []

    async def test_send_while_disconnected(self) -> None:
        """Without a connection a send fails at once, for now, and has surely not been sent."""
        await self.network.disconnect()
        answer = await self.carrier.send(MESSAGE)
        assert isinstance(answer, Failed)
        assert (answer.permanent, answer.maybe_sent) == (False, False)
        assert await self.network.submitted() == []

    async def test_delivery_report(self) -> None:
        """What became of a message comes with its reference and the network's id."""
        answer = await self.carrier.send(MESSAGE)
        await self.network.settle()
        await until(lambda: self.sink.reports)
        assert isinstance(answer, Accepted)
        expected = Report(answer.carrier_id, MESSAGE.reference, "delivered")
        assert self.sink.reports == [expected]

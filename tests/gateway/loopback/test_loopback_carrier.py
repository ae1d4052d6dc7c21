"""The loopback carrier beyond the contract: reconnecting, turns, and deaths on either side."""

from __future__ import annotations

import random
import signal
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from dtns.gateway.carrier import Accepted, Failed, Inbound, Outbound, Report
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.address import TcpAddress, parse_address
from dtns.gateway.loopback.carrier import IN_FLIGHT, LoopbackCarrier
from dtns.gateway.loopback.handset import Line
from dtns.gateway.loopback.wire import decode_from_client, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dtns.gateway.carrier import Settled

SAM = "700"
PHONE = "+254700000001"


class Sink:
    """Records what comes; the first message waits for `gate` if there is one."""

    def __init__(self) -> None:
        self.messages: list[Inbound] = []
        self.reports: list[Report] = []
        self.gate: Deferred[None] | None = None

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Store messages."""
        self.messages += messages
        if self.gate is None:
            settled(messages, None)
        else:
            self.gate.addCallback(lambda _: settled(messages, None))

    async def reported(self, report: Report) -> None:
        """Store a report."""
        self.reports.append(report)


def outbound(number: int) -> Outbound:
    """Make a message with a reference of its own."""
    return Outbound(f"ref-{number}", PHONE, f"answer {number}", 3600)


class CarrierOnStringsTests(SynchronousTestCase):
    """A carrier on a reactor of the test's own, without sockets."""

    def setUp(self) -> None:
        """Make and start a carrier."""
        self.reactor = MemoryReactorClock()
        self.carrier = LoopbackCarrier(
            "loopback",
            TcpAddress("127.0.0.1", 7700),
            SAM,
            Sink(),
            reactor=self.reactor,
            random=random.Random(1),
        )
        self.await_(self.carrier.start())

    def await_(self, awaitable: Any) -> Any:
        """Return what *awaitable* returns at once."""
        return self.successResultOf(ensureDeferred(awaitable))

    def refuse(self) -> None:
        """Refuse the latest attempt to connect."""
        factory = self.reactor.tcpClients[-1][2]
        factory.clientConnectionFailed(None, Failure(Refused()))

    def connect(self) -> tuple[Any, StringTransport]:
        """Let the latest attempt succeed, and attach."""
        protocol = self.reactor.tcpClients[-1][2].buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(encode(op.Attached(SAM)))
        return protocol, transport

    def test_retries_for_ever_with_growing_pauses(self) -> None:
        """Each refusal is followed by another attempt, after pauses that grow to 10 s + jitter."""
        pauses = []
        for attempt in range(2, 40):
            self.refuse()
            started = self.reactor.seconds()
            while len(self.reactor.tcpClients) < attempt:
                self.reactor.advance(0.05)
            pauses.append(self.reactor.seconds() - started)
        assert pauses[0] < 1.5
        assert all(10 <= pause <= 11.1 for pause in pauses[-20:])
        assert len(set(pauses[-20:])) > 5

    def test_pauses_grow_if_connections_do_not_last(self) -> None:
        """A connection that is lost at once does not make the next pause short."""
        for _ in range(15):
            protocol, _ = self.connect()
            protocol.connectionLost(Failure(Refused()))
            self.reactor.advance(11.1)
        protocol, _ = self.connect()
        attempts = len(self.reactor.tcpClients)
        protocol.connectionLost(Failure(Refused()))
        self.reactor.advance(9)
        assert len(self.reactor.tcpClients) == attempts
        self.reactor.advance(2.1)
        protocol, _ = self.connect()
        self.reactor.advance(10)
        protocol.connectionLost(Failure(Refused()))
        self.reactor.advance(1.5)
        assert len(self.reactor.tcpClients) == attempts + 2

    def test_connected_once_attached(self) -> None:
        """A socket alone is no connection; the network's answer to the attachment is."""
        waiting = self.carrier.when_connected()
        protocol = self.reactor.tcpClients[-1][2].buildProtocol(None)
        protocol.makeConnection(StringTransport())
        assert not self.carrier.connected
        self.assertNoResult(waiting)
        protocol.dataReceived(encode(op.Attached(SAM)))
        assert self.carrier.connected
        self.successResultOf(waiting)
        self.successResultOf(self.carrier.when_connected())
        protocol.connectionLost(Failure(Refused()))
        assert not self.carrier.connected

    def test_turns(self) -> None:
        """At most so many sends are under way; the others wait their turn, in order."""
        protocol, transport = self.connect()
        sends = [self.carrier.send(outbound(number)) for number in range(IN_FLIGHT + 10)]
        submitted = [
            said.id
            for said in map(decode_from_client, transport.value().splitlines())
            if isinstance(said, op.Submit)
        ]
        assert submitted == [f"ref-{number}" for number in range(IN_FLIGHT)]
        protocol.dataReceived(encode(op.Accepted("ref-3", "n3")))
        assert b'"ref-64"' in transport.value()
        assert self.successResultOf(sends[3]) == Accepted("ref-3", "n3")
        protocol.connectionLost(Failure(Refused()))
        answers = [self.successResultOf(send) for send in sends[:3] + sends[4:]]
        assert [answer.maybe_sent for answer in answers] == [True] * IN_FLIGHT + [False] * 9

    def test_a_stop_ends_attempts(self) -> None:
        """After a stop there are no attempts and no timers; sends fail."""
        self.refuse()
        self.await_(self.carrier.stop())
        assert self.reactor.getDelayedCalls() == []
        answer = self.await_(self.carrier.send(outbound(1)))
        assert isinstance(answer, Failed)

    def test_what_cannot_be_written(self) -> None:
        """A recipient or reference that the wire cannot carry fails for good, unsent."""
        _, transport = self.connect()
        transport.clear()
        for message in (
            Outbound("ref", "nobody", "text", 60),
            Outbound("a ref", PHONE, "text", 60),
            Outbound("ref", PHONE, "text", 0),
        ):
            answer = self.await_(self.carrier.send(message))
            assert isinstance(answer, Failed)
            assert (answer.permanent, answer.maybe_sent) == (True, False)
        assert transport.value() == b""


class CarrierOnSocketsTests(TestCase):
    """A carrier and a network in a process of its own."""

    timeout = 30

    @pytest.fixture(autouse=True)
    def _use(self, network_process: Callable[[str], Any]) -> None:
        self.start_network = network_process

    def setUp(self) -> None:
        """Choose an address."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.address = f"unix:{directory.name}/n.sock"
        self.sink = Sink()

    async def start_carrier(self, sink: Sink) -> LoopbackCarrier:
        """Start a carrier and wait for its connection."""
        carrier = LoopbackCarrier(
            "loopback",
            parse_address(self.address),
            SAM,
            sink,
            reactor=reactor,
            random=random.Random(1),
        )
        await carrier.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(carrier.stop()))
        await carrier.when_connected()
        return carrier

    async def phone_sends(self, *texts: str) -> None:
        """Have a phone send *texts*."""

        def send() -> None:
            with Line(self.address, PHONE) as phone:
                for text in texts:
                    assert isinstance(phone.submit(SAM, text), Accepted)

        await deferToThread(send)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until *condition* holds."""
        while not condition():
            await deferLater(reactor, 0.01)

    async def test_network_killed_and_back(self) -> None:
        """When the network's process dies and returns, the carrier goes on by itself."""
        network = self.start_network(self.address)
        carrier = await self.start_carrier(self.sink)
        network.end(signal.SIGKILL)
        await self.until(lambda: not carrier.connected)
        answer = await carrier.send(outbound(1))
        assert isinstance(answer, Failed)
        assert not answer.permanent
        self.start_network(self.address)
        await carrier.when_connected()
        assert isinstance(await carrier.send(outbound(1)), Accepted)
        await self.phone_sends("after the restart")
        await self.until(lambda: self.sink.messages)
        assert self.sink.messages[0].text == "after the restart"

    async def test_network_killed_with_sends_under_way(self) -> None:
        """Sends that a dying network did not answer are left open; none hangs, none is lost."""
        network = self.start_network(self.address)
        carrier = await self.start_carrier(self.sink)
        network.process.send_signal(signal.SIGSTOP)
        sends = [carrier.send(outbound(number)) for number in range(IN_FLIGHT + 36)]
        await deferLater(reactor, 0.1)
        assert not any(send.called for send in sends)
        network.end(signal.SIGKILL)
        answers = await gatherResults(sends)
        assert [answer.maybe_sent for answer in answers] == [True] * IN_FLIGHT + [False] * 36

    async def test_service_dies_before_it_acknowledges(self) -> None:
        """What a dead service had not stored goes to the next one, with the same identity."""
        self.start_network(self.address)
        dying = await self.start_carrier(self.sink)
        self.sink.gate = Deferred()
        await self.phone_sends("first", "second")
        await self.until(lambda: len(self.sink.messages) == 2)
        assert dying._link is not None
        dying._link.abort()
        dying._service.stopService()
        next_sink = Sink()
        await self.start_carrier(next_sink)
        await self.until(lambda: len(next_sink.messages) == 2)
        assert [message.identity for message in next_sink.messages] == [
            message.identity for message in self.sink.messages
        ]
        self.sink.gate.callback(None)

    async def test_acknowledged_on_the_next_connection(self) -> None:
        """A message stored while the connection broke is acknowledged on the next one."""
        self.start_network(self.address)
        carrier = await self.start_carrier(self.sink)
        self.sink.gate = Deferred()
        await self.phone_sends("text")
        await self.until(lambda: self.sink.messages)
        assert carrier._link is not None
        carrier._link.abort()
        await self.until(lambda: not carrier.connected)
        await carrier.when_connected()
        await deferLater(reactor, 0.05)
        self.sink.gate.callback(None)
        await deferLater(reactor, 0.05)
        assert len(self.sink.messages) == 1
        await carrier.stop()
        last_sink = Sink()
        await self.start_carrier(last_sink)
        await deferLater(reactor, 0.05)
        assert last_sink.messages == []

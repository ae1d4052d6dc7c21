"""What an exchange over SMPP costs, in counts that no busy machine can change."""

from __future__ import annotations

import gc
import random
import sys
from typing import Any

import smpp34
from sinks import KeepingSink
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from dtns.gateway.carrier import Accepted, Failed, Outbound
from dtns.gateway.smpp.carrier import SmppCarrier
from dtns.gateway.smpp.messages import Address
from dtns.gateway.smpp.pdu import RESPONSE, Command, Frames, Pdu
from dtns.gateway.smpp.settings import Settings

READ = 32
MOST_CALLS = 145
MOST_BLOCKS = 10
MOST_OBJECTS = 0.1


class Transport(StringTransport):
    """Keeps what is written, and counts how often."""

    writes = 0

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.writes += 1
        super().write(data)

    def setTcpNoDelay(self, enabled: Any) -> None:  # noqa: N802 # Twisted's name
        """Have no delay anyway."""


class Exchange:
    """A carrier on a transport of the test's own, and an SMSC at its other end."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.sink = KeepingSink()
        self.outcomes: list[Accepted | Failed] = []
        self.clock = Clock()
        self.protocol: Any = None
        self.count = 0
        settings = Settings(self, "here", "sam", "secret", Address("700"), window=READ)
        self.carrier = SmppCarrier(
            "smpp", {"one": settings}, self.sink, random=random.Random(1), reactor=self.clock
        )
        Deferred.fromCoroutine(self.carrier.start())
        ((_, _, sequence, _),) = self.said()
        bound = Pdu(Command.BIND_TRANSCEIVER | RESPONSE, 0, sequence, b"smsc\0")
        self.protocol.dataReceived(bound.encode())
        assert self.carrier.connected

    def connect(self, factory: Any) -> Deferred[Any]:
        """Connect, as an endpoint does."""
        self.protocol = factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        return succeed(self.protocol)

    def said(self) -> list[Pdu]:
        """Return what the carrier said since."""
        said = list(Frames().feed(self.transport.value()))
        self.transport.clear()
        return said

    def next_read(self) -> tuple[bytes, list[Outbound]]:
        """Return a read of deliveries, and what is to be sent back."""
        octets, messages = [], []
        for number in range(self.count + 1, self.count + READ + 1):
            phone, text = f"2547{number:08}", f"ASK{number}".ljust(52, "A")
            delivery = smpp34.DeliverSm(phone, "700", text.encode(), sequence_number=number)
            octets.append(delivery.encode())
            messages.append(Outbound(f"ref-{number}", f"+{phone}", text, 3600))
        self.count += READ
        return b"".join(octets), messages

    def answers(self) -> bytes:
        """Return the SMSC's answers to what was submitted."""
        answers = [
            Pdu(pdu.command | RESPONSE, 0, pdu.sequence, b"%d\0" % pdu.sequence).encode()
            for pdu in self.said()
            if pdu.command == Command.SUBMIT_SM
        ]
        assert len(answers) == READ
        return b"".join(answers)

    def run(self) -> None:
        """Let a read come, its messages be sent back, and these be answered."""
        octets, messages = self.next_read()
        self.protocol.dataReceived(octets)
        self.carrier.send_all(messages, self.outcomes.extend)
        self.protocol.dataReceived(self.answers())
        assert len(self.sink.messages) == len(self.outcomes) == READ
        assert all(isinstance(outcome, Accepted) for outcome in self.outcomes)
        self.sink.messages.clear()
        self.outcomes.clear()


def test_calls_of_an_exchange() -> None:
    """The calls that Python makes for a delivery, its answer, a submission and its answer."""
    exchange, calls = Exchange(), 0
    exchange.run()

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    octets, messages = exchange.next_read()
    sys.setprofile(count)
    exchange.protocol.dataReceived(octets)
    exchange.carrier.send_all(messages, exchange.outcomes.extend)
    sys.setprofile(None)
    octets = exchange.answers()
    sys.setprofile(count)
    exchange.protocol.dataReceived(octets)
    sys.setprofile(None)
    assert len(exchange.outcomes) == READ
    assert calls / READ <= MOST_CALLS


def test_a_read_is_acknowledged_in_one_write() -> None:
    """So are all messages of one call submitted in one."""
    exchange = Exchange()
    octets, messages = exchange.next_read()
    start = exchange.transport.writes
    exchange.protocol.dataReceived(octets)
    assert exchange.transport.writes == start + 1
    acknowledged = exchange.said()
    assert [pdu.sequence for pdu in acknowledged] == list(range(1, READ + 1))
    exchange.carrier.send_all(messages, exchange.outcomes.extend)
    assert exchange.transport.writes == start + 2
    assert len(exchange.said()) == READ


def test_memory_of_an_exchange() -> None:
    """What is remembered of one is a few strings and tuples, none that garbage collection sees."""
    exchange = Exchange()
    exchange.run()
    gc.collect()
    objects, blocks = len(gc.get_objects()), sys.getallocatedblocks()
    for _ in range(50):
        exchange.run()
    gc.collect()
    assert (len(gc.get_objects()) - objects) / (50 * READ) <= MOST_OBJECTS
    assert (sys.getallocatedblocks() - blocks) / (50 * READ) <= MOST_BLOCKS

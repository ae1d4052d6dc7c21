"""An SMPP carrier on a connection in memory, and what goes over it: counted and timed."""

from __future__ import annotations

import random
import time
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
    """A carrier on a connection in memory, and an SMSC that delivers *read* messages at a time."""

    def __init__(self, read: int) -> None:
        self.read = read
        self.transport = Transport()
        self.sink = KeepingSink()
        self.outcomes: list[Accepted | Failed] = []
        self.clock = Clock()
        self.protocol: Any = None
        self.count = 0
        settings = Settings(self, "here", "sam", "secret", Address("700"), window=read)
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
        for number in range(self.count + 1, self.count + self.read + 1):
            phone, text = f"2547{number:08}", f"ASK{number}".ljust(52, "A")
            delivery = smpp34.DeliverSm(phone, "700", text.encode(), sequence_number=number)
            octets.append(delivery.encode())
            messages.append(Outbound(f"ref-{number}", f"+{phone}", text, 3600))
        self.count += self.read
        return b"".join(octets), messages

    def answers(self) -> bytes:
        """Return the SMSC's answers to what was submitted."""
        answers = [
            Pdu(pdu.command | RESPONSE, 0, pdu.sequence, b"%d\0" % pdu.sequence).encode()
            for pdu in self.said()
            if pdu.command == Command.SUBMIT_SM
        ]
        assert len(answers) == self.read
        return b"".join(answers)

    def run(self) -> tuple[float, float, float]:
        """Let a read come, its messages be sent back, and these be answered.

        Returns the CPU seconds of each step.
        """
        octets, messages = self.next_read()
        began = time.thread_time()
        self.protocol.dataReceived(octets)
        came = time.thread_time()
        self.carrier.send_all(messages, self.outcomes.extend)
        sent = time.thread_time()
        octets = self.answers()
        answered = time.thread_time()
        self.protocol.dataReceived(octets)
        steps = came - began, sent - came, time.thread_time() - answered
        assert len(self.sink.messages) == len(self.outcomes) == self.read
        assert all(isinstance(outcome, Accepted) for outcome in self.outcomes)
        self.sink.messages.clear()
        self.outcomes.clear()
        return steps

"""The contract of a carrier, kept by memory and by the loopback network."""

from __future__ import annotations

import random
import tempfile

from contract import MESSAGE, PHONE, SAM, Contract, NetworkSide, RecordingSink, until
from twisted.internet import reactor
from twisted.internet.endpoints import connectProtocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.address import parse_address
from dtns.gateway.loopback.carrier import LoopbackCarrier, client_endpoint
from dtns.gateway.loopback.conditions import Conditions
from dtns.gateway.loopback.link import Link
from dtns.gateway.loopback.server import LoopbackServer
from dtns.gateway.memory import MemoryCarrier


class MemoryNetwork:
    """The in-memory provider."""

    def __init__(self) -> None:
        self.sink = RecordingSink()
        self.carrier = MemoryCarrier("the carrier", self.sink, reactor)

    async def set_up(self) -> None:
        """Nothing to make."""

    async def tear_down(self) -> None:
        """Nothing to take down."""

    async def disconnect(self) -> None:
        """Take the network away."""
        self.carrier.disconnect()

    def deliver(self, text: str) -> None:
        """Have the phone send *text*."""
        self.carrier.deliver(PHONE, text)

    def unacknowledged(self) -> int:
        """Count the phone's messages that are not acknowledged."""
        return len(self.carrier.unacknowledged)

    async def submitted(self) -> list[tuple[str, str]]:
        """List recipient and text of all messages submitted."""
        return [(message.recipient, message.text) for message in self.carrier.submitted]

    async def settle(self) -> None:
        """Report the message delivered."""
        self.carrier.report("memory-1", MESSAGE.reference, "delivered")


class LoopbackNetwork:
    """The loopback network, its server in this process, behind a real socket."""

    def __init__(self, address: str) -> None:
        self.sink = RecordingSink()
        self.server = LoopbackServer(reactor, parse_address(address), Conditions(), seed=1)
        self.carrier: LoopbackCarrier
        self.phone = Link(reactor, PHONE, self)
        self.phone_attached = False
        self.at_the_phone: list[op.Deliver] = []

    async def set_up(self) -> None:
        """Listen, and attach the phone."""
        address = await self.server.start()
        self.carrier = LoopbackCarrier(
            "the carrier", address, SAM, self.sink, reactor=reactor, random=random.Random(1)
        )
        await connectProtocol(client_endpoint(reactor, address), self.phone)
        await until(lambda: self.phone_attached)

    async def tear_down(self) -> None:
        """Stop listening."""
        await self.server.stop()
        await until(lambda: not self.phone_attached)

    async def disconnect(self) -> None:
        """Stop listening, and hang up."""
        await self.server.stop()
        await until(lambda: not self.carrier.connected)

    def attached(self, _link: Link) -> None:
        """The phone is attached."""
        self.phone_attached = True

    def delivered(self, message: op.Deliver) -> None:
        """The phone got a message."""
        self.at_the_phone.append(message)

    def reported(self, report: op.Report) -> None:
        """The phone asks for no reports."""

    def lost(self, _link: Link) -> None:
        """The phone's connection is gone."""
        self.phone_attached = False

    def deliver(self, text: str) -> None:
        """Have the phone send *text*."""
        self.phone.write(op.Submit("phone", PHONE, SAM, text))

    def unacknowledged(self) -> int:
        """Count the messages waiting for Sam's number."""
        return self.server._network._post.count(SAM, "message")

    async def submitted(self) -> list[tuple[str, str]]:
        """List what came to the phone, once all of it has."""
        if self.phone_attached:
            await deferLater(reactor, 0.05)
        return [(message.recipient, message.text) for message in self.at_the_phone]

    async def settle(self) -> None:
        """Acknowledge the phone's first message."""
        await until(lambda: self.at_the_phone)
        for message in self.at_the_phone:
            self.phone.write(op.Received(message.network_id))


class MemoryContractTests(Contract, TestCase):
    """The in-memory carrier."""

    def make_network(self) -> NetworkSide:
        """Make the provider's network side."""
        return MemoryNetwork()


class LoopbackUnixContractTests(Contract, TestCase):
    """The loopback carrier over a Unix socket."""

    def make_network(self) -> NetworkSide:
        """Make the provider's network side."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return LoopbackNetwork(f"unix:{directory.name}/network.sock")


class LoopbackTcpContractTests(Contract, TestCase):
    """The loopback carrier over TCP."""

    def make_network(self) -> NetworkSide:
        """Make the provider's network side."""
        return LoopbackNetwork("tcp:127.0.0.1:0")

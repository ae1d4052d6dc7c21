"""The network's server on real sockets: who misbehaves harms nobody else."""

from __future__ import annotations

import random
import socket
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.address import Address, TcpAddress, parse_address
from dtns.gateway.loopback.carrier import client_endpoint
from dtns.gateway.loopback.conditions import Conditions
from dtns.gateway.loopback.connection import BACKLOG_OCTETS
from dtns.gateway.loopback.server import IDLE_SECONDS, LoopbackServer
from dtns.gateway.loopback.wire import Lines, decode_from_network, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

PHONE = "+254700000001"
OTHER = "+254700000002"
SAM = "700"
PING = encode(op.Ping())


class Client(Protocol):
    """A client that says what it likes and records what it hears."""

    def __init__(self) -> None:
        self.heard: list[op.FromNetwork] = []
        self.lost = False
        self._lines = Lines()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 # Twisted's name
        """Record."""
        self.heard += map(decode_from_network, self._lines.feed(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 # Twisted's
        """Record."""
        self.lost = True

    def say(self, *operations: op.FromClient) -> None:
        """Write operations."""
        self.write(b"".join(map(encode, operations)))

    def write(self, octets: bytes) -> None:
        """Write anything."""
        self.transport.write(octets)

    async def hear(self, count: int) -> list[op.FromNetwork]:
        """Wait until *count* operations were heard since the last time; return them."""
        await until(lambda: len(self.heard) >= count or self.lost)
        self.heard, heard = [], self.heard
        return heard


def open_descriptors() -> int:
    """Count this process's open file descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], object]) -> None:
    """Wait until *condition* holds; the test's time limit ends it if it never does."""
    while not condition():
        await deferLater(reactor, 0.01)


class ServerTests(TestCase):
    """A server, its clock in the test's hand, and clients."""

    timeout = 30

    def setUp(self) -> None:
        """Make a directory for sockets."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.now = 0.0

    def make(self, address: str, **options: int) -> LoopbackServer:
        """Make a server that stops when the test ends."""
        server = LoopbackServer(
            reactor, parse_address(address), Conditions(), 1, clock=lambda: self.now, **options
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        return server

    async def listen(self, address: str = "tcp:127.0.0.1:0", **options: int) -> Address:
        """Make and start a server; return its address."""
        self.server = self.make(address, **options)
        return await self.server.start()

    async def connect(self, address: Address) -> Client:
        """Connect a client that hangs up when the test ends."""
        client = await connectProtocol(client_endpoint(reactor, address), Client())

        def hang_up() -> Deferred[None]:
            client.transport.abortConnection()
            return Deferred.fromCoroutine(until(lambda: client.lost))

        self.addCleanup(hang_up)
        return client

    async def assert_serves(self, address: Address) -> None:
        """Assert that a new client is served as if nothing had been."""
        client = await self.connect(address)
        client.say(op.Attach(OTHER), op.Submit("1", OTHER, OTHER, "to myself"))
        attached, accepted, deliver = await client.hear(3)
        assert attached == op.Attached(OTHER)
        assert isinstance(accepted, op.Accepted)
        assert deliver == op.Deliver(accepted.network_id, OTHER, OTHER, "to myself")
        client.say(op.Received(accepted.network_id), op.Detach(OTHER))
        assert await client.hear(1) == [op.Detached(OTHER)]

    async def test_unix_socket_is_private(self) -> None:
        """A Unix socket has mode 0600, and is gone after a stop."""
        path = self.directory / "n.sock"
        address = await self.listen(f"unix:{path}")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        await self.assert_serves(address)
        await self.server.stop()
        assert list(self.directory.iterdir()) == []

    async def test_a_client_that_pours_in_holds_up_nobody(self) -> None:
        """Who says one line is answered while another's thousands still wait; all are answered."""
        address = await self.listen(f"unix:{self.directory}/n.sock")
        flooder, phone = await self.connect(address), await self.connect(address)
        flooder.write(PING * 3000)
        await until(lambda: flooder.heard)
        phone.write(PING)
        await until(lambda: phone.heard)
        assert len(flooder.heard) < 1500
        assert len(await flooder.hear(3000)) == 3000

    async def test_a_client_that_hangs_up_has_said_what_it_said(self) -> None:
        """Lines that still waited for their turn when a client left are served."""
        address = await self.listen(f"unix:{self.directory}/n.sock")
        sam, phone = await self.connect(address), await self.connect(address)
        sam.say(op.Attach(SAM, 1000))
        submits = [op.Submit(str(n), PHONE, SAM, str(n)) for n in range(100)]
        phone.say(op.Attach(PHONE), *submits)
        phone.transport.loseConnection()
        heard = await sam.hear(101)
        texts = [said.text for said in heard if isinstance(said, op.Deliver)]
        assert texts == [str(n) for n in range(100)]

    async def test_tcp_port(self) -> None:
        """With port 0 the real port is told, and another server is refused it."""
        address = await self.listen()
        assert isinstance(address, TcpAddress)
        assert address.port > 0
        with pytest.raises(AddressTakenError, match=f"cannot listen at {address}: Address already"):
            await self.make(str(address)).start()
        await self.assert_serves(address)

    async def test_second_server_at_a_path(self) -> None:
        """A second server at the same path is refused, and the first goes on."""
        address = await self.listen(f"unix:{self.directory}/n.sock")
        second = self.make(str(address))
        with pytest.raises(AddressTakenError):
            await second.start()
        await second.stop()
        await self.assert_serves(address)

    async def test_start_again(self) -> None:
        """A server that was stopped can be started again."""
        await self.listen(f"unix:{self.directory}/n.sock")
        await self.server.stop()
        await self.assert_serves(await self.server.start())

    async def test_socket_file_removed_by_another(self) -> None:
        """A stop survives that somebody removed the socket's file."""
        await self.listen(f"unix:{self.directory}/n.sock")
        (self.directory / "n.sock").unlink()
        await self.server.stop()
        assert list(self.directory.iterdir()) == []

    async def test_wrong_operations(self) -> None:
        """A line that is no operation is answered with an error, and the next one served."""
        client = await self.connect(await self.listen())
        client.write(b"nonsense\n\xff\xfe\n[]\n" + b"[" * 4000 + b'\n{"op":"attach"}\n' + PING)
        *errors, pong = await client.hear(6)
        assert [type(error) for error in errors] == [op.Error] * 5
        assert pong == op.Pong()

    async def test_line_too_long(self) -> None:
        """A line without end is answered with an error, and the connection closed."""
        address = await self.listen()
        client = await self.connect(address)
        client.write(PING + b"x" * 100_000)
        heard = await client.hear(2)
        assert heard[0] == op.Pong()
        assert isinstance(heard[1], op.Error)
        await until(lambda: client.lost)
        await self.assert_serves(address)

    async def test_junk_of_every_kind(self) -> None:
        """Random octets, in random pieces, never harm the server nor another client."""
        address = await self.listen()
        dice = random.Random(1)
        valid = encode(op.Submit("1", PHONE, SAM, "text")) + encode(op.Attach(PHONE))
        for _ in range(60):
            client = await self.connect(address)
            for _ in range(dice.randrange(1, 5)):
                junk = bytearray(dice.choice([dice.randbytes(dice.randrange(1, 3000)), valid * 9]))
                for _ in range(dice.randrange(5)):
                    junk[dice.randrange(len(junk))] = dice.randrange(256)
                client.write(bytes(junk))
            if dice.random() < 0.5:
                client.transport.loseConnection()
        await self.assert_serves(address)
        assert self.flushLoggedErrors() == []

    async def test_half_a_line_then_gone(self) -> None:
        """A client that goes in the middle of a line leaves nothing behind."""
        address = await self.listen()
        client = await self.connect(address)
        client.say(op.Attach(SAM))
        await client.hear(1)
        client.write(encode(op.Submit("1", SAM, PHONE, "text"))[:30])
        client.transport.loseConnection()
        await until(lambda: client.lost)
        await self.assert_serves(address)
        await until(lambda: not self.server._network.is_of_use(client))

    async def test_too_many_connections(self) -> None:
        """One connection too many is told so and closed; room made is room again."""
        address = await self.listen(connections=2)
        first, _ = await self.connect(address), await self.connect(address)
        third = await self.connect(address)
        (refusal,) = await third.hear(1)
        assert refusal == op.Error("the network has no room for another connection")
        await until(lambda: third.lost)
        first.transport.loseConnection()
        await until(lambda: first.lost)
        await self.assert_serves(address)

    async def test_idle_clients_are_cut_off(self) -> None:
        """Who says nothing and holds no number is cut off; a phone may be silent for ever."""
        address = await self.listen()
        idle, junk, busy, phone = [await self.connect(address) for _ in range(4)]
        phone.say(op.Attach(PHONE))
        await phone.hear(1)
        self.now += IDLE_SECONDS
        junk.write(b"junk\n")
        await junk.hear(1)
        busy.say(op.Ping())
        await busy.hear(1)
        self.server._hang_up_idle()
        await until(lambda: idle.lost and junk.lost)
        for client in (busy, phone):
            client.say(op.Ping())
            assert await client.hear(1) == [op.Pong()]

    async def test_who_asks_and_does_not_read(self) -> None:
        """Who asks without reading the answers is not read from either, then cut off."""
        address = await self.listen(f"unix:{self.directory}/n.sock")
        client = await self.connect(address)
        client.transport.stopReading()
        client.write(encode(op.Status()) * 200_000)
        await until(lambda: any(line.stalled for line in self.server._connections))
        await self.assert_serves(address)
        self.now += IDLE_SECONDS
        self.server._hang_up_idle()
        await until(lambda: not any(line.stalled for line in self.server._connections))
        await self.assert_serves(address)

    async def test_who_is_delivered_to_and_does_not_read(self) -> None:
        """Who leaves deliveries unread is cut off at the limit, and nothing of it is lost."""
        address = await self.listen(f"unix:{self.directory}/n.sock")
        reader, sender = await self.connect(address), await self.connect(address)
        sender.say(op.Attach(PHONE))
        numbers = [f"70{number:02}" for number in range(20)]
        reader.say(*(op.Attach(number, 1000) for number in numbers))
        await reader.hear(20)
        reader.transport.stopReading()
        text = "x" * 160
        for number in numbers:
            sender.say(*(op.Submit("1", PHONE, number, text) for _ in range(1000)))
            await sender.hear(1000)
        await until(lambda: self.server._network._post.attached == 1)
        assert len(self.server._connections) == 1
        assert len(self.server._network._post) == 20_000
        assert 20_000 * len(text) > BACKLOG_OCTETS

    async def test_reader_that_catches_up(self) -> None:
        """Who reads again in time is served again."""
        client = await self.connect(await self.listen(f"unix:{self.directory}/n.sock"))
        client.transport.stopReading()
        client.write(PING * 100_000)
        await until(lambda: any(line.stalled for line in self.server._connections))
        client.transport.startReading()
        assert len(await client.hear(100_000)) == 100_000
        assert not any(line.stalled for line in self.server._connections)

    async def test_refused_before_it_read(self) -> None:
        """Who is refused while answers wait unread gets them, the reason, and the end."""
        client = await self.connect(await self.listen(f"unix:{self.directory}/n.sock"))
        client.transport.stopReading()
        client.write(encode(op.Status()) * 3000 + b"x" * 5000)
        await deferLater(reactor, 0.1)
        client.transport.startReading()
        *answers, refusal = await client.hear(3001)
        assert len(answers) == 3000
        assert isinstance(refusal, op.Error)
        await until(lambda: client.lost)

    async def test_keeps_alive(self) -> None:
        """A TCP client that vanished without a word is noticed: keep-alive probes are on."""
        await self.connect(await self.listen())
        await until(lambda: self.server._connections)
        (connection,) = self.server._connections
        handle = connection.transport.getHandle()
        assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60

    async def test_delays_are_kept(self) -> None:
        """What is due later is delivered later, without anybody asking."""
        server = LoopbackServer(reactor, parse_address("tcp:127.0.0.1:0"), Conditions(delay=0.2), 1)
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        client = await self.connect(await server.start())
        client.say(op.Attach(PHONE), op.Submit("1", PHONE, PHONE, "text"))
        await client.hear(2)
        start = reactor.seconds()
        assert isinstance((await client.hear(1))[0], op.Deliver)
        assert 0.1 < reactor.seconds() - start < 2

    async def test_sooner_than_expected(self) -> None:
        """A message due soon is on time although the server was waiting for a later one."""
        server = LoopbackServer(reactor, parse_address("tcp:127.0.0.1:0"), Conditions(delay=30), 1)
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        client = await self.connect(await server.start())
        client.say(op.Attach(PHONE), op.Submit("1", PHONE, SAM, "late"), op.Faults(delay=0.1))
        client.say(op.Submit("2", PHONE, PHONE, "soon"))
        await client.hear(4)
        start = reactor.seconds()
        (deliver,) = await client.hear(1)
        assert isinstance(deliver, op.Deliver)
        assert deliver.text == "soon"
        assert reactor.seconds() - start < 2

    async def test_faults_live(self) -> None:
        """Anyone connected can change the conditions, and is told them."""
        client = await self.connect(await self.listen())
        client.write(b'{"op":"faults","loss":0.25,"outages":[[5,10]]}\n{"op":"faults","loss":7}\n')
        conditions, error = await client.hear(2)
        assert isinstance(conditions, op.Faults)
        assert (conditions.loss, conditions.delay) == (0.25, 0.0)
        assert conditions.outages == [[5, 10]]
        assert error == op.Error("loss is a probability, from 0 to 1, not 7")

    async def test_file_descriptors_do_not_leak(self) -> None:
        """Servers started and stopped leave no descriptor open."""
        await self.listen(f"unix:{self.directory}/n.sock")
        await self.server.stop()
        before = open_descriptors()
        for _ in range(5):
            await self.server.start()
            await self.server.stop()
        assert open_descriptors() == before

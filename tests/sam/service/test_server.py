"""Sam on real sockets: network, carrier and admin socket in one reactor."""

from __future__ import annotations

import random
import shutil
import socket
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from dtns.gateway.carrier import Inbound, Outbound, Report
from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback.address import parse_address
from dtns.gateway.loopback.carrier import LoopbackCarrier
from dtns.sam.cli.deployment import create_deployment
from dtns.sam.configuration import Config
from dtns.sam.errors import ClockError, ConfigError, KeyFileError, StoreError
from dtns.sam.handset.card import MemoryCard, fresh_state
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.simfile import SimFile
from dtns.sam.protocol.numbers import Number
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import Enrol, GetStatus, Personalisation
from dtns.sam.service.server import Sam
from dtns.sam.store.keyfile import create_key_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtns.gateway.carrier import Settled

A, B = Number("254700000001"), Number("254700000002")


class Inbox:
    """A phone's sink: keeps what comes."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Keep messages."""
        self.texts += [message.text for message in messages]
        settled(messages, None)

    async def reported(self, report: Report) -> None:
        """Ignore a report."""


def ask_admin(config: Config, request: Any) -> Any:
    """Ask Sam as a command does, in a thread of its own."""
    with reach(config) as sam:
        return sam.answer(request)


def handset(given: Personalisation) -> Handset:
    """Return the phone with this personalisation."""
    sim = SimFile(
        number=given.number,
        generation=given.generation,
        epoch=given.epoch,
        week=given.week,
        service_number="7267",
        network="unix:/nowhere",
        keys=given.keys,
    )
    return Handset(sim, MemoryCard(fresh_state(sim)), random.randbytes)


class SamOnSockets(TestCase):
    """Start, serve, administer, stop."""

    def setUp(self) -> None:
        """Make a deployment on a short path."""
        self.folder = Path(tempfile.mkdtemp(prefix="dtns"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.config = create_deployment(self.folder / "d")

    async def started(self, config: Config | None = None) -> Sam:
        """Return a running Sam that stops with the test."""
        sam = Sam(config or self.config, reactor)
        self.facts = await sam.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(sam.stop()))
        return sam

    async def administer(self, request: Any) -> Any:
        """Ask Sam as a command does."""
        return await deferToThread(ask_admin, self.config, request)

    async def until(self, condition: Any, seconds: float = 10) -> None:
        """Wait for a condition."""
        for _ in range(int(seconds / 0.02)):
            if condition():
                return
            await deferLater(reactor, 0.02)
        self.fail("it did not come to pass")

    async def phone_line(self, number: Number, inbox: Inbox) -> LoopbackCarrier:
        """Attach a phone to the embedded network."""
        line = LoopbackCarrier(
            "phone",
            parse_address(self.config.network_endpoint),
            f"+{number}",
            inbox,
            reactor=reactor,
            random=random.Random(1),
        )
        await line.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(line.stop()))
        await line.when_connected()
        return line

    async def test_an_ask_comes_in_and_its_answer_goes_out(self) -> None:
        """Enrolled through the admin socket, a phone asks over the network and gets its key."""
        sam = await self.started()
        assert self.facts["event"] == "ready"
        assert self.facts["carriers"] == {"loopback": True}
        enrolled = await self.administer(Enrol((A, B)))
        phone = handset(enrolled.numbers[0].personalisation)
        inbox = Inbox()
        line = await self.phone_line(A, inbox)
        asked = phone.ask(B, Wish(), 1_800_000_000.0)
        assert isinstance(asked, Asked)
        await line.send(Outbound("r1", "7267", asked.text, 60))
        await self.until(lambda: inbox.texts)
        assert phone.receive(inbox.texts[0]).key is not None
        await self.until(lambda: sam.counters["answers-delivered"] == 1)
        status = await self.administer(GetStatus())
        assert status.running
        assert status.counters["issued"] == 1
        assert status.outbox["delivered"] == 1
        carrier = status.carriers["loopback"]
        assert (carrier.connected, carrier.under_way, carrier.stalls) == (True, 0, 0)
        assert carrier.since_inbound < 60

    async def test_what_is_in_the_outbox_is_drained_at_the_stop(self) -> None:
        """An ask acknowledged just before the stop is answered before the stop ends."""
        sam = await self.started()
        enrolled = await self.administer(Enrol((A, B)))
        phone = handset(enrolled.numbers[0].personalisation)
        line = await self.phone_line(A, Inbox())
        for n in range(20):
            asked = phone.ask(B, Wish(), 1_800_000_000.0, anew=True)
            assert isinstance(asked, Asked)
            await line.send(Outbound(f"r{n}", "7267", asked.text, 60))
        await self.until(lambda: sam.counters["issued"] == 20)
        await sam.stop()
        status = await self.administer(GetStatus())
        assert not status.running
        assert status.outbox["queued"] + status.outbox["handed"] == 0

    async def test_sockets_are_private_and_gone_after_the_stop(self) -> None:
        """The admin socket is mode 0600; a stop leaves no socket behind, and Sam starts again."""
        sam = await self.started()
        path = self.config.admin_socket
        assert stat.S_IMODE(path.stat().st_mode) == 384
        await sam.stop()
        assert not path.exists()
        await self.started()

    async def test_a_second_sam_is_refused(self) -> None:
        """The store's lock keeps a second Sam out, and the first goes on."""
        await self.started()
        with pytest.raises(StoreError, match="in use by process"):
            await Sam(self.config, reactor).start()
        assert (await self.administer(GetStatus())).running

    async def test_a_socket_left_by_a_killed_sam_is_no_obstacle(self) -> None:
        """A stale admin socket is removed, a file that is no socket is left alone."""
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(self.config.admin_socket))
        sam = await self.started()
        await sam.stop()
        self.config.admin_socket.write_text("precious")
        with pytest.raises(ConfigError, match="admin_socket"):
            await Sam(self.config, reactor).start()
        assert self.config.admin_socket.read_text() == "precious"

    async def test_a_taken_network_endpoint_is_told_and_all_is_stopped(self) -> None:
        """A failed start holds neither lock nor socket."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            endpoint = f"tcp:127.0.0.1:{taken.getsockname()[1]}"
            network = evolve(self.config.network, endpoint=endpoint)
            with pytest.raises(AddressTakenError):
                await Sam(evolve(self.config, network=network), reactor).start()
        await self.started()

    async def test_a_first_clock_far_off_is_refused(self) -> None:
        """Nothing is begun with a clock of 1970 or of 2100, unless the operator trusts it."""
        for clock in (lambda: 3600.0, lambda: 4_102_444_800.0):
            with pytest.raises(ClockError, match="--trust-clock"):
                await Sam(self.config, reactor, clock).start()
        await self.started()
        assert (await self.administer(GetStatus())).running

    async def test_a_first_clock_far_off_can_be_trusted(self) -> None:
        """The operator's word counts."""
        sam = Sam(self.config, reactor, lambda: 4_102_444_800.0, trust_clock=True)
        await sam.start()
        await sam.stop()

    async def test_the_wrong_master_key_is_found_out(self) -> None:
        """With another key file than that of its parties Sam does not start."""
        await self.administer(Enrol((A,)))
        self.config.master_key.unlink()
        create_key_file(self.config.master_key, bytes(32))
        with pytest.raises(KeyFileError, match="is not the one"):
            await Sam(self.config, reactor).start()

    async def test_a_network_that_is_not_there_is_waited_for(self) -> None:
        """Sam starts without its network, says so, and serves once it comes."""
        elsewhere = f"unix:{self.folder / 'n.sock'}"
        config = evolve(
            self.config,
            network=evolve(self.config.network, embedded=False),
            loopback=evolve(self.config.loopback, endpoint=elsewhere),
        )
        await self.started(config)
        assert self.facts["carriers"] == {"loopback": False}
        assert self.facts["network"] is None

    async def test_junk_at_the_admin_socket_harms_nobody(self) -> None:
        """Junk gets an error, an endless line is cut off, and others are served meanwhile."""
        await self.started()
        assert b"no request" in await deferToThread(self._shout, b"hello\n")
        assert await deferToThread(self._shout, b"x" * 3000000) == b""
        assert (await self.administer(GetStatus())).running

    async def test_too_many_connections_are_turned_away(self) -> None:
        """Idle connections cannot pile up without bound."""
        await self.started()
        idle = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for each in idle:
            self.addCleanup(each.close)
            each.connect(str(self.config.admin_socket))
        await deferLater(reactor, 0.1)
        gone = 0
        for each in idle:
            each.setblocking(False)
            try:
                gone += each.recv(1) == b""
            except BlockingIOError:
                continue
        assert gone == 8

    def _shout(self, octets: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.config.admin_socket))
            try:
                client.sendall(octets)
                return client.recv(1000)
            except OSError:
                return b""

"""An SMSC that means ill, on a real connection: each trick is counted, and the bind recovers."""

from __future__ import annotations

import random
import resource
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from contract import MESSAGE, PHONE, RecordingSink, running, until
from rogue import Line, Rogue, decent, delivery
from smscs import BRISK
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from dtns.gateway.carrier import Accepted, Failed, Outbound, Report
from dtns.gateway.smpp.carrier import MOST_AT_SINK, MOST_WAITING, SmppCarrier
from dtns.gateway.smpp.endpoint import smsc_endpoint
from dtns.gateway.smpp.events import Ended
from dtns.gateway.smpp.messages import Address
from dtns.gateway.smpp.pdu import LONGEST_PDU, RESPONSE, Command, Pdu
from dtns.gateway.smpp.session import MOST_HELD, Session
from dtns.gateway.smpp.settings import Account, Settings
from dtns.gateway.smpp.status import Status

if TYPE_CHECKING:
    from dtns.gateway.smpp.smsc import Smsc

FLOOD = 20_000
MOST_GROWTH_KIB = 60_000


class HostileTests(TestCase):
    """One bind at an SMSC that does as it likes."""

    timeout = 120

    async def setUp(self) -> None:
        """Bind."""
        self.rogue = Rogue()
        await self.rogue.listen()
        self.sink = RecordingSink()
        self.carrier = self.make()
        await self.carrier.start()
        await until(lambda: self.carrier.connected)
        self.smsc: Smsc = self.carrier.smscs["one"]
        self.counts = self.smsc.condition.counts

    async def tearDown(self) -> None:
        """Stop."""
        await self.carrier.stop()
        await self.rogue.close()

    def make(self, **values: Any) -> SmppCarrier:
        """Make a carrier."""
        endpoint = smsc_endpoint(reactor, "127.0.0.1", self.rogue.port, timeout=1.0)
        settings = Settings(endpoint, "here", "sam", "secret", Address("700"), **values)
        return SmppCarrier(
            "smpp",
            {"one": settings},
            self.sink,
            random=random.Random(1),
            reactor=reactor,
            timing=BRISK,
        )

    async def recovers(self) -> None:
        """A new bind is there, and messages go both ways over it."""
        await until(lambda: self.carrier.connected and self.rogue.line.open)
        before = len(self.sink.messages)
        self.rogue.line.say(delivery(4242, b"all is well"))
        await until(lambda: len(self.sink.messages) > before)
        assert self.sink.messages[-1].text == "all is well"
        answer = await self.carrier.send(Outbound("well", PHONE, "well", 60))
        assert isinstance(answer, Accepted)

    async def taken(self, count: int) -> None:
        """So many deliveries were taken to the sink, or refused for now."""
        await until(lambda: len(self.carrier._intake) + self.counts["too-many-deliveries"] == count)

    async def test_lengths_that_cannot_be(self) -> None:
        """Too short, too long, absurd: each ends the connection, after a word why."""
        for length in (0, 15, LONGEST_PDU + 1, 0xFFFFFFFF):
            line = self.rogue.line
            line.say(length.to_bytes(4, "big") + bytes(12))
            await until(lambda line=line: not line.open)
            assert (line.heard[-1].command, line.heard[-1].status) == (
                Command.GENERIC_NACK,
                Status.RINVCMDLEN,
            )
            await until(lambda line=line: self.carrier.connected and self.rogue.line is not line)
        assert self.counts["wrong-length"] == 4
        await self.recovers()

    async def test_half_a_pdu_then_silence(self) -> None:
        """It is asked whether it is there, and left when it is not."""
        line = self.rogue.line
        self.rogue.answer = lambda _line, _pdu: None
        line.say(delivery(1).encode()[:20])
        await until(lambda: not line.open)
        assert Command.ENQUIRE_LINK in line.commands()
        assert self.counts["silence"] >= 1
        self.rogue.answer = decent
        await self.recovers()

    async def test_silence_after_the_connection(self) -> None:
        """A bind that is never answered is given up and begun again, with growing pauses."""
        self.rogue.answer = lambda _line, _pdu: None
        line = self.rogue.line
        line.say(Pdu(Command.UNBIND, 0, 1))
        await until(lambda: len(self.rogue.lines) > 2)
        assert isinstance(await self.carrier.send(MESSAGE), Failed)
        self.rogue.answer = decent
        await self.recovers()

    async def test_a_huge_optional_parameter(self) -> None:
        """The longest PDU that is read is refused for good, and nothing of it is kept."""
        self.rogue.line.say(delivery(7, b"", b"\x04\x24\xff\xff" + bytes(0xFFFF)))
        await until(lambda: self.counts["too-long"])
        answer = next(pdu for pdu in self.rogue.line.heard if pdu.sequence == 7)
        assert (answer.command, answer.status) == (
            Command.DELIVER_SM | RESPONSE,
            Status.RX_P_APPN,
        )
        await self.recovers()

    async def test_answers_to_nothing_and_sequences_used_again(self) -> None:
        """Only the first answer to a submission counts; the others end nothing."""
        sequences: list[int] = []

        def answer(line: Line, pdu: Pdu) -> None:
            if pdu.command != Command.SUBMIT_SM:
                decent(line, pdu)
                return
            sequences.append(pdu.sequence)
            good = Pdu(pdu.command | RESPONSE, 0, pdu.sequence, b"id-%d\0" % pdu.sequence)
            bad = Pdu(pdu.command | RESPONSE, Status.RSYSERR, pdu.sequence)
            other = Pdu(pdu.command | RESPONSE, 0, pdu.sequence + 50, b"other\0")
            line.say(other, Pdu(Command.ENQUIRE_LINK | RESPONSE, 0, pdu.sequence), good, good, bad)

        self.rogue.answer = answer
        sends = [self.carrier.send(Outbound(f"r{n}", PHONE, "x", 60)) for n in range(5)]
        answers = await gatherResults([running(send) for send in sends])
        assert all(isinstance(each, Accepted) for each in answers)
        assert len({each.carrier_id for each in answers}) == 5
        await until(lambda: self.counts["answer-to-nothing"] >= 15)
        assert self.counts["answer-to-another"] == 5
        self.rogue.answer = decent
        await self.recovers()

    async def test_one_sequence_for_all(self) -> None:
        """Deliveries that share a sequence are stored each, and each is answered."""
        line = self.rogue.line
        line.say(*(delivery(9, b"%d" % number) for number in range(20)))
        await until(lambda: len(self.sink.messages) == 20)
        await until(lambda: sum(pdu.sequence == 9 for pdu in line.heard) == 20)
        assert len({message.identity for message in self.sink.messages}) == 20

    async def test_one_delivery_again_and_again(self) -> None:
        """So many wait until it is stored; the others are refused for now, none left unanswered."""
        self.sink.gate = gate = Deferred()
        line = self.rogue.line
        line.say(*(delivery(n, b"the same") for n in range(MOST_WAITING + 3)))
        await until(lambda: self.counts["too-many-deliveries"] == 3)
        gate.callback(None)
        self.sink.gate = None
        answer = Command.DELIVER_SM | RESPONSE
        await until(lambda: line.commands().count(answer) == MOST_WAITING + 3)
        assert len(self.sink.messages) == 1
        assert Counter(pdu.status for pdu in line.heard if pdu.command == answer) == {
            Status.ROK: MOST_WAITING,
            Status.RMSGQFUL: 3,
        }
        await self.recovers()

    async def test_a_flood_that_the_sink_does_not_take(self) -> None:
        """What is beyond the bound is refused for now; memory does not grow with the flood."""
        self.sink.gate = gate = Deferred()
        line = self.rogue.line
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for start in range(0, FLOOD, 1000):
            line.say(*(delivery(n, b"%d" % n) for n in range(start, start + 1000)))
            await deferLater(reactor, 0)
        await until(lambda: self.counts["too-many-deliveries"] >= FLOOD - MOST_HELD)
        assert len(self.sink.messages) == MOST_HELD
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < MOST_GROWTH_KIB
        assert self.carrier.connected
        gate.callback(None)
        self.sink.gate = None
        await self.recovers()

    async def test_floods_over_many_connections(self) -> None:
        """What is at the sink is bounded over all connections, too."""
        self.sink.gate = gate = Deferred()
        for number in range(MOST_AT_SINK // MOST_HELD + 2):
            line = self.rogue.line
            line.say(*(delivery(n, b"%d-%d" % (number, n)) for n in range(MOST_HELD)))
            await self.taken((number + 1) * MOST_HELD)
            transport: Any = line.transport
            transport.abortConnection()
            await until(lambda line=line: self.carrier.connected and self.rogue.line is not line)
        assert len(self.sink.messages) == MOST_AT_SINK
        assert self.counts["too-many-deliveries"] > 0
        gate.callback(None)
        self.sink.gate = None
        await until(lambda: not self.carrier._waiting and not len(self.carrier._intake))
        await self.recovers()

    async def test_a_flood_of_what_nobody_knows(self) -> None:
        """Each unknown command is answered so, each unknown answer dropped; messages go on."""
        line = self.rogue.line
        # few enough to be taken before the bind, in this test impatient, calls the other silent
        flood = FLOOD // 10
        junk = [Pdu(0x300 + n % 7, 0, n, b"x") for n in range(flood)]
        answers = [Pdu(0x80000300, 0, FLOOD + n) for n in range(flood)]
        line.say(*junk, *answers)
        await until(lambda: self.counts["answer-to-nothing"] == flood)
        assert self.counts["unknown-command"] == flood
        await self.recovers()

    async def test_a_flood_without_reading(self) -> None:
        """An SMSC that does not read what it is answered is not read either."""
        line = self.rogue.line
        transport: Any = line.transport
        transport.pauseProducing()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        asks = b"".join(Pdu(Command.ENQUIRE_LINK, 0, n).encode() for n in range(1000))
        transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        mine: Any = self.smsc.binds[0]._newest
        unread = []
        for _ in range(500):
            transport.write(asks)
            await deferLater(reactor, 0)
            unread.append(len(mine.transport.dataBuffer) + mine.transport._tempDataLen)
        assert 0 < max(unread) < 1 << 20
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < MOST_GROWTH_KIB
        transport.abortConnection()
        await until(lambda: self.rogue.line is not line)
        await self.recovers()

    async def test_an_answer_and_goodbye_in_one_breath(self) -> None:
        """What waits for the window is not given to a session that has ended already."""

        def answer(line: Line, pdu: Pdu) -> None:
            if pdu.command != Command.SUBMIT_SM:
                decent(line, pdu)
            elif pdu.sequence % 3 == 0:
                taken = Pdu(pdu.command | RESPONSE, 0, pdu.sequence, b"%d\0" % pdu.sequence)
                line.say(taken, Pdu(Command.UNBIND, 0, 1), delivery(9), taken)

        self.rogue.answer = answer
        sends = [self.carrier.send(Outbound(f"r{n}", PHONE, "x", 60)) for n in range(30)]
        answers = await gatherResults([running(send) for send in sends])
        assert len(answers) == 30
        self.rogue.answer = decent
        await self.recovers()

    async def test_a_flood_of_receipts(self) -> None:
        """Reports wait for the sink within the same bounds as messages."""
        stuck: Deferred[None] = Deferred()

        async def slowly(report: Report) -> None:
            await stuck

        self.sink.reported = slowly  # type: ignore[method-assign]  # a sink that is slow
        for number in range(MOST_AT_SINK // MOST_HELD + 2):
            line = self.rogue.line
            line.say(
                *(delivery(n, b"id:%d stat:DELIVRD" % n, esm_class=4) for n in range(MOST_HELD))
            )
            await self.taken((number + 1) * MOST_HELD)
            transport: Any = line.transport
            transport.abortConnection()
            await until(lambda line=line: self.carrier.connected and self.rogue.line is not line)
        assert len(self.carrier._intake) == MOST_AT_SINK
        assert self.counts["too-many-deliveries"] > 0
        stuck.callback(None)
        await self.recovers()

    async def test_numbers_that_are_none(self) -> None:
        """A sender of a thousand characters is refused for good."""
        long = Pdu(
            Command.DELIVER_SM, 0, 5, b"\0\1\1" + b"2" * 1000 + b"\0\0\0" + b"7\0" + bytes(10)
        )
        self.rogue.line.say(long)
        await until(lambda: self.counts["unreadable"])
        assert self.sink.messages == []
        await self.recovers()

    async def test_receipts_of_junk(self) -> None:
        """They are acknowledged, counted, and of no consequence."""
        line = self.rogue.line
        for place, text in enumerate((b"", b"id: stat:", b"\xff" * 200, b"id:9 stat:DELIVRD")):
            line.say(delivery(place, text, esm_class=4))
        await until(lambda: len([p for p in line.heard if p.command == 0x80000005]) == 4)
        assert self.counts["unreadable-receipt"] == 3
        assert [report.reference for report in self.sink.reports] == [None]

    async def test_a_bind_that_is_refused(self) -> None:
        """The refusal is told, and the next try waits for long: accounts get locked."""

        def refuse(line: Line, pdu: Pdu) -> None:
            line.say(Pdu(pdu.command | RESPONSE, Status.RINVPASWD, pdu.sequence))

        self.rogue.answer = refuse
        self.rogue.line.say(Pdu(Command.UNBIND, 0, 1))
        await until(lambda: "ESME_RINVPASWD" in self.smsc.condition.reason)
        assert self.smsc.condition.state == "down"
        tries = len(self.rogue.lines)
        await deferLater(reactor, BRISK.locked_out / 4)
        assert len(self.rogue.lines) <= tries + 1
        self.rogue.answer = decent
        await self.recovers()
        assert self.smsc.condition.reason == ""

    async def test_a_bind_that_is_dropped_at_once(self) -> None:
        """Pauses grow while it goes on, so that nobody is hammered."""

        def drop(line: Line, pdu: Pdu) -> None:
            decent(line, pdu)
            transport: Any = line.transport
            transport.loseConnection()

        self.rogue.answer = drop
        transport: Any = self.rogue.line.transport
        transport.abortConnection()
        before = len(self.rogue.lines)
        await deferLater(reactor, 1.5)
        assert len(self.rogue.lines) - before < 1.5 / BRISK.longest_retry + 12
        self.rogue.answer = decent
        await self.recovers()

    async def test_submissions_that_are_never_answered(self) -> None:
        """They end as perhaps sent, the window is free again, and the bind stays."""

        def swallow(line: Line, pdu: Pdu) -> None:
            if pdu.command != Command.SUBMIT_SM:
                decent(line, pdu)

        self.rogue.answer = swallow
        sends = [self.carrier.send(Outbound(f"r{n}", PHONE, "x", 60)) for n in range(12)]
        answers = await gatherResults([running(send) for send in sends])
        assert all(isinstance(each, Failed) and each.maybe_sent for each in answers)
        assert self.rogue.line.open
        assert self.counts["unanswered"] == 12
        self.rogue.answer = decent
        await self.recovers()


@pytest.mark.parametrize("octets", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 64, b"\xff" * 64])
def test_no_smsc_at_all(octets: bytes) -> None:
    """What answers is something else: the session ends with a word on lengths."""
    counts: Counter[str] = Counter()
    session = Session(Account(Command.BIND_TRANSCEIVER, "sam", "secret"), BRISK, counts)
    session.begin(0.0)
    session.receive(octets, 0.0)
    assert [type(event) for event in session.events] == [Ended]
    assert counts == {"wrong-length": 1}

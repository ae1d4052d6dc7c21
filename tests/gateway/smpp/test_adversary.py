"""Whatever an SMSC says and a sink does: what is stored is acknowledged, what is sent leaves once.

The connections are in memory, and so is time: Hypothesis says what happens when.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from smpp_exchange import Transport
from smscs import BRISK
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from dtns.gateway.carrier import Accepted, Failed, Inbound, Outbound, Report
from dtns.gateway.smpp.carrier import SmppCarrier
from dtns.gateway.smpp.messages import Address
from dtns.gateway.smpp.pdu import RESPONSE, Command, Frames, Pdu
from dtns.gateway.smpp.settings import Settings
from dtns.gateway.smpp.status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtns.gateway.carrier import Settled

BEFORE = b"\0\1\0012547\0\0\000700\0" + bytes(9)
"""A deliver_sm up to the length of its text."""
PATIENCE = 700
"""Tenths of a second until the last pause of the intake is surely over."""
WHICH = st.integers(0, 7)


class Line:
    """One connection: what was asked on it, and what its deliveries said, by their sequences."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.transport = Transport()
        self.frames = Frames()
        self.asked: list[Pdu] = []
        self.said: dict[int, str] = {}
        self.unread = b""


class Adversary(RuleBasedStateMachine):
    """A carrier with two binds, its SMSC, its sink, and who sends by it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.lines: list[Line] = []
        self.numbers = itertools.count(1)
        self.mood = "wait"
        self.waiting: list[tuple[list[Inbound], Settled]] = []
        self.stored: set[str] = set()
        self.sent: Counter[str] = Counter()
        self.outcomes: defaultdict[str, list[Accepted | Failed]] = defaultdict(list)
        self.submitted: Counter[str] = Counter()
        account = Settings(self, "here", "sam", "secret", Address("700"), window=4, binds=2)
        self.carrier = SmppCarrier(
            *("smpp", {"one": account}, self), random=random.Random(1), reactor=self.clock,
            timing=BRISK, clock=self.clock.seconds,
        )  # fmt: skip
        Deferred.fromCoroutine(self.carrier.start())
        self.hear()

    def connect(self, factory: Any) -> Deferred[Any]:
        """Connect, as an endpoint does."""
        line = Line(factory.buildProtocol(None))
        self.lines.append(line)
        line.protocol.makeConnection(line.transport)
        return succeed(line.protocol)

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Take in messages, as a sink of this mood does."""
        if self.mood == "store":
            self.settle(list(messages), settled, None)
        elif self.mood == "raise":
            raise OSError("the disk is full")
        else:
            self.waiting.append((list(messages), settled))

    async def reported(self, report: Report) -> None:
        """Take in a report."""

    def settle(self, messages: list[Inbound], settled: Settled, failure: Failure | None) -> None:
        """Tell the carrier what became of messages."""
        if failure is None:
            self.stored |= {message.text for message in messages}
        settled(messages, failure)

    def hear(self) -> None:
        """Look at all that the carrier said; answer all but submissions; hang up where it did."""
        for line in list(self.lines):
            octets, polite = line.transport.value(), b""
            line.transport.clear()
            for pdu in line.frames.feed(octets):
                if pdu.command == Command.DELIVER_SM | RESPONSE:
                    text = line.said.pop(pdu.sequence)
                    assert pdu.status != Status.ROK or text in self.stored
                elif pdu.command == Command.SUBMIT_SM:
                    line.asked.append(pdu)
                    reference = pdu.body[-11:-6].decode()  # before its user_message_reference
                    self.submitted[reference] += 1
                    failed = [each for each in self.outcomes[reference] if isinstance(each, Failed)]
                    assert self.submitted[reference] <= 1 + len(failed)
                elif pdu.command < RESPONSE:
                    polite += Pdu(pdu.command | RESPONSE, 0, pdu.sequence).encode()
            if line.transport.disconnecting:
                self.hang_up(line)
            elif polite:
                self.say(line, polite, 0)

    def hang_up(self, line: Line) -> None:
        """Have the connection break."""
        if line not in self.lines:
            return
        self.lines.remove(line)
        line.protocol.connectionLost(Failure(ConnectionLost()))

    def say(self, line: Line, octets: bytes, cut: int) -> None:
        """Say something; but for its last octets, which come with what is said next."""
        octets = line.unread + octets
        line.unread = octets[len(octets) - cut :]
        line.protocol.dataReceived(octets[: len(octets) - cut])
        self.hear()

    @rule(mood=st.sampled_from(["store", "raise", "wait"]))
    def change_mood(self, mood: str) -> None:
        """Let the sink do something else from now on."""
        self.mood = mood

    @rule(which=WHICH, texts=st.lists(st.integers(0, 2), max_size=4), cut=st.integers(0, 9))
    def deliver(self, which: int, texts: list[int], cut: int) -> None:
        """Deliver messages in one read, some of them before."""
        if self.lines:
            line, octets = self.lines[which % len(self.lines)], b""
            for text in texts:
                sequence = next(self.numbers)
                line.said[sequence] = f"D{text}"
                body = BEFORE + b"\2D%d" % text
                octets += Pdu(Command.DELIVER_SM, 0, sequence, body).encode()
            self.say(line, octets, cut if octets else 0)

    @rule(
        which=WHICH,
        count=st.integers(0, 3),
        status=st.sampled_from([0, 0, 0, Status.RTHROTTLED, Status.RINVDSTADR, Status.RSYSERR]),
        twice=st.booleans(),
    )
    def answer(self, which: int, count: int, status: int = 0, *, twice: bool = False) -> None:
        """Answer submissions, but for the first *count*, perhaps each twice."""
        if self.lines:
            line, octets = self.lines[which % len(self.lines)], b""
            for asked in line.asked[count:]:
                named = b"%d\0" % asked.sequence
                pdu = Pdu(asked.command | RESPONSE, status, asked.sequence, named)
                octets += pdu.encode() * (1 + twice)
            del line.asked[count:]
            self.say(line, octets, 0)

    @rule(which=WHICH, octets=st.sampled_from([bytes(16), Pdu(Command.UNBIND, 0, 1).encode()]))
    def part(self, which: int, octets: bytes) -> None:
        """Say what ends a session."""
        if self.lines:
            self.say(self.lines[which % len(self.lines)], octets, 0)

    @rule(which=WHICH)
    def lose(self, which: int) -> None:
        """Have a connection break."""
        if self.lines:
            self.hang_up(self.lines[which % len(self.lines)])
            self.hear()

    @rule(which=WHICH, count=st.integers(0, 6), fails=st.booleans())
    def decide(self, which: int, count: int, fails: bool) -> None:  # noqa: FBT001 (drawn)
        """Have the sink store some of what waits there, and the others as well, or not."""
        if self.waiting:
            messages, settled = self.waiting.pop(which % len(self.waiting))
            self.settle(messages[:count], settled, None)
            failure = Failure(OSError("the disk is full")) if fails else None
            self.settle(messages[count:], settled, failure)
            self.hear()

    @rule(numbers=st.lists(st.integers(0, 20), min_size=1, max_size=8), again=st.booleans())
    def send(self, numbers: list[int], again: bool) -> None:  # noqa: FBT001 (drawn)
        """Send messages, some of them before; perhaps again as soon as one fails."""
        self.send_all([f"r{number:04}" for number in numbers], again=again)
        self.hear()

    def send_all(self, references: list[str], *, again: bool) -> None:
        """Send messages with these references, each saying its own."""

        def answered(outcomes: Sequence[Accepted | Failed]) -> None:
            for outcome in outcomes:
                self.outcomes[outcome.reference].append(outcome)
            if again and any(isinstance(outcome, Failed) for outcome in outcomes):
                self.send_all(references, again=False)

        self.sent.update(references)
        messages = [Outbound(each, "+254700000001", each, 60) for each in references]
        self.carrier.send_all(messages, answered)

    @rule(seconds=st.sampled_from([0.01, 0.3, 3.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.clock.advance(seconds)
        self.hear()

    def teardown(self) -> None:
        """Once all goes well all is stored and answered; each message sent comes to one outcome."""
        self.mood = "store"
        for messages, settled in self.waiting:
            self.settle(messages, settled, None)
        for line in list(self.lines):
            self.say(line, b"", 0)
        for _ in range(PATIENCE):
            if len(self.carrier._intake):
                self.wait(0.1)
        assert not any(line.said for line in self.lines)
        stopped = Deferred.fromCoroutine(self.carrier.stop())
        for _ in range(200):
            self.wait(0.1)
        assert stopped.called
        assert self.sent == Counter({name: len(all_) for name, all_ in self.outcomes.items()})
        assert not self.carrier._waiting
        assert not self.carrier._outstanding._under_way


TestAdversary = Adversary.TestCase
TestAdversary.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)

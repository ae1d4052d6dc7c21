"""One connection of a carrier: every end of it is noticed, no answer is left out."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from dtns.gateway.carrier import Accepted, Failed
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.link import ANSWER_SECONDS, PING_SECONDS, WINDOW, Link
from dtns.gateway.loopback.wire import decode_from_client, encode

SUBMISSION = op.Submit("ref", "700", "+254700000001", "text", report=True)


class LinkTests(SynchronousTestCase):
    """A link on a transport of strings, and the order of events."""

    def setUp(self) -> None:
        """Make a link, connected."""
        self.clock = Clock()
        self.events: list[object] = []
        self.link = Link(self.clock, "700", self)
        self.transport = StringTransport()
        self.link.makeConnection(self.transport)

    def attached(self, _link: Link) -> None:
        """Record."""
        self.events.append("attached")

    def delivered(self, message: op.Deliver) -> None:
        """Record."""
        self.events.append(message)

    def reported(self, report: op.Report) -> None:
        """Record."""
        self.events.append(report)

    def lost(self, _link: Link) -> None:
        """Record."""
        self.events.append("lost")

    def said(self) -> list[op.FromClient]:
        """Return what the link wrote since the last time."""
        lines = self.transport.value().splitlines()
        self.transport.clear()
        return [decode_from_client(line) for line in lines]

    def hear(self, *operations: op.FromNetwork) -> None:
        """Have the network write."""
        self.link.dataReceived(b"".join(map(encode, operations)))

    def submit(self) -> Deferred[Accepted | Failed]:
        """Submit the message."""
        return self.link.submit(SUBMISSION)

    def lose(self) -> None:
        """Lose the connection."""
        self.link.connectionLost(Failure(ConnectionLost()))

    def test_attaches(self) -> None:
        """The number is attached first thing; the network's answer is an event."""
        assert self.said() == [op.Attach("700", WINDOW)]
        assert self.events == []
        message = op.Deliver("n1", "+254700000001", "700", "text")
        report = op.Report("n0", "ref", "700", "delivered")
        self.hear(op.Attached("700"), message, report, op.Pong())
        assert self.events == ["attached", message, report]

    def test_submission_accepted_or_rejected(self) -> None:
        """A submission fires with the network's answer to it, whatever comes between."""
        first = self.submit()
        second = self.link.submit(op.Submit("other", "700", "+254700000001", "text"))
        self.hear(op.Rejected("other", permanent=False, reason="no signal"))
        self.assertNoResult(first)
        self.hear(op.Accepted("ref", "n1"), op.Accepted("ref", "n1"), op.Accepted("what", "n2"))
        assert self.successResultOf(first) == Accepted("ref", "n1")
        assert self.successResultOf(second) == Failed("other", permanent=False, reason="no signal")

    def test_no_answer(self) -> None:
        """Without an answer in time a submission is left open; a late answer changes nothing."""
        answer = self.submit()
        for _ in range(int(ANSWER_SECONDS)):
            self.hear(op.Pong())
            self.clock.advance(1)
        failed = self.successResultOf(answer)
        assert (failed.permanent, failed.maybe_sent) == (False, True)
        self.hear(op.Accepted("ref", "n1"))
        self.submit()
        assert self.said().count(SUBMISSION) == 2

    def test_lost_with_submissions(self) -> None:
        """When the connection is lost, what was not answered is left open."""
        answer = self.submit()
        self.lose()
        failed = self.successResultOf(answer)
        assert (failed.permanent, failed.maybe_sent) == (False, True)
        assert self.events == ["lost"]
        self.clock.advance(1000)
        assert not self.clock.getDelayedCalls()

    def test_watchdog(self) -> None:
        """A network that says nothing for two pings is hung up on."""
        self.clock.advance(PING_SECONDS)
        self.hear(op.Pong())
        assert self.said()[1:] == [op.Ping()]
        self.clock.advance(PING_SECONDS)
        assert self.said() == [op.Ping()]
        assert not self.transport.disconnected
        self.clock.advance(PING_SECONDS)
        assert self.transport.disconnected

    def test_hangs_up_on_bad_news(self) -> None:
        """Junk, an error, or the number gone elsewhere: the link hangs up."""
        moved = encode(op.Detached("700", "attached elsewhere"))
        for line in (b"\xff\n", b"x" * 5000, encode(op.Error("no room")), moved):
            self.setUp()
            self.link.dataReceived(line)
            assert self.transport.disconnected

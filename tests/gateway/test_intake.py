"""What came in is stored, then acknowledged; and offered until it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from dtns.gateway.carrier import Inbound, Report
from dtns.gateway.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtns.gateway.carrier import Settled

REPORT = Report("n1", "7", "delivered")


def message(identity: str) -> Inbound:
    """Return a message."""
    return Inbound("carrier", identity, "+254700000001", "text", 0.0)


class IntakeTests(SynchronousTestCase):
    """One intake, its clock, and the order of events."""

    def setUp(self) -> None:
        """Make an intake over this sink."""
        self.clock = Clock()
        self.intake = Intake(self, self.acknowledge, self.clock)
        self.events: list[str] = []
        self.offers: list[tuple[list[Inbound], Settled]] = []
        self.reports: list[Deferred[None]] = []
        self.raises = False

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Begin to store; the test settles by `store` and `fail`."""
        self.events.append("store " + " ".join(each.identity for each in messages))
        self.offers.append((list(messages), settled))
        if self.raises:
            settled(messages[:1], None)
            raise OSError("disk full")

    def reported(self, report: Report) -> Deferred[None]:
        """Begin to store a report."""
        self.events.append(f"report {report.carrier_id}")
        self.reports.append(Deferred())
        return self.reports[-1]

    def acknowledge(self, messages: Sequence[Inbound]) -> None:
        """Note what is acknowledged."""
        self.events.append("ack " + " ".join(each.identity for each in messages))

    def take(self, *identities: str) -> None:
        """Take messages that came together."""
        self.intake.take([message(each) for each in identities or ("key",)])

    def store(self, offer: int = -1, start: int = 0, stop: int | None = None) -> None:
        """Say of some of an offer that it is stored."""
        messages, settled = self.offers[offer]
        settled(messages[start:stop], None)

    def fail(self, offer: int = -1, start: int = 0, stop: int | None = None) -> None:
        """Say of some of an offer that it is not stored."""
        messages, settled = self.offers[offer]
        settled(messages[start:stop], Failure(OSError("disk full")))
        assert len(self.flushLoggedErrors(OSError)) <= 1

    def stop(self) -> Deferred[None]:
        """Begin to stop."""
        return Deferred.fromCoroutine(self.intake.stop())

    def test_acknowledges_after_storing(self) -> None:
        """The acknowledgement comes after the end of storing."""
        self.take()
        assert self.events == ["store key"]
        self.store()
        assert self.events == ["store key", "ack key"]

    def test_some_at_a_time(self) -> None:
        """What came together is stored some at a time, and acknowledged so, each once."""
        self.take("a", "b", "c", "d")
        self.store(start=1, stop=3)
        self.store(start=1, stop=4)
        assert self.events == ["store a b c d", "ack b c", "ack d"]
        assert len(self.intake) == 1

    def test_not_twice_at_a_time(self) -> None:
        """A message that comes again while it is being stored is not stored beside itself."""
        self.take()
        self.take()
        self.take("key", "other", "other")
        assert self.events == ["store key", "store other"]
        self.store(0)
        self.take()
        assert self.events[2:] == ["ack key", "store key"]

    def test_pauses_grow(self) -> None:
        """Faults are followed by pauses of 1, 2, 4 ... 60 seconds, and never an acknowledgement."""
        self.take()
        for pause in (1, 2, 4, 8, 16, 32, 60, 60):
            self.fail()
            count = len(self.offers)
            self.clock.advance(pause - 0.01)
            assert len(self.offers) == count
            self.clock.advance(0.02)
            assert len(self.offers) == count + 1
        self.store()
        assert self.events == ["store key"] * 9 + ["ack key"]

    def test_what_fails_together_is_offered_together(self) -> None:
        """What of one offer is not taken until its pause is over makes the next offer."""
        self.take("a", "b", "c", "d")
        self.fail(0, 0, 1)
        self.take("a")
        self.clock.advance(0.5)
        self.fail(0, 1, 3)
        self.clock.advance(0.6)
        assert self.events == ["store a b c d", "store a b c"]
        self.fail(0, 3)
        self.fail(1, 1, 2)
        self.store(1)
        self.clock.advance(1.0)
        assert self.events[2:] == ["ack a c", "store d"]
        self.clock.advance(1.0)
        assert self.events[4:] == ["store b"]
        self.store(0)
        self.store(2)
        self.store(3)
        assert self.events[5:] == ["ack d", "ack b"]
        assert not len(self.intake)

    def test_a_sink_that_raises(self) -> None:
        """What it had not settled before is offered again."""
        self.raises = True
        self.take("a", "b", "c")
        assert self.events == ["store a b c", "ack a"]
        self.raises = False
        self.clock.advance(1.0)
        assert self.events[2:] == ["store b c"]
        assert len(self.flushLoggedErrors(OSError)) == 1

    def test_reports(self) -> None:
        """A report is acknowledged once it is stored, by a name that no message has."""
        self.take("n1")
        for _ in range(2):
            self.intake.take_report("n1", REPORT, lambda: self.events.append("noted"))
        assert self.events == ["store n1", "report n1"]
        self.reports[0].errback(OSError("disk full"))
        assert len(self.flushLoggedErrors(OSError)) == 1
        self.clock.advance(1.0)
        self.reports[1].callback(None)
        assert self.events[2:] == ["report n1", "noted"]
        assert len(self.intake) == 1

    def test_stop_ends_a_pause(self) -> None:
        """A stop does not wait for a pause; the message is neither stored nor acknowledged."""
        self.take()
        self.fail()
        self.successResultOf(self.stop())
        self.clock.advance(100)
        assert self.events == ["store key"]
        assert not self.clock.getDelayedCalls()

    def test_stop_waits_for_storing(self) -> None:
        """A stop waits for what is being stored, takes nothing new, and calls no sink after."""
        self.take()
        stopping = self.stop()
        self.take("other")
        self.assertNoResult(stopping)
        self.store()
        self.successResultOf(stopping)
        assert self.events == ["store key", "ack key"]

    def test_stop_does_not_wait_for_ever(self) -> None:
        """A sink that never ends holds a stop up for 5 seconds."""
        self.take()
        stopping = self.stop()
        self.clock.advance(4.9)
        self.assertNoResult(stopping)
        self.clock.advance(0.2)
        self.successResultOf(stopping)
        self.fail()
        assert self.events == ["store key"]
        assert not self.clock.getDelayedCalls()

    def test_start_again(self) -> None:
        """After a stop and a start messages are taken again, those that were not stored too."""
        self.take()
        self.fail()
        self.successResultOf(self.stop())
        self.intake.start()
        self.take()
        self.store()
        assert self.events == ["store key", "store key", "ack key"]

    def test_start_again_while_some_are_still_at_the_sink(self) -> None:
        """What fails only after a stop and a start is offered again, like all that fails."""
        self.take("a", "b")
        self.fail(0, 0, 1)
        stopping = self.stop()
        self.clock.advance(5.1)
        self.successResultOf(stopping)
        self.intake.start()
        self.fail(0, 1)
        self.clock.advance(1.0)
        assert self.events == ["store a b", "store b"]
        self.store()
        self.take("b")
        assert self.events[2:] == ["ack b", "store b"]

"""What came in is stored, then acknowledged; and offered until it is."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dtns.gateway.intake import Intake


class IntakeTests(SynchronousTestCase):
    """One intake, its clock, and the order of events."""

    def setUp(self) -> None:
        """Make an intake."""
        self.clock = Clock()
        self.intake = Intake(self.clock)
        self.events: list[str] = []
        self.stores: list[Deferred[None]] = []

    def take(self, key: str = "key") -> None:
        """Take an item whose storing ends when the test fires `stores`."""
        self.intake.take(key, lambda: self.store(key), lambda: self.events.append(f"ack {key}"))

    def store(self, key: str) -> Deferred[None]:
        """Begin to store."""
        self.events.append(f"store {key}")
        self.stores.append(Deferred())
        return self.stores[-1]

    def fail_store(self) -> None:
        """Fail the latest storing."""
        self.stores[-1].errback(OSError("disk full"))
        assert len(self.flushLoggedErrors(OSError)) == 1

    def test_acknowledges_after_storing(self) -> None:
        """The acknowledgement comes after the end of storing."""
        self.take()
        assert self.events == ["store key"]
        self.stores[0].callback(None)
        assert self.events == ["store key", "ack key"]

    def test_not_twice_at_a_time(self) -> None:
        """An item that comes again while it is being stored is not stored beside itself."""
        self.take()
        self.take()
        self.take("other")
        assert self.events == ["store key", "store other"]
        self.stores[0].callback(None)
        self.take()
        assert self.events[2:] == ["ack key", "store key"]

    def test_pauses_grow(self) -> None:
        """Faults are followed by pauses of 1, 2, 4 ... 60 seconds, and never an acknowledgement."""
        self.take()
        for pause in (1, 2, 4, 8, 16, 32, 60, 60):
            self.fail_store()
            count = len(self.stores)
            self.clock.advance(pause - 0.01)
            assert len(self.stores) == count
            self.clock.advance(0.02)
            assert len(self.stores) == count + 1
        self.stores[-1].callback(None)
        assert self.events == ["store key"] * 9 + ["ack key"]

    def test_stop_ends_a_pause(self) -> None:
        """A stop does not wait for a pause; the item is neither stored nor acknowledged."""
        self.take()
        self.fail_store()
        self.successResultOf(Deferred.fromCoroutine(self.intake.stop()))
        self.clock.advance(100)
        assert self.events == ["store key"]
        assert not self.clock.getDelayedCalls()

    def test_stop_waits_for_storing(self) -> None:
        """A stop waits for what is being stored, takes nothing new, and calls no sink after."""
        self.take()
        stopping = Deferred.fromCoroutine(self.intake.stop())
        self.take("other")
        self.assertNoResult(stopping)
        self.stores[0].callback(None)
        self.successResultOf(stopping)
        assert self.events == ["store key", "ack key"]

    def test_stop_does_not_wait_for_ever(self) -> None:
        """A sink that never ends holds a stop up for 5 seconds."""
        self.take()
        stopping = Deferred.fromCoroutine(self.intake.stop())
        self.clock.advance(4.9)
        self.assertNoResult(stopping)
        self.clock.advance(0.2)
        self.successResultOf(stopping)
        self.fail_store()
        assert self.events == ["store key"]

    def test_start_again(self) -> None:
        """After a stop and a start items are taken again, those that were not stored too."""
        self.take()
        self.fail_store()
        self.successResultOf(Deferred.fromCoroutine(self.intake.stop()))
        self.intake.start()
        self.take()
        self.stores[-1].callback(None)
        assert self.events == ["store key", "store key", "ack key"]

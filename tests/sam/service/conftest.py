"""A service without sockets: a clock one turns by hand, and a carrier in memory."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sinks import stored
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dtns.gateway.carrier import Inbound
from dtns.gateway.memory import MemoryCarrier
from dtns.sam.handset.handset import Handset
from dtns.sam.service.traffic import Rates, Traffic


class Bench:
    """Intake, outbox and carrier over a world's store; time passes only by `pass_time`."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.clock = Clock()
        self.began = world.now
        self.counters: Counter[str] = Counter()
        self.ids = itertools.count(1)
        self.unacknowledged: set[str] = set()
        self.statements: list[str] = []
        world.store.connection.set_trace_callback(self.statements.append)
        self.start()

    def start(self, **options: Any) -> None:
        """Start everything anew on the same store, as after a crash; *options* are Traffic's."""
        self.traffic = Traffic(
            self.world.store,
            self.world.issuer,
            clock=self.now,
            random=Random(7),
            counters=self.counters,
            reactor=self.clock,
            **options,
        )
        self.commits = self.traffic.commits
        self.intake, self.outbox = self.traffic.intake, self.traffic.outbox
        self.sink = self.traffic.sink("memory")
        self.outbox.start()
        self.carrier = MemoryCarrier("memory", self.sink, self.clock)
        self.use(self.carrier)
        self.turn()

    def use(self, carrier: Any, network: str = "trial", **rates: float) -> None:
        """Add a carrier, in the place of one with the same name."""
        self.done(Deferred.fromCoroutine(self.traffic.add(carrier, network, Rates(**rates))))

    def now(self) -> float:
        """POSIX time."""
        return float(self.began + self.clock.seconds())

    def turn(self, turns: int = 6) -> None:
        """Let everything happen that needs no time."""
        for _ in range(turns):
            self.clock.advance(0)

    def pass_time(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.turn(3)

    def deliver(self, text: str, identity: str | None = None, sender: str = "+99") -> Deferred[Any]:
        """Bring the sink a message, once; fires when it would be acknowledged."""
        identity = identity or f"memory-{next(self.ids)}"
        self.unacknowledged.add(identity)
        message = Inbound("memory", identity, sender, text, self.now())
        storing = stored(self.sink, message)
        return storing.addCallback(lambda _: self.unacknowledged.discard(identity))

    def ask(self, asker: Handset, holder: Handset) -> str:
        """Return the text of a new ask."""
        text: str = self.world.ask(asker, holder).text
        return text

    def commits_since(self, start: int = 0) -> int:
        """Count the transactions begun since the start-th statement."""
        return sum(line.startswith("BEGIN") for line in self.statements[start:])

    def states(self) -> Counter[str]:
        """Count the answers by their states."""
        return +Counter(self.world.store.outbox.counts())

    def writable(self, *, yes: bool) -> None:
        """Let the store's disk be written or not."""
        self.world.store.connection.execute(f"PRAGMA query_only = {0 if yes else 1}")

    @staticmethod
    def done(deferred: Deferred[Any]) -> Any:
        """Return the result that a Deferred has now; raises its failure."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        assert results, "nothing yet"
        if hasattr(results[0], "raiseException"):
            results[0].raiseException()
        return results[0]


@pytest.fixture
def bench(world: Any) -> Bench:
    """A running service with nobody enrolled."""
    return Bench(world)


@pytest.fixture
def make_bench(make_world: Callable[..., Any]) -> Callable[..., Bench]:
    """Make benches with other policies."""
    return lambda policy: Bench(make_world(policy))

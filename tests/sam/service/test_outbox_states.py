"""Intake and outbox against a model: crashes between any two commits, carriers at their worst.

The network is a model, too: it delivers what is not acknowledged again, and some of the rest; it
knows how often it was handed each answer, and how often it took it. Sam must lose no answer, write
none for a message that it knows, and hand none over again that a network took, but after a crash
or an attempt in doubt.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from onebyone import OneByOne
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from world import World

from dtns.gateway.carrier import Accepted, Failed, Inbound, Outbound, Report
from dtns.sam.errors import StoreError
from dtns.sam.service.traffic import Rates, Traffic
from dtns.sam.store.handed import HandedRows

CARRIERS = ("one", "two")
_EVERY = (
    "SELECT id, state, decision FROM outbox UNION ALL"
    " SELECT first + key, 'handed', value ->> 0 FROM handed, json_each(answers)"
    " WHERE first + key NOT IN (SELECT id FROM outbox)"
)


class Network:
    """What lies behind both carriers: sends that wait, and what was taken."""

    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.waiting: list[tuple[Outbound, Deferred[Accepted | Failed], str]] = []
        self.taken: dict[str, list[str]] = {}
        self.excused: Counter[str] = Counter()
        """How often each reference may be taken once more, for a crash or a doubt."""

    def take(self, message: Outbound) -> str:
        """Take a message and return the network's id for it."""
        carrier_id = f"net-{next(self.ids)}"
        self.taken.setdefault(message.reference, []).append(carrier_id)
        return carrier_id


class ModelCarrier(OneByOne):
    """A carrier whose sends wait until the test answers them."""

    def __init__(self, name: str, network: Network) -> None:
        self.name = name
        self.connected = True
        self.network = network

    async def stop(self) -> None:
        """Do nothing."""

    async def send(self, message: Outbound) -> Accepted | Failed:
        """Wait for the test."""
        answer: Deferred[Accepted | Failed] = Deferred()
        self.network.waiting.append((message, answer, self.name))
        return await answer


class OutboxMachine(RuleBasedStateMachine):
    """Asks, answers of the network, reports, crashes, disconnections, a store that fails."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        """Start Sam with two parties and two carriers."""
        self.folder = Path(tempfile.mkdtemp(prefix="outbox"))
        self.world = World(self.folder)
        self.dice = Random(seed)
        self.alice, self.bob = self.world.phone(), self.world.phone()
        self.network = Network()
        self.clock = Clock()
        self.counters: Counter[str] = Counter()
        self.texts: list[str] = []
        self.delivered: list[Inbound] = []
        self.unacknowledged: set[str] = set()
        self.finals: dict[int, str] = {}
        self.start()

    def start(self) -> None:
        """Start Sam, on whatever the store holds."""
        self.traffic = Traffic(
            self.world.store,
            self.world.issuer,
            clock=lambda: self.world.now + self.clock.seconds(),
            random=self.dice,
            counters=self.counters,
            reactor=self.clock,
        )
        self.traffic.outbox.start()
        self.carriers = {name: ModelCarrier(name, self.network) for name in CARRIERS}
        for carrier in self.carriers.values():
            Deferred.fromCoroutine(self.traffic.add(carrier, "net", Rates(in_flight=4)))

    @rule(carrier=st.sampled_from(CARRIERS), now=st.booleans())
    @precondition(lambda self: len(self.texts) < 40)
    def ask(self, carrier: str, *, now: bool) -> None:
        """A new ask comes: its answer is owed from the commit on."""
        self.texts.append(self.world.ask(self.alice, self.bob).text)
        self.deliver(self.texts[-1], carrier, now=now)

    @rule(carrier=st.sampled_from(CARRIERS), which=st.integers(0, 39), now=st.booleans())
    @precondition(lambda self: self.texts)
    def ask_again(self, carrier: str, which: int, *, now: bool) -> None:
        """The phone repeats an ask."""
        self.deliver(self.texts[which % len(self.texts)], carrier, now=now)

    def deliver(self, text: str, carrier: str, *, now: bool) -> None:
        """Bring Sam a message that it has not seen, to be decided on *now* or with what follows."""
        message = Inbound(carrier, f"m{len(self.delivered)}", "+99", text, 0.0)
        self.delivered.append(message)
        self.bring([message], now=now)

    def bring(self, messages: list[Inbound], *, now: bool) -> None:
        """Bring Sam messages of one carrier."""
        self.unacknowledged.update(each.identity for each in messages)
        self.traffic.sink(messages[0].carrier).received(messages, partial(self.settled))
        if now:
            self.clock.advance(0)

    def settled(self, messages: Sequence[Inbound], failure: object) -> None:
        """Forget what is stored."""
        if failure is None:
            self.unacknowledged.difference_update(each.identity for each in messages)

    @rule(which=st.lists(st.integers(0, 200), max_size=3), now=st.booleans())
    @precondition(lambda self: self.delivered)
    def redeliver(self, which: list[int], *, now: bool) -> None:
        """The carriers bring again what was not acknowledged, and some of what was."""
        again = {self.delivered[one % len(self.delivered)].identity for one in which}
        for carrier in CARRIERS:
            messages = [
                each
                for each in self.delivered
                if each.carrier == carrier and each.identity in self.unacknowledged | again
            ]
            if messages:
                self.bring(messages, now=now)

    @rule()
    def another_write_fails(self) -> None:
        """Something else has a fault in the transaction of what came: all is run once more."""
        faulty = self.traffic.commits.write(lambda: 1 // 0)
        faulty.addErrback(lambda failure: failure.trap(ZeroDivisionError, StoreError))

    @rule(seconds=st.sampled_from([0.0, 0.3, 3.0, 70.0, 3700.0]))
    def pass_time(self, seconds: float) -> None:
        """Time passes; pauses end."""
        self.clock.advance(0)
        self.clock.advance(seconds)

    @rule(
        which=st.integers(0, 20), fate=st.sampled_from(["take", "refuse", "later", "doubt", "lost"])
    )
    @precondition(lambda self: self.network.waiting)
    def answer(self, which: int, fate: str) -> None:
        """The network answers one of the sends that wait."""
        message, waiting, _ = self.network.waiting.pop(which % len(self.network.waiting))
        reference = message.reference
        if fate == "take":
            waiting.callback(Accepted(reference, self.network.take(message)))
        elif fate in ("doubt", "lost"):
            if fate == "doubt":
                self.network.take(message)
            self.network.excused[reference] += 1
            waiting.callback(Failed(reference, permanent=False, reason="?", maybe_sent=True))
        else:
            waiting.callback(Failed(reference, permanent=fate == "refuse", reason=fate))

    @rule(
        which=st.integers(0, 60),
        by_id=st.booleans(),
        states=st.lists(
            st.sampled_from(["delivered", "failed", "expired"]), min_size=1, max_size=3
        ),
    )
    @precondition(lambda self: self.network.taken)
    def report(self, which: int, states: list[Any], *, by_id: bool) -> None:
        """The network reports on something it took: at once, late, twice, without our reference."""
        references = list(self.network.taken)
        reference = references[which % len(references)]
        carrier_id = self.network.taken[reference][-1]
        for state in states:
            told = Report(carrier_id, None if by_id else reference, state)
            self.traffic.outbox.reported(CARRIERS[which % 2], told)
            self.clock.advance(0)
            self.what_is_final_stays_final()

    @rule(junk=st.text(max_size=5))
    def report_junk(self, junk: str) -> None:
        """The network reports on what it never took."""
        self.traffic.outbox.reported("one", Report(f"junk-{junk}", None, "failed"))

    @rule(taken=st.integers(0, 2**12 - 1))
    def crash(self, taken: int) -> None:
        """The process dies; the network may or may not have taken what was under way."""
        for place, (message, _, _) in enumerate(self.network.waiting):
            if taken >> place % 12 & 1:
                self.network.take(message)
            self.network.excused[message.reference] += 1
        self.network.waiting.clear()
        for reference in self.uncommitted():
            self.network.excused[reference] += 1
        for call in self.clock.getDelayedCalls():
            call.cancel()
        self.start()

    def uncommitted(self) -> list[str]:
        """Return the references of what a carrier answered for and the store does not know yet."""
        prefix = self.traffic.outbox._prefix
        return [f"{prefix}{row}" for row, state, _ in self.rows() if state == "handed"]

    @rule(carrier=st.sampled_from(CARRIERS), connected=st.booleans())
    def connect(self, carrier: str, *, connected: bool) -> None:
        """A carrier comes or goes."""
        self.carriers[carrier].connected = connected

    @rule(writable=st.booleans())
    def store_fails(self, *, writable: bool) -> None:
        """The store takes nothing, or takes everything again."""
        self.world.store.connection.execute(f"PRAGMA query_only = {int(not writable)}")
        self.clock.advance(0.3)
        self.world.store.connection.execute("PRAGMA query_only = 0")

    def rows(self) -> list[Any]:
        """Return every answer's id, state and decision."""
        return list(self.world.store.connection.execute(_EVERY))

    @invariant()
    def memory_is_as_the_disk(self) -> None:
        """What Sam takes to be under way is what it would find after a crash."""
        if hasattr(self, "finals"):
            store = self.world.store
            assert set(HandedRows(store.connection)) == set(store.outbox._handed)

    @invariant()
    def nothing_is_taken_twice_without_an_excuse(self) -> None:
        """Each copy beyond the first has a crash or a doubt before it."""
        for reference, copies in getattr(self, "network", Network()).taken.items():
            assert len(copies) <= 1 + self.network.excused[reference], reference

    @invariant()
    def what_is_final_stays_final(self) -> None:
        """Delivered is for ever; failed and expired may only turn out delivered."""
        if not hasattr(self, "finals"):
            return
        for row, state, _ in self.rows():
            before = self.finals.get(row)
            assert before is None or state in (before, "delivered")
            assert before != "delivered" or state == "delivered"
            if state in ("delivered", "failed", "expired"):
                self.finals[row] = state

    @invariant()
    def no_copy_waits_twice(self) -> None:
        """Of the answer to one ask at most one copy waits to leave."""
        if hasattr(self, "finals"):
            waiting = Counter(
                counter
                for _, state, counter in self.rows()
                if state in ("queued", "handed", "retrying")
            )
            assert all(count == 1 for count in waiting.values())

    @invariant()
    def no_message_is_answered_twice(self) -> None:
        """There are no more answers to an ask than messages that brought it."""
        if hasattr(self, "finals"):
            brought = Counter(self.texts.index(each.text) + 1 for each in self.delivered)
            rows = self.world.store.connection.execute(
                f"SELECT counter, count(*) FROM ({_EVERY}) AS sending"
                " JOIN decision ON decision.id = sending.decision GROUP BY counter"
            )
            for counter, count in rows:
                assert count <= brought[counter]

    def teardown(self) -> None:
        """In the end, with good carriers, every answer has been taken or is final: none is lost."""
        if not hasattr(self, "finals"):
            return
        for carrier in self.carriers.values():
            carrier.connected = True
        while self.unacknowledged:
            self.clock.advance(3)
            self.redeliver([], now=True)
        for _ in range(400):
            while self.network.waiting:
                message, waiting, _ = self.network.waiting.pop()
                waiting.callback(Accepted(message.reference, self.network.take(message)))
            self.clock.advance(30)
        states = Counter(state for _, state, _ in self.rows())
        assert set(states) <= {"accepted", "delivered", "failed", "expired"}, states
        answered = {counter for _, _, counter in self.rows()}
        assert answered == set(range(1, len(self.texts) + 1))
        self.nothing_is_taken_twice_without_an_excuse()
        prefix = self.traffic.outbox._prefix
        for row, state, _ in self.rows():
            assert state != "accepted" or f"{prefix}{row}" in self.network.taken
        self.world.store.close()
        shutil.rmtree(self.folder)


TestOutboxStates = OutboxMachine.TestCase
TestOutboxStates.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

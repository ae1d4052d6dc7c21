"""Intake: what phones send, decided on and durably answered before the carrier hears of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, DeferredList, fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from dtns.gateway.carrier import Inbound
from dtns.gateway.fairqueue import FairQueue, has_room
from dtns.gateway.parts import Joining
from dtns.sam.errors import StoreError, UnreachableError
from dtns.sam.issuing.issuer import Answer, Issuer, Outcome, Silence
from dtns.sam.issuing.typed import TypedAsks
from dtns.sam.ledger.filing import Filing
from dtns.sam.service.commits import GroupCommit
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.outbox import Handed, Outbox
from dtns.sam.service.pace import Pace
from dtns.sam.service.servicetime import ServiceTime
from dtns.sam.service.typedtext import read_typed_text
from dtns.sam.store.store import Store

BATCH: Final = 500
"""Most messages decided on in one transaction, and in one turn of the reactor."""
WAITING: Final = 2000
"""Most messages of one carrier that wait, and of one sender as many as are still free.

Further ones stay with the carrier.
"""

REDELIVERED: Final = "redelivered"
"""Counter of messages that came again from the carrier and had been acted on already."""
PART: Final = "part"
"""Counter of parts of long messages that wait for others."""
PART_DROPPED: Final = "part-dropped"
"""Counter of parts that were never joined: orphans, junk, and those beyond the bounds."""
FAULTS: Final = "faults"
"""Counter of messages dropped because deciding on them failed in an unforeseen way."""
NOT_STORED: Final = "not-stored"
"""Counter of messages that the store did not take, and the carrier will offer again."""
OVERLOADED: Final = "overloaded"
"""Counter of messages turned away because too many waited; the carrier will offer them again."""

_QUEUED: Final = frozenset(outcome.value for outcome in Outcome)
_BEHIND: Final = (
    "a phone has proved that this store forgot keys it had issued, as an old copy put back does: "
    "no key is issued any more until the newest copy is back or the epoch is raised"
)


class StoppingError(UnreachableError):
    """Sam is stopping and takes nothing in: the carrier keeps the message."""


class OverloadedError(UnreachableError):
    """Too many messages wait already: the carrier keeps this one for now."""


@frozen(eq=False)
class _Arrival:
    message: Inbound
    stored: Deferred[None]


@frozen
class _Decided:
    outcomes: list[str]
    behind: bool
    answers: list[tuple[Answer, str]]
    handed: Handed | None = None


class _Line:
    """What waits of one carrier, and how fast it may be taken."""

    pace: Pace

    def __init__(self) -> None:
        self.arrived: FairQueue[_Arrival] = FairQueue()


class Intake:
    """Collects the messages of a turn, decides on all in one transaction, then acknowledges.

    Answers are queued in *outbox*. Each carrier with messages has the same share of a turn, and
    within it what senders claim to be takes turns: a hint that shares out, and never shuts out.
    """

    _log = Logger()

    def __init__(
        self,
        store: Store,
        commits: GroupCommit,
        issuer: Issuer,
        outbox: Outbox,
        *,
        clock: Callable[[], float],
        served: ServiceTime,
        counters: Counter[str],
        reactor: Any,
        exchanges: ExchangeLog | None = None,
        filing: Filing | None = None,
        typed: TypedAsks | None = None,
    ) -> None:
        self._filing = filing
        self._typed = typed
        self._exchanges = exchanges
        self._store = store
        self._commits = commits
        self._issuer = issuer
        self._outbox = outbox
        self._clock = clock
        self._served = served
        self._counters = counters
        self._reactor = reactor
        self._joining = Joining(store.parts)
        self._lines: dict[str, _Line] = {}
        self._turn_due = False
        self._deciding = False
        self._closed = False
        self._warned = False

    def limit(self, carrier: str, per_minute: float) -> None:
        """Take at most so many messages a minute from a carrier, 0 for no limit."""
        line = self._lines.setdefault(carrier, _Line())
        line.pace = Pace(per_minute, self._reactor.seconds)

    def received(self, message: Inbound) -> Deferred[None]:
        """Decide on a message, or store a part of one; its answer leaves by the outbox.

        Fires once all is durable; fails if it is not, and then the message must come again.
        """
        if self._closed:
            return fail(StoppingError("Sam is stopping"))
        if message.carrier not in self._lines:
            self.limit(message.carrier, 0)
        arrived = self._lines[message.carrier].arrived
        if not has_room(arrived.of(message.sender), len(arrived), WAITING):
            self._counters[OVERLOADED] += 1
            return fail(OverloadedError("too many messages wait"))
        arrival = _Arrival(message, Deferred())
        arrived.add(message.sender, arrival)
        self._plan()
        return arrival.stored

    def close(self) -> None:
        """Take nothing more in; what has arrived is still decided on."""
        self._closed = True

    def _plan(self) -> None:
        """Have a turn soon if anything may be taken, one at a time."""
        if self._turn_due or self._deciding:
            return
        waits = [line.pace.wait() for line in self._lines.values() if line.arrived]
        if not waits:
            return
        if self._closed or min(waits) <= 0:
            self._take_turn()
        else:
            self._turn_due = True
            self._reactor.callLater(min(waits), self._take_turn)

    def _take_turn(self) -> None:
        """Decide in the next commit on what will have come by then; its answers leave after it."""
        self._turn_due, self._deciding = False, True
        self._write([]).addBoth(lambda _: self._turn_over())

    def _turn_over(self) -> None:
        self._deciding = False
        self._plan()

    def _next_batch(self) -> list[_Arrival]:
        lines = [line for line in self._lines.values() if line.arrived]
        share = max(1, BATCH // max(1, len(lines)))
        batch = []
        for line in lines:
            wanted = min(len(line.arrived), share)
            count = wanted if self._closed else line.pace.room(wanted)
            line.pace.take(count)
            batch += [line.arrived.take() for _ in range(count)]
        return batch

    def _write(self, batch: list[_Arrival]) -> Deferred[None]:
        """Decide in the next commit on messages, none: on those that may be taken then.

        Fires once each has been told of.
        """
        alone = bool(batch)

        def decide() -> _Decided:
            batch.extend(() if batch else self._next_batch())
            decided = self._decide(batch)
            return decided if alone else evolve(decided, handed=self._outbox.hand_over())

        written: Deferred[Any] = self._commits.write(decide).addCallbacks(
            self._written, self._not_written, callbackArgs=(batch,), errbackArgs=(batch,)
        )
        return written.addErrback(self._unforeseen)

    def _decide(self, batch: list[_Arrival]) -> _Decided:
        """Decide on each message and queue the answers."""
        now, served = self._clock(), self._served()
        known = self._known(batch)
        self._joining.dropped = 0
        answers: list[tuple[Answer, str]] = []
        outcomes = [
            self._decide_one(arrival.message, known, answers, now, served) for arrival in batch
        ]
        self._store.inbound.forget(now)
        outcomes += [PART_DROPPED] * self._joining.dropped
        return _Decided(outcomes, self._store.behind, answers)

    def _decide_one(
        self,
        message: Inbound,
        known: set[tuple[str, str]],
        answers: list[tuple[Answer, str]],
        now: float,
        served: float,
    ) -> str:
        if (message.carrier, message.identity) in known:
            return REDELIVERED
        whole = self._joining.take(message, served)
        if whole is None:
            known.add((message.carrier, message.identity))
            return PART
        decided = self._issuer.decide(self._store, whole.text, message.carrier, now)
        if decided is Silence.MALFORMED and self._filing is not None:
            decided = self._filing.file(self._store, whole.text, now)
        if decided is Silence.MALFORMED and self._typed is not None:
            decided = self._decide_typed(self._typed, whole.text, message, now)
        if not isinstance(decided, Answer):
            return decided.value
        self._outbox.add(message.carrier, decided, now)
        if self._exchanges is not None:
            answers.append((decided, message.carrier))
        if decided.notice:
            self._outbox.add(message.carrier, decided._replace(text=decided.notice, counter=0), now)
        self._store.inbound.remember(message.carrier, whole.identities, now)
        known |= {(message.carrier, identity) for identity in whole.identities}
        return decided.outcome.value

    def _decide_typed(
        self, typed: TypedAsks, text: str, message: Inbound, now: float
    ) -> Answer | Silence:
        """Decide on what may be a typed ask, of whom the network names as its sender."""
        typing = read_typed_text(message.sender, text)
        if typing is None:
            return Silence.MALFORMED
        decided = typed.decide(self._store, typing, message.carrier, now)
        if isinstance(decided, Silence):
            return decided
        return Silence.WAITING if decided.answer is None else decided.answer

    def _known(self, batch: list[_Arrival]) -> set[tuple[str, str]]:
        identities: dict[str, list[str]] = {}
        for arrival in batch:
            identities.setdefault(arrival.message.carrier, []).append(arrival.message.identity)
        return {
            (carrier, identity)
            for carrier, those in identities.items()
            for identity in self._store.inbound.known(carrier, those)
        }

    def _written(self, decided: _Decided, batch: list[_Arrival]) -> None:
        self._counters.update(decided.outcomes)
        if self._exchanges is not None:
            for answer, carrier in decided.answers:
                self._exchanges.decided(answer, carrier)
        if decided.behind and not self._warned:
            self._warned = True
            self._log.critical(_BEHIND, event="behind")
        for arrival in batch:
            arrival.stored.callback(None)
        if decided.handed is not None:
            self._outbox.leave(decided.handed)
        elif _QUEUED.intersection(decided.outcomes):
            self._outbox.wake(new=True)

    def _not_written(self, failure: Failure, batch: list[_Arrival]) -> Deferred[Any] | None:
        if isinstance(failure.value, StoreError):
            batch.extend(() if batch else self._next_batch())
            self._counters[NOT_STORED] += len(batch)
            self._log.error(
                "{count} messages are not taken: {reason}",
                event="not-stored",
                count=len(batch),
                reason=failure.getErrorMessage(),
            )
            for arrival in batch:
                arrival.stored.errback(failure)
        elif len(batch) > 1:
            return DeferredList([self._write([arrival]) for arrival in batch])
        else:
            self._counters[FAULTS] += 1
            self._log.failure("a message is dropped", failure=failure, event="fault")
            batch[0].stored.callback(None)
        return None

    def _unforeseen(self, failure: Failure) -> None:
        self._log.failure("the intake failed", failure=failure, event="fault")

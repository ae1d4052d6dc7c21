"""Intake: what phones send, decided on and durably answered before the carrier hears of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from dtns.gateway.carrier import Inbound
from dtns.gateway.fairqueue import FairQueue, has_room
from dtns.sam.errors import StoreError, UnreachableError
from dtns.sam.issuing.issuer import Answer, Issuer
from dtns.sam.issuing.typed import TypedAsks
from dtns.sam.ledger.filing import Filing
from dtns.sam.service.commits import GroupCommit
from dtns.sam.service.decisions import Decisions
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.outbox import Handed, Outbox
from dtns.sam.service.pace import Pace
from dtns.sam.service.servicetime import ServiceTime
from dtns.sam.store.store import Store

if TYPE_CHECKING:
    from dtns.gateway.carrier import Settled

BATCH: Final = 500
"""Most messages decided on in one transaction, and in one turn of the reactor."""
WAITING: Final = 2000
"""Most messages of one carrier that wait, and of one sender as many as are still free.

Further ones stay with the carrier.
"""

FAULTS: Final = "faults"
"""Counter of messages dropped because deciding on them failed in an unforeseen way."""
NOT_STORED: Final = "not-stored"
"""Counter of messages that the store did not take, and the carrier will offer again."""
OVERLOADED: Final = "overloaded"
"""Counter of messages turned away because too many waited; the carrier will offer them again."""

_BEHIND: Final = (
    "a phone has proved that this store forgot keys it had issued, as an old copy put back does: "
    "no key is issued any more until the newest copy is back or the epoch is raised"
)


class StoppingError(UnreachableError):
    """Sam is stopping and takes nothing in: the carrier keeps the message."""


class OverloadedError(UnreachableError):
    """Too many messages wait already: the carrier keeps this one for now."""


class _Arrival(NamedTuple):
    """A message, and who hears of it; the same message once more is another arrival."""

    message: Inbound
    settled: Settled

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


@frozen
class _Decided:
    """What was decided on the messages of a batch, and who hears of it once that is durable."""

    outcomes: list[str]
    behind: bool
    answers: list[tuple[str, Answer]]
    handed: Handed | None


class _Line:
    """What waits of one carrier, and how fast it may be taken."""

    pace: Pace

    def __init__(self) -> None:
        self.arrived: FairQueue[_Arrival] = FairQueue()

    def add(self, arrival: _Arrival) -> bool:
        """Take in a message, if its sender has room; tell whether it had."""
        sender, waiting = arrival.message.sender, len(self.arrived)
        # nobody has more places than are taken, so that while half are free all have room
        if 2 * waiting >= WAITING and not has_room(self.arrived.of(sender), waiting, WAITING):
            return False
        self.arrived.add(sender, arrival)
        return True

    def take(self, share: int, *, at_once: bool) -> list[_Arrival]:
        """Take out as many as the pace allows and *share* has places for; *at_once* at any pace."""
        waiting = len(self.arrived)
        wanted = min(waiting, share)
        count = wanted if at_once else self.pace.room(wanted)
        self.pace.take(count)
        if count == waiting:
            return self.arrived.take_all()
        return [self.arrived.take() for _ in range(count)]


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
        self._decisions = Decisions(store, issuer, filing=filing, typed=typed)
        self._exchanges = exchanges
        self._store = store
        self._commits = commits
        self._outbox = outbox
        self._clock = clock
        self._served = served
        self._counters = counters
        self._reactor = reactor
        self._lines: dict[str, _Line] = {}
        self._turn_due = False
        self._deciding = False
        self._closed = False
        self._warned = False

    def limit(self, carrier: str, per_minute: float) -> None:
        """Take at most so many messages a minute from a carrier, 0 for no limit."""
        line = self._lines.setdefault(carrier, _Line())
        line.pace = Pace(per_minute, self._reactor.seconds)

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Decide on messages of one carrier, or store parts of some; answers leave by the outbox.

        *settled* hears of each once all that is durable, or that it must come again.
        """
        if self._closed:
            settled(messages, _failure(StoppingError("Sam is stopping")))
            return
        carrier = messages[0].carrier
        if carrier not in self._lines:
            self.limit(carrier, 0)
        line = self._lines[carrier]
        if refused := [each for each in messages if not line.add(_Arrival(each, settled))]:
            self._counters[OVERLOADED] += len(refused)
            settled(refused, _failure(OverloadedError("too many messages wait")))
        self._plan()

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
            batch += line.take(share, at_once=self._closed)
        return batch

    def _write(self, batch: list[_Arrival]) -> Deferred[None]:
        """Decide in the next commit on messages, none: on those that may be taken then.

        Fires once each has been told of.
        """
        alone = bool(batch)

        def decide() -> _Decided:
            batch.extend(() if batch else self._next_batch())
            return self._decide(batch, alone=alone)

        written: Deferred[Any] = self._commits.write(decide).addCallbacks(
            self._written, self._not_written, callbackArgs=(batch,), errbackArgs=(batch,)
        )
        return written.addErrback(self._unforeseen)

    def _decide(self, batch: list[_Arrival], *, alone: bool) -> _Decided:
        """Decide on each message, and queue the answers or hand them over."""
        now, messages = self._clock(), [each.message for each in batch]
        outcomes = self._decisions.decide(messages, now, self._served())
        answers = self._decisions.answers
        if not alone:
            handed = self._outbox.hand_over(answers, now)
        else:
            handed = None
            for carrier, answer in answers:
                self._outbox.add(carrier, answer, now)
        return _Decided(outcomes, self._store.behind, answers, handed)

    def _written(self, decided: _Decided, batch: list[_Arrival]) -> None:
        self._counters.update(decided.outcomes)
        if self._exchanges is not None:
            for carrier, answer in decided.answers:
                self._exchanges.decided(answer, carrier)
        if decided.behind and not self._warned:
            self._warned = True
            self._log.critical(_BEHIND, event="behind")
        _settle(batch, None)
        if decided.handed is not None:
            self._outbox.leave(decided.handed)
        elif decided.answers:
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
            _settle(batch, failure)
        elif len(batch) > 1:
            return DeferredList([self._write([arrival]) for arrival in batch])
        else:
            self._counters[FAULTS] += 1
            self._log.failure("a message is dropped", failure=failure, event="fault")
            _settle(batch, None)
        return None

    def _unforeseen(self, failure: Failure) -> None:
        self._log.failure("the intake failed", failure=failure, event="fault")


def _settle(batch: Iterable[_Arrival], failure: Failure | None) -> None:
    """Tell those who brought messages what became of them, each of all its own at once."""
    brought: dict[Settled, list[Inbound]] = {}
    for message, settled in batch:
        brought.setdefault(settled, []).append(message)
    for settled, messages in brought.items():
        settled(messages, failure)


def _failure(fault: Exception) -> Failure:
    return Failure(fault)  # type: ignore[no-untyped-call]

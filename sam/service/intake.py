"""Intake: what phones send, decided on and durably answered before the carrier hears of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from dtns.gateway.carrier import Inbound
from dtns.sam.errors import StoreError, UnreachableError
from dtns.sam.issuing.issuer import Answer, Issuer
from dtns.sam.service.commits import GroupCommit
from dtns.sam.service.outbox import Outbox
from dtns.sam.store.store import Store

BATCH: Final = 1000
"""Most messages decided on in one transaction."""

REDELIVERED: Final = "redelivered"
"""Counter of messages that came again from the carrier and had their answer already."""
FAULTS: Final = "faults"
"""Counter of messages dropped because deciding on them failed in an unforeseen way."""
NOT_STORED: Final = "not-stored"
"""Counter of messages that the store did not take, and the carrier will offer again."""


_BEHIND: Final = (
    "a phone has proved that this store forgot keys it had issued, as an old copy put back does: "
    "no key is issued any more until the newest copy is back or the epoch is raised"
)


class StoppingError(UnreachableError):
    """Sam is stopping and takes nothing in: the carrier keeps the message."""


@frozen
class _Arrival:
    message: Inbound
    outbox: Outbox
    stored: Deferred[None]


@frozen
class _Decided:
    outcomes: list[str]
    behind: bool


class Intake:
    """Collects the messages of a turn, decides on all in one transaction, then acknowledges."""

    _log = Logger()

    def __init__(
        self,
        store: Store,
        commits: GroupCommit,
        issuer: Issuer,
        *,
        clock: Callable[[], float],
        counters: Counter[str],
        reactor: Any,
    ) -> None:
        self._store = store
        self._commits = commits
        self._issuer = issuer
        self._clock = clock
        self._counters = counters
        self._reactor = reactor
        self._arrived: list[_Arrival] = []
        self._closed = False
        self._warned = False

    def received(self, message: Inbound, outbox: Outbox) -> Deferred[None]:
        """Decide on a message; its answer goes out by *outbox*.

        Fires once all is durable; fails if it is not, and then the message must come again.
        """
        if self._closed:
            return fail(StoppingError("Sam is stopping"))
        arrival = _Arrival(message, outbox, Deferred())
        self._arrived.append(arrival)
        if len(self._arrived) == 1:
            self._reactor.callLater(0, self._take_turn)
        return arrival.stored

    def close(self) -> None:
        """Take nothing more in; what has arrived is still decided on."""
        self._closed = True

    def _take_turn(self) -> None:
        batch, self._arrived = self._arrived[:BATCH], self._arrived[BATCH:]
        if self._arrived:
            self._reactor.callLater(0, self._take_turn)
        self._write(batch)

    def _write(self, batch: list[_Arrival]) -> None:
        self._commits.write(lambda: self._decide(batch)).addCallbacks(
            self._written, self._not_written, callbackArgs=(batch,), errbackArgs=(batch,)
        ).addErrback(self._unforeseen)

    def _decide(self, batch: list[_Arrival]) -> _Decided:
        """Decide on each message and queue the answers."""
        now = self._clock()
        answered = self._answered(batch)
        outcomes = [self._decide_one(arrival, answered, now) for arrival in batch]
        return _Decided(outcomes, self._store.behind)

    def _decide_one(self, arrival: _Arrival, answered: set[tuple[str, str]], now: float) -> str:
        message = arrival.message
        if (message.carrier, message.identity) in answered:
            return REDELIVERED
        decided = self._issuer.decide(self._store, message.text, message.carrier, now)
        if not isinstance(decided, Answer):
            return decided.value
        arrival.outbox.add(message.identity, decided, now)
        answered.add((message.carrier, message.identity))
        return decided.outcome.value

    def _answered(self, batch: list[_Arrival]) -> set[tuple[str, str]]:
        identities: dict[str, list[str]] = {}
        for arrival in batch:
            identities.setdefault(arrival.message.carrier, []).append(arrival.message.identity)
        return {
            (carrier, identity)
            for carrier, those in identities.items()
            for identity in self._store.outbox.answered(carrier, those)
        }

    def _written(self, decided: _Decided, batch: list[_Arrival]) -> None:
        self._counters.update(decided.outcomes)
        if decided.behind and not self._warned:
            self._warned = True
            self._log.critical(_BEHIND, event="behind")
        for arrival in batch:
            arrival.stored.callback(None)
        for outbox in {id(arrival.outbox): arrival.outbox for arrival in batch}.values():
            outbox.wake()

    def _not_written(self, failure: Failure, batch: list[_Arrival]) -> None:
        if isinstance(failure.value, StoreError):
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
            for arrival in batch:
                self._write([arrival])
        else:
            self._counters[FAULTS] += 1
            self._log.failure("a message is dropped", failure=failure, event="fault")
            batch[0].stored.callback(None)

    def _unforeseen(self, failure: Failure) -> None:
        self._log.failure("the intake failed", failure=failure, event="fault")

"""The outbox: answers leave once they are durable, and are tried until they are taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from dtns.gateway.carrier import Accepted, Carrier, Failed, Outbound, Report
from dtns.gateway.errors import GatewayError
from dtns.sam.errors import StoreError
from dtns.sam.issuing.issuer import Answer
from dtns.sam.service.commits import GroupCommit
from dtns.sam.store.outbox import Parcel, State
from dtns.sam.store.store import Store

VALIDITY_SECONDS: Final = 7 * 24 * 3600
"""How long an answer is tried, and how long the network may keep it."""
IN_FLIGHT: Final = 64
FIRST_RETRY_SECONDS: Final = 1.0
LONGEST_RETRY_SECONDS: Final = 60.0
_RECONNECT_SECONDS: Final = 0.25
_STORE_RETRY_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.02


class Outbox:
    """The answers that leave by one carrier, at most IN_FLIGHT of them under way.

    *clock* gives POSIX time, *random* the jitter of retries.
    """

    _log = Logger()

    def __init__(
        self,
        carrier: str,
        store: Store,
        commits: GroupCommit,
        *,
        clock: Callable[[], float],
        random: Random,
        counters: Counter[str],
        reactor: Any,
    ) -> None:
        self._name = carrier
        self._store = store
        self._commits = commits
        self._clock = clock
        self._random = random
        self._counters = counters
        self._reactor = reactor
        self._carrier: Carrier | None = None
        self._prefix = ""
        self._under_way = 0
        self._taking = False
        self._due: float | None = None
        self._alarm: IDelayedCall | None = None

    def start(self, carrier: Carrier) -> None:
        """Begin to send by *carrier*, first what was under way when Sam last stopped.

        Raises StoreError where the store cannot be written.
        """
        with self._store.transaction():
            self._store.outbox.take_back(self._name, self._clock())
            meta = self._store.meta()
        self._prefix = f"{meta.instance}.{meta.epoch}."
        self._carrier = carrier
        self.wake()

    def stop(self) -> None:
        """Hand nothing more over; what is under way comes to its end."""
        self._carrier = None
        self._set_alarm(None)

    def add(self, identity: str, answer: Answer, now: float) -> None:
        """Queue the answer to an inbound message, inside the store's transaction."""
        self._store.outbox.add(self._name, identity, answer, now, VALIDITY_SECONDS)

    def wake(self) -> None:
        """Look for answers that are due, and hand over as many as may be under way."""
        self._due = self._clock()
        room = IN_FLIGHT - self._under_way
        if self._carrier is None or self._taking or room <= 0:
            return
        if not self._carrier.connected:
            self._set_alarm(_RECONNECT_SECONDS)
            return
        self._taking = True
        self._commits.write(lambda: self._take(room)).addCallbacks(self._taken, self._not_taken)

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is due or under way, at most so many seconds."""
        deadline = self._reactor.seconds() + seconds
        while self._busy and self._reactor.seconds() < deadline:
            await deferLater(self._reactor, _POLL_SECONDS)

    def reported(self, report: Report) -> Deferred[None]:
        """Note what became of an answer; fires once that is durable, or known to be of no use."""
        return self._commits.write(lambda: self._note_report(report)).addCallback(self._count)

    @property
    def _busy(self) -> bool:
        connected = self._carrier is not None and self._carrier.connected
        due = self._due is not None and self._due <= self._clock()
        return bool(self._under_way or self._taking or (due and connected))

    def _take(self, room: int) -> tuple[list[Parcel], float | None]:
        rows = self._store.outbox
        return rows.hand_over(self._name, self._clock(), room), rows.next_due(self._name)

    def _taken(self, taken: tuple[list[Parcel], float | None]) -> None:
        parcels, due = taken
        self._taking = False
        self._under_way += len(parcels)
        for parcel in parcels:
            Deferred.fromCoroutine(self._send(parcel)).addErrback(self._unforeseen)
        self._wait_until(due)

    def _not_taken(self, failure: Failure) -> None:
        self._taking = False
        self._log.error(
            "no answer is handed over: {reason}",
            event="not-stored",
            reason=failure.getErrorMessage(),
        )
        self._set_alarm(_STORE_RETRY_SECONDS)

    async def _send(self, parcel: Parcel) -> None:
        due = None
        try:
            outcome = await self._hand_over(parcel)
            if isinstance(outcome, Failed) and not outcome.permanent:
                due = self._clock() + self._pause(parcel.attempts)
            await self._note(parcel, outcome, due)
        finally:
            self._under_way -= 1
            self._wait_until(_earlier(self._due, due))

    async def _hand_over(self, parcel: Parcel) -> Accepted | Failed:
        reference = f"{self._prefix}{parcel.id}"
        if self._carrier is None:
            return Failed(reference, permanent=False, reason="Sam is stopping")
        message = Outbound(reference, f"+{parcel.recipient}", parcel.text, VALIDITY_SECONDS)
        try:
            return await self._carrier.send(message)
        except GatewayError as fault:
            return Failed(reference, permanent=fault.permanent, reason=str(fault))

    async def _note(self, parcel: Parcel, outcome: Accepted | Failed, due: float | None) -> None:
        """Write down what the carrier said; keeps trying while the store does not take it."""
        while True:
            try:
                what = await self._commits.write(lambda: self._write(parcel, outcome, due))
            except StoreError as fault:
                self._log.error(
                    "an outcome is not stored: {reason}", event="not-stored", reason=str(fault)
                )
                if self._carrier is None:
                    return
                await deferLater(self._reactor, _STORE_RETRY_SECONDS)
            else:
                self._count(what)
                return

    def _write(self, parcel: Parcel, outcome: Accepted | Failed, due: float | None) -> str:
        rows = self._store.outbox
        if isinstance(outcome, Accepted):
            rows.accepted(parcel.id, outcome.carrier_id)
            return "accepted"
        if due is None:
            rows.settle(parcel.id, State.FAILED, outcome.reason, self._clock())
            return "failed"
        rows.retry(parcel.id, due, outcome.reason)
        return "retried"

    def _pause(self, attempts: int) -> float:
        longest = FIRST_RETRY_SECONDS * (1 << min(attempts - 1, 30))
        return min(longest, LONGEST_RETRY_SECONDS) * self._random.uniform(0.5, 1.0)

    def _note_report(self, report: Report) -> str:
        rows = self._store.outbox
        parcel = self._parcel_of(report)
        if parcel is None:
            return "unknown-report"
        rows.settle(parcel, State(report.state), report.reason, self._clock())
        return report.state

    def _parcel_of(self, report: Report) -> int | None:
        reference = report.reference
        if reference is None:
            return self._store.outbox.find(self._name, report.carrier_id)
        own = reference.removeprefix(self._prefix)
        return int(own) if own != reference and own.isdecimal() else None

    def _count(self, what: str) -> None:
        self._counters[f"answers-{what}"] += 1

    def _wait_until(self, due: float | None) -> None:
        self._due = due
        if due is not None and self._carrier is not None and self._under_way < IN_FLIGHT:
            self._set_alarm(max(0.0, due - self._clock()))

    def _set_alarm(self, seconds: float | None) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None if seconds is None else self._reactor.callLater(seconds, self.wake)

    def _unforeseen(self, failure: Failure) -> None:
        self._log.failure("the outbox failed", failure=failure, event="fault")


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((time for time in (one, other) if time is not None), default=None)

"""The outbox: answers leave once they are durable, and are tried until they are taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from random import Random
from typing import Any, Final, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from dtns.gateway.carrier import Failed, Outbound, Report
from dtns.sam.issuing.issuer import Answer, Outcome
from dtns.sam.protocol.numbers import Number
from dtns.sam.service.commits import GroupCommit
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.outcomes import STORE_RETRY_SECONDS, Outcomes, Sent
from dtns.sam.service.route import Route
from dtns.sam.service.servicetime import ServiceTime
from dtns.sam.store.outbox import Parcel, Times
from dtns.sam.store.store import Store

VALIDITY_SECONDS: Final = 7 * 24 * 3600
"""How long an answer is tried, and how long a network may keep it."""
LEAST_PAUSE_SECONDS: Final = 0.001
"""The shortest pause before what is not due yet: no clock may be too coarse to pass it."""
_POLL_SECONDS: Final = 0.02


class Handed(NamedTuple):
    """What carriers are to send, and when the next answer of some networks is due."""

    parcels: dict[Route, list[Parcel]]
    due: dict[str, float | None]


class Outbox:
    """The answers that leave by the attached carriers, one queue for all of a network.

    *clock* gives POSIX time, *random* the jitter of retries; *served* the time of all pauses.
    """

    _log = Logger()

    def __init__(
        self,
        store: Store,
        commits: GroupCommit,
        *,
        clock: Callable[[], float],
        served: ServiceTime,
        random: Random,
        counters: Counter[str],
        reactor: Any,
        exchanges: ExchangeLog | None = None,
    ) -> None:
        self._outcomes = Outcomes(
            store,
            commits,
            self._end,
            clock=clock,
            served=served,
            random=random,
            counters=counters,
            reactor=reactor,
            exchanges=exchanges,
        )
        self._store = store
        self._commits = commits
        self._clock = clock
        self._served = served
        self._counters = counters
        self._reactor = reactor
        self._routes: dict[str, Route] = {}
        self._prefix = ""
        self._running = False
        self._taking = False
        self._due: dict[str, float | None] = {}
        self._timed_in, self._noted_times = 0, Times(0.0, 0.0, 0.0)
        self._alarm: IDelayedCall | None = None

    @property
    def routes(self) -> Mapping[str, Route]:
        """The attached carriers by their names."""
        return self._routes

    def attach(self, route: Route) -> None:
        """Send by this carrier, too; it takes the place of one with the same name."""
        self._routes[route.name] = route
        self._due[route.network] = self._served()
        self.wake()

    def start(self) -> None:
        """Begin to send, first what was under way when Sam last stopped.

        Raises StoreError where the store cannot be written.
        """
        with self._store.transaction():
            self._store.outbox.take_back()
            meta = self._store.meta()
        self._prefix = f"{meta.instance}.{meta.epoch}."
        self._outcomes.prefix = self._prefix
        self._running = self._outcomes.running = True
        self._due = dict.fromkeys(self._due, self._served())
        self.wake()

    def stop(self) -> None:
        """Hand nothing more over; what is under way comes to its end."""
        self._running = self._outcomes.running = False
        self._set_alarm(None)

    def add(self, carrier: str, answer: Answer, now: float) -> None:
        """Queue the answer to what *carrier* brought, inside the store's transaction.

        *now* is a POSIX time.
        """
        self._store.outbox.add(self._routes[carrier].network, carrier, answer, self._times(now))

    def _times(self, now: float) -> Times:
        """Return the times of answers that are queued in this transaction, noted once."""
        if self._timed_in != self._store.serial:
            self._timed_in, served = self._store.serial, self._served.note()
            self._noted_times = Times(now, served, served + VALIDITY_SECONDS)
        return self._noted_times

    def retry(self, issue: int) -> bool:
        """Have the answer of a decision leave now, inside the store's transaction.

        Tells whether there was one to try again: one that waits, failed or expired.
        """
        now = self._times(self._clock()).now
        again = self._store.outbox.retry_now(issue, now=now, validity=VALIDITY_SECONDS)
        if again:
            self.wake(new=True)
        return again

    def hand_over(self, answers: Sequence[tuple[str, Answer]], now: float) -> Handed:
        """Queue answers, each to what a carrier brought, and hand over what is due.

        All inside the store's transaction, at the POSIX time *now*; after it `leave` has to send
        what is handed over. Where nothing waits and there is room, an answer is handed over at
        once, without a row in the queue. Where some have to wait, parties take turns.
        """
        room = self._room(self._due) if self._running and not self._taking else {}
        due = self._is_due(room)
        if due or len(answers) > sum(room.values()):
            answers = _in_turns(answers)
        if not due:
            return self._pass_on(answers, now, room)
        for carrier, answer in answers:
            self.add(carrier, answer, now)
        return self._take(room)

    def _room(self, networks: Container[str]) -> dict[Route, int]:
        """Return how many messages each carrier of *networks* may be given now, if any."""
        return {
            route: room
            for route in self._routes.values()
            if route.network in networks and (room := route.room()) > 0
        }

    def _is_due(self, room: Iterable[Route]) -> bool:
        """Tell whether something that may leave by these was queued before."""
        now = self._served()
        due = (self._due[route.network] for route in room)
        return any(at is not None and at <= now for at in due)

    def _pass_on(
        self, answers: Sequence[tuple[str, Answer]], now: float, room: dict[Route, int]
    ) -> Handed:
        """Hand answers over while there is room, repeated ones last; queue the rest."""
        handed = Handed({}, {})
        passed_on: dict[Route, list[tuple[str, Answer]]] = {}
        for carrier, answer in sorted(answers, key=_is_repeat):
            own = self._routes[carrier]
            route = own if room.get(own) else self._stand_in(own, room)
            if route is None:
                self.add(carrier, answer, now)
                handed.due[own.network] = self._times(now).now
            else:
                room[route] -= 1
                passed_on.setdefault(route, []).append((carrier, answer))
        for route, those in passed_on.items():
            handed.parcels[route] = self._store.outbox.pass_on(
                route.network, route.name, those, self._times(now)
            )
        return handed

    @staticmethod
    def _stand_in(own: Route, room: Mapping[Route, int]) -> Route | None:
        """Return another carrier of the network with room, None if there is none.

        One that was filled up in this very turn is waited for.
        """
        if own in room:
            return None
        others = (route for route, left in room.items() if left and route.network == own.network)
        return next(others, None)

    def wake(self, *, new: bool = False) -> None:
        """Hand over what is due, as far as there is room; with *new*, something was added."""
        if new:
            self._due = dict.fromkeys(self._due, self._served())
        if not self._running or self._taking:
            return
        now = self._served()
        due = {network for network, at in self._due.items() if at is not None and at <= now}
        if not self._room(due):
            self._wait()
            return
        self._taking = True
        self._commits.write(lambda: self._take(self._room(due))).addCallbacks(
            self._taken, self._not_taken
        )

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is due or under way, at most so many seconds."""
        deadline = self._reactor.seconds() + seconds
        while self._busy and self._reactor.seconds() < deadline:
            await deferLater(self._reactor, _POLL_SECONDS)

    def reported(self, carrier: str, report: Report) -> Deferred[None]:
        """Note what became of an answer; fires once that is durable, or known to be of no use."""
        return self._outcomes.reported(carrier, report)

    @property
    def _busy(self) -> bool:
        if self._taking or any(route.under_way for route in self._routes.values()):
            return True
        now = self._served()
        return self._running and any(
            route.room() > 0 and (at := self._due.get(route.network)) is not None and at <= now
            for route in self._routes.values()
        )

    def _take(self, room: dict[Route, int]) -> Handed:
        rows, now, clock = self._store.outbox, self._served(), self._clock()
        handed = Handed({}, {})
        for route, limit in room.items():
            names = [other.name for other in room if other.network == route.network]
            handed.parcels[route] = rows.hand_over(
                route.network, route.name, names, limit, now=now, clock=clock
            )
        handed.due.update((network, rows.next_due(network)) for network in self._due)
        return handed

    def _taken(self, handed: Handed) -> None:
        self._taking = False
        self.leave(handed)

    def leave(self, handed: Handed) -> None:
        """Send what was handed over, for that is durable now."""
        self._due |= handed.due
        for route, parcels in handed.parcels.items():
            route.begin(len(parcels))
        for route, parcels in handed.parcels.items():
            self._send(route, parcels)
        self._wait()

    def _not_taken(self, failure: Failure) -> None:
        self._taking = False
        self._counters["answers-not-stored"] += 1
        self._log.error(
            "no answer is handed over: {reason}",
            event="not-stored",
            reason=failure.getErrorMessage(),
        )
        self._set_alarm(STORE_RETRY_SECONDS)

    def _send(self, route: Route, parcels: Sequence[Parcel]) -> None:
        messages = [
            Outbound(
                f"{self._prefix}{parcel}", f"+{recipient}", text, VALIDITY_SECONDS, int(repeat)
            )
            for parcel, recipient, text, _, _, _, repeat in parcels
        ]
        if self._running:
            route.send(messages, parcels, self._outcomes.came)
        else:
            stopping = "Sam is stopping"
            failed = [Failed(each.reference, False, stopping) for each in messages]
            self._outcomes.came(route, list(zip(parcels, failed, strict=True)))

    def _end(self, outcomes: Sequence[Sent]) -> None:
        for route, count in Counter(sent.route for sent in outcomes).items():
            route.end(count)
        for sent in outcomes:
            if sent.due is not None:
                network = sent.route.network
                self._due[network] = _earlier(self._due[network], sent.due)
        self._wait()

    def _wait(self) -> None:
        """Look again when something is due and its network may have room."""
        if not self._running or self._taking:
            return
        now = self._served()
        waits = [
            max(due - now, LEAST_PAUSE_SECONDS if due > now else 0.0, opens)
            for route in self._routes.values()
            if (due := self._due[route.network]) is not None
            and (opens := route.opens_in()) is not None
        ]
        self._set_alarm(min(waits, default=None))

    def _set_alarm(self, seconds: float | None) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None if seconds is None else self._reactor.callLater(seconds, self.wake)


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((time for time in (one, other) if time is not None), default=None)


def _is_repeat(answer: tuple[str, Answer]) -> bool:
    return answer[1].outcome is Outcome.REPEATED


def _in_turns(answers: Sequence[tuple[str, Answer]]) -> list[tuple[str, Answer]]:
    """Return answers so that each party's first come before anyone's second, and so on."""
    counts: dict[Number, int] = {}
    turns = []
    for _, answer in answers:
        recipient = answer.recipient
        counts[recipient] = turn = counts.get(recipient, 0) + 1
        turns.append(turn)
    return [answers[place] for place in sorted(range(len(turns)), key=turns.__getitem__)]

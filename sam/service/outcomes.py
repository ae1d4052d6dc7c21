"""What became of answers that were handed over: noted in the next commit, all together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, NamedTuple

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from dtns.gateway.carrier import Accepted, Failed, Report
from dtns.sam.errors import StoreError
from dtns.sam.service.commits import GroupCommit
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.route import Route
from dtns.sam.service.servicetime import ServiceTime
from dtns.sam.store.outbox import Parcel, State
from dtns.sam.store.store import Store

FIRST_RETRY_SECONDS: Final = 1.0
LONGEST_RETRY_SECONDS: Final = 60.0
FIRST_DOUBT_SECONDS: Final = 2.0
LONGEST_DOUBT_SECONDS: Final = 3600.0
"""The longest pause after an attempt that may have reached the network, and be paid for."""
STORE_RETRY_SECONDS: Final = 2.0
"""The pause after the store took nothing."""
_WORD_CHARACTERS: Final = 200
_ID_DIGITS: Final = 18


class Sent(NamedTuple):
    """What a carrier said of a parcel, and when that is due again, in seconds of service."""

    route: Route
    parcel: Parcel
    outcome: Accepted | Failed
    due: float | None


_News = list[tuple[str, Parcel]]


class Outcomes:
    """Notes what carriers say of answers, and what networks report of them later.

    *ended* hears of what carriers said once that is noted, or given up because Sam stops. *clock*
    gives POSIX time, *served* the time of pauses, *random* their jitter.

    Attributes:
        prefix: what the references of answers begin with, before their ids.
        running: whether to try again what the store did not take.
    """

    _log = Logger()

    def __init__(
        self,
        store: Store,
        commits: GroupCommit,
        ended: Callable[[Sequence[Sent]], object],
        *,
        clock: Callable[[], float],
        served: ServiceTime,
        random: Random,
        counters: Counter[str],
        reactor: Any,
        exchanges: ExchangeLog | None = None,
    ) -> None:
        self.prefix = ""
        self.running = False
        self.exchanges = exchanges
        self._store = store
        self._commits = commits
        self._ended = ended
        self._clock = clock
        self._served = served
        self._random = random
        self._counters = counters
        self._reactor = reactor
        self._waiting: list[Sent] = []

    def came(self, route: Route, outcomes: Sequence[tuple[Parcel, Accepted | Failed]]) -> None:
        """Take in what a carrier said of parcels."""
        begun = bool(self._waiting)
        for parcel, outcome in outcomes:
            due = None
            if isinstance(outcome, Failed) and not outcome.permanent:
                due = self._served() + self._pause(parcel, outcome)
            self._waiting.append(Sent(route, parcel, outcome, due))
        if self._waiting and not begun:
            self._note()

    def reported(self, carrier: str, report: Report) -> Deferred[None]:
        """Note what became of an answer; fires once that is durable, or known to be of no use."""
        noted = self._commits.write(lambda: self._note_report(carrier, report))
        return noted.addCallback(lambda news: self._count(news[0], news[1], carrier))

    def _note(self) -> None:
        """Write down in the next commit what the carriers said until then."""
        noted = self._commits.write(self._write)
        noted.addCallbacks(self._noted, self._not_noted).addErrback(self._unforeseen)

    def _noted(self, written: tuple[int, _News]) -> None:
        noted, news = written
        outcomes, self._waiting = self._waiting[:noted], self._waiting[noted:]
        if self._waiting:
            self._note()
        self._ended(outcomes)
        for what, count in Counter([what for what, _ in news]).items():
            self._counters[f"answers-{what}"] += count
        if self.exchanges is not None:
            for what, parcel in news:
                self.exchanges.sent(parcel.id, what, parcel.route)

    def _not_noted(self, failure: Failure) -> None:
        """Keep trying while the store does not take it."""
        outcomes = self._waiting
        if isinstance(failure.value, StoreError):
            self._counters["answers-not-stored"] += len(outcomes)
            self._log.error(
                "{count} outcomes are not stored: {reason}",
                event="not-stored",
                count=len(outcomes),
                reason=failure.getErrorMessage(),
            )
            if self.running:
                self._reactor.callLater(STORE_RETRY_SECONDS, self._note)
                return
        else:
            self._unforeseen(failure)
        self._waiting = []
        self._ended(outcomes)

    def _write(self) -> tuple[int, _News]:
        """Write all outcomes there are; return how many, and what became of each parcel."""
        rows, accepted, news = self._store.outbox, [], []
        for _, parcel, outcome, due in self._waiting:
            if isinstance(outcome, Accepted):
                accepted.append((_word(outcome.carrier_id), parcel.id))
                news.append(("accepted", parcel))
            else:
                news.append((self._write_failure(parcel, outcome, due), parcel))
        rows.accepted(accepted)
        if accepted and rows.has_early():
            for _, parcel, outcome, _ in self._waiting:
                if isinstance(outcome, Accepted):
                    early = self._match_early(parcel, _word(outcome.carrier_id))
                    news += [(what, parcel) for what in early]
        return len(self._waiting), news

    def _write_failure(self, parcel: Parcel, outcome: Failed, due: float | None) -> str:
        rows, reason = self._store.outbox, _word(outcome.reason)
        if due is None:
            rows.settle(parcel.id, State.FAILED, reason, self._clock())
            return "failed"
        rows.retry(parcel.id, due, reason, unknown=outcome.maybe_sent)
        return "perhaps-sent" if outcome.maybe_sent else "retried"

    def _match_early(self, parcel: Parcel, carrier_id: str) -> tuple[str, ...]:
        """Note the report that came before the network's answer to the sending, if one did."""
        rows = self._store.outbox
        early = rows.take_early(parcel.route, carrier_id, self._served())
        if early is None or not rows.settle(parcel.id, *early, self._clock()):
            return ()
        return "early-report", early[0].value

    def _pause(self, parcel: Parcel, outcome: Failed) -> float:
        if outcome.maybe_sent:
            longest = FIRST_DOUBT_SECONDS * 4.0 ** min(parcel.unknown, 30)
            longest = min(longest, LONGEST_DOUBT_SECONDS)
        else:
            longest = FIRST_RETRY_SECONDS * 2.0 ** min(parcel.attempts - 1, 30)
            longest = min(longest, LONGEST_RETRY_SECONDS)
        return longest * self._random.uniform(0.5, 1.0)

    def _note_report(self, carrier: str, report: Report) -> tuple[str, int | None]:
        rows, state, reason = self._store.outbox, State(report.state), _word(report.reason)
        carrier_id = _word(report.carrier_id)
        parcel = self._parcel_of(carrier, carrier_id, report.reference)
        if parcel is not None:
            news = rows.settle(parcel, state, reason, self._clock())
            return report.state if news else "repeated-report", parcel
        if report.reference is None:
            rows.keep_early(carrier, carrier_id, state, reason, self._served())
        return "unknown-report", None

    def _parcel_of(self, carrier: str, carrier_id: str, reference: str | None) -> int | None:
        rows = self._store.outbox
        if reference is None:
            return rows.find(carrier, carrier_id)
        own = reference.removeprefix(self.prefix)
        if own == reference or not own.isascii() or not own.isdecimal() or len(own) > _ID_DIGITS:
            return None
        return int(own) if rows.exists(int(own)) else None

    def _count(self, what: str, parcel: int | None, carrier: str) -> None:
        self._counters[f"answers-{what}"] += 1
        if self.exchanges is not None and parcel is not None:
            self.exchanges.sent(parcel, what, carrier)

    def _unforeseen(self, failure: Failure) -> None:
        self._log.failure("an outcome is not noted", failure=failure, event="fault")


def _word(text: str) -> str:
    """Return a foreign word as something that any store and log can hold."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text[:_WORD_CHARACTERS]

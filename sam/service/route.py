"""A carrier as the outbox sees it: how much it may be given now, and whether it is alive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, NamedTuple

from twisted.logger import Logger

from dtns.gateway.carrier import Accepted, Carrier, Failed, Outbound
from dtns.sam.service.pace import Pace
from dtns.sam.service.requests import CarrierRecord
from dtns.sam.store.outbox import Parcel

IN_FLIGHT: Final = 64
PATIENCE_SECONDS: Final = 120.0
RECONNECT_SECONDS: Final = 0.25
_PATIENT_FAILURES: Final = 3
_FIRST_REST_SECONDS: Final = 0.5
_LONGEST_REST_SECONDS: Final = 15.0

Sent = Callable[["Route", Sequence[tuple[Parcel, Accepted | Failed]]], object]
"""Hears what a carrier said of parcels that it was handed."""


class _Waiting(NamedTuple):
    parcel: Parcel
    at: float
    sent: Sent


class Route:
    """One carrier, of the phones on *network*; carriers of one network stand in for each other.

    At most *in_flight* sends are under way, *per_minute* a minute (0: no limit). It should never
    be silent for *patience* seconds while it owes an answer to a send. A carrier that
    fails again and again is given less, then a rest that grows; one success ends that.
    """

    _log = Logger()

    def __init__(
        self,
        carrier: Carrier,
        network: str,
        *,
        reactor: Any,
        random: Random,
        in_flight: int = IN_FLIGHT,
        per_minute: float = 0.0,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.carrier = carrier
        self.network = network
        self.patience = patience
        self.stalls = 0
        self.under_way = 0
        self._reactor = reactor
        self._random = random
        self._in_flight = in_flight
        self._window = in_flight
        self._pace = Pace(per_minute, reactor.seconds)
        self._failures = 0
        self._rest_until = 0.0
        self._waiting: dict[str, _Waiting] = {}
        self._answered_at: float | None = None
        self._inbound_at: float | None = None

    @property
    def name(self) -> str:
        """The carrier's name."""
        return self.carrier.name

    def room(self) -> int:
        """Return how many messages the carrier may be given now."""
        if not self.carrier.connected or self._reactor.seconds() < self._rest_until:
            return 0
        return self._pace.room(max(0, self._window - len(self._waiting)))

    def opens_in(self) -> float | None:
        """Return in how many seconds there may be room; None once an answer has come."""
        if not self.carrier.connected:
            return RECONNECT_SECONDS
        if len(self._waiting) >= self._window:
            return None
        rest = self._rest_until - float(self._reactor.seconds())
        return max(rest, self._pace.wait(), 0.0)

    def begin(self, count: int) -> None:
        """Note that so many messages will be sent."""
        self.under_way += count
        self._pace.take(count)

    def end(self, count: int) -> None:
        """Note that what became of so many of them is written down."""
        self.under_way -= count

    def send(self, messages: Sequence[Outbound], parcels: Sequence[Parcel], sent: Sent) -> None:
        """Hand messages over, each with what is in it; *sent* hears of each once, some at a time.

        What it hears is the carrier's answer, or a failure after `give_up`.
        """
        now = self._reactor.seconds()
        for message, parcel in zip(messages, parcels, strict=True):
            self._waiting[message.reference] = _Waiting(parcel, now, sent)
        try:
            self.carrier.send_all(messages, self._answered)
        except Exception:  # noqa: BLE001 (a fault there must not cost the answers)
            self._log.failure("the carrier failed", event="fault")
            reason = "the carrier has a fault"
            self._answered([Failed(each.reference, False, reason, True) for each in messages])

    def _answered(self, outcomes: Sequence[Accepted | Failed]) -> None:
        self._answered_at = self._reactor.seconds()
        told: dict[Sent, list[tuple[Parcel, Accepted | Failed]]] = {}
        for outcome in outcomes:
            waiting = self._waiting.pop(outcome.reference, None)
            if waiting is None:
                continue  # given up before
            self._adapt(outcome)
            told.setdefault(waiting.sent, []).append((waiting.parcel, outcome))
        for sent, what in told.items():
            sent(self, what)

    def _adapt(self, outcome: Accepted | Failed) -> None:
        if isinstance(outcome, Accepted) or outcome.permanent:
            self._failures = 0
            if self._window < self._in_flight:
                self._window = min(self._in_flight, 2 * self._window)
            return
        self._failures += 1
        self._window = max(1, self._window // 2)
        if (excess := self._failures - _PATIENT_FAILURES) > 0:
            rest = min(_FIRST_REST_SECONDS * 2.0 ** min(excess, 30), _LONGEST_REST_SECONDS)
            self._rest_until = self._reactor.seconds() + rest * self._random.uniform(0.5, 1.0)

    def note_inbound(self) -> None:
        """Note that the carrier brought a message."""
        self._inbound_at = self._reactor.seconds()

    def silence(self) -> float:
        """Return for how many seconds the carrier has owed an answer to any send, 0 if none."""
        if not self._waiting:
            return 0.0
        first = next(iter(self._waiting.values())).at
        since = max(first, self._answered_at or first)
        return float(self._reactor.seconds() - since)

    def give_up(self, older_than: float = 0.0) -> int:
        """End the sends under way for longer than so many seconds as perhaps sent; count them."""
        latest = self._reactor.seconds() - older_than
        late = [reference for reference, each in self._waiting.items() if each.at <= latest]
        for reference in late:
            waiting = self._waiting.pop(reference)
            reason = "the carrier does not answer"
            given_up = Failed(reference, permanent=False, reason=reason, maybe_sent=True)
            waiting.sent(self, [(waiting.parcel, given_up)])
        return len(late)

    def facts(self) -> CarrierRecord:
        """Return how the carrier is doing."""
        now = self._reactor.seconds()
        ages = (
            None if time is None else now - time for time in (self._answered_at, self._inbound_at)
        )
        return CarrierRecord(
            self.carrier.connected, self.network, self.under_way, self.stalls, *ages
        )

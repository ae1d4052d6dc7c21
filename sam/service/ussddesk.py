"""What the USSD menu asks of Sam: typed asks decided on, durable before a screen tells of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from attrs import field, frozen
from twisted.internet.defer import Deferred

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.issuing.issuer import DAY_SECONDS, Answer, Outcome, Silence
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.typed import TypedAsks, TypedDecision, Typing
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party
from dtns.sam.service.commits import GroupCommit
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.outbox import Outbox
from dtns.sam.store.outbox import State
from dtns.sam.store.store import Store


@frozen
class Told:
    """An ask that Sam has decided on; reason is why there is no key, empty where there is one.

    digits are those of the answer to be typed, empty where there are none.
    """

    party: Party
    counter: int
    reason: str
    digits: str = field(repr=False)


@frozen
class Last:
    """The latest ask of a party. delivery is the state of its latest SMS, None if there is none."""

    counter: int
    seconds_ago: float
    reason: str
    delivery: State | None


class Desk:
    """Serves the callers of one gateway. *name* is the gateway's, *sms* the carrier of answers."""

    def __init__(
        self,
        name: str,
        sms: str,
        *,
        store: Store,
        commits: GroupCommit,
        asks: TypedAsks,
        policy: Policy,
        outbox: Outbox,
        clock: Callable[[], float],
        counters: Counter[str],
        exchanges: ExchangeLog | None = None,
    ) -> None:
        self._name = name
        self._sms = sms
        self._store = store
        self._commits = commits
        self._asks = asks
        self._policy = policy
        self._outbox = outbox
        self._clock = clock
        self._counters = counters
        self._exchanges = exchanges

    def decide(self, typing: Typing, *, by_sms: bool) -> Deferred[Told | Silence]:
        """Decide on a typed ask; with *by_sms* the answer leaves by SMS, too.

        Fires once all is durable, a bad ask's count included; fails with StoreError if it is not.
        """
        decided = self._commits.write(lambda: self._decide(typing, by_sms=by_sms))
        return decided.addCallback(self._durable)

    def send_digits(self, told: Told, text: str) -> Deferred[bool]:
        """Send *text* to the party by SMS; False beyond the answers that it gets again in a day.

        Fires once the message is durably on its way.
        """

        def add() -> bool:
            now = self._clock()
            if not self._asks.count_sending(self._store, told.party.number, now):
                return False
            answer = Answer(told.party.number, told.party.generation, 0, text, Outcome.REPEATED)
            self._outbox.add(self._sms, answer, now)
            return True

        return self._commits.write(add).addCallback(self._woken)

    def _woken(self, added: bool) -> bool:  # noqa: FBT001 (a callback's)
        self._outbox.wake(new=added)
        return added

    def last(self, caller: Number) -> Deferred[Last | None]:
        """Find the latest ask of a party."""
        return self._commits.write(lambda: self._last(caller))

    def left(self, caller: Number | None) -> Deferred[int]:
        """Tell how many keys a party may ask for today; of who is not enrolled, all of them."""

        def count() -> int:
            registration = None if caller is None else self._store.registration(caller)
            day = int(self._clock() // DAY_SECONDS)
            used = 0 if registration is None else registration.share.on(day).asks
            return max(0, self._policy.asks_per_day - used)

        return self._commits.write(count)

    def _decide(self, typing: Typing, *, by_sms: bool) -> TypedDecision | Silence:
        now = self._clock()
        decided = self._asks.decide(self._store, typing, self._name, now)
        if isinstance(decided, TypedDecision) and (answer := decided.answer) is not None:
            if by_sms or decided.digits is None:
                self._outbox.add(self._sms, answer, now)
            if answer.notice:
                self._outbox.add(self._sms, answer.aside, now)
        return decided

    def _durable(self, decided: TypedDecision | Silence) -> Told | Silence:
        """Count and log what was decided, and let the answer leave."""
        if isinstance(decided, Silence):
            self._counters[decided.value] += 1
            return decided
        if decided.answer is not None:
            self._counters[decided.answer.outcome.value] += 1
            if self._exchanges is not None:
                self._exchanges.decided(decided.answer, self._name)
        self._outbox.wake(new=True)
        return _told(decided)

    def _last(self, caller: Number) -> Last | None:
        issue = self._store.registry.latest(caller)
        if issue is None:
            return None
        decision = issue.decision
        sendings = self._store.outbox.deliveries(issue.id)
        return Last(
            decision.counter,
            self._clock() - decision.decided_at,
            "" if decision.reason is None else decision.reason.code,
            sendings[-1].state if sendings else None,
        )


def _told(decided: TypedDecision) -> Told:
    reason = "" if decided.reason is None else decided.reason.code
    digits = ""
    if decided.digits is not None:
        digits = show(encode(PROFILES["answer"], decided.digits))
    return Told(decided.party, decided.counter, reason, digits)

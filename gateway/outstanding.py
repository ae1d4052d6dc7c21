"""Submit each reference once, whoever asks how often: shared by all carriers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

from dtns.gateway.carrier import Accepted, Failed, Outbound
from dtns.gateway.errors import ReferenceReusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dtns.gateway.carrier import Answered


REMEMBERED: Final = 10_000
_log: Final = Logger()


class Outstanding:
    """Sends under way, and the latest that were accepted.

    *submit* does the sending; `answered` has to be told, once, what became of each message. A
    reference is free again once it failed. The latest *remembered* accepted ones are known again,
    in memory only, each by a hash of what it said.
    """

    def __init__(
        self, submit: Callable[[Sequence[Outbound]], object], remembered: int = REMEMBERED
    ) -> None:
        self._submit = submit
        self._remembered = remembered
        self._under_way: dict[str, tuple[int, Answered]] = {}
        self._joined: dict[str, list[Answered]] = {}
        self._accepted: dict[str, tuple[int, str]] = {}
        self._oldest: deque[str] = deque()

    def send(self, message: Outbound) -> Deferred[Accepted | Failed]:
        """Submit *message*, or join the submission of the same one.

        Fails with ReferenceReusedError if the reference stands for another message.
        """
        outcome: Deferred[Accepted | Failed] = Deferred()
        reference = message.reference
        known = self._under_way.get(reference) or self._accepted.get(reference)
        if known is not None and known[0] != _said(message):
            outcome.errback(ReferenceReusedError(_reused(reference)))
        else:
            self.send_all([message], lambda outcomes: outcome.callback(outcomes[0]))
        return outcome

    def send_all(self, messages: Sequence[Outbound], answered: Answered) -> None:
        """Submit *messages*, or join the submissions of the same ones; tell *answered* of each."""
        fresh: list[Outbound] = []
        settled: list[Accepted | Failed] = []
        under_way, accepted = self._under_way, self._accepted
        for message in messages:
            reference, said = message.reference, _said(message)
            known = under_way.get(reference) or accepted.get(reference)
            if known is None:
                under_way[reference] = said, answered
                fresh.append(message)
            elif known[0] != said:
                settled.append(Failed(reference, permanent=True, reason=_reused(reference)))
            elif reference in accepted:
                settled.append(Accepted(reference, accepted[reference][1]))
            else:
                self._joined.setdefault(reference, []).append(answered)
        if settled:
            _tell(answered, settled)
        if fresh:
            self._begin(fresh)

    def _begin(self, messages: Sequence[Outbound]) -> None:
        try:
            self._submit(messages)
        except Exception:  # noqa: BLE001 # a carrier's fault ends no send of another
            _log.failure("the carrier failed", event="fault")
            left = [each.reference for each in messages if each.reference in self._under_way]
            self.answered([_at_fault(reference) for reference in left])

    def answered(self, outcomes: Sequence[Accepted | Failed]) -> None:
        """Tell those who wait what became of messages; whoever raises keeps it from no other."""
        told: dict[Answered, list[Accepted | Failed]] = {}
        for outcome in outcomes:
            reference = outcome.reference
            said, answered = self._under_way.pop(reference, (0, None))
            if answered is None:
                continue  # it was at fault, and told so
            if isinstance(outcome, Accepted):
                self._accepted[reference] = said, outcome.carrier_id
                self._oldest.append(reference)
            if answered in told:
                told[answered].append(outcome)
            else:
                told[answered] = [outcome]
            for joined in self._joined.pop(reference, ()) if self._joined else ():
                told.setdefault(joined, []).append(outcome)
        while len(self._oldest) > self._remembered:
            del self._accepted[self._oldest.popleft()]
        for answered, those in told.items():
            _tell(answered, those)


def _tell(answered: Answered, outcomes: Sequence[Accepted | Failed]) -> None:
    try:
        answered(outcomes)
    except Exception:  # noqa: BLE001 # of whoever wanted to know
        _log.failure("an outcome was not taken", event="fault")


def one_by_one(submit: Callable[[Outbound], Awaitable[Accepted | Failed]]) -> Outstanding:
    """Return what submits messages each on its own; one whose submission raises has `Failed`."""

    def submit_all(messages: Sequence[Outbound]) -> None:
        for message in messages:
            outcome: Deferred[Any] = maybeDeferred(submit, message)
            outcome.addErrback(fault, message.reference)
            outcome.addCallback(lambda outcome: outstanding.answered([outcome]))

    def fault(failure: Any, reference: str) -> Failed:
        _log.failure("the carrier failed", failure=failure, event="fault")
        return _at_fault(reference)

    outstanding = Outstanding(submit_all)
    return outstanding


def _at_fault(reference: str) -> Failed:
    reason = "the carrier has a fault"
    return Failed(reference, permanent=False, reason=reason, maybe_sent=True)


def _reused(reference: str) -> str:
    return f"reference {reference} stands for another message"


def _said(message: Outbound) -> int:
    """Return what stands for all that a message says, its urgency apart."""
    return hash((message.recipient, message.text, message.validity_seconds))

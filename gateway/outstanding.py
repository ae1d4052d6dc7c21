"""Submit each reference once, whoever asks how often: shared by all carriers."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from dtns.gateway.carrier import Accepted, Failed, Outbound
from dtns.gateway.errors import ReferenceReusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REMEMBERED: Final = 10_000


class Outstanding:
    """Sends under way, and the latest that were accepted.

    `submit` does the sending; it must come to an answer and not raise. A reference is free again
    once it failed. The latest *remembered* accepted ones are known again, in memory only.
    """

    def __init__(
        self,
        submit: Callable[[Outbound], Awaitable[Accepted | Failed]],
        remembered: int = REMEMBERED,
    ) -> None:
        self._submit = submit
        self._remembered = remembered
        self._under_way: dict[str, tuple[Outbound, list[Deferred[Accepted | Failed]]]] = {}
        self._accepted: OrderedDict[str, tuple[Outbound, Accepted]] = OrderedDict()

    def send(self, message: Outbound) -> Deferred[Accepted | Failed]:
        """Submit *message*, or join the submission of the same one.

        Fails with ReferenceReusedError if the reference stands for another message.
        """
        reference = message.reference
        outcome: Deferred[Accepted | Failed] = Deferred()
        accepted, under_way = self._accepted.get(reference), self._under_way.get(reference)
        known = accepted or under_way
        if known is None:
            self._under_way[reference] = message, [outcome]
            sending: Deferred[Any] = maybeDeferred(self._submit, message)
            sending.addBoth(self._answered, message)
        elif known[0] != message:
            reason = f"reference {reference} stands for another message"
            outcome.errback(ReferenceReusedError(reason))
        elif accepted is not None:
            outcome.callback(accepted[1])
        elif under_way is not None:
            under_way[1].append(outcome)
        return outcome

    def _answered(self, answer: Accepted | Failed | Failure, message: Outbound) -> None:
        _, waiting = self._under_way.pop(message.reference)
        if isinstance(answer, Accepted):
            self._accepted[message.reference] = message, answer
            if len(self._accepted) > self._remembered:
                self._accepted.popitem(last=False)
        for outcome in waiting:
            if isinstance(answer, Failure):
                outcome.errback(answer)
            else:
                outcome.callback(answer)

"""Submit each reference once, whoever asks how often: shared by all carriers."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
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

    async def send(self, message: Outbound) -> Accepted | Failed:
        """Submit *message*, or join the submission of the same one.

        Raises:
            ReferenceReusedError: the reference stands for another message.
        """
        if message.reference in self._accepted:
            known, answer = self._accepted[message.reference]
            _check_same(known, message)
            return answer
        first = message.reference not in self._under_way
        known, waiting = self._under_way.setdefault(message.reference, (message, []))
        _check_same(known, message)
        outcome: Deferred[Accepted | Failed] = Deferred()
        waiting.append(outcome)
        if first:
            Deferred.fromCoroutine(self._submit_first(message)).addBoth(self._tell, waiting)
        return await outcome

    async def _submit_first(self, message: Outbound) -> Accepted | Failed:
        try:
            answer = await self._submit(message)
        finally:
            del self._under_way[message.reference]
        if isinstance(answer, Accepted):
            self._accepted[message.reference] = message, answer
            if len(self._accepted) > self._remembered:
                self._accepted.popitem(last=False)
        return answer

    @staticmethod
    def _tell(
        answer: Accepted | Failed | Failure, waiting: list[Deferred[Accepted | Failed]]
    ) -> None:
        for outcome in waiting:
            if isinstance(answer, Failure):
                outcome.errback(answer)
            else:
                outcome.callback(answer)


def _check_same(known: Outbound, message: Outbound) -> None:
    if known != message:
        raise ReferenceReusedError(f"reference {message.reference} stands for another message")

"""Turns among the connections that have more to say than was served at once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final
from typing import Protocol as Interface

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

LINES_A_TURN: Final = 4
"""Most lines served in one turn of the reactor, of those that wait for their turn."""


class Talker(Interface):
    """Who waits for its turn."""

    def serve_next(self) -> bool:
        """Have one line served, and tell whether more wait."""


class Turns:
    """Serves one line of each waiting connection in turn, a few in each turn of *reactor*.

    So what one connection pours in delays another by a few lines, and by one line for each that
    does the same.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._waiting: deque[Talker] = deque()
        self._next: IDelayedCall | None = None

    def join(self, talker: Talker) -> None:
        """Serve *talker*, which does not wait yet, in its turn."""
        self._waiting.append(talker)
        if self._next is None:
            self._next = self._reactor.callLater(0, self._turn)

    def stop(self) -> None:
        """Serve nobody any more."""
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _turn(self) -> None:
        self._next = self._reactor.callLater(0, self._turn)
        for _ in range(LINES_A_TURN):
            if not self._waiting:
                break
            talker = self._waiting.popleft()
            if talker.serve_next():
                self._waiting.append(talker)
        if not self._waiting:
            self.stop()

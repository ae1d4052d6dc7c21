"""Whether the binds to an SMSC should be there, and the steps to that, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Presence:
    """Calls *begin* and *end* in turn, as the carrier starts and stops and the operator wants.

    *end* is told what the state is then, suspended or stopped. What was suspended stays so until
    it is resumed, whenever the carrier is started.
    """

    _log = Logger()

    def __init__(self, begin: Callable[[], None], end: Callable[[str], Awaitable[None]]) -> None:
        self._begin = begin
        self._end = end
        self._started = False
        self._wanted = True
        self._begun = False
        self._turn = DeferredLock()

    @property
    def here(self) -> bool:
        """Whether the binds are being kept up, and are to stay."""
        return self._begun and self._started and self._wanted

    def start(self) -> None:
        """Keep the binds up, unless they are suspended."""
        self._started = True
        self._go()

    async def stop(self) -> None:
        """Take them down; complete once they are."""
        self._started = False
        await self._follow()

    def suspend(self) -> None:
        """Take them down until `resume`."""
        self._wanted = False
        self._go()

    def resume(self) -> None:
        """Keep them up again."""
        self._wanted = True
        self._go()

    def _go(self) -> None:
        Deferred.fromCoroutine(self._follow()).addErrback(
            lambda failure: self._log.failure("SMPP binds did not move", failure, event="fault")
        )

    async def _follow(self) -> None:
        await self._turn.acquire()
        try:
            wanted = self._started and self._wanted
            if wanted and not self._begun:
                self._begun = True
                self._begin()
            elif self._begun and not wanted:
                self._begun = False
                await self._end("stopped" if self._wanted else "suspended")
        finally:
            self._turn.release()

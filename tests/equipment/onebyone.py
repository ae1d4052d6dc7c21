"""Carriers that are written for one message at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtns.gateway.carrier import Answered, Outbound


class OneByOne:
    """Gives a carrier that has `send` what it needs to be handed many at once."""

    name, connected = "memory", True
    send: Any

    async def start(self) -> None:
        """Connect."""

    def send_all(self, messages: Sequence[Outbound], answered: Answered) -> None:
        """Send each."""
        for message in messages:
            sent: Deferred[Any] = maybeDeferred(self.send, message)
            sent.addCallback(lambda outcome: answered([outcome]))

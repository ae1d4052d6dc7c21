"""Carriers that are written for one message at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dtns.gateway.outstanding import one_by_one

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
        one_by_one(self.send)(messages, answered)

"""Sinks and what one brings to them, a message at a time or a read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtns.gateway.carrier import Inbound, Report, Settled


class KeepingSink:
    """Keeps what comes, and says at once that it is stored."""

    def __init__(self) -> None:
        self.messages: list[Inbound] = []
        self.reports: list[Report] = []

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Keep messages."""
        self.messages += messages
        settled(messages, None)

    async def reported(self, report: Report) -> None:
        """Keep a report."""
        self.reports.append(report)


def stored(sink: Any, message: Inbound) -> Deferred[None]:
    """Bring *sink* a message; return what fires once it is stored, or fails as the sink says."""
    outcome: Deferred[None] = Deferred()
    sink.received([message], lambda _, failure: outcome.callback(failure))
    return outcome

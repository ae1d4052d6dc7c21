"""A message on its way to a modem, and what modems tell their carrier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtns.gateway.carrier import Accepted, Failed, Outbound, Report
    from dtns.gateway.modem.inbox import Message


@dataclass(slots=True, eq=False)
class Job:
    """One message to send, and where its answer goes; it is `done` once."""

    message: Outbound
    answer: Deferred[Accepted | Failed] = field(default_factory=Deferred)

    def done(self, answer: Accepted | Failed) -> None:
        """Give the answer, unless it was given."""
        if not self.answer.called:
            self.answer.callback(answer)


class Office(Protocol):
    """What a modem's carrier does for it."""

    def next_job(self) -> Job | None:
        """Return the next message to send, if there is one."""

    def give_back(self, job: Job) -> None:
        """Take back a message that was surely not sent."""

    def arrived(self, message: Message, erase: Callable[[], object]) -> None:
        """Take in a message; *erase* it from the modem once it is stored."""

    def reported(self, report: Report, slot: str, erase: Callable[[], object]) -> None:
        """Take in a report, called *slot* until it is stored; *erase* it then."""

    def changed(self) -> None:
        """Note that a modem began or ceased to serve."""

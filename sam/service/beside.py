"""What may run beside Sam in its process, such as pages and metrics, and what it sees of Sam."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import frozen

from dtns.sam.configuration import Config
from dtns.sam.service.commits import Durations
from dtns.sam.service.reach import Administrable


@frozen
class RunningSam:
    """A running Sam: what the operator can ask of it, its counters, and its reactor.

    counters and durations grow while it runs. *clock* gives POSIX time.
    """

    config: Config
    administration: Administrable
    counters: Mapping[str, int]
    durations: Durations
    clock: Callable[[], float]
    reactor: Any


class Companion(Protocol):
    """Something that starts once Sam is up and stops before it."""

    async def start(self, sam: RunningSam) -> Mapping[str, Any]:
        """Start, and return what is worth announcing.

        Raises GatewayError or ConfigError if that cannot be; then Sam does not start.
        """

    async def stop(self) -> None:
        """Stop."""

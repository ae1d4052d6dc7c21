"""A carrier without a network: for tests of whatever uses carriers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from dtns.gateway.carrier import Accepted, Failed, Inbound, Outbound, Report
from dtns.gateway.outstanding import Outstanding

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtns.gateway.carrier import Sink, State


class MemoryCarrier:
    """A carrier whose network is two lists.

    Attributes:
        submitted: every message that was handed to the network, in order.
        unacknowledged: identities that were delivered and whose sink has not completed.
        answer: what the network says to a submission; by default it accepts everything.
    """

    def __init__(self, name: str, sink: Sink, clock: Callable[[], float]) -> None:
        self._name = name
        self._sink = sink
        self._clock = clock
        self._connected = False
        self._ids = itertools.count(1)
        self._outstanding = Outstanding(self._submit)
        self.submitted: list[Outbound] = []
        self.unacknowledged: set[str] = set()
        self.answer: Callable[[Outbound], Accepted | Failed] = self._accept

    @property
    def name(self) -> str:
        """The carrier's name."""
        return self._name

    @property
    def connected(self) -> bool:
        """Whether it was started, and not stopped or disconnected since."""
        return self._connected

    async def start(self) -> None:
        """Connect."""
        self._connected = True

    async def stop(self) -> None:
        """Disconnect."""
        self._connected = False

    def disconnect(self) -> None:
        """Lose the connection; `start` finds it again."""
        self._connected = False

    async def send(self, message: Outbound) -> Accepted | Failed:
        """Put *message* in `submitted`, once a reference, and return what `answer` says."""
        return await self._outstanding.send(message)

    async def deliver(self, sender: str, text: str, identity: str | None = None) -> None:
        """Deliver a message from a phone; complete when it is acknowledged.

        An *identity* given a second time is a redelivery. Raises what the sink raises.
        """
        identity = identity or f"memory-{next(self._ids)}"
        self.unacknowledged.add(identity)
        await self._sink.received(Inbound(self._name, identity, sender, text, self._clock()))
        self.unacknowledged.discard(identity)

    async def report(self, carrier_id: str, reference: str | None, state: State) -> None:
        """Report what became of a message."""
        await self._sink.reported(Report(carrier_id, reference, state))

    async def _submit(self, message: Outbound) -> Accepted | Failed:
        if not self._connected:
            return Failed(message.reference, permanent=False, reason="not connected")
        self.submitted.append(message)
        return self.answer(message)

    def _accept(self, message: Outbound) -> Accepted:
        return Accepted(message.reference, f"memory-{next(self._ids)}")

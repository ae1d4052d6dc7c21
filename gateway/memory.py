"""A carrier without a network: for tests of whatever uses carriers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from dtns.gateway import gsm7
from dtns.gateway.carrier import Accepted, Failed, Inbound, Outbound, Report
from dtns.gateway.intake import Intake
from dtns.gateway.outstanding import one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.defer import Deferred

    from dtns.gateway.carrier import Answered, Sink, State


class MemoryCarrier:
    """A carrier whose network is two collections; connects the moment it is started.

    *reactor* needs `IReactorTime` only, a `task.Clock` will do.

    Attributes:
        submitted: every message that was handed to the network, in order.
        unacknowledged: what was delivered and not yet stored by the sink, by identity; it is
            delivered again at every start.
        answer: what the network says to a submission; by default it accepts.
    """

    def __init__(self, name: str, sink: Sink, reactor: Any) -> None:
        self._name = name
        self._reactor = reactor
        self._connected = False
        self._ids = itertools.count(1)
        self._intake = Intake(sink, self._stored, reactor)
        self._outstanding = one_by_one(self._submit)
        self.submitted: list[Outbound] = []
        self.unacknowledged: dict[str, Inbound] = {}
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
        """Connect, and deliver what is unacknowledged."""
        self._connected = True
        self._intake.start()
        self._intake.take(list(self.unacknowledged.values()))

    async def stop(self) -> None:
        """Wait for what is at the sink, at most 5 s, then disconnect."""
        await self._intake.stop()
        self._connected = False

    def disconnect(self) -> None:
        """Lose the connection; `start` finds it again."""
        self._connected = False

    def send_all(self, messages: Sequence[Outbound], answered: Answered) -> None:
        """Submit *messages* once each; see `dtns.gateway.carrier.Carrier.send_all`."""
        self._outstanding.send_all(messages, answered)

    def send(self, message: Outbound) -> Deferred[Accepted | Failed]:
        """Put *message* in `submitted`, once a reference, and return what `answer` says."""
        return self._outstanding.send(message)

    def deliver(self, sender: str, text: str, identity: str | None = None) -> str:
        """Deliver a message from a phone, now or at the next start; return its identity.

        An *identity* given a second time makes a redelivery.
        """
        identity = identity or f"memory-{next(self._ids)}"
        message = Inbound(self._name, identity, sender, text, self._reactor.seconds())
        self.unacknowledged[identity] = message
        if self._connected:
            self._intake.take([message])
        return identity

    def report(self, carrier_id: str, reference: str | None, state: State) -> None:
        """Report what became of a message; needs no connection and is not repeated later."""
        outcome = Report(carrier_id, reference, state)
        self._intake.take_report(carrier_id, outcome)

    def _stored(self, messages: Sequence[Inbound]) -> None:
        for message in messages:
            self.unacknowledged.pop(message.identity, None)

    async def _submit(self, message: Outbound) -> Accepted | Failed:
        if not self._connected:
            return Failed(message.reference, permanent=False, reason="not connected")
        if reason := gsm7.refusal(message.text):
            return Failed(message.reference, permanent=True, reason=reason)
        self.submitted.append(message)
        return self.answer(message)

    def _accept(self, message: Outbound) -> Accepted:
        return Accepted(message.reference, f"memory-{next(self._ids)}")

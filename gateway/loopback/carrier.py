"""The service's side of the loopback network: a carrier that keeps one number attached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred, DeferredSemaphore, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.protocol import Factory

from dtns.gateway.carrier import Accepted, Failed, Inbound, Report
from dtns.gateway.intake import Intake
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.address import Address, UnixAddress
from dtns.gateway.loopback.link import Link
from dtns.gateway.outstanding import one_by_one

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from dtns.gateway.carrier import Answered, Outbound, Sink

IN_FLIGHT: Final = 256
_FIRST_RETRY_SECONDS: Final = 0.25
_LONGEST_RETRY_SECONDS: Final = 10.0
_STEADY_SECONDS: Final = 10.0


class LoopbackCarrier:
    """A `dtns.gateway.carrier.Carrier` over the loopback network at *address*.

    It keeps *number* attached, reconnecting for ever with growing, jittered pauses. At most
    *in_flight* sends are under way at a time, more wait their turn. *random* gives the jitter;
    *reactor* the time and the connection.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        number: str,
        sink: Sink,
        *,
        reactor: Any,
        random: Random,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        self._name = name
        self._reactor = reactor
        self._number = number
        self._link: Link | None = None
        self._attached_at = 0.0
        self._failures = 0
        self._backoff = backoffPolicy(
            _FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS, jitter=random.random
        )
        self._turns = DeferredSemaphore(in_flight)
        self._outstanding = one_by_one(self._submit)
        self._intake = Intake(sink, self._stored, reactor)
        self._waiting: list[Deferred[None]] = []
        self._service = ClientService(
            client_endpoint(reactor, address),
            Factory.forProtocol(self._make_link),
            retryPolicy=self._retry_delay,
            clock=reactor,
        )

    @property
    def name(self) -> str:
        """The carrier's name, as configured."""
        return self._name

    @property
    def connected(self) -> bool:
        """Whether the number is attached to the network."""
        return self._link is not None

    def when_connected(self) -> Deferred[None]:
        """Return a Deferred of one's own that fires once the number is attached."""
        waiting: Deferred[None] = Deferred()
        if self.connected:
            waiting.callback(None)
        else:
            self._waiting.append(waiting)
        return waiting

    async def start(self) -> None:
        """Begin to connect."""
        self._intake.start()
        self._service.startService()

    async def stop(self) -> None:
        """Wait for what is at the sink, at most 5 s, then hang up.

        Sends under way end with `maybe_sent`; `when_connected` goes on waiting for a new start.
        """
        await self._intake.stop()
        stopped = self._service.stopService()
        if self._link is not None:
            self._link.abort()
        await stopped

    def send_all(self, messages: Sequence[Outbound], answered: Answered) -> None:
        """Submit *messages* once each; see `dtns.gateway.carrier.Carrier.send_all`."""
        self._outstanding.send_all(messages, answered)

    def send(self, message: Outbound) -> Deferred[Accepted | Failed]:
        """Submit *message* once; see `dtns.gateway.carrier.Carrier.send`."""
        return self._outstanding.send(message)

    def _submit(self, message: Outbound) -> Deferred[Accepted | Failed]:
        submission = op.Submit(
            id=message.reference,
            sender=self._number,
            recipient=message.recipient,
            text=message.text,
            validity=message.validity_seconds,
            report=True,
        )
        return self._turns.run(self._submit_now, submission)

    def _submit_now(self, submission: op.Submit) -> Deferred[Accepted | Failed]:
        if self._link is None:
            return succeed(Failed(submission.id, permanent=False, reason="not connected"))
        return self._link.submit(submission)

    def attached(self, link: Link) -> None:
        """Take the link into use."""
        self._link = link
        self._attached_at = self._reactor.seconds()
        self._waiting, waiting = [], self._waiting
        for deferred in waiting:
            deferred.callback(None)

    def delivered(self, message: op.Deliver) -> None:
        """Store the message, then acknowledge it."""
        inbound = Inbound(self._name, message.network_id, message.sender, message.text, time.time())
        self._intake.take([inbound])

    def _stored(self, messages: Sequence[Inbound]) -> None:
        for message in messages:
            self._write(op.Received(message.identity))

    def reported(self, report: op.Report) -> None:
        """Store the report, then acknowledge it."""
        outcome = Report(report.network_id, report.id, report.state)
        self._intake.take_report(
            report.network_id, outcome, lambda: self._write(op.Noted(report.network_id))
        )

    def lost(self, link: Link) -> None:
        """Stop using the link; one that held for a while makes the next pause short again."""
        if self._link is link:
            self._link = None
            if self._reactor.seconds() - self._attached_at >= _STEADY_SECONDS:
                self._failures = 0

    def _write(self, operation: op.FromClient) -> None:
        if self._link is not None:
            self._link.write(operation)

    def _make_link(self) -> Link:
        return Link(self._reactor, self._number, self)

    def _retry_delay(self, _attempt: int) -> float:
        self._failures += 1
        return self._backoff(self._failures)


def client_endpoint(reactor: Any, address: Address) -> Any:
    """Return the Twisted endpoint that connects to *address*, within 10 s."""
    if isinstance(address, UnixAddress):
        connect: Any = UNIXClientEndpoint
        return connect(reactor, address.path, timeout=10)
    kind = TCP6ClientEndpoint if ":" in address.host else TCP4ClientEndpoint
    return kind(reactor, address.host, address.port, timeout=10)

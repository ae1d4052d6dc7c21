"""A session on a real connection: octets, timers, and a peer that may not read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from zope.interface import implementer

from dtns.gateway.smpp.session import Session
from dtns.gateway.smpp.status import Status

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from twisted.python.failure import Failure

    from dtns.gateway.smpp.events import Event
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.settings import Account
    from dtns.gateway.smpp.timing import Timing


class Listener(Interface):
    """Who is told what happens on a link."""

    def happened(self, link: Link, event: Event) -> None:
        """Take one event of the session."""


@implementer(IPushProducer)
class Link(Protocol):
    """Runs a session over a connection; while the SMSC does not read, nothing it says is read."""

    def __init__(
        self, account: Account, timing: Timing, counts: Counter[str], owner: Listener, reactor: Any
    ) -> None:
        self.session = Session(account, timing, counts)
        self._timing = timing
        self._owner = owner
        self._reactor = reactor
        self._telling = False
        self._open = False
        self._abort: Any = None
        self._watch = LoopingCall(self._tick)
        self._watch.clock = reactor

    def connectionMade(self) -> None:  # noqa: N802 # Twisted's name
        """Bind."""
        self._open = True
        self._transport.registerProducer(self, streaming=True)
        self._transport.setTcpNoDelay(True)
        self.session.begin(self._reactor.seconds())
        self._watch.start(self._timing.look, now=False)
        self._settle()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 # Twisted's name
        """Take in what the SMSC says."""
        self.session.receive(data, self._reactor.seconds())
        self._settle()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 # Twisted's name
        """Leave open what was not answered."""
        if self._watch.running:
            self._watch.stop()
        if self._abort is not None and self._abort.active():
            self._abort.cancel()
        self._open = False
        self.session.lost(f"the connection broke: {reason.getErrorMessage()}")
        self._settle()

    def submit(self, submissions: Iterable[tuple[bytes, Any]]) -> None:
        """Submit messages; see `Session.submit`."""
        self.session.submit(submissions, self._reactor.seconds())
        self._settle()

    def acknowledge(self, deliveries: Sequence[Delivery], status: Status = Status.ROK) -> int:
        """Answer deliveries, if the session is still there; see `Session.acknowledge`."""
        count = self.session.acknowledge(deliveries, status)
        self._settle()
        return count

    def unbind(self) -> None:
        """Say goodbye, then hang up."""
        self.session.unbind(self._reactor.seconds())
        self._settle()

    def _tick(self) -> None:
        self.session.tick(self._reactor.seconds())
        self._settle()

    def _settle(self) -> None:
        """Tell what happened, in order, then write at once all that the session has to say."""
        if self._telling:
            return
        session, self._telling = self.session, True
        try:
            while session.events:
                self._owner.happened(self, session.events.pop(0))
        finally:
            self._telling = False
            if session.outgoing:
                self._transport.write(bytes(session.outgoing))
                session.outgoing.clear()
        if session.ended:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._watch.running:
            self._watch.stop()
        if self._open:
            self._open = False
            self._transport.unregisterProducer()
            self._transport.loseConnection()
            self._abort = self._reactor.callLater(
                self._timing.unbind, self._transport.abortConnection
            )

    def pauseProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Read nothing more until the SMSC has read what was written.

        Before the bind it is TLS that does not write, and it has to read.
        """
        if self.session.welcome:
            self._transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Go on reading."""
        self._transport.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 # Twisted's name
        """Nothing more can be written; the transport reports the loss itself."""

    @property
    def _transport(self) -> Any:
        return self.transport

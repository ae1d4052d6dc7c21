"""One connection of a carrier to the loopback network, from attaching to its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from typing import Protocol as Interface

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from dtns.gateway.carrier import Accepted, Failed
from dtns.gateway.errors import WireError
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.wire import Lines, decode_from_network, encode

if TYPE_CHECKING:
    from twisted.python.failure import Failure

PING_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 30.0
WINDOW: Final = 256


class LinkEvents(Interface):
    """Who is told what happens on a link."""

    def attached(self, link: Link) -> None:
        """The network delivers to *link* from now on."""

    def delivered(self, message: op.Deliver) -> None:
        """A message came; it comes again until it is acknowledged."""

    def reported(self, report: op.Report) -> None:
        """A report came; it comes again until it is noted."""

    def lost(self, link: Link) -> None:
        """The connection is gone, attached or not."""


class Link(Protocol):
    """Attaches *number* and carries operations both ways.

    A link that hears nothing for two pings, or what it does not understand, hangs up: whoever
    made it makes another.
    """

    _log = Logger()

    def __init__(self, reactor: Any, number: str, events: LinkEvents) -> None:
        self._reactor = reactor
        self._number = number
        self._events = events
        self._lines = Lines()
        self._answers: dict[str, tuple[Deferred[Accepted | Failed], float]] = {}
        self._alarm: Any = None
        self._heard = True
        self._watch = LoopingCall(self._ping)
        self._watch.clock = reactor

    def connectionMade(self) -> None:  # noqa: N802 # Twisted's name
        """Attach the number."""
        self.write(op.Attach(self._number, WINDOW))
        self._watch.start(PING_SECONDS, now=False)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 # Twisted's name
        """Take in what the network says."""
        self._heard = True
        try:
            for line in self._lines.feed(data):
                self._take(decode_from_network(line))
        except WireError as error:
            self._give_up(str(error))

    def _take(self, operation: op.FromNetwork) -> None:
        match operation:
            case op.Attached():
                self._events.attached(self)
            case op.Accepted():
                self._answer(Accepted(operation.id, operation.network_id))
            case op.Rejected():
                self._answer(Failed(operation.id, operation.permanent, operation.reason))
            case op.Deliver():
                self._events.delivered(operation)
            case op.Report():
                self._events.reported(operation)
            case op.Detached() | op.Error():
                self._give_up(operation.reason)

    def write(self, operation: op.FromClient) -> None:
        """Write one line."""
        assert self.transport is not None
        self.transport.write(encode(operation))

    def submit(self, submission: op.Submit) -> Deferred[Accepted | Failed]:
        """Submit once; fires with the answer, or with a failure that may leave it open."""
        assert self.transport is not None
        reference = submission.id
        try:
            line = encode(submission)
        except WireError as error:
            return succeed(Failed(reference, permanent=True, reason=str(error)))
        answer: Deferred[Accepted | Failed] = Deferred()
        self._answers[reference] = answer, self._reactor.seconds() + ANSWER_SECONDS
        if self._alarm is None:
            self._alarm = self._reactor.callLater(ANSWER_SECONDS, self._look_for_overdue)
        self.transport.write(line)
        return answer

    def _look_for_overdue(self) -> None:
        """Leave open what was not answered in time; the oldest comes first."""
        self._alarm, now = None, self._reactor.seconds()
        for reference, (_, due) in list(self._answers.items()):
            if due > now:
                self._alarm = self._reactor.callLater(due - now, self._look_for_overdue)
                return
            self._leave_open(reference, "the network did not answer")

    def _answer(self, answer: Accepted | Failed) -> None:
        waiting = self._answers.pop(answer.reference, None)
        if waiting is not None:
            waiting[0].callback(answer)

    def _leave_open(self, reference: str, reason: str) -> None:
        self._answer(Failed(reference, permanent=False, reason=reason, maybe_sent=True))

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002, N802 # Twisted's
        """Leave open what was not answered."""
        if self._watch.running:
            self._watch.stop()
        self._events.lost(self)  # first, so that nobody submits here what an answer makes room for
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for reference in list(self._answers):
            self._leave_open(reference, "the connection broke before the answer")

    def _ping(self) -> None:
        if self._heard:
            self._heard = False
            self.write(op.Ping())
        else:
            self._give_up("the network does not answer")

    def _give_up(self, reason: str) -> None:
        self._log.warn("hangs up: {reason}", reason=reason)
        self.abort()

    def abort(self) -> None:
        """Hang up at once."""
        transport: Any = self.transport
        transport.abortConnection()

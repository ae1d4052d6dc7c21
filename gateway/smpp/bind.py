"""One bind, kept up: connected again and again, after pauses that say why the last one ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from dtns.gateway.smpp.events import Bound, Delivered, Ended, Heard
from dtns.gateway.smpp.link import Link
from dtns.gateway.smpp.status import LOCKED_OUT

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence
    from random import Random

    from twisted.python.failure import Failure

    from dtns.gateway.smpp.events import Answered, Event, Unanswered
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.settings import Account
    from dtns.gateway.smpp.timing import Timing


class Owner(Interface):
    """What a bind's owner is told."""

    def changed(self, bind: Bind) -> None:
        """A bind came up, went down, or has a new reason."""

    def answered(self, bind: Bind, outcomes: Sequence[Answered | Unanswered]) -> None:
        """Submissions have come to their answers."""

    def delivered(self, link: Link, deliveries: Sequence[Delivery]) -> None:
        """Deliveries came, to be acknowledged on *link*."""

    def heard(self, link: Link, count: int) -> None:
        """The SMSC has read the first *count* acknowledgements on *link*."""

    def lost(self, link: Link) -> None:
        """*link* is gone."""


class Bind:
    """Keeps one session with the SMSC *name* at *endpoint*; `reason` says why it is not there."""

    _log = Logger()

    def __init__(
        self,
        name: str,
        account: Account,
        endpoint: Any,
        owner: Owner,
        *,
        window: int,
        timing: Timing,
        counts: Counter[str],
        random: Random,
        reactor: Any,
    ) -> None:
        self._name = name
        self.account = account
        self.window = window
        self.reason = ""
        self.smsc = ""
        self._owner = owner
        self._timing = timing
        self._counts = counts
        self._random = random
        self._reactor = reactor
        self._link: Link | None = None
        self._newest: Link | None = None
        self._up_at = 0.0
        self._failures = 0
        self._locked_out = False
        self._stopped: Deferred[None] | None = None
        self._backoff = backoffPolicy(
            timing.first_retry, timing.longest_retry, jitter=lambda: random.random() * timing.jitter
        )
        self._service = ClientService(
            _Watched(endpoint, self._not_connected),
            Factory.forProtocol(self._make_link),
            retryPolicy=self._pause,
            clock=reactor,
        )

    @property
    def bound(self) -> bool:
        """Whether the SMSC has taken the bind, and neither side has ended it."""
        return self._link is not None and self._link.session.bound

    @property
    def under_way(self) -> int:
        """How many submissions wait for their answer."""
        return self._link.session.under_way if self._link else 0

    @property
    def room(self) -> int:
        """How many more submissions fit the window now."""
        if not self.bound or not self.account.transmits:
            return 0
        return max(0, self.window - self.under_way)

    def start(self) -> None:
        """Begin to connect, and go on for ever."""
        self._failures = 0
        self._service.startService()

    async def stop(self) -> None:
        """Unbind and hang up; submissions under way end as unanswered."""
        if self._newest is not None and not self._newest.session.ended:
            self._stopped = Deferred()
            self._newest.unbind()
            if self._stopped is not None:
                await self._stopped
        await self._service.stopService()
        await deferLater(self._reactor, 0)  # the service cannot be started while it tells this
        self.reason = ""

    def submit(self, submissions: Iterable[tuple[bytes, Any]]) -> None:
        """Submit messages, each a body and a token; there must be room."""
        assert self._link is not None
        self._link.submit(submissions)

    def happened(self, link: Link, event: Event) -> None:
        """Take an event of the session."""
        if isinstance(event, Bound):
            self._link, self.reason, self.smsc = link, "", event.answer.system_id
            self._up_at = self._reactor.seconds()
            self._locked_out = False
            self._owner.changed(self)
        elif isinstance(event, Delivered):
            self._owner.delivered(link, event.deliveries)
        elif isinstance(event, Heard):
            self._owner.heard(link, event.acknowledgements)
        elif isinstance(event, Ended):
            self._ended(link, event)
        else:
            self._owner.answered(self, event.outcomes)

    def _ended(self, link: Link, event: Ended) -> None:
        if self._link is link:
            self._link = None
            if self._reactor.seconds() - self._up_at >= self._timing.steady:
                self._failures = 0
        self._locked_out = event.refusal in LOCKED_OUT
        self._counts["ended"] += 1
        self._is_down(event.reason)
        self._owner.lost(link)
        stopped, self._stopped = self._stopped, None
        if stopped is not None:
            stopped.callback(None)

    def _not_connected(self, failure: Failure) -> Failure:
        fault = failure.value
        if isinstance(fault, CancelledError | ConnectingCancelledError):
            return failure  # stopped
        known = isinstance(fault, ConnectError | DNSLookupError | ValueError)
        text = str(fault).rstrip(".") if known else type(fault).__name__
        self._locked_out = False
        self._is_down(f"cannot connect: {text}")
        return failure

    def _is_down(self, reason: str) -> None:
        if reason != self.reason:
            self._log.warn("a bind to {name} is down: {reason}", name=self._name, reason=reason)
        self.reason = reason
        self._owner.changed(self)

    def _make_link(self) -> Link:
        self._newest = Link(self.account, self._timing, self._counts, self, self._reactor)
        return self._newest

    def _pause(self, _attempt: int) -> float:
        self._failures += 1
        if self._locked_out:
            return self._timing.locked_out * self._random.uniform(0.5, 1.0)
        return self._backoff(self._failures)


@implementer(IStreamClientEndpoint)
class _Watched:
    """An endpoint that tells why it did not connect."""

    def __init__(self, endpoint: Any, failed: Any) -> None:
        self._endpoint = endpoint
        self._failed = failed

    def connect(self, protocolFactory: Any) -> Any:  # noqa: N803 (Twisted's name)
        """Connect."""
        return self._endpoint.connect(protocolFactory).addErrback(self._failed)

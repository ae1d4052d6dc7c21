"""USSD over the loopback network: serves one code, reconnecting for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from dtns.gateway.errors import WireError
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.carrier import client_endpoint
from dtns.gateway.loopback.wire import Lines, decode_from_network, encode
from dtns.gateway.ussd.seam import Screen, Turn

if TYPE_CHECKING:
    from random import Random

    from twisted.python.failure import Failure

    from dtns.gateway.loopback.address import Address
    from dtns.gateway.ussd.sessions import Sessions

_PING_SECONDS: Final = 15.0
_FIRST_RETRY_SECONDS: Final = 0.25
_LONGEST_RETRY_SECONDS: Final = 10.0


class LoopbackUssd:
    """Serves the USSD *code* of the loopback network at *address* with *sessions*."""

    def __init__(
        self,
        name: str,
        address: Address,
        code: str,
        sessions: Sessions,
        *,
        reactor: Any,
        random: Random,
    ) -> None:
        self._name = name
        self._code = code
        self._sessions = sessions
        self._reactor = reactor
        self._served: _Served | None = None
        self._waiting: list[Deferred[None]] = []
        self._service = ClientService(
            client_endpoint(reactor, address),
            Factory.forProtocol(self._make),
            retryPolicy=backoffPolicy(
                _FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS, jitter=random.random
            ),
            clock=reactor,
        )

    @property
    def name(self) -> str:
        """What the gateway is called."""
        return self._name

    @property
    def connected(self) -> bool:
        """Whether the network brings sessions here."""
        return self._served is not None

    def when_connected(self) -> Deferred[None]:
        """Return a Deferred of one's own that fires once it does."""
        waiting: Deferred[None] = Deferred()
        if self.connected:
            waiting.callback(None)
        else:
            self._waiting.append(waiting)
        return waiting

    async def start(self) -> None:
        """Begin to connect."""
        self._service.startService()

    async def stop(self) -> None:
        """Hang up; sessions under way end."""
        stopped = self._service.stopService()
        if self._served is not None:
            self._served.abort()
        await stopped

    def began(self, connection: _Served) -> None:
        """Take a connection into use."""
        self._served = connection
        self._waiting, waiting = [], self._waiting
        for each in waiting:
            each.callback(None)

    def lost(self, connection: _Served) -> None:
        """Stop using it."""
        if self._served is connection:
            self._served = None

    def asked(self, connection: _Served, ask: op.Ask) -> None:
        """Bring a turn to the sessions and the screen back."""
        turn = self._turn(ask)

        def show(screen: Screen) -> None:
            connection.write(op.Show(ask.session, screen.text, screen.ends, ask.turn))

        self._sessions.turn(turn).addCallback(show)

    def _turn(self, ask: op.Ask) -> Turn:
        """Return a turn; what was dialled beyond the code is typed ahead."""
        begins = ask.turn == 1
        typed: tuple[str, ...] = (ask.text,)
        if begins:
            ahead = ask.text.removesuffix("#").removeprefix(self._code.removesuffix("#"))
            typed = tuple(part for part in ahead.split("*") if part)
        return Turn(ask.session, ask.number, f"{ask.turn}", typed, begins)

    def _make(self) -> _Served:
        return _Served(self._code, self, self._reactor)


class _Served(Protocol):
    """One connection; it hangs up on a network that says nothing from one ping to the next."""

    _log = Logger()

    def __init__(self, code: str, owner: LoopbackUssd, reactor: Any) -> None:
        self._code = code
        self._owner = owner
        self._lines = Lines()
        self._open = False
        self._heard = True
        self._watch = LoopingCall(self._ping)
        self._watch.clock = reactor

    def connectionMade(self) -> None:  # noqa: N802 # Twisted's name
        """Ask for the code."""
        self._open = True
        self.write(op.Serve(self._code))
        self._watch.start(_PING_SECONDS, now=False)

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
            case op.Served():
                self._owner.began(self)
            case op.Ask():
                self._owner.asked(self, operation)
            case op.Error():
                self._give_up(operation.reason)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002, N802 # Twisted's
        """Tell the owner."""
        self._open = False
        if self._watch.running:
            self._watch.stop()
        self._owner.lost(self)

    def write(self, operation: op.FromClient) -> None:
        """Write one line, unless the connection is gone."""
        if self._open:
            assert self.transport is not None
            self.transport.write(encode(operation))

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

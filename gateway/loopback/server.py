"""The loopback network on a socket: the Twisted shell around `network.Network`."""

from __future__ import annotations

import random
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint, UNIXServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall

from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback.address import Address, TcpAddress, UnixAddress
from dtns.gateway.loopback.connection import Connection
from dtns.gateway.loopback.network import Network
from dtns.gateway.loopback.socketfile import SocketFile
from dtns.gateway.loopback.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IListeningPort

    from dtns.gateway.loopback.conditions import Conditions
    from dtns.gateway.loopback.network import Limits, Outgoing, Sighting
    from dtns.gateway.loopback.operations import FromClient

CONNECTIONS: Final = 900
IDLE_SECONDS: Final = 60.0
_SWEEP_SECONDS: Final = 15.0
_LONGEST_SLEEP_SECONDS: Final = 60.0
_LISTEN_BACKLOG: Final = 128


class LoopbackServer:
    """A loopback network that listens at *address*, alone or within another Twisted process.

    The same *seed* and the same order of submissions give the same fates. *reactor* needs
    `IReactorTime` and the kind of listening that the address asks for; *clock* gives the
    network's time in seconds and must not go back. *watch* is told what somebody sees who
    listens to the whole network.
    """

    def __init__(
        self,
        reactor: Any,
        address: Address,
        conditions: Conditions,
        seed: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
        connections: int = CONNECTIONS,
        watch: Callable[[Sighting], None] | None = None,
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._clock = clock
        self._room = connections
        self._network = Network(
            conditions,
            random.Random(seed),  # noqa: S311 # fates must be repeatable
            clock(),
            run=secrets.token_hex(4),
            limits=limits,
            watch=watch,
        )
        self._connections: set[Connection] = set()
        self._turns = Turns(reactor)
        self._port: IListeningPort | None = None
        self._file = SocketFile(address.path) if isinstance(address, UnixAddress) else None
        self._wake: IDelayedCall | None = None
        self._sweep = LoopingCall(self._hang_up_idle)
        self._sweep.clock = reactor
        self._closed: Deferred[None] | None = None

    async def start(self) -> Address:
        """Listen, and return the address: as it was given, but with the real port.

        Raises:
            AddressTakenError: somebody else listens there, or it cannot be used.
        """
        if self._file is not None:
            self._file.claim()
        try:
            self._port = await self._endpoint().listen(Factory.forProtocol(self._connection))
        except (CannotListenError, OSError) as error:
            self._release()
            cause = getattr(error, "socketError", error)
            reason = getattr(cause, "strerror", None) or cause
            raise AddressTakenError(f"cannot listen at {self._address}: {reason}") from None
        self._sweep.start(_SWEEP_SECONDS, now=False)
        if isinstance(self._address, TcpAddress):
            host: Any = self._port.getHost()
            return TcpAddress(self._address.host, host.port)
        return self._address

    async def stop(self) -> None:
        """Stop listening and hang up; what was not delivered is forgotten."""
        if self._sweep.running:
            self._sweep.stop()
        if self._port is not None:
            with suppress(FileNotFoundError):  # somebody removed the socket's file
                await maybeDeferred(self._port.stopListening)
            self._port = None
        if self._connections:
            self._closed = Deferred()
            for connection in list(self._connections):
                connection.abort()
            await self._closed
        self._turns.stop()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._release()

    @property
    def conditions(self) -> Conditions:
        """What the network does to messages now."""
        return self._network.conditions

    def change(self, **changes: Any) -> None:
        """Change conditions by their names; ConditionsError where they are out of range."""
        self._network.conditions = self._network.conditions.changed(changes)
        self.pass_time()

    def pass_time(self) -> None:
        """Do what is due by the clock: to be called after the clock was put forward."""
        self._write(self._network.advance(self._clock()))

    def _endpoint(self) -> Any:
        if isinstance(self._address, UnixAddress):
            listen: Any = UNIXServerEndpoint
            return listen(self._reactor, self._address.path, _LISTEN_BACKLOG, mode=0o600)
        kind = TCP6ServerEndpoint if ":" in self._address.host else TCP4ServerEndpoint
        return kind(self._reactor, self._address.port, _LISTEN_BACKLOG, self._address.host)

    def _release(self) -> None:
        if self._file is not None:
            self._file.release()

    def _connection(self) -> Connection:
        return Connection(self._clock, self._turns, self._made, self._received, self._lost)

    def _made(self, connection: Connection) -> None:
        self._connections.add(connection)
        if len(self._connections) > self._room:
            connection.refuse("the network has no room for another connection")

    def _received(self, connection: Connection, operation: FromClient) -> None:
        self._write(self._network.receive(connection, operation, self._clock()))

    def _lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._write(self._network.drop(connection))
        if self._closed is not None and not self._connections:
            self._closed.callback(None)

    def _write(self, outgoing: Outgoing) -> None:
        for line, operation in outgoing:
            assert isinstance(line, Connection)
            line.write(operation)
        self._schedule()

    def _schedule(self) -> None:
        """Wake up when the network next has something to do, or before."""
        now = self._clock()
        wake_at = self._network.wake_at(now)
        if wake_at is None:
            return
        delay = min(max(0.0, wake_at - now), _LONGEST_SLEEP_SECONDS)
        if self._wake is not None:
            if self._wake.getTime() <= self._reactor.seconds() + delay:
                return
            self._wake.cancel()
        self._wake = self._reactor.callLater(delay, self._advance)

    def _advance(self) -> None:
        self._wake = None
        self.pass_time()

    def _hang_up_idle(self) -> None:
        """Cut off who neither reads, nor has a number attached, nor serves a code."""
        latest = self._clock() - IDLE_SECONDS
        for connection in list(self._connections):
            of_use = self._network.is_of_use(connection) and not connection.stalled
            if not of_use and connection.busy_at <= latest:
                connection.abort()

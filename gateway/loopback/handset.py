"""The phone's side of the loopback network: a blocking client on a plain socket.

Phones are steps of a command line, so importing this module imports no Twisted.
"""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn, Self

from dtns.gateway.carrier import Accepted, Failed
from dtns.gateway.errors import (
    AttachError,
    GatewayError,
    NoSignalError,
    NumberMovedError,
    SessionEndedError,
    WireError,
)
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.address import Address, TcpAddress, parse_address
from dtns.gateway.loopback.wire import Lines, decode_from_network, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

TIMEOUT_SECONDS: Final = 12.0
_READ_OCTETS: Final = 65536
_SESSIONS_KNOWN: Final = 16


class Message(NamedTuple):
    """One message for this phone; it comes again until `network_id` is acknowledged."""

    network_id: str
    sender: str
    text: str


class Screen(NamedTuple):
    """What a USSD session shows; nothing can be typed once it `ends`."""

    session: str
    text: str
    ends: bool


class Line:
    """A phone with signal: a connection to the network with one number attached.

    Use it as a context manager. `address` is an `Address` or its text; `timeout` in seconds bounds
    every wait for the network's answer.

    Raises (all methods but `close`):
        NoSignalError: nothing listens at the address, or the network stopped answering.
        NumberMovedError: another phone attached the same number.
        AddressError: the address cannot be used as it is written.
    """

    def __init__(
        self,
        address: Address | str,
        number: str,
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = parse_address(address) if isinstance(address, str) else address
        self._number = number
        self._timeout = timeout
        self._clock = clock
        self._ids = itertools.count(1)
        self._lines = Lines()
        self._operations: deque[op.FromNetwork] = deque()
        self._inbox: deque[Message] = deque()
        self._sessions: deque[str] = deque(maxlen=_SESSIONS_KNOWN)
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Connect and attach the number; what waits for it begins to come.

        Raises:
            AttachError: the network refuses the number.
        """
        self._socket = _connect(self._address, self._timeout)
        try:
            self._exchange(op.Attach(self._number), op.Attached)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up; what was not acknowledged comes again to the next who attaches."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def fileno(self) -> int:
        """Give the socket to `select`: readable means that `messages(0)` may have some."""
        return self._open_socket().fileno()

    def submit(self, to: str, text: str) -> Accepted | Failed:
        """Hand one message to the network and tell what it said; never raises for bad news."""
        identity = str(next(self._ids))
        sent = False
        try:
            line = encode(op.Submit(identity, self._number, to, text))
            sent = self._socket is not None
            self._send(line)
            answer = self._await(op.Accepted, op.Rejected)
        except GatewayError as error:
            return Failed(identity, error.permanent, str(error), maybe_sent=sent)
        if isinstance(answer, op.Rejected):
            return Failed(identity, answer.permanent, answer.reason)
        assert isinstance(answer, op.Accepted)
        return Accepted(identity, answer.network_id)

    def messages(self, wait_seconds: float) -> Iterator[Message]:
        """Yield the messages that are due, then those that come within *wait_seconds* from now.

        With 0 seconds it yields exactly what is due now. Acknowledge each one once it is stored.
        """
        deadline = self._clock() + wait_seconds
        while True:
            self._exchange(op.Ping(), op.Pong)
            if self._inbox:
                while self._inbox:
                    yield self._inbox.popleft()
            elif not self._operations and not self._readable(deadline):
                return

    def dial(self, code: str) -> Screen:
        """Open a USSD session by dialling *code*, as in *384#, and return its first screen.

        Raises:
            SessionEndedError: nobody serves the code, or the session ended without a screen.
            WireError: that is nothing to dial.
        """
        self._send(encode(op.Dial(self._number, code)))
        screen = self._screen()
        self._sessions.append(screen.session)
        return screen

    def key(self, session: str, text: str) -> Screen:
        """Type *text* into a session and return the next screen; raises as dial does."""
        self._send(encode(op.Key(session, text)))
        return self._screen(session)

    def hang_up(self, session: str) -> None:
        """End a session."""
        self._send(encode(op.Hangup(session)))

    def _screen(self, session: str = "") -> Screen:
        """Wait for a screen of *session*, or else of one that was not known before."""
        while True:
            answer = self._await(op.Show, op.Hangup)
            assert isinstance(answer, op.Show | op.Hangup)
            if answer.session == session or answer.session not in self._sessions:
                break
        if isinstance(answer, op.Hangup):
            raise SessionEndedError(f"the session ended: {answer.reason}")
        return Screen(answer.session, answer.text, answer.ends)

    def acknowledge(self, network_id: str) -> None:
        """Tell the network that this message is stored and need not come again."""
        self._send(encode(op.Received(network_id)))

    def _exchange(self, question: op.FromClient, answer: type[op.FromNetwork]) -> None:
        self._send(encode(question))
        self._await(answer)

    def _send(self, line: bytes) -> None:
        connection = self._open_socket()
        connection.settimeout(self._timeout)
        try:
            connection.sendall(line)
        except OSError as error:
            self._hang_up(f"the network at {self._address} went away ({error.strerror or error})")

    def _await(self, *kinds: type[op.FromNetwork]) -> op.FromNetwork:
        """Read up to the first operation of *kinds*; deliveries go into the inbox."""
        deadline = self._clock() + self._timeout
        while True:
            while self._operations:
                operation = self._operations.popleft()
                if isinstance(operation, kinds):
                    return operation
                self._take(operation)
            if not self._readable(deadline):
                self._hang_up(f"the network at {self._address} does not answer")
            self._read()

    def _take(self, operation: op.FromNetwork) -> None:
        match operation:
            case op.Deliver():
                message = Message(operation.network_id, operation.sender, operation.text)
                self._inbox.append(message)
            case op.Detached():
                self.close()
                raise NumberMovedError("no signal: another phone attached this number")
            case op.Error():
                self.close()
                raise AttachError(f"the network refuses: {operation.reason}")

    def _read(self) -> None:
        try:
            octets = self._open_socket().recv(_READ_OCTETS)
            self._operations.extend(map(decode_from_network, self._lines.feed(octets)))
        except OSError as error:
            self._hang_up(f"the network at {self._address} went away ({error.strerror or error})")
        except WireError:
            self._hang_up(f"what listens at {self._address} is not a loopback network")
        if not octets:
            self._hang_up(f"the network at {self._address} went away")

    def _readable(self, deadline: float) -> bool:
        poll = select.poll()
        poll.register(self._open_socket(), select.POLLIN)
        return bool(poll.poll(max(0.0, deadline - self._clock()) * 1000))

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise NoSignalError("no signal: the line is not open")
        return self._socket

    def _hang_up(self, reason: str) -> NoReturn:
        self.close()
        raise NoSignalError(f"no signal: {reason}") from None


def _connect(address: Address, timeout: float) -> socket.socket:
    try:
        if isinstance(address, TcpAddress):
            return socket.create_connection((address.host, address.port), timeout)
        connection = socket.socket(socket.AF_UNIX)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(connection.close)
            connection.settimeout(timeout)
            connection.connect(address.path)
            on_failure.pop_all()
        return connection  # noqa: TRY300 # an else branch would be farther from what it returns
    except OSError as error:
        raise NoSignalError(
            f"no signal: nothing listens at {address} ({error.strerror or error})"
        ) from None

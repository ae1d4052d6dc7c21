"""USSD by HTTP callback, in the form of Africa's Talking: the aggregator posts what was typed.

There is no signature in this form. A request is taken from an allowed source, at a secret path.
"""

from __future__ import annotations

import hmac
import re
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from klein import Klein
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.protocols.policies import WrappingFactory
from twisted.web.server import Request, Site
from werkzeug.exceptions import HTTPException

from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback.address import TcpAddress
from dtns.gateway.ussd.seam import Screen, Turn
from dtns.gateway.ussd.sessions import TYPED_AHEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IListeningPort

    from dtns.gateway.ussd.sessions import Sessions

MAX_BODY: Final = 16 * 1024
CONNECTIONS: Final = 500
REQUEST_SECONDS: Final = 15.0
PATH: Final = "ussd"
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = {
    "sessionId": re.compile(r"[!-~]{1,128}"),
    "phoneNumber": re.compile(r"\+?[0-9]{5,15}"),
    "text": re.compile(r"[^\x00-\x09\x0b-\x1f]{0,1000}"),
}
"""The fields that are needed, each given once, and their forms."""


class CallbackUssd:
    """Serves callbacks at `http://ADDRESS/ussd/SECRET`; what comes elsewhere is refused.

    *sources* are the networks that may ask, *count* counts refusals by name. An aggregator's
    notice that a session has ended, at `.../SECRET/end`, is taken and changes nothing.
    """

    def __init__(
        self,
        name: str,
        address: TcpAddress,
        sessions: Sessions,
        *,
        secret: str,
        sources: Sequence[IPv4Network | IPv6Network],
        reactor: Any,
        count: Callable[[str], None],
    ) -> None:
        self._name = name
        self._address = address
        self._secret = secret.encode()
        self._sources = tuple(sources)
        self._sessions = sessions
        self._reactor = reactor
        self._count = count
        self._port: IListeningPort | None = None

    @property
    def name(self) -> str:
        """What the gateway is called."""
        return self._name

    @property
    def connected(self) -> bool:
        """Whether it listens."""
        return self._port is not None

    async def start(self) -> TcpAddress:
        """Listen, and return the address with the real port; AddressTakenError if it cannot."""
        make_site: Any = Site
        site = make_site(_routes(self).resource(), timeout=REQUEST_SECONDS, reactor=self._reactor)
        site.requestFactory = self._request
        site.displayTracebacks = False
        site.log = _no_log  # the secret stands in each path
        kind = TCP6ServerEndpoint if ":" in self._address.host else TCP4ServerEndpoint
        endpoint: Any = kind(self._reactor, self._address.port, 128, self._address.host)
        try:
            port = await endpoint.listen(_Door(site, self.lets_in))
        except CannotListenError as fault:
            reason = fault.socketError
            raise AddressTakenError(f"cannot listen at {self._address}: {reason}") from None
        self._port = port
        return TcpAddress(self._address.host, port.getHost().port)

    async def stop(self) -> None:
        """Listen no more."""
        port, self._port = self._port, None
        if port is not None:
            await maybeDeferred(port.stopListening)

    def _request(self, channel: Any, queued: Any = None) -> _Bounded:
        make: Any = _Bounded
        request: _Bounded = make(channel, queued)
        request.count = self._count
        return request

    def lets_in(self, host: str) -> bool:
        """Tell whether a connection comes from an allowed source; count it if not."""
        try:
            allowed = any(ip_address(host) in network for network in self._sources)
        except ValueError:
            allowed = False
        if not allowed:
            self._count("ussd-foreign-source")
        return allowed

    def takes(self, secret: str) -> bool:
        """Tell whether this is the secret path; count it if not."""
        if hmac.compare_digest(secret.encode("utf-8", "replace"), self._secret):
            return True
        self.count_wrong_path()
        return False

    def count_wrong_path(self) -> None:
        """Count a request that is for nothing that is served here."""
        self._count("ussd-wrong-path")

    def turn(self, request: Request) -> Deferred[bytes] | bytes:
        """Answer one turn; a request that is none is refused with what it lacks."""
        fields = _fields(request)
        if isinstance(fields, str):
            self._count("ussd-bad-request")
            request.setResponseCode(400)
            return f"{fields}\n".encode()
        turn = self._turn(fields["sessionId"], fields["phoneNumber"], fields["text"])
        if turn is None:
            return self._sessions.refuse("ussd-bad-text").addCallback(_answer)
        return self._sessions.turn(turn).addCallback(_answer)

    def ended(self) -> bytes:
        """Take the notice that a session has ended; its caller may still go on with it."""
        self._count("ussd-ended")
        return b""

    def _turn(self, session: str, caller: str, text: str) -> Turn | None:
        """Return the turn that *text*, all inputs so far, ends in; None if it goes on from nothing.

        A session that is not known begins with all of it: it was dialled so, or Sam began anew.
        """
        before = self._sessions.mark(session)
        if before is None:
            typed = tuple(text.split("*")) if text else ()
            known = Turn(session, caller, text, typed, begins=True)
            return known if len(typed) <= TYPED_AHEAD else None
        if text == before or self._sessions.has_told(session, text):
            return Turn(session, caller, text)
        if before and not text.startswith(f"{before}*"):
            return None
        return Turn(session, caller, text, (text[len(before) + 1 if before else 0 :],))


class _Door(WrappingFactory):
    """Serves so many connections at a time, of allowed sources; it hangs up on others."""

    noisy = False

    def __init__(self, site: Any, lets_in: Callable[[str], bool]) -> None:
        make: Any = super().__init__
        make(site)
        self._lets_in = lets_in

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 # Twisted's name
        """Serve a connection if it may come in and there is room."""
        if not self._lets_in(addr.host) or len(self.protocols) >= CONNECTIONS:
            return None
        return super().buildProtocol(addr)


class _Bounded(Request):
    """A request whose body is refused before it comes if it is too long, or of no told length."""

    channel: Any
    count: Callable[[str], None]

    def gotLength(self, length: int | None) -> None:  # noqa: N802 # Twisted's name
        """Refuse the body, or wait for it."""
        wait: Any = super().gotLength
        wait(length)
        if length is None:
            self._refuse(b"411 Length Required")
        elif length > MAX_BODY:
            self._refuse(b"413 Content Too Large")

    def process(self) -> None:
        """Serve the request if the routes can read its path and host; others are nowhere."""
        host = self.getHeader(b"host") or b""
        if host.isascii() and unquote_to_bytes(self.path).isascii():
            serve: Any = super().process
            serve()
            return
        self.count("ussd-wrong-path")
        self.setResponseCode(404)
        end: Any = self.finish
        end()

    def _refuse(self, status: bytes) -> None:
        self.count("ussd-too-long")
        head = b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status
        self.channel.transport.write(head)
        self.channel.loseConnection()


def _routes(gateway: CallbackUssd) -> Klein:
    """Return the routes: a turn, the end of a session, nothing else."""
    app = Klein()

    def checked(
        request: Any, secret: str, serve: Callable[[], Deferred[bytes] | bytes]
    ) -> Deferred[bytes] | bytes:
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        request.setHeader("Server", "dtns")
        if gateway.takes(secret):
            return serve()
        request.setResponseCode(404)
        return b""

    @app.route(f"/{PATH}/<string:secret>", methods=["POST"])
    def turn(request: Request, secret: str) -> Any:
        return checked(request, secret, lambda: gateway.turn(request))

    @app.route(f"/{PATH}/<string:secret>/end", methods=["POST"])
    def end(request: Request, secret: str) -> Any:
        return checked(request, secret, gateway.ended)

    @app.handle_errors(HTTPException)
    def nowhere(request: Any, failure: Any) -> bytes:
        gateway.count_wrong_path()
        request.setResponseCode(failure.value.code)
        return b""

    return app


def _fields(request: Request) -> dict[str, str] | str:
    """Return the fields of a turn, or what is wrong with them."""
    kind = (request.getHeader("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != _FORM:
        return f"the body must be {_FORM}"
    given: dict[bytes, list[bytes]] = request.args or {}
    fields = {}
    for name, form in _FIELDS.items():
        values = given.get(name.encode(), [])
        if len(values) != 1:
            return f"{name} must be given, and once"
        text = values[0].decode("utf-8", "replace")
        if form.fullmatch(text) is None:
            return f"{name} is not of its form"
        fields[name] = text
    return fields


def _answer(screen: Screen) -> bytes:
    return f"{'END' if screen.ends else 'CON'} {screen.text}".encode()


def _no_log(_request: Request) -> None:
    """Write no access log."""

"""A web site on a socket of its own: who may ask it, what every response tells the browser."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint, UNIXServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback.address import Address, TcpAddress
from dtns.gateway.loopback.socketfile import SocketFile
from dtns.sam.console.channel import MAX_BODY, BoundedChannel

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
MISDIRECTED_CODE: Final = 421
MISDIRECTED: Final = b"Misdirected Request"
METHODS: Final = (b"GET", b"HEAD", b"POST")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_NAMES: Final = {400: "address", 405: "method", 421: "host", 403: "origin"}
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "Server": "dtns",
}
"""What every response carries; no page uses anything from another host."""


class GuardedRequest(Request):
    """A request that reaches a page only by an allowed method, host and, if it posts, origin."""

    channel: Any

    def gotLength(self, length: int | None) -> None:  # noqa: N802 (Twisted's name)
        """Refuse a body that is too long, or of a length that is not told, before it comes."""
        super().gotLength(length)
        if length is None:
            self.channel.refuse(b"411 Length Required")
        elif length > MAX_BODY:
            self.channel.refuse(b"413 Content Too Large")

    def process(self) -> None:
        """Serve the request, or tell why not."""
        if (refusal := self._refusal()) is None:
            super().process()
            return
        self._tell_browser()
        status, reason = refusal
        self.channel.site.refused[_NAMES[status]] += 1
        self.setResponseCode(status, MISDIRECTED if status == MISDIRECTED_CODE else None)
        self.setHeader("Content-Type", "text/plain; charset=utf-8")
        self.write(f"{reason}\n".encode())
        self.finish()

    def render(self, resrc: Any) -> None:
        """Render a page under the headers of this site."""
        self._tell_browser()
        super().render(resrc)

    def _tell_browser(self) -> None:
        for name, value in HEADERS.items():
            self.setHeader(name, value)

    def _refusal(self) -> tuple[int, str] | None:
        if not _is_readable(self.path):
            return 400, "No page has such an address."
        if self.method not in METHODS:
            self.setHeader("Allow", b", ".join(METHODS).decode())
            return 405, "This page knows GET, HEAD and POST."
        if not self.channel.site.answers_to(self.getHeader("host")):
            return MISDIRECTED_CODE, "This server does not answer under that name."
        if self.method == b"POST" and not self._is_own_origin():
            return 403, "This form was sent by another site."
        return None

    def _is_own_origin(self) -> bool:
        """Tell whether a page of this site sent the form, as far as the browser says."""
        if self.getHeader("sec-fetch-site") not in {None, "same-origin"}:
            return False
        origin = self.getHeader("origin")
        return origin is None or urlsplit(origin).netloc == self.getHeader("host")


class GuardedSite(Site):
    """A site of guarded requests that answers under local names and *hosts* alone.

    That is what keeps a foreign page whose name leads to this address from reading ours. With
    None it answers under any name. What is turned away is counted in *refused*, as address,
    method, host or origin.
    """

    noisy = False
    displayTracebacks = False  # noqa: N815 (Twisted's name)

    def __init__(
        self,
        resource: IResource,
        reactor: Any,
        hosts: Collection[str] | None = (),
        refused: Counter[str] | None = None,
    ) -> None:
        super().__init__(resource, requestFactory=GuardedRequest, reactor=reactor)
        self.protocol: Any = BoundedChannel
        self._hosts = None if hosts is None else LOCAL_HOSTS | frozenset(hosts)
        self.reactor = reactor
        self.refused: Counter[str] = Counter() if refused is None else refused
        self.channels: set[BoundedChannel] = set()

    def answers_to(self, host: str | None) -> bool:
        """Tell whether this site answers under the name in a Host header."""
        return self._hosts is None or host_name(host) in self._hosts

    def log(self, request: Any) -> None:
        """Keep no log of requests: addresses of pages are nobody's business."""


class WebServer:
    """A site that listens at *address* from `start` to `stop`."""

    def __init__(self, site: GuardedSite, address: Address, reactor: Any) -> None:
        self._site = site
        self._address = address
        self._reactor = reactor
        self._port: IListeningPort | None = None
        self._file = None if isinstance(address, TcpAddress) else SocketFile(address.path)

    async def start(self) -> Address:
        """Listen, and return the address with its real port.

        Raises AddressTakenError where somebody else listens there, or it cannot be used.
        """
        if self._file is not None:
            self._file.claim()
        try:
            self._port = await self._endpoint().listen(self._site)
        except (CannotListenError, OSError) as fault:
            if self._file is not None:
                self._file.release()
            cause = getattr(fault, "socketError", fault)
            reason = getattr(cause, "strerror", None) or cause
            raise AddressTakenError(f"cannot listen at {self._address}: {reason}") from None
        if isinstance(self._address, TcpAddress):
            where: Any = self._port.getHost()
            self._address = TcpAddress(self._address.host, where.port)
        return self._address

    async def stop(self) -> None:
        """Stop listening and hang up."""
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
            self._port = None
        for channel in list(self._site.channels):
            channel.abort()
        if self._file is not None:
            self._file.release()

    def _endpoint(self) -> Any:
        if not isinstance(self._address, TcpAddress):
            endpoint: Any = UNIXServerEndpoint
            return endpoint(self._reactor, os.fspath(self._address.path), mode=0o600)
        host, port = self._address.host, self._address.port
        kind: Any = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
        return kind(self._reactor, port, interface=host)


def host_name(host: str | None) -> str:
    """Return the name or address in a Host header, without port and brackets, '' without one."""
    try:
        return urlsplit(f"//{host or ''}").hostname or ""
    except ValueError:
        return ""


def _is_readable(path: bytes) -> bool:
    try:
        return unquote_to_bytes(path).decode().isprintable()
    except UnicodeDecodeError:
        return False


def url_of(address: Address) -> str | None:
    """Return what to type into a browser on this machine; None for a Unix socket."""
    return (
        f"http://{str(address).removeprefix('tcp:')}/" if isinstance(address, TcpAddress) else None
    )

"""The web server under all pages: bounds, hosts, origins and headers, on real sockets."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest
from klein import Klein
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback.address import Address, TcpAddress, UnixAddress
from dtns.sam.console import channel
from dtns.sam.console.assets import Assets, assets
from dtns.sam.console.site import GuardedSite, WebServer, host_name, url_of

reactor: Any = _reactor


def app() -> Any:
    """Return a site with one page, one form and the assets."""
    klein = Klein()

    @klein.route("/", methods=["GET", "HEAD"])
    def page(_: Any) -> str:
        return "a page"

    @klein.route("/form", methods=["POST"])
    def form(request: Any) -> str:
        return f"{len(request.content.read())} octets"

    @klein.route("/big")
    def big(_: Any) -> bytes:
        return b"x" * 8_000_000

    @klein.route("/slow")
    def slow(_: Any) -> Any:
        return deferLater(reactor, 0.8, lambda: "at last")

    @klein.route("/fault")
    def fault(_: Any) -> str:
        raise ValueError("the secret reason")

    @klein.route("/static/", branch=True)
    def static(_: Any) -> Any:
        return Assets()

    return klein.resource()


def exchange(address: Address, text: bytes, *, wait: float = 5.0) -> bytes:
    """Send octets on a new connection and return all that comes until it is closed."""
    kind = socket.AF_INET if isinstance(address, TcpAddress) else socket.AF_UNIX
    with socket.socket(kind) as client:
        client.settimeout(wait)
        where: Any = (
            (address.host, address.port) if isinstance(address, TcpAddress) else address.path
        )
        came = b""
        try:
            client.connect(where)
            client.sendall(text)
            while octets := client.recv(65536):
                came += octets
        except ConnectionResetError:
            pass
        return came


def stat_of(path: str) -> int:
    """Return a file's mode."""
    return Path(path).stat().st_mode & 0o777


def request(line: bytes, *headers: bytes, host: bytes = b"localhost", body: bytes = b"") -> bytes:
    """Return a request that closes its connection."""
    lines = [line + b" HTTP/1.1", b"Host: " + host, b"Connection: close", *headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


class TestSite(TestCase):
    """One site on a free port."""

    async def serve(self, address: Address | None = None) -> Address:
        """Serve the site until the test ends and return where."""
        self.site = GuardedSite(app(), reactor, hosts=["sam.example"])
        server = WebServer(self.site, address or TcpAddress("127.0.0.1", 0), reactor)
        listening = await server.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        return listening

    async def ask(self, address: Address, text: bytes) -> bytes:
        """Exchange octets in a thread while the reactor serves."""
        came: bytes = await deferToThread(exchange, address, text)
        return came

    async def test_every_response_tells_the_browser_what_it_may_do(self) -> None:
        """Pages, missing pages, files and refusals carry the same policy, and no version."""
        address = await self.serve()
        for line in (b"GET /", b"GET /none", b"GET /static/base.css", b"PUT /"):
            came = await self.ask(address, request(line))
            head = came.partition(b"\r\n\r\n")[0].lower()
            assert b"content-security-policy: default-src 'none'" in head, line
            assert b"x-content-type-options: nosniff" in head
            assert b"\r\nserver: dtns" in head
            assert b"twisted" not in head

    async def test_only_known_hosts_are_answered(self) -> None:
        """A foreign name that leads here by DNS gets nothing; names with ports are known."""
        address = await self.serve()
        for host in (b"localhost:7280", b"127.0.0.1", b"[::1]:80", b"sam.example", b"SAM.example"):
            assert b"a page" in await self.ask(address, request(b"GET /", host=host)), host
        for host in (
            b"evil.example",
            b"localhost.evil.example",
            b"",
            b"localhost@evil",
            b"[",
            b"a b",
        ):
            came = await self.ask(address, request(b"GET /", host=host))
            assert came.startswith(b"HTTP/1.1 421"), host
            assert b"a page" not in came

    async def test_forms_of_other_sites_are_refused(self) -> None:
        """Whatever the browser says of the origin has to be this site."""
        address = await self.serve()
        own, fetch = b"Origin: http://localhost", b"Sec-Fetch-Site: "
        for headers in ((), (own,), (own, fetch + b"same-origin")):
            came = await self.ask(address, request(b"POST /form", *headers, body=b"a=1"))
            assert b"3 octets" in came, headers
        foreign = (
            *(b"Origin: http://evil.example", b"Origin: null", b"Origin: http://localhost:81"),
            *(fetch + b"cross-site", fetch + b"same-site", fetch + b"none"),
        )
        for header in foreign:
            came = await self.ask(address, request(b"POST /form", header, body=b"a=1"))
            assert came.startswith(b"HTTP/1.1 403"), header

    async def test_large_bodies_are_refused_before_they_come(self) -> None:
        """A length beyond the bound, or none told, ends the connection at once."""
        address = await self.serve()
        huge = b"Content-Length: %d" % (channel.MAX_BODY + 1)
        assert (await self.ask(address, request(b"POST /form", huge))).startswith(b"HTTP/1.1 413")
        chunked = request(b"POST /form", b"Transfer-Encoding: chunked") + b"5\r\nabcde\r\n"
        assert (await self.ask(address, chunked)).startswith(b"HTTP/1.1 411")
        largest = await self.ask(address, request(b"POST /form", body=b"x" * channel.MAX_BODY))
        assert b"%d octets" % channel.MAX_BODY in largest

    async def test_slow_requests_are_cut_off_and_slow_responses_are_not(self) -> None:
        """A request that dribbles in is hung up; the next connection is served as before."""
        self.patch(channel, "REQUEST_SECONDS", 0.3)
        address = await self.serve()
        for begun in (b"", b"GET / HT", request(b"POST /form", b"Content-Length: 9") + b"abc"):
            assert await self.ask(address, begun) == b""
        assert b"a page" in await self.ask(address, request(b"GET /"))

    async def test_who_does_not_read_is_cut_off(self) -> None:
        """An answer that nobody takes is kept for twice the time of a request, not for ever."""
        self.patch(channel, "REQUEST_SECONDS", 0.3)
        address = await self.serve()
        assert isinstance(address, TcpAddress)
        with socket.create_connection((address.host, address.port)) as silent:
            silent.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await deferLater(reactor, 0.2)
            assert len(self.site.channels) == 1
            for _ in range(50):
                await deferLater(reactor, 0.1)
                if not self.site.channels:
                    break
            assert not self.site.channels

    async def test_connections_are_bounded(self) -> None:
        """Beyond the bound the one that has been idle longest makes room for a new one."""
        self.patch(channel, "CONNECTIONS", 3)
        address = await self.serve()
        assert isinstance(address, TcpAddress)
        held = []
        for _ in range(3):
            held.append(socket.create_connection((address.host, address.port)))
            self.addCleanup(held[-1].close)
            await deferLater(reactor, 0.05)
        for _ in range(5):
            assert b"a page" in await self.ask(address, request(b"GET /"))
        held[0].settimeout(5)
        with pytest.raises(ConnectionResetError):
            held[0].recv(1)
        held[1].setblocking(False)
        with pytest.raises(BlockingIOError):
            held[1].recv(1)

    async def test_a_new_connection_goes_where_all_others_are_at_work(self) -> None:
        """A response that takes its time is not cut off for somebody else."""
        self.patch(channel, "CONNECTIONS", 1)
        address = await self.serve()
        slow = deferToThread(exchange, address, request(b"GET /slow"))
        await deferLater(reactor, 0.3)
        assert await self.ask(address, request(b"GET /")) == b""
        assert b"at last" in await slow

    async def test_files_are_those_of_the_package_and_no_others(self) -> None:
        """No path leads out of the set; known files may be kept by the browser."""
        address = await self.serve()
        ways = (b"../site.py", b"..%2fsite.py", b"%2e%2e/site.py", b"etc/passwd", b"", b".")
        for way in (*ways, b"__init__.py", b"base.css/", b"%c3%a9"):
            came = await self.ask(address, request(b"GET /static/" + way))
            assert came.startswith(b"HTTP/1.1 404"), way
        for way in (b"base.css%00", b"%ff", b"%0a"):
            came = await self.ask(address, request(b"GET /static/" + way))
            assert came.startswith(b"HTTP/1.1 400"), way
        for asset in assets().values():
            came = await self.ask(address, request(b"GET " + asset.url.encode()))
            assert came.endswith(asset.octets)
            assert b"immutable" in came

    async def test_faults_tell_nothing(self) -> None:
        """A fault in a page gives a page that says so, and its reason goes to the log."""
        address = await self.serve()
        came = await self.ask(address, request(b"GET /fault"))
        assert came.startswith(b"HTTP/1.1 500")
        assert b"secret" not in came
        assert b"Traceback" not in came
        assert self.flushLoggedErrors(ValueError)

    async def test_headers_cannot_be_smuggled(self) -> None:
        """Line ends in what is asked for never end up in what is answered."""
        address = await self.serve()
        came = await self.ask(address, request(b"GET /%0d%0aSet-Cookie:%20a=b"))
        assert b"set-cookie" not in came.partition(b"\r\n\r\n")[0].lower()
        both = request(b"POST /form", b"Content-Length: 3", b"Transfer-Encoding: chunked")
        assert b" 200 " not in await self.ask(address, both + b"0\r\n\r\nGET /")

    async def test_a_unix_socket_is_its_owners(self) -> None:
        """It is served the same, has mode 0600, is not taken from a live server, and goes."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = f"{folder}/site.sock"
        site = GuardedSite(app(), reactor)
        server = WebServer(site, UnixAddress(path), reactor)
        address = await server.start()
        assert b"a page" in await self.ask(address, request(b"GET /"))
        assert stat_of(path) == 0o600
        assert url_of(address) is None
        with pytest.raises(AddressTakenError):
            await WebServer(site, address, reactor).start()
        await server.stop()
        assert not os.access(path, os.F_OK)

    async def test_a_port_in_use_is_told(self) -> None:
        """The error names the address."""
        address = await self.serve()
        with pytest.raises(AddressTakenError, match="already in use"):
            await WebServer(GuardedSite(app(), reactor), address, reactor).start()


def test_hosts_are_read_from_any_header() -> None:
    """Names without ports and brackets; junk is no host."""
    assert host_name("LocalHost:80") == "localhost"
    assert host_name("[::1]:80") == "::1"
    assert host_name(None) == host_name("[") == host_name("") == ""

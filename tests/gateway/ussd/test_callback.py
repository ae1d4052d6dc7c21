"""HTTP callbacks on real sockets: the form of Africa's Talking, and whoever abuses it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import Counter
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

import dtns
from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback.address import TcpAddress
from dtns.gateway.ussd.callback import MAX_BODY, CallbackUssd
from dtns.gateway.ussd.seam import Screen
from dtns.gateway.ussd.sessions import Sessions
from dtns.gateway.ussd.simulator import CallbackError, Caller

reactor: Any = _reactor
SECRET = "a-secret-of-some-length"
FORM = "application/x-www-form-urlencoded"


class Echo:
    """A dialogue that echoes what it takes; `slow` is never answered."""

    def __init__(self, caller: str, taken: list[str]) -> None:
        self.caller = caller
        self.taken = taken

    def opened(self) -> Screen:
        """Greet."""
        return Screen(f"hello {self.caller}\n1 Ask")

    def resumed(self) -> Screen:
        """Greet again."""
        return Screen("again")

    async def take(self, typed: str) -> Screen:
        """Echo."""
        self.taken.append(typed)
        if typed == "slow":
            await Deferred()
        return Screen(f"{len(self.taken)} {typed}", ends=typed == "0")


class EchoMenu:
    """A menu of echoes."""

    wait, over, busy = "wait", "over", "busy"

    def __init__(self) -> None:
        self.taken: list[str] = []

    def dialogue(self, caller: str) -> Echo:
        """Begin one."""
        return Echo(caller, self.taken)


def post(url: str, fields: dict[str, str] | bytes, kind: str = FORM) -> tuple[int, str]:
    """Post a form, or anything; return the status and the body."""
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    try:
        with urlopen(Request(url, body, {"Content-Type": kind}), timeout=10) as response:
            return response.status, response.read().decode()
    except HTTPError as fault:
        return fault.code, fault.read().decode()


def raw(port: int, octets: bytes) -> bytes:
    """Write octets to the port and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(octets)
        if octets.startswith(b"\0"):
            connection.shutdown(socket.SHUT_WR)
        heard = b""
        try:
            while part := connection.recv(4096):
                heard += part
        except ConnectionError:
            pass
        return heard


class CallbackTests(TestCase):
    """A gateway that listens on a free port."""

    def setUp(self) -> Deferred[None]:
        """Start it."""
        return Deferred.fromCoroutine(self.start("127.0.0.0/8"))

    async def start(self, sources: str) -> None:
        """Start a gateway that takes from these sources."""
        self.menu = EchoMenu()
        self.counts: Counter[str] = Counter()
        count = lambda what: self.counts.update([what])  # noqa: E731 (as short as can be)
        self.sessions = Sessions(self.menu, reactor=reactor, count=count)
        self.gateway = CallbackUssd(
            "ussd.at",
            TcpAddress("127.0.0.1", 0),
            self.sessions,
            secret=SECRET,
            sources=[ip_network(sources)],
            reactor=reactor,
            count=count,
        )
        self.port = (await self.gateway.start()).port
        self.url = f"http://127.0.0.1:{self.port}/ussd/{SECRET}"
        self.addCleanup(lambda: Deferred.fromCoroutine(self.gateway.stop()))

    async def call(self, *fields: dict[str, str]) -> list[tuple[int, str]]:
        """Post turns one after the other."""
        base = {"sessionId": "s", "phoneNumber": "+254700000001", "serviceCode": "*384#"}
        return [await deferToThread(post, self.url, base | each) for each in fields]

    async def test_a_session(self) -> None:
        """CON while it goes on, END at the last screen, the inputs joined by stars."""
        texts = [{"text": text} for text in ("", "1", "1*0712345678", "1*0712345678*0")]
        assert await self.call(*texts) == [
            (200, "CON hello +254700000001\n1 Ask"),
            (200, "CON 1 1"),
            (200, "CON 2 0712345678"),
            (200, "END 3 0"),
        ]

    async def test_an_input_with_stars(self) -> None:
        """What is typed is what follows the text before, stars and all."""
        await self.call({"text": ""}, {"text": "1"}, {"text": "1*2*3"}, {"text": "1*2*3*"})
        assert self.menu.taken == ["1", "2*3", ""]

    async def test_repeats_are_answered_alike(self) -> None:
        """The latest request again, or an older one, does nothing anew."""
        first = await self.call({"text": ""}, {"text": "1"}, {"text": "1*2"})
        again = await self.call({"text": "1"}, {"text": "1*2"}, {"text": ""})
        assert again == [first[1], first[2], first[0]]
        assert self.menu.taken == ["1", "2"]
        assert self.counts["ussd-repeat"] == 3

    async def test_a_session_nobody_knows(self) -> None:
        """After a restart all of its text is typed again; what goes on from nothing is refused."""
        assert await self.call({"text": "1*0712"}) == [(200, "CON 2 0712")]
        assert await self.call({"text": "2*7"}) == [(200, "END over")]
        assert await self.call({"sessionId": "t", "text": "1*" * 9}) == [(200, "END over")]
        assert self.menu.taken == ["1", "0712"]
        assert self.counts["ussd-bad-text"] == 2

    async def test_another_number_in_a_session(self) -> None:
        """An id with another number than it began with gets nothing."""
        await self.call({"text": ""})
        told = await self.call({"text": "1", "phoneNumber": "+254700000002"})
        assert told == [(200, "END over")]
        assert self.menu.taken == []

    async def test_slow_answers(self) -> None:
        """The aggregator has its answer in time, whatever Sam waits for."""
        await self.call({"text": ""})
        assert await self.call({"text": "slow"}) == [(200, "CON wait")]

    async def test_missing_and_bad_fields(self) -> None:
        """Each is named, refused and counted; none reaches a dialogue."""
        good = {"sessionId": "s", "phoneNumber": "+254700000001", "text": ""}
        bad = [
            *({name: value for name, value in good.items() if name != left} for left in good),
            {**good, "sessionId": "a b"},
            {**good, "sessionId": "x" * 129},
            {**good, "phoneNumber": "anonymous"},
            {**good, "text": "x" * 1001},
            {**good, "text": "a\x00b"},
        ]
        for fields in bad:
            status, told = await deferToThread(post, self.url, fields)
            assert status == 400, fields
            assert told.split()[0] in good
        twice = urlencode([*good.items(), ("text", "1")]).encode()
        assert (await deferToThread(post, self.url, twice))[0] == 400
        malformed = await deferToThread(post, self.url, b"{}", "multipart/form-data; boundary=x")
        assert malformed == (400, "")
        for kind in ("application/json", "text/plain", ""):
            status, told = await deferToThread(post, self.url, b"{}", kind)
            assert (status, told) == (400, f"the body must be {FORM}\n")
        assert self.counts["ussd-bad-request"] == len(bad) + 1 + 3
        assert len(self.sessions) == 0

    async def test_forged_paths(self) -> None:
        """Without the secret there is nothing to be found, and no other method is served."""
        base = f"http://127.0.0.1:{self.port}"
        for path in ("", "/ussd", "/ussd/", "/ussd/wrong", f"/ussd/{SECRET}x", "/ussd/%ff",
                     f"/ussd/{SECRET}/x", f"/ussd/x/../{SECRET}x"):  # fmt: skip
            status, told = await deferToThread(post, f"{base}{path}", {"text": ""})
            assert status == 404, path
            assert SECRET not in told
        heard = await deferToThread(raw, self.port, f"GET /ussd/{SECRET} HTTP/1.0\r\n\r\n".encode())
        assert b" 405 " in heard.partition(b"\r\n")[0]
        hosts = b"POST /ussd/x HTTP/1.0\r\nHost: \xff\r\nContent-Length: 0\r\n\r\n"
        assert b" 404 " in (await deferToThread(raw, self.port, hosts)).partition(b"\r\n")[0]
        assert self.counts["ussd-wrong-path"] == 10
        assert len(self.sessions) == 0

    async def test_large_bodies(self) -> None:
        """A megabyte is refused by its length, before it comes; a length has to be told."""
        head = f"POST /ussd/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"
        megabyte = f"{head}Content-Length: {1 << 20}\r\n\r\n".encode() + b"a" * (1 << 16)
        chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
        assert (await deferToThread(raw, self.port, megabyte)).startswith(b"HTTP/1.1 413")
        assert (await deferToThread(raw, self.port, chunked)).startswith(b"HTTP/1.1 411")
        fits = {"sessionId": "s", "phoneNumber": "+254700000001", "text": "", "x": "a" * 9000}
        assert (await deferToThread(post, self.url, fits))[0] == 200
        assert len(urlencode(fits)) < MAX_BODY
        assert self.counts["ussd-too-long"] == 2

    async def test_junk(self) -> None:
        """What is no HTTP at all changes nothing."""
        for octets in (b"\x00" * 5000, b"POST\r\n\r\n", os.urandom(3000) + b"\r\n\r\n"):
            await deferToThread(raw, self.port, octets)
        assert (await self.call({"text": ""}))[0][0] == 200

    async def test_foreign_sources(self) -> None:
        """A connection from elsewhere is hung up on without a word, and counted."""
        await self.gateway.stop()
        await self.start("10.0.0.0/8")
        assert await deferToThread(raw, self.port, b"POST / HTTP/1.0\r\n\r\n") == b""
        assert self.counts["ussd-foreign-source"] == 1

    async def test_the_end_of_a_session(self) -> None:
        """The aggregator's notice is taken; a caller who was cut off goes on."""
        await self.call({"text": ""})
        told = await deferToThread(post, f"{self.url}/end", {"sessionId": "s", "status": "Failed"})
        assert told == (200, "")
        assert await self.call({"sessionId": "t", "text": ""}) == [(200, "CON again")]

    async def test_a_port_in_use(self) -> None:
        """A second gateway says where it cannot listen."""
        second = CallbackUssd(
            "ussd.b", TcpAddress("127.0.0.1", self.port), self.sessions,
            secret=SECRET, sources=[], reactor=reactor, count=lambda _: None,
        )  # fmt: skip
        with pytest.raises(AddressTakenError, match=f"cannot listen at .*{self.port}"):
            await second.start()

    async def test_the_simulator(self) -> None:
        """The caller's side, as a class and as a program, with the secret in a file."""

        def hold() -> list[str]:
            caller = Caller(self.url, "+254700000001")
            screens = [caller.dial(), caller.type("1"), caller.again(), caller.type("0")]
            assert caller.over
            caller.end()
            return screens

        screens = await deferToThread(hold)
        assert screens == ["hello +254700000001\n1 Ask", "1 1", "1 1", "2 0"]
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name, "secret")
        await deferToThread(path.write_text, SECRET)
        url = self.url.removesuffix(f"/{SECRET}")
        done = await deferToThread(simulate, url, "+254700000002", "7", "--secret-file", str(path))
        assert done.returncode == 0, done.stderr
        assert "hello +254700000002" in done.stdout
        assert "3 7" in done.stdout
        done = await deferToThread(simulate, f"{url}/wrong", "+254700000002")
        assert (done.returncode, done.stderr) == (5, "the application refused: 404\n")

    async def test_the_simulator_and_what_is_no_application(self) -> None:
        """Whatever answers in another form is named."""
        for url in ("ftp://127.0.0.1/", "http://127.0.0.1:1/"):
            with pytest.raises(CallbackError):
                await deferToThread(lambda url=url: Caller(url, "+254700000001").dial())


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the simulator as a program."""
    return subprocess.run(
        [sys.executable, "-m", "dtns.gateway.ussd.simulator", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(dtns.__file__).parents[1])},
    )

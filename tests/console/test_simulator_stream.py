"""Viewers of the two phones: told the past, bounded in number, cut off if they do not read."""

from __future__ import annotations

import http.client
import json
import socket
import sys
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from dtns.gateway.loopback.address import TcpAddress
from dtns.sam.console.simulator import (
    MOST_STREAMS,
    ORDERS_A_SECOND,
    ORDERS_AT_ONCE,
    Allowance,
    TwoPhones,
    alone,
)
from dtns.sam.console.simulator_door import Door
from dtns.sam.console.simulator_stage import REMEMBERED, StageProcess
from dtns.sam.console.site import GuardedSite, WebServer

reactor: Any = _reactor
LINES = 60_000
FLOOD = f"""
import sys
for line in sys.stdin:
    for n in range({LINES} if "flood" in line else 1):
        print('{{"event": "shown", "n": %d, "text": "%s"}}' % (n, "x" * 200))
    sys.stdout.flush()
"""


class TestStream(TestCase):
    """One site, and a stage that tells as much as it is ordered to."""

    async def serve(self) -> None:
        """Serve until the test ends."""
        self.stage = StageProcess(reactor, (sys.executable, "-c", FLOOD))
        self.door = Door(reactor.seconds)
        self.page = TwoPhones(self.stage, self.door, reactor)
        server = WebServer(
            GuardedSite(alone(self.page), reactor), TcpAddress("127.0.0.1", 0), reactor
        )
        where: Any = await server.start()
        self.port = where.port
        self.addCleanup(lambda: Deferred.fromCoroutine(self.stage.stop()))
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        self.addCleanup(self.page.close)
        self.session = self.door.open(self.door.link())

    def look(self) -> socket.socket:
        """Ask for the events, with little room for what comes."""
        viewer = socket.socket()
        viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        viewer.settimeout(10)
        viewer.connect(("127.0.0.1", self.port))
        bearer = f"Authorization: Bearer {self.session}"
        viewer.sendall(f"GET /events HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n\r\n".encode())
        self.addCleanup(viewer.close)
        return viewer

    async def until(self, holds: Any) -> None:
        """Wait until something holds."""
        for _ in range(1000):
            if holds():
                return
            await deferLater(reactor, 0.01)
        self.fail("it never came to hold")

    async def test_a_viewer_who_does_not_read_is_cut_off(self) -> None:
        """Events are not piled up for it; others may look on, and are told the latest."""
        await self.serve()
        await deferToThread(self.look)
        await self.until(lambda: self.stage.watchers)
        self.stage.order({"say": "flood"})
        await self.until(lambda: not self.stage.watchers)
        await self.until(lambda: f'"n": {LINES - 1},' in self.stage.past()[-1])
        assert len(self.stage.past()) == REMEMBERED

    async def test_viewers_are_bounded_and_counted(self) -> None:
        """One too many is refused, and is let in once another has gone."""
        await self.serve()
        viewers = [await deferToThread(self.look) for _ in range(MOST_STREAMS)]
        await self.until(lambda: len(self.stage.watchers) == MOST_STREAMS)
        late = await deferToThread(self.look)
        answer = await deferToThread(late.recv, 4096)
        assert b" 429 " in answer.splitlines()[0]
        assert self.page.refused == {"viewers": 1}
        viewers[0].close()
        await self.until(lambda: len(self.stage.watchers) == MOST_STREAMS - 1)
        await deferToThread(self.look)
        await self.until(lambda: len(self.stage.watchers) == MOST_STREAMS)

    def order(self, body: bytes = b"{}") -> int:
        """Give one order and return the status."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.session}"}
        client.request("POST", "/order", body, headers)
        status = client.getresponse().status
        client.close()
        return status

    async def test_floods_are_turned_away_and_counted(self) -> None:
        """So many orders pass at once, then none until time has passed."""
        await self.serve()
        now = 0.0
        self.page._allowance = Allowance(lambda: now)
        self.stage.start()
        passed = [await deferToThread(self.order) for _ in range(ORDERS_AT_ONCE)]
        assert set(passed) == {200}
        assert [await deferToThread(self.order) for _ in range(3)] == [429] * 3
        assert self.page.refused == {"flood": 3}
        now = 1.0 / ORDERS_A_SECOND
        assert [await deferToThread(self.order) for _ in range(2)] == [200, 429]

    async def test_a_stage_that_dies_is_told_of_and_can_be_put_up_again(self) -> None:
        """Viewers are told; orders are refused until somebody starts all over, which waits."""
        await self.serve()
        told: list[Any] = []
        self.stage.watchers.add(lambda text: told.append(json.loads(text)))
        self.stage.start()
        self.stage.order({"say": "one"})
        await self.until(lambda: told)
        assert self.stage._child is not None
        assert self.stage._child.transport is not None
        self.stage._child.transport.signalProcess("KILL")
        await self.until(lambda: told[-1].get("down"))
        assert told[-1]["why"]
        assert self.stage.past() == []
        assert await deferToThread(self.order) == 503
        assert await deferToThread(self.order, b'{"restart": true}') == 200
        assert await deferToThread(self.order, b'{"restart": true}') == 429
        assert await deferToThread(self.order) == 200
        self.stage.watchers.clear()

    async def test_a_stage_that_is_wanted_while_it_ends_comes_up_again(self) -> None:
        """Who comes in that moment does not sit before dark phones."""
        await self.serve()
        self.stage.start()
        first = self.stage._child
        ending = Deferred.fromCoroutine(self.stage.stop())
        assert not self.stage.order({})
        self.stage.start()
        await ending
        assert self.stage._child is not None
        assert self.stage._child is not first
        assert self.stage.order({})

    async def test_the_past_is_told_first(self) -> None:
        """Who comes later is told what happened, and where the past ends."""
        await self.serve()
        self.stage.start()
        self.stage.order({"say": "one"})
        await self.until(self.stage.past)
        viewer = await deferToThread(self.look)
        came = b""
        while b'"past": false' not in came:
            came += await deferToThread(viewer.recv, 4096)
        lines = [line for line in came.split(b"\n") if line.startswith(b"data: ")]
        told = [json.loads(line.removeprefix(b"data: ")) for line in lines]
        assert [next(iter(each)) for each in told] == ["past", "event", "past"]

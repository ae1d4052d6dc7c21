"""The two-phone page in a real browser, and its socket against those who should not use it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import needs_browser, visit
from deployment import DTNS

START_SECONDS = 30
HEAVIEST = 100_000
LARGEST_PICTURE = 300_000
PICTURE = Path(__file__).resolve().parents[2] / "sam" / "console" / "two-phones.png"
CHEATS = (
    *("overhear", "pose", "replay-ask", "forge-ask", "forge-answer", "old"),
    *("pay-replay", "pay-amount", "pay-payee"),
)


class Web:
    """`dtns demo --web`, and its links."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*DTNS, "demo", "--web"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": str(folder)},
                start_new_session=True,
            )
        self.link = self._first_link()
        self.port = urlsplit(self.link).port

    def _first_link(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/#\S+\n", self._log.read_text())):
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found[0].strip()

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Make one request and return what came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def order(self, body: bytes, **headers: str) -> int:
        """Post an order and return the status."""
        return self.ask("POST", "/order", body, **{"Content_Type": "application/json", **headers})[
            0
        ]

    def session(self) -> str:
        """Use up the link for the key of a session."""
        token = urlsplit(self.link).fragment
        body = json.dumps({"token": token}).encode()
        code, told = self.ask("POST", "/open", body, Content_Type="application/json")
        assert code == 200, told
        key: str = json.loads(told)["session"]
        return key


@pytest.fixture
def web(short_path: Path) -> Iterator[Web]:
    """Run the page; Ctrl-C must end it, with nothing left behind."""
    folder = short_path / "web"
    folder.mkdir()
    running = Web(folder)
    try:
        yield running
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(START_SECONDS) == 0, (folder / "log").read_text()
        assert [path.name for path in folder.iterdir()] == ["log"]
    finally:
        if running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()


@needs_browser
@pytest.mark.timeout(180)
def test_a_person_goes_the_whole_way_and_a_cheat_is_refused(web: Web) -> None:
    """Ask, no signal, digits, slip, repair, proof, payments, a cheat: by keyboard and pointer.

    The picture taken on the way is the one that the README shows, whenever it is renewed.
    """
    taken = web.folder.parent / "two-phones.png"
    told = visit(
        "two_phones.mjs",
        web.link,
        steps=["Pay"],
        cheats=["pay-replay"],
        width=1180,
        picture=str(taken),
    )
    assert 20_000 < taken.stat().st_size < LARGEST_PICTURE
    assert 20_000 < PICTURE.stat().st_size < LARGEST_PICTURE
    facts = told["facts"]
    assert facts["answer"].startswith("Key 1 with Bob is here")
    assert facts["digits"] == 20
    assert "one more group" in facts["asking"]
    assert facts["repaired"] == facts["group"]
    assert "Digits: " in facts["said"]
    assert len(facts["steps"]) == 6
    assert facts["purses"] == ["KES 9750.00", "KES 250.00", "KES 0.00"]
    assert {"Alice → Sam", "Sam → Alice", "Alice → Bob", "Bob → Alice"} <= set(facts["hops"])
    assert re.fullmatch(r"(\d{4} ?){5}", facts["overheard"])
    look, text = facts["outcomes"]["pay-replay"]
    assert "stopped" in look
    assert "counts once" in text
    assert facts["session"] == [f"http://127.0.0.1:{web.port}/", ""]
    assert 10_000 < told["heaviest"] < HEAVIEST


@needs_browser
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_payment_is_made_and_every_cheat_refused(web: Web) -> None:
    """What Mallory and a cheating Bob try comes to nothing; the first protocol falls to it."""
    steps = ["Pay", "Again", "Challenge", "Small"]
    told = visit("two_phones.mjs", web.link, steps=steps, cheats=[*CHEATS, "collision"])
    assert len(told["facts"]["steps"]) == 9
    assert told["facts"]["purses"] == ["KES 8709.50", "KES 1290.50", "KES 0.00"]
    outcomes = told["facts"]["outcomes"]
    found = re.search(r"first protocol(\d+)\.\d %dtns(\d+)\.\d %", outcomes.pop("collision")[1])
    assert found is not None
    assert int(found[1]) > 35
    assert int(found[2]) < 3
    assert set(outcomes) == set(CHEATS)
    for look, text in outcomes.values():
        assert "stopped" in look, text
    assert "newer key" in outcomes["old"][1]
    assert "Sam did not make" in outcomes["forge-answer"][1]


@needs_browser
@pytest.mark.timeout(180)
@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_it_fits_a_small_screen_and_a_link_opens_once(web: Web, *, dark: bool) -> None:
    """At 360 pixels nothing is cut off and the phones are stacked; a used link says so.

    A replay that is the first thing tried is stopped: what it takes is asked for honestly first.
    """
    options = {"width": 360, "height": 740, "dark": dark, "motion": dark}
    facts = visit("glance.mjs", web.link, link=web.link, **options)["facts"]
    assert facts["width"] == 360
    assert facts["tops"][1] > facts["tops"][0] + 300
    assert facts["steps"] == ["✓Ask (done)"]
    assert facts["reloaded"]
    assert "used before" in facts["second"]


@pytest.mark.timeout(120)
def test_nobody_else_moves_the_phones(web: Web) -> None:
    """Without the session's key, from another page or under another name, nothing is served."""
    key = web.session()
    order = b'{"phone": "alice", "press": "1"}'
    bearer = f"Bearer {key}"
    assert web.order(order) == 401
    assert web.order(order, Authorization=f"Bearer {key[:-1]}") == 401
    assert web.order(order, Authorization="Bearer ü".encode().decode("latin-1")) == 401
    assert web.ask("GET", "/events")[0] == 401
    assert web.order(order, Authorization=bearer, Origin="http://127.0.0.1:9") == 403
    assert web.order(order, Authorization=bearer, Sec_Fetch_Site="same-site") == 403
    assert web.order(order, Authorization=bearer, Host="evil.example") == 421
    assert web.order(order, Authorization=bearer, Content_Type="text/plain") == 415
    used = json.dumps({"token": urlsplit(web.link).fragment}).encode()
    assert web.ask("POST", "/open", used, Content_Type="application/json")[0] == 403
    assert web.order(order, Authorization=bearer, Origin=f"http://127.0.0.1:{web.port}") == 200
    (counted,) = [told for told in _first_events(web, bearer) if told.get("past") is False]
    assert counted["refused_so_far"] == 9


@pytest.mark.timeout(120)
def test_hostile_orders_are_refused_and_counted(web: Web) -> None:
    """Bad JSON and long bodies are turned away, and the page goes on."""
    bearer = f"Bearer {web.session()}"
    for body in (b"{", b"[]", b"\xff", b"[" * 1000, b'"x"'):
        assert web.order(body, Authorization=bearer) == 400
    assert web.order(b" " * 2000, Authorization=bearer) == 413
    assert web.order(b" " * 70_000, Authorization=bearer) == 413
    told = _first_events(web, bearer)
    assert {"past": True} in told
    (counted,) = [event for event in told if event.get("past") is False]
    assert counted["refused_so_far"] == 6
    assert web.order(b'{"phone": "bob", "press": "end"}', Authorization=bearer) == 200


def _first_events(web: Web, bearer: str) -> list[dict[str, Any]]:
    """Return what a viewer who comes now is told of the past."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    connection.request("GET", "/events", headers={"Authorization": bearer})
    response = connection.getresponse()
    told: list[dict[str, Any]] = []
    while not told or told[-1].get("past") is not False:
        line = response.readline()
        if line.startswith(b"data: "):
            told.append(json.loads(line[6:]))
    connection.close()
    return told


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_stage_that_cannot_be_put_up_says_why(tmp_path: Path) -> None:
    """A temporary folder with a path too long for sockets is named to the viewer, and on we go."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    web = Web(folder)
    try:
        told: list[dict[str, Any]] = []
        bearer = f"Bearer {web.session()}"
        deadline = time.monotonic() + START_SECONDS
        while not any("too long" in event.get("why", "") for event in told):
            assert time.monotonic() < deadline, told
            told = _events_for(web, bearer, 3.0)
    finally:
        web.process.send_signal(signal.SIGINT)
        assert web.process.wait(START_SECONDS) == 0


def _events_for(web: Web, bearer: str, seconds: float) -> list[dict[str, Any]]:
    """Return what a viewer is told within so many seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=seconds)
    connection.request("GET", "/events", headers={"Authorization": bearer})
    told: list[dict[str, Any]] = []
    try:
        response = connection.getresponse()
        while line := response.readline():
            if line.startswith(b"data: "):
                told.append(json.loads(line[6:]))
    except TimeoutError:
        return told
    finally:
        connection.close()
    return told

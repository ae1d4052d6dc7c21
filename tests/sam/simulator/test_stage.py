"""The stage as a process: real phones, a real Sam and a real network, moved by lines."""

from __future__ import annotations

import json
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deployment import DTNS

SECONDS = 30


class Running:
    """`dtns simulator`, and all that it told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[dict[str, Any]] = []
        self._unread = b""
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [*DTNS, "simulator"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"TMPDIR": str(folder), "PATH": "/usr/bin:/bin"},
            )

    def order(self, **order: Any) -> None:
        """Give an order."""
        self.write(json.dumps(order).encode() + b"\n")

    def write(self, octets: bytes) -> None:
        """Write octets as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(octets)
        self.process.stdin.flush()

    def press(self, phone: str, keys: str) -> None:
        """Press keys, in words or as digits."""
        for word in keys.split():
            for key in [word] if word in {"ok", "end", "clear"} else word:
                self.order(phone=phone, press=key)

    def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the first thing told since the last call for which *holds*."""
        deadline = time.monotonic() + SECONDS
        assert self.process.stdout is not None
        while True:
            *lines, self._unread = self._unread.split(b"\n")
            for place, line in enumerate(lines):
                told = json.loads(line)
                self.told.append(told)
                if holds(told):
                    self._unread = b"\n".join([*lines[place + 1 :], self._unread])
                    return told
            ready, _, _ = select.select([self.process.stdout], [], [], deadline - time.monotonic())
            assert ready, (self.told[-3:], (self.folder / "log").read_text())
            self._unread += self.process.stdout.read1()  # type: ignore[attr-defined]

    def screen(self, phone: str, title: str) -> dict[str, Any]:
        """Wait for a screen of a phone by its title, and return it."""
        told = self.until(
            lambda told: told.get("phone") == phone and told.get("screen", {}).get("title") == title
        )
        screen: dict[str, Any] = told["screen"]
        return screen

    def message(self, what: str, to: str) -> dict[str, Any]:
        """Wait for a sighting of a message, and return it."""
        told = self.until(
            lambda told: (
                (told.get("sms", {}).get("what"), told.get("sms", {}).get("to")) == (what, to)
            )
        )
        message: dict[str, Any] = told["sms"]
        return message


def balance(told: dict[str, Any]) -> tuple[str, str]:
    """Return whose screen was told, and the balance on it."""
    return told.get("phone", ""), told.get("screen", {}).get("balance", "")


@pytest.fixture
def stage(short_path: Path) -> Iterator[Running]:
    """Run a stage; it must end when its input does, and leave nothing behind."""
    running = Running(short_path)
    try:
        yield running
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.process.wait(SECONDS) == 0, (short_path / "log").read_text()
        assert [path.name for path in short_path.iterdir()] == ["log"]
    finally:
        running.process.kill()
        running.process.wait()


@pytest.mark.timeout(120)
def test_a_key_is_asked_for_cheated_with_and_handed_over(stage: Running) -> None:
    """Everything that the page shows happens: sightings, decisions, screens, refusals."""
    stage.until(
        lambda _: {("alice", "KES 10000.00"), ("bob", "KES 0.00")} <= set(map(balance, stage.told))
    )
    stage.order(network={"delay": 0})
    stage.press("alice", "1 1")
    ask = stage.message("carried", "sam")
    assert (ask["from"], ask["seen"]["kind"]) == ("alice", "ask")
    assert stage.message("delivered", "sam")["sam"] == "issued"
    answer = stage.message("carried", "alice")
    assert "here: good until" in stage.screen("alice", "Message from Sam")["text"]

    stage.order(again=ask["id"], altered=True)
    assert stage.message("delivered", "sam")["sam"] == "forged"
    stage.order(again=ask["id"], altered=False)
    assert stage.message("delivered", "sam")["sam"] == "repeated"
    stage.order(again=answer["id"], altered=True)
    stage.until(lambda told: told.get("reason") == "not-authentic")

    stage.order(attack="collision")
    stage.order(attack="collision")
    assert "still being tried" in stage.until(lambda told: "refused" in told)["refused"]
    rates = [stage.until(lambda told: "attack" in told) for _ in range(2)]
    assert [rate["target"] for rate in rates] == ["first", "ours"]
    assert rates[0]["succeeded"] > 150
    assert rates[1]["succeeded"] < 20

    stage.order(phone="alice", signal=False)
    stage.until(lambda told: told.get("phone") == "alice" and not told["screen"]["signal"])
    stage.press("alice", "end 2 1")
    code = "".join(stage.screen("alice", "Ticket")["code"])
    stage.press("bob", "3 1" + code)
    assert stage.screen("bob", "Key held")["tone"] == "good"

    stage.order(phone="bob", battery="out")
    stage.until(lambda told: told.get("phone") == "bob" and "off" in told)
    stage.screen("bob", "Menu")
    stage.press("bob", "9 1")
    assert "Alice: key 1, held" in stage.screen("bob", "Keys")["text"]


@pytest.mark.timeout(120)
def test_bad_lines_are_refused_and_days_go_by(stage: Running) -> None:
    """No line ends the stage; time goes forward, and an undelivered answer expires with it."""
    stage.order(phone="alice", press="1")
    assert "switched on" in stage.until(lambda told: "refused" in told)["refused"]
    stage.until(lambda told: balance(told) == ("alice", "KES 10000.00"))
    stage.write(b"\xff\xfe{\n" + b"x" * 5000 + b"\n")
    stage.order(phone="alice", press="power")
    for why in ("one JSON object", "at most", "a key is one of"):
        assert why in stage.until(lambda told: "refused" in told)["refused"]
    today = next(told["today"] for told in stage.told if "today" in told)
    stage.order(network={"delay": 0})
    stage.until(lambda told: "today" in told)
    stage.press("alice", "1 1")
    stage.order(phone="alice", signal=False)
    stage.message("carried", "alice")
    stage.order(days=8)
    stage.message("expired", "alice")
    assert stage.until(lambda told: "today" in told)["today"] > today
    for _ in range(4):
        stage.order(days=182)
    stage.order(phone="alice", signal=True)
    stage.until(lambda told: told.get("counter") == 1)
    stage.press("alice", "end 1 3 254712345678 ok")
    stage.until(lambda told: "not enrolled" in told.get("screen", {}).get("text", ""))
    stage.press("alice", "end 1 1")
    late = stage.until(lambda told: told.get("event") == "received" and told.get("counter") == 3)
    assert int(late["expiry"][:4]) >= int(today[:4]) + 2

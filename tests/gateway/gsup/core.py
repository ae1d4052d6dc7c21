"""The USSD menu through Debian's osmo-hlr, with a real Sam; one JSON line.

    unshare --net python tests/gateway/gsup/core.py

Runs on the loopback interface of a network namespace of its own, for the HLR's ports are fixed.
In the place of the network's switch stands a client that sends what a phone does. The HLR is
ended in between, and begun again.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "tests" / "equipment"), str(ROOT / "src")]

from deployment import Deployment, deploy, dtns, told  # noqa: E402 (found only now)

from dtns.gateway.gsup import ipa  # noqa: E402 (as above)
from dtns.gateway.gsup.component import (  # noqa: E402 (as above)
    INVOKE,
    RESULT,
    Component,
    Operation,
    read_component,
)
from dtns.gateway.gsup.message import Kind, Message, State, read_message  # noqa: E402 (as above)

GSUP_PORT, VTY_PORT = 4222, 4258
A, B = "+254712000001", "+254712000002"
IMSI, STRANGER = "901700000000001", "901700000000009"
SECONDS = 20.0
HLR = """
line vty
 bind 127.0.0.1
hlr
 gsup
  bind ip 127.0.0.1
 euse dtns
 ussd route prefix *384 external dtns
"""
SECTION = '[gateway.gsup.core]\nhome_country = "KE"\n'


@contextmanager
def hlr(folder: Path) -> Iterator[None]:
    """Run the HLR."""
    (folder / "hlr.cfg").write_text(HLR)
    command = ["osmo-hlr", "-c", str(folder / "hlr.cfg"), "-l", str(folder / "hlr.db")]
    with (folder / "hlr.log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        connected(GSUP_PORT).close()
        yield
    finally:
        process.terminate()
        process.wait(10)


def connected(port: int) -> socket.socket:
    """Connect to a port that may not be there yet."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def subscribe() -> None:
    """Have the HLR know one subscriber's number, and another without one."""
    lines = [
        "enable",
        f"subscriber imsi {IMSI} create",
        f"subscriber imsi {IMSI} update msisdn {A[1:]}",
        f"subscriber imsi {STRANGER} create",
    ]
    with connected(VTY_PORT) as vty:
        for line in lines:
            vty.sendall(f"{line}\r\n".encode())
            time.sleep(0.2)


class Switch:
    """What stands between phones and the HLR."""

    def __init__(self) -> None:
        self.socket = connected(GSUP_PORT)
        self.frames = ipa.Frames()
        self.heard: list[Message] = []
        self.session = 0x20000000
        self.known = False
        self.pump(lambda: self.known)

    def pump(self, until: Any) -> None:
        """Take in what comes until something holds."""
        while not until():
            data = self.socket.recv(4096)
            assert data, "the HLR hung up"
            for stream, payload in self.frames.feed(data):
                self.take(stream, payload)

    def take(self, stream: int, payload: bytes) -> None:
        """Answer what is asked, and keep what is for phones."""
        if stream == ipa.CCM:
            if answer := ipa.answer(payload, "MSC-1"):
                self.socket.sendall(answer)
            self.known = self.known or payload[:1] == bytes([ipa.ID_GET])
        elif message := read_message(payload[1:]):
            self.heard.append(message)

    def send(self, kind: Kind, state: State, info: bytes, imsi: str) -> Message:
        """Send what a phone does, and return what it gets."""
        message = Message(kind, imsi, self.session, state, info)
        self.socket.sendall(ipa.gsup_frame(message.encode()))
        self.pump(lambda: self.heard)
        return self.heard.pop(0)

    def dial(self, code: str, imsi: str = IMSI) -> str:
        """Dial, and return the screen."""
        self.session += 1
        component = Component(INVOKE, 7, Operation.PROCESS_REQUEST, code)
        return self.shown(self.send(Kind.REQUEST, State.BEGIN, component.encode(), imsi))

    def type(self, text: str, imsi: str = IMSI) -> str:
        """Type, and return the screen."""
        component = Component(RESULT, self.invoke, Operation.REQUEST, text)
        return self.shown(self.send(Kind.RESULT, State.CONTINUE, component.encode(), imsi))

    def shown(self, message: Message) -> str:
        """Return a screen's text; check that it is sent as a phone takes it."""
        if message.kind is Kind.ERROR:
            return "ERROR"
        component = read_component(message.info)
        assert component is not None
        self.invoke = component.invoke
        if message.state is State.END:
            expected = Kind.RESULT, RESULT, 7, Operation.PROCESS_REQUEST
            assert (message.kind, component.kind, component.invoke, component.operation) == expected
            return f"END {component.text}"
        expected = Kind.REQUEST, INVOKE, component.invoke, Operation.REQUEST
        assert (message.kind, component.kind, component.invoke, component.operation) == expected
        return component.text


def phone(sim: Path, *step: str) -> dict[str, Any]:
    """Take a step on a phone and return what it told."""
    return told(dtns("phone", str(sim), "--json", *step))


def code(sim: Path) -> str:
    """Return the 12 digits of a new typed ask."""
    digits: str = phone(sim, "ask", B, "--typed", "--new")["digits"]
    return digits.replace(" ", "")


def up(deployment: Deployment) -> None:
    """Wait until the HLR knows Sam."""
    deadline = time.monotonic() + SECONDS
    while True:
        status = told(dtns("gateway", "status", "-c", str(deployment.config), "--json"))
        if any(each["name"] == "gsup.core" and each["connected"] for each in status["gateways"]):
            return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def main() -> None:
    """Run it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="dtns-gsup-") as name:
        folder = Path(name)
        deployment = deploy(folder / "d")
        deployment.config.write_text(f"{deployment.config.read_text()}\n{SECTION}")
        a, _ = deployment.enrol(A, B)
        with deployment.sam():
            with hlr(folder):
                subscribe()
                up(deployment)
                facts = session(Switch(), a)
            with hlr(folder):
                up(deployment)
                facts["after_restart"] = Switch().dial("*384#").splitlines()[0]
    sys.stdout.write(json.dumps(facts) + "\n")


def session(switch: Switch, sim: Path) -> dict[str, Any]:
    """Ask for a key, and bring what is no USSD."""
    first = switch.dial("*384#")
    switch.type("2")
    switch.type("0712000002")
    screen = switch.type(code(sim))
    entered = phone(sim, "enter-answer", screen.splitlines()[0].partition(":")[2])
    bye = switch.type("0")
    stranger = switch.dial(f"*384*1*0712000002*{code(sim)}#", STRANGER)
    switch.session += 1
    junk = switch.shown(switch.send(Kind.REQUEST, State.BEGIN, b"\xa1\x03\x02\x01\x01", IMSI))
    ahead = switch.dial(f"*384*1*0712000002*{code(sim)}#")
    return {
        "first": first.splitlines()[0],
        "key": entered["n"],
        "bye": bye,
        "stranger": stranger.splitlines()[0],
        "junk": junk,
        "ahead": ahead.splitlines()[0],
    }


if __name__ == "__main__":
    main()

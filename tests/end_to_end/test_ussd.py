"""The USSD menu on a real Sam: the loopback network and HTTP callbacks, with real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from deployment import STOP_SECONDS, Deployment, deploy, dtns, told

from dtns.gateway.errors import SessionEndedError
from dtns.gateway.loopback.handset import Line
from dtns.gateway.ussd.simulator import CallbackError, Caller
from dtns.sam.handset.simfile import read_sim_file

A, B = "+254712000001", "+254712000002"
SECRET = "a-path-that-nobody-guesses"


class Ussd:
    """A deployment with callbacks, and two parties."""

    def __init__(self, folder: Path) -> None:
        self.deployment: Deployment = deploy(folder)
        path_file = self.deployment.folder / "at.path"
        path_file.write_text(f"{SECRET}\n")
        path_file.chmod(0o600)
        text = self.deployment.config.read_text()
        text = text.replace('home_country = ""', 'home_country = "KE"')
        section = '[gateway.ussd.at]\nlisten = "tcp:127.0.0.1:0"\npath_file = "at.path"\n'
        self.deployment.config.write_text(f'{text}\n{section}home_country = "KE"\n')
        self.a, self.b = self.deployment.enrol(A, B)

    def callback(self, number: str = A) -> Caller:
        """Return a caller of the aggregator's."""
        ready = [json.loads(line) for line in self.deployment.log.splitlines() if '"ready"' in line]
        address = ready[-1]["ussd"]["ussd.at"].removeprefix("tcp:")
        return Caller(f"http://{address}/ussd/{SECRET}", number)

    def code(self, sim: Path, number: str) -> str:
        """Return the 12 digits of a new typed ask."""
        digits: str = phone(sim, "ask", number, "--typed", "--new")["digits"]
        return digits


def phone(sim: Path, *step: str) -> dict[str, Any]:
    """Take a step on a phone and return what it told."""
    return told(dtns("phone", str(sim), "--json", *step))


def digits_of(screen: str) -> str:
    """Return the digits of an answer on a screen."""
    return screen.splitlines()[0].partition(":")[2].strip()


@pytest.fixture
def ussd(tmp_path: Path) -> Ussd:
    """Two parties of a Sam with USSD."""
    return Ussd(tmp_path / "d")


def both_hold_one_key(ussd: Ussd) -> None:
    """Hand the newest key over and confirm it."""
    ticket = phone(ussd.a, "ticket", B)["digits"]
    assert phone(ussd.b, "enter", A, ticket)["status"] == "accepted"
    challenge = phone(ussd.b, "challenge", A)["digits"]
    response = phone(ussd.a, "respond", B, challenge)["digits"]
    assert phone(ussd.b, "check", A, response)["status"] == "accepted"


def test_by_the_loopback_network(ussd: Ussd) -> None:
    """Dialled as people dial, screen by screen or all at once; the answer by SMS or in digits."""
    with ussd.deployment.sam():
        code = ussd.code(ussd.a, B)
        session = phone(ussd.a, "dial", "*384#", "1", "0712 000 002", code)
        assert session["status"] == "ended"
        assert session["screens"][-1].startswith("Request 1 is taken.")
        assert phone(ussd.a, "answers")["answers"][0]["status"] == "answered"
        both_hold_one_key(ussd)
        code = ussd.code(ussd.a, B).replace(" ", "")
        session = phone(ussd.a, "dial", f"*384*2*0712000002*{code}#")
        entered = phone(ussd.a, "enter-answer", digits_of(session["screens"][0]))
        assert (entered["status"], entered["n"]) == ("accepted", 2)
        both_hold_one_key(ussd)
        bad = phone(ussd.a, "dial", "*384*1*0712000002*000000000000#")
        assert bad["screens"][-1].startswith("Not accepted.")
        wrong = dtns("phone", str(ussd.a), "dial", "*385#")
        assert (wrong.returncode, wrong.stdout.strip()) == (
            5,
            "the session ended: nobody serves this code",
        )
        assert dtns("phone", str(ussd.a), "dial", "hello").returncode == 1
        dials_again_and_again(ussd)
        status = told(dtns("gateway", "status", "-c", str(ussd.deployment.config), "--json"))
        states = {each["name"]: each["state"] for each in status["gateways"]}
        assert states == {"loopback": "up", "ussd.loopback": "up", "ussd.at": "up"}


def dials_again_and_again(ussd: Ussd) -> None:
    """On one line, with and without hanging up: each time the screen is the new session's."""
    sim = read_sim_file(ussd.b)
    with Line(sim.network, B) as line:
        first, second = line.dial("*384#"), line.dial("*384#")
        assert first.session != second.session
        line.hang_up(second.session)
        third = line.dial("*384#")
        assert line.key(third.session, "4").text.startswith("Requests left today: 50.")
        with pytest.raises(SessionEndedError, match="there is no such session"):
            line.key(first.session, "4")


def test_by_http_callback(ussd: Ussd) -> None:
    """An aggregator's session, with repeats; half an answer at a time typed into the phone."""
    with ussd.deployment.sam():
        caller = ussd.callback()
        caller.dial()
        caller.type("2")
        caller.type("0712000002")
        screen = caller.type(ussd.code(ussd.a, B))
        assert caller.again() == screen
        assert not caller.over
        digits = digits_of(screen)
        half = phone(ussd.a, "enter-answer", digits[:39])
        assert (half["status"], half["reason"]) == ("refused", "half")
        entered = phone(ussd.a, "enter-answer", "--more", digits[40:])
        assert (entered["status"], entered["n"]) == ("accepted", 1)
        both_hold_one_key(ussd)
        stranger = ussd.callback("+254788888888")
        stranger.dial()
        stranger.type("1")
        stranger.type("0712000002")
        assert stranger.type(ussd.code(ussd.a, B)).startswith("Not accepted.")
        with pytest.raises(CallbackError, match="404"):
            Caller(f"{caller._url}x", A).dial()
        counts = told(dtns("gateway", "status", "-c", str(ussd.deployment.config), "--json"))
        assert SECRET not in json.dumps(counts)
    assert SECRET not in ussd.deployment.log
    assert A not in ussd.deployment.log


@pytest.mark.slow
def test_sam_is_killed_between_the_issue_and_the_screen(ussd: Ussd) -> None:
    """Whatever moment SIGKILL comes at, the code is good afterwards and brings one key alone."""
    code = ussd.code(ussd.a, B).replace(" ", "")
    for seconds in (0.02, 0.1, 0.3):
        process = ussd.deployment.start()
        dialling = subprocess.Popen(
            [sys.executable, "-m", "dtns.sam", "phone", str(ussd.a), "dial",
             f"*384*2*0712000002*{code}#"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with suppress(subprocess.TimeoutExpired):
            dialling.wait(seconds)
        process.kill()
        process.wait(STOP_SECONDS)
        dialling.wait(STOP_SECONDS)
    with ussd.deployment.sam():
        session = phone(ussd.a, "dial", f"*384*2*0712000002*{code}#")
        entered = phone(ussd.a, "enter-answer", digits_of(session["screens"][0]))
        assert (entered["status"], entered["n"]) == ("accepted", 1)
        both_hold_one_key(ussd)


def test_bad_configurations_are_named(ussd: Ussd) -> None:
    """A path that others may read, or that is too short, and a carrier that is not there."""
    path_file = ussd.deployment.folder / "at.path"
    config = str(ussd.deployment.config)
    path_file.chmod(0o644)
    done = dtns("serve", "-c", config)
    assert (done.returncode, "chmod 600" in done.stderr) == (3, True)
    path_file.chmod(0o600)
    path_file.write_text("short")
    done = dtns("serve", "-c", config)
    assert (done.returncode, "16 to 128 letters" in done.stderr) == (3, True)
    path_file.write_text(SECRET)
    text = ussd.deployment.config.read_text()
    ussd.deployment.config.write_text(f'{text}sms = "pigeon"\n')
    done = dtns("serve", "-c", config)
    assert done.returncode == 3
    assert "gateway.ussd.at.sms: there is no such carrier; there are: loopback" in done.stderr
    ussd.deployment.config.write_text(f'{text}sources = "everywhere"\nlanguage = "xx"\n')
    done = dtns("config", "check", "-c", config)
    assert done.returncode == 3
    assert "gateway.ussd.at.sources" in done.stdout + done.stderr
    assert "gateway.ussd.at.language" in done.stdout + done.stderr

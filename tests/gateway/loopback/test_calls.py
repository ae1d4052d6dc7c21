"""USSD on the loopback network, without sockets: who hears what, and when a session ends."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.calls import ANSWER_SECONDS, SESSION_SECONDS, SESSIONS
from dtns.gateway.loopback.conditions import Conditions
from dtns.gateway.loopback.network import Network

PHONE = "+254700000001"


class Air:
    """A network with a phone, somebody who serves *384#, and what was written to whom."""

    def __init__(self) -> None:
        self.now = 0.0
        self.network = Network(Conditions(), Random(1), 0.0, "run")
        self.heard: list[tuple[Any, op.FromNetwork]] = []
        self.say("phone", op.Attach(PHONE))
        self.say("sam", op.Serve("*384#"))
        self.heard.clear()

    def say(self, line: str, operation: op.FromClient) -> None:
        """Say something on a line."""
        self.heard += self.network.receive(line, operation, self.now)

    def wait(self, seconds: float) -> None:
        """Let time pass as the server does."""
        end = self.now + seconds
        while (wake_at := self.network.wake_at(self.now)) is not None and wake_at <= end:
            self.now = max(self.now, wake_at)
            self.heard += self.network.advance(self.now)
        self.now = end

    def last(self, line: str) -> op.FromNetwork:
        """Return what a line heard last."""
        return [operation for heard, operation in self.heard if heard == line][-1]

    def dial(self, code: str = "*384#") -> str:
        """Dial and return the session."""
        self.say("phone", op.Dial(PHONE, code))
        asked = self.last("sam")
        assert isinstance(asked, op.Ask)
        assert (asked.number, asked.text) == (PHONE, code)
        return asked.session

    def why(self, line: str) -> str:
        """Return why a line was hung up on."""
        ended = self.last(line)
        assert isinstance(ended, op.Hangup)
        return ended.reason


@pytest.fixture
def air() -> Air:
    """A network at rest."""
    return Air()


def test_a_session(air: Air) -> None:
    """Dialled, shown, typed, shown for the last time."""
    session = air.dial()
    air.say("sam", op.Show(session, "1 ask", turn=1))
    assert air.last("phone") == op.Show(session, "1 ask")
    air.say("phone", op.Key(session, "1"))
    assert air.last("sam") == op.Ask(session, PHONE, 2, "1")
    air.say("sam", op.Show(session, "done", ends=True, turn=2))
    assert air.last("phone") == op.Show(session, "done", ends=True)
    air.say("phone", op.Key(session, "1"))
    assert air.why("phone") == "there is no such session"


def test_the_longest_code_is_served(air: Air) -> None:
    """What is dialled beyond a code belongs to whoever serves the code."""
    air.say("bank", op.Serve("*384*7#"))
    air.say("phone", op.Dial(PHONE, "*384*7*1#"))
    assert isinstance(air.last("bank"), op.Ask)
    air.dial("*384*71#")
    air.say("phone", op.Dial(PHONE, "*3841#"))
    assert air.why("phone") == "nobody serves this code"


def test_a_number_of_ones_own(air: Air) -> None:
    """Nobody dials under a number that is not attached to them."""
    air.say("stranger", op.Dial(PHONE, "*384#"))
    assert air.why("stranger") == "the number is not attached to this connection"


def test_strangers_have_no_part_in_a_session(air: Air) -> None:
    """Neither what they type nor what they show, nor their hanging up, reaches it."""
    session = air.dial()
    for said in (op.Show(session, "x", turn=1), op.Key(session, "x"), op.Hangup(session)):
        air.say("stranger", said)
        assert air.why("stranger") == "there is no such session"
    air.say("phone", op.Show(session, "x", turn=1))
    air.say("sam", op.Key(session, "x"))
    air.say("sam", op.Show(session, "still there", turn=1))
    assert air.last("phone") == op.Show(session, "still there")


def test_a_caller_types_once_a_screen(air: Air) -> None:
    """What is typed before there is a screen is dropped, and so is a second screen for a turn."""
    session = air.dial()
    air.say("phone", op.Key(session, "early"))
    assert air.last("sam") == op.Ask(session, PHONE, 1, "*384#")
    air.say("sam", op.Show(session, "one", turn=1))
    air.say("sam", op.Show(session, "two", turn=1))
    air.say("sam", op.Show(session, "three", turn=2))
    assert air.last("phone") == op.Show(session, "one")


def test_sessions_end_by_themselves(air: Air) -> None:
    """Without a screen after ten seconds, at the latest after three minutes; both sides hear."""
    air.dial()
    air.wait(ANSWER_SECONDS)
    assert air.why("phone") == air.why("sam") == "the session timed out"
    session = air.dial()
    air.say("sam", op.Show(session, "x", turn=1))
    air.wait(SESSION_SECONDS - 1)
    assert air.last("phone") == op.Show(session, "x")
    air.wait(1)
    assert air.why("phone") == air.why("sam") == "the session timed out"


def test_sessions_wait_for_no_signal(air: Air) -> None:
    """An outage ends them, and none begins during one."""
    air.dial()
    air.say("sam", op.Faults(signal=False))
    assert air.why("phone") == "no signal"
    air.say("phone", op.Dial(PHONE, "*384#"))
    assert air.why("phone") == "no signal"
    air.say("sam", op.Faults(signal=True))
    air.dial()


def test_either_side_can_hang_up_or_vanish(air: Air) -> None:
    """The other side is told, and a code whose server is gone is served no more."""
    session = air.dial()
    air.say("phone", op.Hangup(session, "enough"))
    assert air.why("sam") == "enough"
    air.dial()
    air.heard += air.network.drop("phone")
    assert air.why("sam") == "the other side is gone"
    air.say("phone", op.Attach(PHONE))
    air.dial()
    air.heard += air.network.drop("sam")
    assert air.why("phone") == "the other side is gone"
    air.say("phone", op.Dial(PHONE, "*384#"))
    assert air.why("phone") == "nobody serves this code"


def test_a_line_has_one_session(air: Air) -> None:
    """Dialling again ends the session before."""
    first, second = air.dial(), air.dial()
    assert (op.Hangup(first, "dialled anew")) in [heard for _, heard in air.heard]
    air.say("sam", op.Show(second, "x", turn=1))
    assert air.last("phone") == op.Show(second, "x")


def test_screens_are_as_long_as_ussd(air: Air) -> None:
    """A screen of 182 septets passes, one of 183 ends the session; 80 characters of UTF-16."""
    for text, good in (("a" * 182, True), ("a" * 183, False), ("क" * 80, True), ("क" * 81, False)):
        session = air.dial()
        air.say("sam", op.Show(session, text, turn=1))
        assert isinstance(air.last("phone"), op.Show if good else op.Hangup)


def test_room_is_bounded(air: Air) -> None:
    """Beyond so many sessions a caller is refused."""
    for caller in range(SESSIONS + 1):
        air.say(f"line {caller}", op.Attach(f"+2547{caller:08d}"))
        air.say(f"line {caller}", op.Dial(f"+2547{caller:08d}", "*384#"))
    assert air.why(f"line {SESSIONS}") == "the network has no room for another session"


def test_a_server_keeps_its_connection(air: Air) -> None:
    """Whoever serves a code is of use, without any number."""
    assert air.network.is_of_use("sam")
    air.network.drop("sam")
    assert not air.network.is_of_use("sam")

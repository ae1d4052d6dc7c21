"""The entity at a link without a socket: what phones and a hostile HLR may send."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from dtns.gateway.gsup import ipa
from dtns.gateway.gsup.component import INVOKE, RESULT, Component, Operation, read_component
from dtns.gateway.gsup.entity import LOOKUPS, PING_SECONDS, GsupUssd, _Link
from dtns.gateway.gsup.message import Kind, Message, State, read_message
from dtns.gateway.ussd.seam import Screen
from dtns.gateway.ussd.sessions import Sessions

IMSI = "901700000000001"


class Echo:
    """A menu, and a dialogue, that echoes."""

    wait, over, busy = "wait", "over", "busy"

    def dialogue(self, caller: str) -> Echo:
        """Begin."""
        self.caller = caller
        return self

    def opened(self) -> Screen:
        """Greet."""
        return Screen(f"hello {self.caller}")

    resumed = opened

    async def take(self, typed: str) -> Screen:
        """Echo."""
        return Screen(typed, ends=typed == "0")


class Bench:
    """An entity, its link, and numbers that are found when the test says so."""

    def __init__(self, *, found: bool = True) -> None:
        self.clock, self.counts = Clock(), Counter[str]()
        count = lambda what: self.counts.update([what])  # noqa: E731 (as short as can be)
        self.lookups: list[Deferred[str]] = []
        self.found = found
        self.entity = GsupUssd(
            "gsup.core", "dtns", None, "*384#",
            Sessions(Echo(), reactor=self.clock, count=count),
            number_of=self.number_of, reactor=self.clock, random=Random(1), count=count,
        )  # fmt: skip
        self.link = _Link(self.entity)
        self.transport = StringTransport()
        self.transport.abortConnection = self.transport.loseConnection  # type: ignore[method-assign]
        self.link.makeConnection(self.transport)
        self.link.dataReceived(ipa.frame(ipa.CCM, bytes([ipa.ID_GET])))
        self.transport.clear()

    def number_of(self, _imsi: str) -> Deferred[str]:
        """Look a number up."""
        lookup: Deferred[str] = Deferred()
        self.lookups.append(lookup)
        if self.found:
            lookup.callback("254712000001")
        return lookup

    def raw(self, octets: bytes) -> list[Message]:
        """Bring a GSUP message, and return what comes back."""
        self.link.dataReceived(ipa.gsup_frame(octets))
        frames = list(ipa.Frames().feed(self.transport.value()))
        self.transport.clear()
        answers = [read_message(payload[1:]) for stream, payload in frames if stream == ipa.OSMO]
        assert None not in answers
        return [answer for answer in answers if answer is not None]

    def send(self, kind: Kind, state: State, info: bytes, session: int = 1) -> list[Message]:
        """Bring a message of a phone."""
        return self.raw(Message(kind, IMSI, session, state, info).encode())

    def dial(self, session: int = 1) -> list[Message]:
        """Dial."""
        component = Component(INVOKE, 3, Operation.PROCESS_REQUEST, "*384#")
        return self.send(Kind.REQUEST, State.BEGIN, component.encode(), session)

    def type(self, text: str, session: int = 1) -> list[Message]:
        """Type."""
        component = Component(RESULT, 4, Operation.REQUEST, text)
        return self.send(Kind.RESULT, State.CONTINUE, component.encode(), session)


@pytest.fixture
def bench() -> Bench:
    """An entity that its HLR knows."""
    return Bench()


def text(messages: list[Message]) -> str:
    """Return the text of the one message."""
    (message,) = messages
    component = read_component(message.info)
    assert component is not None
    return f"{message.state.name} {component.text}"


def test_a_session(bench: Bench) -> None:
    """Begun, gone on with, ended; what comes after is refused."""
    assert bench.entity.connected
    assert text(bench.dial()) == "CONTINUE hello +254712000001"
    assert text(bench.type("1")) == "CONTINUE 1"
    assert text(bench.type("0")) == "END 0"
    (refusal,) = bench.type("1")
    assert (refusal.kind, refusal.state) == (Kind.ERROR, State.END)


def test_a_phone_that_hangs_up(bench: Bench) -> None:
    """Its session is forgotten, also while its number is looked up."""
    bench.dial()
    assert bench.send(Kind.ERROR, State.END, b"") == []
    slow = Bench(found=False)
    assert slow.dial() == []
    assert slow.send(Kind.RESULT, State.END, b"") == []
    slow.lookups[0].callback("254712000001")
    assert slow.transport.value() == b""


def test_a_caller_without_a_number(bench: Bench) -> None:
    """It is counted, and the menu hears of no number."""
    bench.found = False
    bench.dial()
    bench.lookups[0].callback("")
    assert bench.counts["ussd-unknown-caller"] == 1
    frames = list(ipa.Frames().feed(bench.transport.value()))
    message = read_message(frames[0][1][1:])
    assert message is not None
    assert text([message]) == "CONTINUE hello unknown gsup-1"


@pytest.mark.parametrize(
    "info",
    [
        b"",
        b"\xa1",
        b"\xa1\x03\x02\x01\x01",
        b"\xa1\x84\xff\xff\xff\xff",
        b"\xa4\x03\x02\x01\x01",
        Component(INVOKE, 1, Operation.REQUEST, "x").encode(),
        Component(RESULT, 1, Operation.PROCESS_REQUEST, "x").encode(),
    ],
)
def test_a_phone_that_sends_junk(bench: Bench, info: bytes) -> None:
    """Its session is refused; the link, and everybody else's session, stay."""
    bench.dial(session=7)
    (refusal,) = bench.send(Kind.REQUEST, State.BEGIN, info)
    assert refusal.kind is Kind.ERROR
    assert bench.counts["ussd-bad-request"] == 1
    assert text(bench.type("1", session=7)) == "CONTINUE 1"


@given(octets=st.binary(max_size=100))
def test_messages_of_junk(octets: bytes) -> None:
    """No octets in a frame end the link or raise."""
    bench = Bench()
    bench.link.dataReceived(ipa.gsup_frame(octets))
    bench.link.dataReceived(ipa.frame(ipa.CCM, octets))
    bench.link.dataReceived(ipa.frame(0x42, octets))
    assert not bench.transport.disconnecting


def test_lookups_are_bounded() -> None:
    """Beyond so many callers are refused; once numbers are found it goes on."""
    bench = Bench(found=False)
    for session in range(LOOKUPS):
        assert bench.dial(session) == []
    (refusal,) = bench.dial(LOOKUPS)
    assert refusal.kind is Kind.ERROR
    bench.lookups[0].callback("254712000001")
    bench.transport.clear()
    assert bench.dial(LOOKUPS + 1) == []
    assert len(bench.lookups) == LOOKUPS + 1


def test_silence_and_frames_too_long(bench: Bench) -> None:
    """Either ends the link, for another to be made."""
    bench.clock.advance(PING_SECONDS)
    assert bench.transport.value() == ipa.frame(ipa.CCM, bytes([ipa.PING]))
    bench.clock.advance(PING_SECONDS)
    assert bench.transport.disconnecting
    other: Any = Bench()
    other.link.dataReceived(b"\xff\xff\xee")
    assert other.transport.disconnecting

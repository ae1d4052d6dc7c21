"""The phone's line: a blocking client that says clearly what is wrong."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dtns
from dtns.gateway.carrier import Accepted, Failed
from dtns.gateway.errors import (
    AddressError,
    AttachError,
    NoSignalError,
    NumberMovedError,
    WireError,
)
from dtns.gateway.loopback.handset import Line, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PHONE = "+254700000001"
SAM = "700"


@pytest.fixture
def network(network_process: Callable[[str], Any], tmp_path: Path) -> Any:
    """A perfect network in a process of its own."""
    return network_process(f"unix:{tmp_path}/n.sock")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A TCP socket that listens and is no loopback network."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def address_of(listener: socket.socket) -> str:
    """Return where *listener* listens, as a network's address."""
    return f"tcp:127.0.0.1:{listener.getsockname()[1]}"


def answer_with(listener: socket.socket, octets: bytes) -> threading.Thread:
    """Accept one connection, write *octets*, and hang up once the other side has written."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(octets)
            connection.recv(4096)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_imports_no_twisted() -> None:
    """A phone's step does not pay for Twisted, nor for any package but the standard library."""
    program = (
        "import sys, dtns.gateway.loopback.handset;"
        "print({'twisted', 'zope', 'attr', 'click', 'rich'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(dtns.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_both_ways(network: Any) -> None:
    """Messages go both ways, and a message acknowledged does not come again."""
    with Line(network.address, PHONE) as phone, Line(network.address, SAM) as sam:
        accepted = phone.submit(SAM, "a question ?{}€")
        assert isinstance(accepted, Accepted)
        (question,) = sam.messages(0)
        assert question == Message(accepted.carrier_id, PHONE, "a question ?{}€")
        sam.acknowledge(question.network_id)
        assert isinstance(sam.submit(PHONE, "an answer"), Accepted)
        assert [message.text for message in phone.messages(0)] == ["an answer"]
    with Line(network.address, SAM) as sam:
        assert list(sam.messages(0)) == []
    with Line(network.address, PHONE) as phone:
        assert [message.text for message in phone.messages(0)] == ["an answer"]


def test_all_that_is_due(network: Any) -> None:
    """`messages(0)` gives all that is due, however much, in order, if it is acknowledged."""
    texts = [str(number) for number in range(200)]
    with Line(network.address, PHONE) as phone:
        for text in texts:
            phone.submit(SAM, text)
    with Line(network.address, SAM) as sam:
        received = []
        for message in sam.messages(0):
            received.append(message.text)
            sam.acknowledge(message.network_id)
    assert received == texts


def test_waits_as_long_as_asked(network: Any) -> None:
    """`messages` waits for what comes later, and no longer than asked."""
    with Line(network.address, PHONE) as phone, Line(network.address, SAM) as sam:
        threading.Timer(0.2, phone.submit, [SAM, "late"]).start()
        start = time.monotonic()
        assert [message.text for message in sam.messages(0.6)] == ["late"]
        assert 0.6 <= time.monotonic() - start < 2


def test_select(network: Any) -> None:
    """The line is readable, for select, when a message has come."""
    with Line(network.address, PHONE) as phone, Line(network.address, SAM) as sam:
        assert select.select([sam], [], [], 0.1)[0] == []
        phone.submit(SAM, "text")
        assert select.select([sam], [], [], 5)[0] == [sam]
        assert len(list(sam.messages(0))) == 1


@pytest.mark.parametrize(
    ("recipient", "text", "reason"),
    [
        (SAM, "x" * 161, "161 septets"),
        (SAM, "ж", "alphabet"),
        (SAM, "x" * 5000, "at most 4096"),
        ("nobody", "x", "to must be"),
    ],
)
def test_refused_for_good(network: Any, recipient: str, text: str, reason: str) -> None:
    """What cannot be sent fails for good with the reason, and the line goes on."""
    with Line(network.address, PHONE) as phone:
        answer = phone.submit(recipient, text)
        assert isinstance(answer, Failed)
        assert answer.permanent
        assert reason in answer.reason
        assert isinstance(phone.submit(SAM, "short"), Accepted)


def test_number_moves(network: Any) -> None:
    """A second phone with the same number takes it over; the first is told."""
    with Line(network.address, PHONE) as first, Line(network.address, PHONE) as second:
        with pytest.raises(NumberMovedError, match="another phone"):
            list(first.messages(1))
        assert isinstance(second.submit(SAM, "text"), Accepted)
        with Line(network.address, PHONE):
            answer = second.submit(SAM, "text")
            assert isinstance(answer, Failed)
            assert not answer.permanent


@pytest.mark.parametrize("address", ["unix:{}/n.sock", "tcp:127.0.0.1:1"])
def test_nothing_listens(tmp_path: Path, address: str) -> None:
    """Without a network there is no signal, and the message names the address."""
    address = address.format(tmp_path)
    with pytest.raises(NoSignalError, match=f"no signal: nothing listens at {address}"):
        Line(address, PHONE).open()


def test_wrong_use(tmp_path: Path) -> None:
    """A wrong address or number is refused, and a line that is not open has no signal."""
    with pytest.raises(AddressError):
        Line(f"unix:{tmp_path}/{'x' * 200}", PHONE)
    with pytest.raises(NoSignalError, match="not open"):
        list(Line(f"unix:{tmp_path}/n.sock", PHONE).messages(0))


def test_wrong_number(network: Any) -> None:
    """What is no number is refused before anything is said, and the socket closed."""
    with pytest.raises(WireError, match="number must be"):
        Line(network.address, "nobody").open()


@pytest.mark.parametrize("octets", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\xff\n", b"x" * 9000])
def test_not_a_network(listener: socket.socket, octets: bytes) -> None:
    """What is no loopback network is called so."""
    thread = answer_with(listener, octets)
    with pytest.raises(NoSignalError, match="not a loopback network"):
        Line(address_of(listener), PHONE).open()
    thread.join()


def test_silent_network(listener: socket.socket) -> None:
    """A network that does not answer within the timeout is no signal."""
    with pytest.raises(NoSignalError, match="does not answer"):
        Line(address_of(listener), PHONE, timeout=0.2).open()


def test_refused(listener: socket.socket) -> None:
    """The network's reason for refusing the number is passed on."""
    thread = answer_with(listener, b'{"op":"error","reason":"the network is closed"}\n')
    with pytest.raises(AttachError, match="the network is closed"):
        Line(address_of(listener), PHONE).open()
    thread.join()


def test_network_dies(network: Any) -> None:
    """If the network dies a submission is left open, and everything else has no signal."""
    with Line(network.address, PHONE) as phone, Line(network.address, SAM) as sam:
        network.end(signal.SIGKILL)
        answer = phone.submit(SAM, "text")
        assert isinstance(answer, Failed)
        assert (answer.permanent, answer.maybe_sent) == (False, True)
        assert "went away" in answer.reason
        again = phone.submit(SAM, "text")
        assert isinstance(again, Failed)
        assert (again.permanent, again.maybe_sent) == (False, False)
        with pytest.raises(NoSignalError, match="went away"):
            list(sam.messages(5))
        with pytest.raises(NoSignalError, match="not open"):
            sam.acknowledge("1")


def test_a_message_right_behind_the_pong_is_not_left_lying(listener: socket.socket) -> None:
    """What comes in one piece with the pong is yielded at once, not at the next call."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb", buffering=0) as lines:
            lines.readline()
            lines.write(b'{"op":"attached","number":"%s"}\n' % PHONE.encode())
            lines.readline()
            deliver = b'{"op":"deliver","network_id":"n1","from":"700","to":"%s","text":"hi"}\n'
            lines.write(b'{"op":"pong"}\n' + deliver % PHONE.encode())
            while lines.readline():
                lines.write(b'{"op":"pong"}\n')

    thread = threading.Thread(target=serve)
    thread.start()
    with Line(address_of(listener), PHONE) as line:
        began = time.monotonic()
        assert next(line.messages(5)) == Message("n1", "700", "hi")
        assert time.monotonic() - began < 2
    thread.join()

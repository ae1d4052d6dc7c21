"""One submission a reference, whoever asks how often."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from dtns.gateway.carrier import Accepted, Failed, Outbound
from dtns.gateway.errors import ReferenceReusedError
from dtns.gateway.outstanding import Outstanding

MESSAGE = Outbound("7", "+254700000001", "text", 60)
ACCEPTED = Accepted("7", "n1")
FAILED = Failed("7", permanent=False, reason="no signal")


class Network:
    """Records submissions and answers them when told."""

    def __init__(self) -> None:
        self.submitted: list[Outbound] = []
        self.answers: list[Deferred[Accepted | Failed]] = []

    def submit(self, message: Outbound) -> Deferred[Accepted | Failed]:
        """Leave *message* open until one of `answers` fires."""
        self.submitted.append(message)
        self.answers.append(Deferred())
        return self.answers[-1]


def send(sends: Outstanding, message: Outbound = MESSAGE) -> list[object]:
    """Send, and return a list that the answer, or the exception, will be put in."""
    answers: list[object] = []
    sending = sends.send(message)
    sending.addCallbacks(answers.append, lambda failure: answers.append(failure.value))
    return answers


def test_under_way_is_joined() -> None:
    """The same message again, while it is under way, gets the same answer and is not submitted."""
    network = Network()
    sends = Outstanding(network.submit)
    first, second = send(sends), send(sends)
    assert (first, second, network.submitted) == ([], [], [MESSAGE])
    network.answers[0].callback(ACCEPTED)
    assert (first, second) == ([ACCEPTED], [ACCEPTED])


def test_accepted_is_remembered() -> None:
    """The same message again, after it was accepted, gets the same answer."""
    network = Network()
    sends = Outstanding(network.submit)
    send(sends)
    network.answers[0].callback(ACCEPTED)
    assert send(sends) == [ACCEPTED]
    assert network.submitted == [MESSAGE]


def test_failed_may_be_sent_again() -> None:
    """After a failure the same reference is submitted again."""
    network = Network()
    sends = Outstanding(network.submit)
    first = send(sends)
    network.answers[0].callback(FAILED)
    second = send(sends)
    network.answers[1].callback(ACCEPTED)
    assert (first, second) == ([FAILED], [ACCEPTED])


@pytest.mark.parametrize("accepted", [False, True])
def test_another_message_under_the_reference(accepted: bool) -> None:  # noqa: FBT001 # parametrized
    """Another message under a reference in use is refused, and the first is not disturbed."""
    network = Network()
    sends = Outstanding(network.submit)
    first = send(sends)
    if accepted:
        network.answers[0].callback(ACCEPTED)
    (refusal,) = send(sends, Outbound("7", "+254700000001", "another", 60))
    assert isinstance(refusal, ReferenceReusedError)
    if not accepted:
        network.answers[0].callback(ACCEPTED)
    assert first == [ACCEPTED]
    assert network.submitted == [MESSAGE]


def test_cancelled_wait_does_not_cancel_the_submission() -> None:
    """Who stops waiting and sends again joins the first submission or gets its answer."""
    network = Network()
    sends = Outstanding(network.submit)
    waiting = sends.send(MESSAGE)
    waiting.addErrback(lambda _: None)
    waiting.cancel()
    second = send(sends)
    network.answers[0].callback(ACCEPTED)
    assert second == [ACCEPTED]
    assert network.submitted == [MESSAGE]


def test_a_fault_reaches_all_and_frees_the_reference() -> None:
    """If submitting raises, everybody who waits learns it, and the reference is free again."""
    network = Network()
    sends = Outstanding(network.submit)
    first, second = send(sends), send(sends)
    fault = RuntimeError("broken")
    network.answers[0].errback(fault)
    assert (first, second) == ([fault], [fault])
    send(sends)
    assert len(network.submitted) == 2


def test_memory_is_bounded() -> None:
    """Only the latest accepted references are remembered."""
    network = Network()
    sends = Outstanding(network.submit, remembered=3)
    for number in range(5):
        send(sends, Outbound(str(number), "+254700000001", "text", 60))
        network.answers[number].callback(Accepted(str(number), "n"))
    send(sends, Outbound("4", "+254700000001", "text", 60))
    assert len(network.submitted) == 5
    send(sends, Outbound("0", "+254700000001", "text", 60))
    assert len(network.submitted) == 6

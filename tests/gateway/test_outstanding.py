"""One submission a reference, whoever asks how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from dtns.gateway.carrier import Accepted, Failed, Outbound
from dtns.gateway.errors import ReferenceReusedError
from dtns.gateway.outstanding import REMEMBERED, Outstanding, one_by_one

if TYPE_CHECKING:
    from collections.abc import Sequence

MESSAGE = Outbound("7", "+254700000001", "text", 60)
ACCEPTED = Accepted("7", "n1")
FAILED = Failed("7", permanent=False, reason="no signal")


class Network:
    """Records submissions and answers them when told."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self.submitted: list[Outbound] = []
        self.fault: Exception | None = None
        self.sends = Outstanding(self.submit, remembered)

    def submit(self, messages: Sequence[Outbound]) -> None:
        """Leave *messages* open until the test answers."""
        self.submitted += messages
        if self.fault is not None:
            raise self.fault

    def answer(self, *outcomes: Accepted | Failed) -> None:
        """Answer some."""
        self.sends.answered(outcomes)


def send(sends: Outstanding, message: Outbound = MESSAGE) -> list[object]:
    """Send, and return a list that the answer, or the exception, will be put in."""
    answers: list[object] = []
    sending = sends.send(message)
    sending.addCallbacks(answers.append, lambda failure: answers.append(failure.value))
    return answers


def test_under_way_is_joined() -> None:
    """The same message again, while it is under way, gets the same answer and is not submitted."""
    network = Network()
    sends = network.sends
    first, second = send(sends), send(sends)
    assert (first, second, network.submitted) == ([], [], [MESSAGE])
    network.answer(ACCEPTED)
    assert (first, second) == ([ACCEPTED], [ACCEPTED])


def test_accepted_is_remembered() -> None:
    """The same message again, after it was accepted, gets the same answer."""
    network = Network()
    sends = network.sends
    send(sends)
    network.answer(ACCEPTED)
    assert send(sends) == [ACCEPTED]
    assert network.submitted == [MESSAGE]


def test_failed_may_be_sent_again() -> None:
    """After a failure the same reference is submitted again."""
    network = Network()
    sends = network.sends
    first = send(sends)
    network.answer(FAILED)
    second = send(sends)
    network.answer(ACCEPTED)
    assert (first, second) == ([FAILED], [ACCEPTED])


@pytest.mark.parametrize("accepted", [False, True])
def test_another_message_under_the_reference(accepted: bool) -> None:  # noqa: FBT001 # parametrized
    """Another message under a reference in use is refused, and the first is not disturbed."""
    network = Network()
    sends = network.sends
    first = send(sends)
    if accepted:
        network.answer(ACCEPTED)
    (refusal,) = send(sends, Outbound("7", "+254700000001", "another", 60))
    assert isinstance(refusal, ReferenceReusedError)
    if not accepted:
        network.answer(ACCEPTED)
    assert first == [ACCEPTED]
    assert network.submitted == [MESSAGE]


def test_cancelled_wait_does_not_cancel_the_submission() -> None:
    """Who stops waiting and sends again joins the first submission or gets its answer."""
    network = Network()
    sends = network.sends
    waiting = sends.send(MESSAGE)
    waiting.addErrback(lambda _: None)
    waiting.cancel()
    second = send(sends)
    network.answer(ACCEPTED)
    assert second == [ACCEPTED]
    assert network.submitted == [MESSAGE]


def test_urgency_is_no_part_of_what_is_said() -> None:
    """The same message, more urgent, is the same message."""
    network = Network()
    sends = network.sends
    first, second = send(sends), send(sends, MESSAGE._replace(urgency=3))
    network.answer(ACCEPTED)
    assert (first, second, network.submitted) == ([ACCEPTED], [ACCEPTED], [MESSAGE])


def test_many_at_once() -> None:
    """Those that are new are submitted together; each comes to one outcome, some at a time."""
    network, told = Network(), []
    sends = network.sends
    single = send(sends)
    many = [Outbound(str(number), "+254700000001", "text", 60) for number in range(6, 10)]
    sends.send_all([*many, Outbound("8", "+254700000001", "another", 60)], told.append)
    assert network.submitted == [MESSAGE, many[0], *many[2:]]
    reused = Failed("8", permanent=True, reason="reference 8 stands for another message")
    assert told == [[reused]]
    outcomes = [Accepted("9", "n9"), ACCEPTED, Failed("6", permanent=False, reason="no signal")]
    network.answer(*outcomes)
    assert told == [[reused], outcomes]
    assert single == [ACCEPTED]
    network.answer(Accepted("8", "n8"))
    sends.send_all(many, told.append)
    assert told[2:] == [[Accepted("8", "n8")], [ACCEPTED, Accepted("8", "n8"), outcomes[0]]]
    assert network.submitted[-1] == many[0]


class FaultTests(SynchronousTestCase):
    """A carrier that raises."""

    def test_all_at_once(self) -> None:
        """Everybody who waits learns of it, once, and the references are free again."""
        network, told = Network(), []
        network.fault = RuntimeError("broken")
        sends = network.sends
        reason = "the carrier has a fault"
        failed = Failed("7", permanent=False, reason=reason, maybe_sent=True)
        assert send(sends) == [failed]
        sends.send_all([MESSAGE, MESSAGE._replace(reference="8")], told.extend)
        assert told == [failed, failed._replace(reference="8")]
        assert len(network.submitted) == 3
        assert len(self.flushLoggedErrors(RuntimeError)) == 2

    def test_told_of_it_later(self) -> None:
        """What becomes after all of a message that was at fault is told to nobody."""
        network = Network()
        network.fault = RuntimeError("broken")
        (failed,) = send(network.sends)
        assert isinstance(failed, Failed)
        network.answer(ACCEPTED)
        network.fault = None
        send(network.sends)
        assert len(network.submitted) == 2
        self.flushLoggedErrors(RuntimeError)

    def test_one_that_raises(self) -> None:
        """Whoever raises when it is told keeps the outcome from no other."""

        def broken(_outcomes: object) -> None:
            raise RuntimeError("broken")

        network = Network()
        network.sends.send_all([MESSAGE], broken)
        told = send(network.sends)
        network.answer(ACCEPTED)
        assert told == [ACCEPTED]
        another = MESSAGE._replace(reference="8")
        network.sends.send_all([MESSAGE, another], broken)
        assert network.submitted == [MESSAGE, another]
        assert len(self.flushLoggedErrors(RuntimeError)) == 2

    def test_one_by_one(self) -> None:
        """One that cannot be submitted does not keep the others from it."""

        async def submit(message: Outbound) -> Accepted | Failed:
            if message.reference == "7":
                raise RuntimeError("broken")
            return Accepted(message.reference, "n")

        told: list[Any] = []
        sends = one_by_one(submit)
        sends.send_all([MESSAGE, MESSAGE._replace(reference="8")], told.extend)
        assert [type(each) for each in told] == [Failed, Accepted]
        assert len(self.flushLoggedErrors(RuntimeError)) == 1


def test_memory_is_bounded() -> None:
    """Only the latest accepted references are remembered."""
    network = Network(remembered=3)
    sends = network.sends
    for number in range(5):
        send(sends, Outbound(str(number), "+254700000001", "text", 60))
        network.answer(Accepted(str(number), "n"))
    send(sends, Outbound("4", "+254700000001", "text", 60))
    assert len(network.submitted) == 5
    send(sends, Outbound("0", "+254700000001", "text", 60))
    assert len(network.submitted) == 6

"""Whatever phones do and whatever the weather: nothing lost, nothing twice, all of it bounded."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.conditions import Conditions
from dtns.gateway.loopback.network import Limits, Network

NUMBERS = st.sampled_from(["700", "701", "702"])
LINES = st.sampled_from(["line 1", "line 2", "line 3"])
LIMITS = Limits(messages_per_recipient=5, items_in_all=12)


class NetworkStates(RuleBasedStateMachine):
    """A model beside the network: who holds what, what was accepted, delivered and reported.

    Without loss and duplication, but with delay, reordering, outages, moves and expiry.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        conditions = Conditions(delay=2, jitter=2, reordering=0.3, hold=5)
        self.network = Network(conditions, Random(1), 0.0, "run", LIMITS)
        self.holder: dict[str, str] = {}
        self.signal = True
        self.answer: op.FromNetwork | None = None
        self.open: dict[str, tuple[op.Submit, float]] = {}
        self.at_hand: dict[str, dict[str, op.Deliver]] = {}
        self.delivered_here: Counter[tuple[str, str]] = Counter()
        self.unreported: dict[str, str] = {}
        self.report_ids: dict[str, str] = {}
        self.expected_reports: dict[str, str] = {}
        self.number = 0

    def hear(self, outgoing: list[tuple[Any, op.FromNetwork]]) -> None:
        """Check everything that the network writes against the model."""
        for line, operation in outgoing:
            if isinstance(operation, op.Deliver):
                self.check_delivery(line, operation)
            elif isinstance(operation, op.Report):
                self.check_report(line, operation)
            elif isinstance(operation, op.Detached) and operation.reason:
                assert self.holder[operation.number] != line
            else:
                self.answer = operation

    def check_delivery(self, line: str, message: op.Deliver) -> None:
        """A delivery is of an open message, to whoever holds the number, once an attachment."""
        submission, submitted_at = self.open[message.network_id]
        assert self.signal
        assert self.holder[message.recipient] == line
        assert (message.sender, message.recipient, message.text) == (
            submission.sender,
            submission.recipient,
            submission.text,
        )
        assert submitted_at <= self.now < submitted_at + submission.validity
        at_hand = self.at_hand[message.recipient]
        assert message.network_id not in at_hand
        at_hand[message.network_id] = message

    def check_report(self, line: str, report: op.Report) -> None:
        """A report tells what became of a message, to whoever holds the submitter's number."""
        assert self.signal
        assert self.holder[report.recipient] == line
        assert self.expected_reports[report.network_id] == report.state
        assert self.report_ids[report.network_id] == report.id
        self.unreported.pop(report.network_id, None)
        self.hear(self.network.receive(line, op.Noted(report.network_id), self.now))

    def close(self, network_id: str, state: str) -> None:
        """Take a message out of the model; its report is due."""
        submission, _ = self.open.pop(network_id)
        for at_hand in self.at_hand.values():
            at_hand.pop(network_id, None)
        if submission.report:
            self.expected_reports[network_id] = self.unreported[network_id] = state
            self.report_ids[network_id] = submission.id

    def say(self, line: str, operation: op.FromClient) -> op.FromNetwork | None:
        """Say something; return the answer."""
        self.expire()
        self.answer = None
        self.hear(self.network.receive(line, operation, self.now))
        return self.answer

    def expire(self) -> None:
        """Close what expires by now, in the model and in the network."""
        for network_id, (submission, submitted_at) in list(self.open.items()):
            if submitted_at + submission.validity <= self.now:
                self.close(network_id, "expired")
        self.hear(self.network.advance(self.now))

    @rule(line=LINES, number=NUMBERS)
    def attach(self, line: str, number: str) -> None:
        """Attach a number, whoever holds it."""
        self.holder[number] = line
        self.at_hand[number] = {}
        assert self.say(line, op.Attach(number, window=1000)) == op.Attached(number)

    @rule(line=LINES, number=NUMBERS)
    def detach(self, line: str, number: str) -> None:
        """Detach a number, held or not."""
        if self.holder.get(number) == line:
            del self.holder[number]
            self.at_hand[number] = {}
        assert self.say(line, op.Detach(number)) == op.Detached(number)

    @rule(line=LINES)
    def drop(self, line: str) -> None:
        """Lose a connection."""
        for number in [number for number, holder in self.holder.items() if holder == line]:
            del self.holder[number]
            self.at_hand[number] = {}
        self.network.drop(line)

    @rule(
        line=LINES,
        sender=NUMBERS,
        recipient=NUMBERS,
        validity=st.sampled_from([3, 30, 10**5]),
        report=st.booleans(),
    )
    def submit(self, line: str, sender: str, recipient: str, validity: int, report: bool) -> None:  # noqa: FBT001 # drawn
        """Submit; it is accepted unless a rule of the network says otherwise."""
        self.expire()
        self.number += 1
        submission = op.Submit(
            f"s{self.number}", sender, recipient, f"text {self.number}", validity, report
        )
        queued = [each.sender for each, _ in self.open.values() if each.recipient == recipient]
        full = (
            len(queued) + queued.count(sender) >= 5 or len(self.open) + len(self.unreported) >= 12
        )
        before = self.next_network_id()
        refused = self.holder.get(sender) != line or not self.signal or full
        if not refused:
            self.open[before] = submission, self.now
        answer = self.say(line, submission)
        if refused:
            assert isinstance(answer, op.Rejected)
            assert answer.permanent == (self.holder.get(sender) != line)
        else:
            assert answer == op.Accepted(submission.id, before)

    def next_network_id(self) -> str:
        """Name the message that would be accepted next: ids count what was accepted."""
        status = self.say("status", op.Status())
        assert isinstance(status, op.Status)
        return f"run-{(status.accepted or 0) + 1}"

    @rule(number=NUMBERS, last=st.booleans())
    def acknowledge(self, number: str, last: bool) -> None:  # noqa: FBT001 # drawn
        """Acknowledge the first or the last of what is at hand."""
        self.expire()
        at_hand = list(self.at_hand.get(number, ()))
        if at_hand:
            network_id = at_hand[-1 if last else 0]
            self.close(network_id, "delivered")
            self.say(self.holder[number], op.Received(network_id))

    @rule(line=LINES, data=st.data())
    def acknowledge_wildly(self, line: str, data: st.DataObject) -> None:
        """Acknowledge what is another's, or not delivered, or nothing."""
        network_id = data.draw(st.sampled_from([*self.open, "run-0"]))
        own = any(
            network_id in at_hand and self.holder.get(number) == line
            for number, at_hand in self.at_hand.items()
        )
        if not own:
            self.say(line, op.Received(network_id))

    @rule(seconds=st.sampled_from([0.5, 3, 20, 1000]))
    def wait(self, seconds: float) -> None:
        """Let time pass, in the steps that the network asks for."""
        end = self.now + seconds
        while (wake_at := self.network.wake_at(self.now)) is not None and wake_at <= end:
            self.now = max(self.now, wake_at)
            self.expire()
        self.now = end
        self.expire()

    @rule()
    def switch_signal(self) -> None:
        """Begin or end an outage."""
        self.signal = not self.signal
        self.say("faults", op.Faults(signal=self.signal))

    @invariant()
    def bounded(self) -> None:
        """The network holds what the model says, and never more than its limits."""
        status = self.say("status", op.Status())
        assert isinstance(status, op.Status)
        assert status.waiting == len(self.open) + len(self.unreported) <= 12
        assert status.attached == len(self.holder)
        assert (status.lost, status.duplicated) == (0, 0)

    def teardown(self) -> None:
        """In the end, with signal and everybody attached, every open message is delivered."""
        if not self.signal:
            self.switch_signal()
        for number in ("700", "701", "702"):
            self.attach("line 1", number)
        while self.open:
            self.wait(3)
            for network_id in [i for at_hand in self.at_hand.values() for i in at_hand]:
                self.close(network_id, "delivered")
                self.say("line 1", op.Received(network_id))
            assert self.now < 10**7
        assert not self.unreported
        self.bounded()


TestNetworkStates = NetworkStates.TestCase
TestNetworkStates.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)

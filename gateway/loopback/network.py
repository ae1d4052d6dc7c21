"""The loopback network itself, sans-I/O: operations in, operations out, time as an argument.

Store and forward: a message waits for its recipient through detachment and outages, is delivered
again until it is acknowledged, and expires with a report. Everything is bounded.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from dtns.gateway import gsm7
from dtns.gateway.errors import ConditionsError
from dtns.gateway.fairqueue import has_room
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.calls import Calls
from dtns.gateway.loopback.conditions import Conditions, Passage, draw_passages
from dtns.gateway.loopback.mailbox import Item, item_key
from dtns.gateway.loopback.postoffice import PostOffice

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from random import Random
    from typing import Literal

REPORT_VALIDITY_SECONDS: Final = 7 * 86400

Outgoing = list[tuple["Hashable", op.FromNetwork]]
"""What to write to whom, in order."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the network holds; beyond it, submissions are rejected for now."""

    messages_per_recipient: int = 2_000
    items_in_all: int = 100_000
    reports_per_number: int = 10_000
    attached_numbers: int = 100_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """What somebody who listens to the whole network sees of one copy of a message.

    It is taken in and comes due after so many seconds, or is lost; a copy taken in is delivered
    or expires later.
    """

    what: Literal["carried", "lost", "delivered", "expired"]
    message: op.Deliver
    seconds: float = 0.0


class Network:
    """A store-and-forward network of numbers.

    A *line* is any hashable that stands for a connection. `now` is in seconds by any clock that
    does not go back. `run` is a short word unique to this run: ids made in two runs must differ,
    or a receiver would take a new message for the redelivery of an old one. `watch` is called
    with every sighting.
    """

    def __init__(
        self,
        conditions: Conditions,
        random: Random,
        now: float,
        run: str,
        limits: Limits | None = None,
        *,
        watch: Callable[[Sighting], None] | None = None,
    ) -> None:
        self.conditions = conditions
        self._random = random
        self._started_at = now
        self._run = run
        self._limits = limits or Limits()
        self._watch = watch or (lambda _: None)
        self._ids = itertools.count(1)
        self._post = PostOffice()
        self._counts: Counter[str] = Counter()
        self._calls = Calls(run)

    def receive(self, line: Hashable, operation: op.FromClient, now: float) -> Outgoing:
        """Do what *line* asks and return what to write to whom."""
        due = self.advance(now)
        answer = self._answer(line, operation, now)
        return due + answer + self.advance(now)

    def advance(self, now: float) -> Outgoing:
        """Let time pass: return what fell due; expire what nobody acknowledged."""
        for item in self._post.pass_time(now):
            self._settled(item, "expired", now)
        calls = self._calls.advance(now)
        if self._signal_returns(now) is not None:
            return calls + self._calls.lose_signal()
        return calls + [(line, item.operation) for line, item in self._post.hand_over()]

    def wake_at(self, now: float) -> float | None:
        """Tell when `advance` will next have something to do; None if nothing is under way."""
        times = [self._post.next_time(), self._calls.next_time()]
        if self._post.has_ready:
            times.append(self._signal_returns(now))
        return min((time for time in times if time is not None and time < inf), default=None)

    def drop(self, line: Hashable) -> Outgoing:
        """Forget *line*: its connection is gone, its numbers are detached, its sessions over."""
        for number in self._post.numbers(line):
            self._post.detach(line, number)
        return self._calls.drop(line)

    def is_of_use(self, line: Hashable) -> bool:
        """Tell whether *line* has a number attached, or serves a code."""
        return bool(self._post.numbers(line)) or self._calls.serves(line)

    def _answer(self, line: Hashable, operation: op.FromClient, now: float) -> Outgoing:
        match operation:
            case op.Attach():
                return self._attach(line, operation)
            case op.Detach():
                self._post.detach(line, operation.number)
                answer: op.FromNetwork = op.Detached(operation.number)
            case op.Submit():
                answer = self._submit(line, operation, now)
            case op.Received():
                return self._acknowledge(line, item_key("message", operation.network_id), now)
            case op.Noted():
                return self._acknowledge(line, item_key("report", operation.network_id), now)
            case op.Faults():
                answer = self._change(operation)
            case op.Status():
                answer = self._status(now)
            case op.Ping():
                answer = op.Pong()
            case op.Serve() | op.Dial() | op.Show() | op.Key() | op.Hangup():
                return self._call(line, operation, now)
        return [(line, answer)]

    def _attach(self, line: Hashable, request: op.Attach) -> Outgoing:
        holder = self._post.holder(request.number)
        if holder is None and self._post.attached >= self._limits.attached_numbers:
            return [(line, op.Error("the network has no room for another number"))]
        self._post.attach(line, request.number, request.window)
        outgoing: Outgoing = [(line, op.Attached(request.number))]
        if holder is not None and holder != line:
            outgoing.append((holder, op.Detached(request.number, "attached elsewhere")))
        return outgoing

    def _call(self, line: Hashable, operation: op.Call, now: float) -> Outgoing:
        if isinstance(operation, op.Dial):
            own = self._post.holder(operation.number) == line
            signal = self._signal_returns(now) is None
            return self._calls.dial(line, operation, now, own=own, signal=signal)
        return self._calls.receive(line, operation, now)

    def _submit(self, line: Hashable, request: op.Submit, now: float) -> op.Accepted | op.Rejected:
        if objection := self._objection(line, request, now):
            self._counts["rejected"] += 1
            return objection
        self._counts["accepted"] += 1
        network_id = self._next_id()
        passages = draw_passages(self.conditions, self._random)
        if not passages:
            self._counts["lost"] += 1
            self._watch(Sighting("lost", _deliver(network_id, request)))
        for copy, passage in enumerate(passages):
            if not copy:
                self._carry(network_id, request, passage, now, report=request.report)
            elif not self._no_room(request):
                self._counts["duplicated"] += 1
                self._carry(self._next_id(), request, passage, now, report=False)
        return op.Accepted(request.id, network_id)

    def _objection(self, line: Hashable, request: op.Submit, now: float) -> op.Rejected | None:
        own = self._post.holder(request.sender) == line
        if not own and not self.conditions.allow_spoofing:
            reason = "the sender's number is not attached to this connection"
            return op.Rejected(request.id, permanent=True, reason=reason)
        if faults := gsm7.refusal(request.text):
            return op.Rejected(request.id, permanent=True, reason=faults)
        if self._signal_returns(now) is not None:
            return op.Rejected(request.id, permanent=False, reason="no signal")
        if full := self._no_room(request):
            return op.Rejected(request.id, permanent=False, reason=full)
        return None

    def _no_room(self, request: op.Submit) -> str | None:
        taken = self._post.count(request.recipient, "message")
        own = self._post.count_of(request.sender, request.recipient)
        if taken >= self._limits.messages_per_recipient:
            return "the recipient's queue is full"
        if not has_room(own, taken, self._limits.messages_per_recipient):
            return "the sender's share of the recipient's queue is full"
        if len(self._post) >= self._limits.items_in_all:
            return "the network is full"
        return None

    def _carry(
        self, network_id: str, request: op.Submit, passage: Passage, now: float, *, report: bool
    ) -> None:
        self._counts["reordered"] += passage.overtaken
        message = _deliver(network_id, request)
        item = Item(
            message,
            due=now + passage.delay,
            expires=now + request.validity,
            report_as=request.id if report else None,
        )
        self._post.add(item, in_order=not passage.overtaken)
        self._watch(Sighting("carried", message, item.due - now))

    def _acknowledge(self, line: Hashable, key: str, now: float) -> Outgoing:
        if item := self._post.settle(line, key):
            self._settled(item, "delivered", now)
        return []

    def _settled(self, item: Item, state: Literal["delivered", "expired"], now: float) -> None:
        """Count what became of *item* and report it if the submitter asked."""
        message = item.operation
        if not isinstance(message, op.Deliver):
            self._counts["reports_dropped"] += state == "expired"
            return
        self._counts[state] += 1
        self._watch(Sighting(state, message))
        if item.report_as is None:
            return
        if self._post.count(message.sender, "report") >= self._limits.reports_per_number:
            self._counts["reports_dropped"] += 1
            return
        report = op.Report(message.network_id, item.report_as, message.sender, state)
        self._post.add(Item(report, now, now + REPORT_VALIDITY_SECONDS), in_order=False)

    def _change(self, request: op.Faults) -> op.Faults | op.Error:
        try:
            self.conditions = self.conditions.changed(request.given())
        except ConditionsError as error:
            return op.Error(str(error))
        return op.Faults(**self.conditions.to_dict())

    def _status(self, now: float) -> op.Status:
        return op.Status(
            attached=self._post.attached,
            waiting=len(self._post),
            signal=self._signal_returns(now) is None,
            **{name: self._counts[name] for name in _COUNTED},
        )

    def _signal_returns(self, now: float) -> float | None:
        elapsed = self.conditions.signal_returns(now - self._started_at)
        return None if elapsed is None else self._started_at + elapsed

    def _next_id(self) -> str:
        return f"{self._run}-{next(self._ids)}"


def _deliver(network_id: str, request: op.Submit) -> op.Deliver:
    return op.Deliver(network_id, request.sender, request.recipient, request.text)


_COUNTED: Final = (
    "accepted",
    "rejected",
    "delivered",
    "lost",
    "duplicated",
    "reordered",
    "expired",
    "reports_dropped",
)

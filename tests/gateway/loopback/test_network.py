"""The store-and-forward network, without sockets: what it promises about every message."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.conditions import Conditions
from dtns.gateway.loopback.network import REPORT_VALIDITY_SECONDS, Limits, Network, Sighting

SAM = "700"
PHONE = "+254700000001"
WEEK = 7 * 86400


class Air:
    """A network, its time, and what was written to each line, in order."""

    def __init__(self, limits: Limits | None = None, seed: int = 1, **conditions: Any) -> None:
        self.now = 1000.0
        self.seen: list[Sighting] = []
        self.network = Network(
            Conditions(**conditions),
            Random(seed),
            self.now,
            "run",
            limits,
            watch=self.seen.append,
        )
        self.heard: dict[object, list[op.FromNetwork]] = {}

    def say(self, line: object, operation: op.FromClient) -> list[op.FromNetwork]:
        """Say something on *line*; return what that line hears at once."""
        before = len(self.heard.get(line, []))
        self._write(self.network.receive(line, operation, self.now))
        return self.heard.get(line, [])[before:]

    def attach(self, line: object, number: str, window: int = 32) -> list[op.FromNetwork]:
        """Attach *number* to *line*."""
        return self.say(line, op.Attach(number, window))

    def submit(self, text: str = "text", to: str = SAM, **fields: Any) -> op.FromNetwork:
        """Submit from the phone's line, which has the phone's number; return the answer."""
        values = {"id": "1", "sender": PHONE, "recipient": to, "text": text, **fields}
        return self.say("phone", op.Submit(**values))[0]

    def wait(self, seconds: float) -> None:
        """Let time pass as the server does: in the steps the network asks for."""
        end = self.now + seconds
        while (wake_at := self.network.wake_at(self.now)) is not None and wake_at <= end:
            self.now = max(self.now, wake_at)
            self._write(self.network.advance(self.now))
        self.now = end

    def texts(self, line: object) -> list[str]:
        """List the texts that *line* was delivered."""
        return [said.text for said in self.heard.get(line, []) if isinstance(said, op.Deliver)]

    def reports(self, line: object) -> list[tuple[str, str]]:
        """List the ids and states that *line* was reported."""
        heard = self.heard.get(line, [])
        return [(said.id, said.state) for said in heard if isinstance(said, op.Report)]

    def status(self) -> op.Status:
        """Ask how things are."""
        (status,) = self.say("status", op.Status())
        assert isinstance(status, op.Status)
        return status

    def _write(self, outgoing: list[tuple[Any, op.FromNetwork]]) -> None:
        for line, operation in outgoing:
            self.heard.setdefault(line, []).append(operation)


def attached(**arguments: Any) -> Air:
    """Make a network with a phone and Sam attached."""
    air = Air(**arguments)
    air.attach("phone", PHONE)
    air.attach("sam", SAM)
    return air


def test_delivers_at_once() -> None:
    """A perfect network delivers at once, with the sender and an id of the run."""
    air = attached()
    assert air.submit() == op.Accepted("1", "run-1")
    assert air.heard["sam"][-1] == op.Deliver("run-1", PHONE, SAM, "text")


def test_redelivers_until_acknowledged() -> None:
    """A message comes again at each attach until it is acknowledged, and never after."""
    air = attached()
    air.submit()
    air.wait(3600)
    assert air.texts("sam") == ["text"]
    air.attach("sam", SAM)
    assert air.texts("sam") == ["text"] * 2
    air.say("sam", op.Received("run-1"))
    air.attach("sam", SAM)
    assert air.texts("sam") == ["text"] * 2


def test_waits_for_attachment() -> None:
    """Messages to a number that nobody has attached wait, in order."""
    air = Air()
    air.attach("phone", PHONE)
    for text in "abc":
        air.submit(text)
    air.wait(WEEK - 1)
    air.attach("sam", SAM)
    assert air.texts("sam") == ["a", "b", "c"]


@pytest.mark.parametrize("how", ["detach", "drop"])
def test_survives_detachment(how: str) -> None:
    """After a detach or a lost connection nothing is delivered there, and nothing is lost."""
    air = attached()
    air.submit("a")
    if how == "detach":
        assert air.say("sam", op.Detach(SAM)) == [op.Detached(SAM)]
    else:
        air.network.drop("sam")
    air.submit("b")
    assert air.texts("sam") == ["a"]
    air.attach("sam again", SAM)
    assert air.texts("sam again") == ["a", "b"]


def test_newest_attachment_wins() -> None:
    """A number attached elsewhere moves: the old line is told, and hears and can do no more."""
    air = attached()
    air.submit("a")
    air.attach("thief", SAM)
    assert air.heard["sam"][-1] == op.Detached(SAM, "attached elsewhere")
    assert air.texts("thief") == ["a"]
    air.say("sam", op.Received("run-1"))
    air.say("sam", op.Detach(SAM))
    air.submit("b")
    assert air.texts("thief") == ["a", "b"]
    assert air.say("sam", op.Submit("9", SAM, PHONE, "x"))[0] == op.Rejected(
        "9",
        permanent=True,
        reason="the sender's number is not attached to this connection",
    )


def test_one_line_many_numbers() -> None:
    """One line may hold many numbers, and loses all of them when it drops."""
    air = Air()
    for number in ("700", "701", "702"):
        air.attach("many", number)
    assert air.status().attached == 3
    assert air.network.is_of_use("many")
    air.network.drop("many")
    assert air.status().attached == 0
    assert not air.network.is_of_use("many")


def test_no_spoofing() -> None:
    """Nobody submits under a number that is not attached to the same line, unless allowed."""
    air = attached()
    forged = op.Submit("1", SAM, PHONE, "forged")
    (answer,) = air.say("phone", forged)
    assert isinstance(answer, op.Rejected)
    assert answer.permanent
    air.say("phone", op.Faults(allow_spoofing=True))
    assert isinstance(air.say("phone", forged)[0], op.Accepted)
    assert air.texts("phone") == ["forged"]


@pytest.mark.parametrize("text", ["a" * 161, "жар", "€" * 81])
def test_not_a_short_message(text: str) -> None:
    """What is not one GSM-7 message is rejected for good, with the reason."""
    answer = attached().submit(text)
    assert isinstance(answer, op.Rejected)
    assert answer.permanent
    assert "alphabet" in answer.reason or "septets" in answer.reason


def test_outage_by_schedule() -> None:
    """During an outage nothing is accepted or delivered; after it, what waited comes at once."""
    air = attached(delay=5, outages=[(3, 10)])
    air.submit("before")
    air.wait(3)
    assert air.submit("during") == op.Rejected("1", permanent=False, reason="no signal")
    assert air.status().signal is False
    air.wait(9.9)
    assert air.texts("sam") == []
    air.wait(0.2)
    assert air.texts("sam") == ["before"]
    assert air.status().signal is True


def test_outage_by_switch() -> None:
    """The signal can be switched off and on while messages are on their way."""
    air = attached(delay=5)
    air.submit("before")
    (answer,) = air.say("anyone", op.Faults(signal=False))
    assert isinstance(answer, op.Faults)
    assert answer.signal is False
    assert isinstance(air.submit("during"), op.Rejected)
    air.wait(100)
    assert air.texts("sam") == []
    air.say("anyone", op.Faults(signal=True))
    assert air.texts("sam") == ["before"]


def test_faults_out_of_range() -> None:
    """Conditions out of range are refused and change nothing."""
    air = attached()
    (answer,) = air.say("anyone", op.Faults(loss=2, delay=5))
    assert isinstance(answer, op.Error)
    assert air.network.conditions == Conditions()


def test_faults_reports_the_conditions() -> None:
    """An empty change tells the conditions as they are."""
    air = attached(loss=0.5, outages=((1, 2),))
    (answer,) = air.say("anyone", op.Faults())
    assert isinstance(answer, op.Faults)
    assert Conditions().changed(answer.given()) == air.network.conditions


def test_expires_with_a_report() -> None:
    """A message nobody acknowledges expires after its validity, with a report if asked."""
    air = Air()
    air.attach("phone", PHONE)
    air.submit("plain", id="1")
    air.submit("short", id="2", validity=60, report=True)
    air.submit("long", id="3", report=True)
    air.wait(60)
    assert air.reports("phone") == [("2", "expired")]
    air.attach("sam", SAM)
    assert air.texts("sam") == ["plain", "long"]
    air.wait(WEEK)
    assert air.reports("phone") == [("2", "expired"), ("3", "expired")]
    assert air.status().expired == 3


def test_expires_before_it_is_due() -> None:
    """A message whose validity ends before it arrives never arrives."""
    air = attached(delay=100)
    air.submit(validity=50, report=True)
    air.wait(200)
    assert air.texts("sam") == []
    assert air.reports("phone") == [("1", "expired")]


def test_delivery_report() -> None:
    """The report of delivery comes when the receiver acknowledged, again until noted."""
    air = attached()
    air.submit(report=True, id="mine")
    assert air.reports("phone") == []
    air.say("sam", op.Received("run-1"))
    assert air.reports("phone") == [("mine", "delivered")]
    air.attach("phone", PHONE)
    assert air.reports("phone") == [("mine", "delivered")] * 2
    air.say("phone", op.Noted("run-1"))
    air.attach("phone", PHONE)
    assert air.reports("phone") == [("mine", "delivered")] * 2
    assert air.status().waiting == 0


def test_report_waits_for_the_submitter() -> None:
    """A report waits until its number is attached, and is given up after a week."""
    air = attached()
    air.submit(report=True)
    air.submit(report=True)
    air.network.drop("phone")
    air.say("sam", op.Received("run-1"))
    air.wait(REPORT_VALIDITY_SECONDS - 1)
    air.attach("phone", PHONE)
    assert air.reports("phone")[:1] == [("1", "delivered")]
    air.network.drop("phone")
    air.wait(2 * REPORT_VALIDITY_SECONDS)
    assert air.status().waiting == 0
    assert air.status().reports_dropped == 2


def test_lost_messages_leave_no_trace() -> None:
    """A lost message is accepted, and nothing more is heard of it."""
    air = attached(loss=1)
    assert isinstance(air.submit(report=True), op.Accepted)
    air.wait(2 * WEEK)
    assert air.texts("sam") == []
    assert air.reports("phone") == []
    assert (air.status().lost, air.status().waiting) == (1, 0)


def test_duplicates_have_an_id_of_their_own() -> None:
    """A duplicate is a message of its own, acknowledged on its own, and not reported."""
    air = attached(duplication=1)
    air.submit(report=True)
    first, second = (said for said in air.heard["sam"] if isinstance(said, op.Deliver))
    assert first.text == second.text
    assert first.network_id != second.network_id
    air.say("sam", op.Received(second.network_id))
    assert air.reports("phone") == []
    air.say("sam", op.Received(first.network_id))
    assert air.reports("phone") == [("1", "delivered")]


def test_order_is_kept_without_reordering() -> None:
    """However much the delays vary, one sender's messages to one recipient keep their order."""
    air = attached(delay=10, jitter=10, duplication=0.3)
    air.attach("sam", SAM, window=1000)
    texts = [f"{number:03}" for number in range(30)]
    for text in texts:
        air.submit(text)
        air.wait(0.5)
    air.wait(100)
    received = list(dict.fromkeys(air.texts("sam")))
    assert received == texts


def test_reordering_lets_later_ones_pass() -> None:
    """A held message comes after later ones, but comes."""
    air = attached(delay=1, reordering=0.3, hold=10)
    texts = [f"{number:03}" for number in range(30)]
    for text in texts:
        air.submit(text)
    air.wait(5)
    early = air.texts("sam")
    assert early == sorted(early)
    assert 0 < len(early) < 30
    air.wait(10)
    assert sorted(air.texts("sam")) == texts
    assert air.texts("sam") != texts
    assert air.status().reordered == 30 - len(early)


def test_window() -> None:
    """At most the window's number of deliveries is unacknowledged at a time."""
    air = Air()
    air.attach("phone", PHONE)
    for text in "abcde":
        air.submit(text)
    air.attach("sam", SAM, window=2)
    assert air.texts("sam") == ["a", "b"]
    air.say("sam", op.Received("run-2"))
    assert air.texts("sam") == ["a", "b", "c"]
    air.attach("sam", SAM, window=10)
    assert air.texts("sam") == ["a", "b", "c", "a", "c", "d", "e"]


def test_acknowledging_what_was_not_delivered_here() -> None:
    """An acknowledgement counts only from the line the message was delivered to."""
    air = Air()
    air.attach("phone", PHONE)
    air.submit()
    for guess in ("run-1", "run-2", "nonsense"):
        air.say("phone", op.Received(guess))
        air.say("stranger", op.Noted(guess))
    air.attach("sam", SAM)
    assert air.texts("sam") == ["text"]


def test_acknowledging_what_another_holds() -> None:
    """What was delivered to one line is not acknowledged by another."""
    air = attached()
    air.submit()
    air.say("phone", op.Received("run-1"))
    air.attach("sam", SAM)
    assert air.texts("sam") == ["text"] * 2


def test_acknowledging_before_delivery() -> None:
    """What is waiting for a line is not acknowledged by a guess of its id."""
    air = attached()
    air.say("anyone", op.Faults(delay=5))
    air.submit()
    air.say("sam", op.Received("run-1"))
    air.wait(5)
    assert air.texts("sam") == ["text"]


def test_ping_is_answered_after_what_is_due() -> None:
    """The answer to a ping comes after everything that is due."""
    air = attached(delay=5)
    air.submit()
    air.now += 5
    deliver, pong = air.say("sam", op.Ping())
    assert isinstance(deliver, op.Deliver)
    assert pong == op.Pong()


def flooding(air: Air, senders: int) -> None:
    """Attach so many numbers to one line."""
    for number in range(senders):
        air.attach("flooders", f"99{number:04}")


def acknowledge_latest(air: Air) -> None:
    """Have Sam acknowledge what it was delivered last."""
    latest = air.heard["sam"][-1]
    assert isinstance(latest, op.Deliver)
    air.say("sam", op.Received(latest.network_id))


def test_a_flooding_sender_delays_others_by_a_message() -> None:
    """What waits of one sender for a number does not hold up another's."""
    air = attached()
    flooding(air, 1)
    air.attach("sam", SAM, window=1)
    for number in range(500):
        air.say("flooders", op.Submit("1", "990000", SAM, f"forged {number}"))
    air.submit("honest")
    acknowledge_latest(air)
    assert air.texts("sam") == ["forged 0", "honest"]


def test_a_thousand_flooding_senders_delay_others_by_a_message() -> None:
    """However many senders pour in, one who seldom sends does not wait for their backlog."""
    air = attached()
    flooding(air, 1000)
    air.attach("sam", SAM, window=1)
    for number in range(1900):
        air.say("flooders", op.Submit("1", f"99{number % 1000:04}", SAM, "forged"))
    for _ in range(1200):
        acknowledge_latest(air)
    assert air.texts("sam") == ["forged"] * 1201
    assert air.status().waiting == 700
    air.submit("honest")
    acknowledge_latest(air)
    assert air.texts("sam")[-1] == "honest"


def test_a_flooding_sender_leaves_room_for_others() -> None:
    """Its share of a queue is what it leaves free; only others find the rest."""
    air = Air(Limits(messages_per_recipient=10))
    flooding(air, 2)
    air.attach("phone", PHONE)
    answers = [air.say("flooders", op.Submit("1", "990000", SAM, "forged"))[0] for _ in range(6)]
    assert isinstance(answers[4], op.Accepted)
    reason = "the sender's share of the recipient's queue is full"
    assert answers[5] == op.Rejected("1", permanent=False, reason=reason)
    assert isinstance(air.submit(), op.Accepted)
    answers = [air.say("flooders", op.Submit("1", "990001", SAM, "forged"))[0] for _ in range(3)]
    assert [isinstance(answer, op.Accepted) for answer in answers] == [True, True, False]
    air.attach("sam", SAM)
    air.say("sam", op.Received("run-1"))
    assert isinstance(air.submit(), op.Accepted)


def test_queues_are_bounded() -> None:
    """A full queue, and a full network, reject for now; room made is room again."""
    limits = Limits(messages_per_recipient=3, items_in_all=5)
    air = Air(limits, duplication=1)
    air.attach("phone", PHONE)
    assert isinstance(air.submit(to="700"), op.Accepted)
    air.attach("other", "800")
    air.say("other", op.Submit("1", "800", "700", "text"))
    full = op.Rejected("1", permanent=False, reason="the recipient's queue is full")
    assert air.submit(to="700") == full
    assert isinstance(air.submit(to="701"), op.Accepted)
    assert air.submit(to="702") == op.Rejected("1", permanent=False, reason="the network is full")
    assert air.status().waiting == 5
    air.attach("sam", SAM)
    air.say("sam", op.Received("run-1"))
    assert isinstance(air.submit(to="702"), op.Accepted)


def test_reports_are_bounded() -> None:
    """A submitter who never notes reports does not fill the network with them."""
    air = attached(limits=Limits(reports_per_number=2))
    for _ in range(4):
        air.submit(report=True)
    for number in range(1, 5):
        air.say("sam", op.Received(f"run-{number}"))
    assert air.status().waiting == 2
    assert air.status().reports_dropped == 2


def test_attachments_are_bounded() -> None:
    """Beyond the limit no further number is attached; one may still move."""
    air = Air(Limits(attached_numbers=2))
    air.attach("one", "700")
    air.attach("one", "701")
    assert air.attach("two", "702") == [op.Error("the network has no room for another number")]
    assert air.attach("two", "701") == [op.Attached("701")]
    assert air.status().attached == 2


def test_nothing_is_left_behind() -> None:
    """Once everything is settled and detached, the network remembers no number and no item."""
    air = attached()
    for number in range(5000):
        air.submit(to=f"{1000 + number}", validity=10)
    air.submit(report=True)
    air.wait(20)
    air.say("sam", op.Received("run-5001"))
    air.say("phone", op.Noted("run-5001"))
    for number in range(3000):
        air.submit(validity=10**6)
        air.say("sam", op.Received(f"run-{5002 + number}"))
    air.network.drop("phone")
    air.network.drop("sam")
    post = air.network._post
    assert (post._items, post._mailboxes, post._numbers, post._ready) == ({}, {}, {}, {})
    assert len(post._agenda) <= 1001


def test_repeatable() -> None:
    """The same seed and the same order give the same fates; another seed gives others."""

    def run(seed: int, pause: float) -> list[str]:
        air = attached(seed=seed, loss=0.3, duplication=0.3, delay=1, jitter=1)
        for number in range(100):
            air.submit(str(number))
            air.wait(pause)
        air.attach("sam", SAM, window=1000)
        air.wait(100)
        air.attach("sam", SAM, window=1000)
        return sorted(air.texts("sam"))

    assert run(1, 0) == run(1, 0)
    assert set(run(1, 0)) == set(run(1, 3))
    assert set(run(1, 0)) != set(run(2, 0))


def test_who_listens_sees_what_becomes_of_every_copy() -> None:
    """Each copy is seen when it is taken in, with its time to go, and when it has arrived."""
    air = attached(delay=3, duplication=1)
    air.submit("once")
    air.wait(3)
    for number in (1, 2):
        air.say("sam", op.Received(f"run-{number}"))
    first, second = (op.Deliver(f"run-{n}", PHONE, SAM, "once") for n in (1, 2))
    assert air.seen == [
        *(Sighting("carried", message, 3.0) for message in (first, second)),
        *(Sighting("delivered", message) for message in (first, second)),
    ]


def test_who_listens_sees_what_is_lost_or_expires() -> None:
    """A lost message is seen once; one that nobody takes is seen to expire."""
    air = attached(loss=1)
    air.submit("lost")
    air.network.conditions = Conditions()
    air.submit("late", to="800", validity=10)
    air.wait(11)
    assert [(sighting.what, sighting.message.text) for sighting in air.seen] == [
        *(("lost", "lost"), ("carried", "late"), ("expired", "late")),
    ]

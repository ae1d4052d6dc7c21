"""A session: what the SMSC says goes in, answers and events come out; no connection anywhere."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smscs import BRISK

from dtns.gateway.smpp.events import Answered, Bound, Delivered, Ended, Heard, Outcomes, Unanswered
from dtns.gateway.smpp.messages import Address, Delivery, Submission
from dtns.gateway.smpp.pdu import HIGHEST_SEQUENCE, RESPONSE, BindAnswer, Command, Frames, Pdu
from dtns.gateway.smpp.session import MOST_BEFORE_BIND, MOST_HELD, MOST_OCTETS, Session
from dtns.gateway.smpp.settings import Account
from dtns.gateway.smpp.status import Status

ACCOUNT = Account(Command.BIND_TRANSCEIVER, "sam", "secret")
HELLO = Submission(Address("700"), Address("254700000001", 1, 1), b"hello").encode()
BODY = b"\0\1\1" + b"254\0" + b"\0\0" + b"700\0" + bytes(9) + b"\2hi"


class Told:
    """A session, and all it said and told since it was last looked at."""

    def __init__(self, account: Account = ACCOUNT, *, bound: bool = True) -> None:
        self.counts: Counter[str] = Counter()
        self.session = Session(account, BRISK, self.counts)
        self.now = 100.0
        self._frames = Frames()
        self.session.begin(self.now)
        if bound:
            self.hear(Pdu(account.role | RESPONSE, 0, 1, b"smsc\0"))
            assert self.events() == [Bound(BindAnswer("smsc", 0))]
            self.said()

    def hear(self, *pdus: Pdu) -> None:
        """Let the SMSC say this."""
        self.session.receive(b"".join(pdu.encode() for pdu in pdus), self.now)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds
        self.session.tick(self.now)

    def said(self) -> list[tuple[int, int, int]]:
        """Return command, status and sequence of what it said."""
        said = [
            (pdu.command, pdu.status, pdu.sequence)
            for pdu in self._frames.feed(bytes(self.session.outgoing))
        ]
        self.session.outgoing.clear()
        return said

    def events(self) -> list[Any]:
        """Return what it told, one by one: outcomes and deliveries are told together."""
        events, self.session.events = self.session.events, []
        told: list[Any] = []
        for event in events:
            if isinstance(event, Outcomes):
                told += event.outcomes
            elif isinstance(event, Delivered):
                told += event.deliveries
            else:
                told.append(event)
        return told

    def submit(self, token: str) -> int:
        """Submit a message and return its sequence."""
        self.session.submit([(HELLO, token)], self.now)
        ((command, _, sequence),) = self.said()
        assert command == Command.SUBMIT_SM
        return sequence


def answer(sequence: int, status: int = 0, body: bytes = b"id\0") -> Pdu:
    """Return a submit_sm_resp."""
    return Pdu(Command.SUBMIT_SM | RESPONSE, status, sequence, body)


@pytest.mark.parametrize("status", [Status.RINVPASWD, Status.RBINDFAIL, 0x400])
def test_a_refused_bind(status: int) -> None:
    """It ends the session, with the status by its name."""
    told = Told(bound=False)
    told.hear(Pdu(Command.BIND_TRANSCEIVER | RESPONSE, status, 1))
    (ended,) = told.events()
    assert isinstance(ended, Ended)
    assert ended.refusal == status
    assert "ESME_" in ended.reason or "0x00000400" in ended.reason


def test_a_bind_without_an_answer() -> None:
    """It ends in time; so does a nack."""
    told = Told(bound=False)
    told.wait(BRISK.bind)
    assert told.events() == [Ended("the SMSC does not answer")]
    told = Told(bound=False)
    told.hear(Pdu(Command.GENERIC_NACK, Status.RINVCMDID, 1))
    assert [type(event) for event in told.events()] == [Ended]


def test_submissions_are_answered_in_any_order() -> None:
    """Each by its own token; a nack is an answer, too."""
    told = Told()
    one, two, three = (told.submit(token) for token in "abc")
    assert told.session.under_way == 3
    told.hear(answer(two), Pdu(Command.GENERIC_NACK, 0, three), answer(one, Status.RTHROTTLED, b""))
    assert told.events() == [
        Answered("b", 0, "id"),
        Answered("c", Status.RUNKNOWNERR, ""),
        Answered("a", Status.RTHROTTLED, ""),
    ]
    assert told.session.under_way == 0
    assert told.counts == {"nack": 1}


def test_a_submission_without_an_answer() -> None:
    """It is given up in time, and a late answer is one to nothing."""
    told = Told()
    sequence = told.submit("a")
    told.wait(BRISK.answer)
    assert told.events() == [Unanswered("a", "the SMSC did not answer")]
    told.hear(answer(sequence))
    assert told.events() == []
    assert told.counts["answer-to-nothing"] == told.counts["unanswered"] == 1


def test_answers_to_nothing_and_to_another() -> None:
    """Neither ends a request: not its sequence alone, but its command, too, is compared."""
    told = Told()
    sequence = told.submit("a")
    told.hear(answer(99), Pdu(Command.ENQUIRE_LINK | RESPONSE, 0, sequence), answer(sequence))
    assert told.events() == [Answered("a", 0, "id")]
    told.hear(answer(sequence))
    assert told.events() == []
    assert told.counts == {"answer-to-nothing": 2, "answer-to-another": 1}


def test_many_at_once() -> None:
    """Submissions, acknowledgements and what a read brings go together, outcomes first."""
    told = Told()
    told.session.submit([(HELLO, token) for token in "abc"], told.now)
    sequences = [sequence for _, _, sequence in told.said()]
    read = [Pdu(Command.DELIVER_SM, 0, n, BODY) for n in (7, 8)]
    told.hear(read[0], *map(answer, sequences), read[1])
    outcomes, delivered = told.session.events
    assert outcomes == Outcomes([Answered(token, 0, "id") for token in "abc"])
    assert isinstance(delivered, Delivered)
    assert [each.sequence for each in delivered.deliveries] == [7, 8]
    assert told.session.acknowledge(delivered.deliveries) == 2
    assert told.said() == [(Command.DELIVER_SM | RESPONSE, 0, n) for n in (7, 8)]


def test_both_ask_whether_the_other_is_there() -> None:
    """It answers an enquiry, asks after silence, and ends if that is not answered."""
    told = Told()
    told.hear(Pdu(Command.ENQUIRE_LINK, 0, 77))
    assert told.said() == [(Command.ENQUIRE_LINK | RESPONSE, 0, 77)]
    told.wait(BRISK.quiet)
    ((command, _, sequence),) = told.said()
    assert command == Command.ENQUIRE_LINK
    told.hear(Pdu(Command.ENQUIRE_LINK | RESPONSE, 0, sequence))
    assert told.events() == []
    told.wait(BRISK.quiet)
    told.wait(BRISK.enquire)
    assert told.events() == [Ended("the SMSC does not answer")]
    assert told.counts["silence"] == 1


def test_silence_that_nobody_noticed() -> None:
    """Where a computer slept, all is overdue at once: the session ends, each message once."""
    told = Told()
    told.wait(BRISK.quiet)
    told.said()
    told.submit("x")
    told.wait(10_000)
    unanswered = Unanswered("x", "the SMSC does not answer, before its answer")
    assert told.events() == [Ended("the SMSC does not answer"), unanswered]
    assert told.session.under_way == 0


def test_half_a_pdu_is_silence() -> None:
    """Octets that make no PDU do not count as life, however they trickle."""
    told = Told()
    octets = Pdu(Command.DELIVER_SM, 0, 1, BODY).encode()
    for octet in octets[:-1]:
        told.session.receive(bytes((octet,)), told.now)
        told.wait(0.1)
    assert any(isinstance(event, Ended) for event in told.events())


def test_deliveries_are_answered_when_told() -> None:
    """And the SMSC has read the answer once it answers what was asked after it."""
    told = Told()
    told.hear(Pdu(Command.DELIVER_SM, 0, 5, BODY), Pdu(Command.DELIVER_SM, 0, 5, BODY))
    one, two = told.events()
    assert (one.content, one.source) == (b"hi", Address("254", 1, 1))
    assert told.said() == []
    assert told.session.acknowledge([one]) == 1
    told.said()
    sequence = told.submit("x")
    assert told.session.acknowledge([two], Status.RX_P_APPN) == 2
    told.hear(answer(sequence))
    assert told.events() == [Heard(1), Answered("x", 0, "id")]
    assert told.said() == [(Command.DELIVER_SM | RESPONSE, Status.RX_P_APPN, 5)]


def test_too_many_deliveries() -> None:
    """What is beyond the bound is refused for now, and taken once there is room."""
    told = Told()
    told.hear(*(Pdu(Command.DELIVER_SM, 0, n, BODY) for n in range(MOST_HELD + 3)))
    events = told.events()
    assert len(events) == MOST_HELD
    refused = [(Command.DELIVER_SM | RESPONSE, Status.RMSGQFUL, MOST_HELD + n) for n in range(3)]
    assert told.said() == refused
    told.session.acknowledge(events[:1])
    told.hear(Pdu(Command.DELIVER_SM, 0, 9999, BODY))
    assert len(told.events()) == 1
    assert told.counts == {"too-many-deliveries": 3}


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b"", "unreadable"),
        (BODY[:-1], "unreadable"),
        (BODY[:-3] + b"\0" + b"\4\x24\xff\xff", "unreadable"),
        (BODY[:-3] + b"\0" + b"\4\x24\0", "unreadable"),
        (BODY + b"\4\x24" + (MOST_OCTETS).to_bytes(2, "big") + bytes(MOST_OCTETS), "too-long"),
    ],
)
def test_deliveries_that_cannot_be_taken(body: bytes, count: str) -> None:
    """They are refused for good, or the SMSC would bring them for ever."""
    told = Told()
    told.hear(Pdu(Command.DELIVER_SM, 0, 5, body))
    assert told.events() == []
    assert told.said() == [(Command.DELIVER_SM | RESPONSE, Status.RX_P_APPN, 5)]
    assert told.counts == {count: 1}


def test_unknown_optional_parameters_pass() -> None:
    """Whatever their tags, they are there for who understands them."""
    told = Told()
    told.hear(Pdu(Command.DELIVER_SM, 0, 5, BODY + b"\x05\x01\0\1\2" + b"\x14\x03\0\2ab"))
    (event,) = told.events()
    assert event.tlvs == ((0x0501, b"\2"), (0x1403, b"ab"))


def test_a_delivery_out_of_turn() -> None:
    """Before the bind, and to a transmitter, none is taken."""
    for told in (
        Told(bound=False),
        Told(Account(Command.BIND_TRANSMITTER, "sam", "secret")),
    ):
        told.said()
        told.hear(Pdu(Command.DELIVER_SM, 0, 5, BODY))
        assert told.events() == []
        assert told.said() == [(Command.DELIVER_SM | RESPONSE, Status.RINVBNDSTS, 5)]


def test_too_much_before_the_bind() -> None:
    """What comes before the bind is taken is answered within bounds, then the session ends."""
    told = Told(bound=False)
    told.said()
    told.hear(*(Pdu(Command.ENQUIRE_LINK, 0, n) for n in range(1000)))
    assert len(told.said()) == MOST_BEFORE_BIND
    assert [type(event) for event in told.events()] == [Ended]
    assert told.counts == {"too-early": 1}


def test_other_pdus() -> None:
    """Alerts and outbinds are counted, what is unknown is answered so, nothing ends."""
    told = Told()
    told.hear(
        Pdu(Command.ALERT_NOTIFICATION, 0, 1, b"\1\1" + b"254\0" + b"\0\0" + b"700\0"),
        Pdu(Command.ALERT_NOTIFICATION, 0, 2, b"\1"),
        Pdu(Command.OUTBIND, 0, 3, b"smsc\0secret\0"),
        Pdu(0x7777, 0, 4, b"junk"),
        Pdu(0x7777 | RESPONSE, 0, 5, b"junk"),
    )
    assert told.events() == []
    assert told.said() == [(Command.GENERIC_NACK, Status.RINVCMDID, 4)]
    assert told.counts == {
        "alerts": 1,
        "unreadable": 1,
        "outbind": 1,
        "unknown-command": 1,
        "answer-to-nothing": 1,
    }


def test_the_smsc_says_goodbye() -> None:
    """It is answered, and what is under way is unknown."""
    told = Told()
    told.submit("a")
    told.hear(Pdu(Command.UNBIND, 0, 9), Pdu(Command.DELIVER_SM, 0, 10, BODY))
    assert told.said() == [(Command.UNBIND | RESPONSE, 0, 9)]
    reason = "the SMSC ended the session"
    assert told.events() == [Ended(reason), Unanswered("a", f"{reason}, before its answer")]


def test_saying_goodbye() -> None:
    """The session ends with the answer, or without one in time; answers under way still count."""
    told = Told()
    sequence = told.submit("a")
    told.session.unbind(told.now)
    ((command, _, goodbye),) = told.said()
    assert command == Command.UNBIND
    told.hear(answer(sequence), Pdu(Command.UNBIND | RESPONSE, 0, goodbye))
    assert told.events() == [Answered("a", 0, "id"), Ended("stopped")]
    told = Told()
    told.session.unbind(told.now)
    told.wait(BRISK.unbind)
    assert told.events() == [Ended("stopped")]


def test_a_length_that_cannot_be() -> None:
    """It is answered so and ends the session: nothing after it can be read."""
    told = Told()
    told.session.receive(b"\0\0\0\x0f" + bytes(100), told.now)
    assert told.said() == [(Command.GENERIC_NACK, Status.RINVCMDLEN, 0)]
    (ended,) = told.events()
    assert isinstance(ended, Ended)
    assert "15 octets" in ended.reason
    assert told.counts == {"wrong-length": 1}
    told.hear(Pdu(Command.ENQUIRE_LINK, 0, 1))
    assert told.said() == []


def test_sequences_come_round() -> None:
    """After the highest comes 1, and none that waits for its answer is used again."""
    told = Told()
    assert [told.submit(token) for token in "abc"] == [2, 3, 4]
    told.hear(answer(3))
    told.session._sequence = HIGHEST_SEQUENCE - 1
    assert [told.submit(token) for token in "def"] == [HIGHEST_SEQUENCE, 1, 3]
    assert HIGHEST_SEQUENCE == 0x7FFFFFFF


PDUS = st.builds(
    Pdu,
    st.one_of(
        st.sampled_from([each | RESPONSE for each in Command] + list(Command)),
        st.integers(0, 0xFFFFFFFF),
    ),
    st.sampled_from([0, 0, 0, 8, 0x58, 0xFFFFFFFF]),
    st.integers(0, 8),
    st.one_of(st.just(BODY), st.just(b"id\0"), st.binary(max_size=40)),
)
STEPS = st.one_of(
    PDUS,
    st.binary(max_size=40),
    st.floats(0.0, 2.0),
    st.sampled_from(["submit", "acknowledge", "unbind"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_whatever_an_smsc_says(steps: list[Any]) -> None:
    """Nothing is raised; each submission is told of once; what it says are whole PDUs."""
    told = Told(bound=False)
    submitted, outcomes, held, ends = 0, [], [], 0
    for step in steps:
        if isinstance(step, Pdu):
            told.hear(step)
        elif isinstance(step, bytes):
            told.session.receive(step, told.now)
        elif isinstance(step, float):
            told.wait(step)
        elif step == "submit" and told.session.bound:
            told.session.submit([(HELLO, submitted)], told.now)
            submitted += 1
        elif step == "acknowledge" and held:
            told.session.acknowledge([held.pop()])
        elif step == "unbind":
            told.session.unbind(told.now)
        events = told.events()
        outcomes += [each.token for each in events if isinstance(each, Answered | Unanswered)]
        held += [each for each in events if isinstance(each, Delivery)]
        ends += sum(isinstance(each, Ended) for each in events)
        told.said()
    told.session.lost("gone")
    events = told.events()
    outcomes += [each.token for each in events if isinstance(each, Unanswered)]
    ends += sum(isinstance(each, Ended) for each in events)
    assert sorted(outcomes) == list(range(submitted))
    assert ends == 1
    assert told.session.under_way == 0

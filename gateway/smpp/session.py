"""One connection to an SMSC, from the bind to its end; sans-I/O.

Octets and times go in; events and octets come out. Whatever the SMSC sends, nothing is raised
and nothing grows without bound: it is answered, or counted, or ends the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dtns.gateway.smpp.errors import PduError, PduLengthError
from dtns.gateway.smpp.events import (
    Answered,
    Bound,
    Delivered,
    Ended,
    Event,
    Heard,
    Outcomes,
    Unanswered,
)
from dtns.gateway.smpp.messages import Delivery, read_delivery
from dtns.gateway.smpp.pdu import (
    HIGHEST_SEQUENCE,
    RESPONSE,
    BindAnswer,
    Command,
    Frames,
    Pdu,
    encode_bind,
    read_alert,
    read_bind_answer,
    read_message_id,
    write_delivery_answer,
    write_pdu,
)
from dtns.gateway.smpp.status import Status, name_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from dtns.gateway.smpp.settings import Account
    from dtns.gateway.smpp.timing import Timing

MOST_HELD: Final = 500
"""How many deliveries may be unanswered; further ones are refused for now."""
MOST_OCTETS: Final = 8192
"""Octets of the longest delivery that is taken in; a longer one is refused for good."""
MOST_BEFORE_BIND: Final = 100
"""How many PDUs may come before the bind is taken."""
_DELIVERIES: Final = frozenset({Command.DELIVER_SM, Command.DATA_SM})


_Request = tuple[int, Any, float, int]
"""A request without its answer: its command, its token, when the answer is due, and how many
deliveries were acknowledged before it."""


class Session:
    """An ESME's side of one connection.

    After each call the owner takes what is in `outgoing` and `events`; it calls `tick` now and
    then. *counts* counts what an SMSC should not do. What one read brings is told together: first
    what became of submissions, then what was delivered.

    Attributes:
        under_way: how many submissions wait for their answer.
        welcome: whether the SMSC has taken the bind, whatever came later.
    """

    def __init__(self, account: Account, timing: Timing, counts: Counter[str]) -> None:
        self.account = account
        self.bound = self.welcome = False
        self.ended = False
        self.under_way = 0
        self.outgoing = bytearray()
        self.events: list[Event] = []
        self._receives = account.receives
        self._outcomes: list[Answered | Unanswered] = []
        self._delivered: list[Delivery] = []
        self._timing = timing
        self._counts = counts
        self._frames = Frames()
        self._sequence = 0
        self._requests: dict[int, _Request] = {}
        self._held = 0
        self._acknowledged = 0
        self._heard = 0
        self._heard_at = 0.0
        self._enquiry: int | None = None
        self._before_bind = 0

    def begin(self, now: float) -> None:
        """Bind, as soon as the connection is there."""
        self._heard_at = now
        account = self.account
        sequence = self._request(account.role, None, now + self._timing.bind)
        self.outgoing += encode_bind(
            account.role, account.system_id, account.password, account.system_type, sequence
        )

    def submit(self, submissions: Iterable[tuple[bytes, Any]], now: float) -> None:
        """Submit messages, each the body of its PDU and a token.

        An event with the token tells what became of it, always.
        """
        assert self.bound
        due = now + self._timing.answer
        for body, token in submissions:
            sequence = self._request(Command.SUBMIT_SM, token, due)
            self.outgoing += write_pdu(Command.SUBMIT_SM, Status.ROK, sequence, body)
            self.under_way += 1

    def acknowledge(self, deliveries: Sequence[Delivery], status: Status = Status.ROK) -> int:
        """Answer deliveries, once stored; return how many were answered by now, 0 if too late.

        `Heard` tells by that count which answers the SMSC has read.
        """
        if self.ended:
            return 0
        for delivery in deliveries:
            self.outgoing += write_delivery_answer(delivery.command, status, delivery.sequence)
        self._held -= len(deliveries)
        self._acknowledged += len(deliveries)
        return self._acknowledged

    def unbind(self, now: float) -> None:
        """Say goodbye; the session ends when the SMSC answers, or does not in time."""
        if self.ended:
            return
        if not self.bound:
            self._end("stopped")
            return
        sequence = self._request(Command.UNBIND, None, now + self._timing.unbind)
        self.bound = False
        self.outgoing += write_pdu(Command.UNBIND, 0, sequence)

    def receive(self, data: bytes, now: float) -> None:
        """Take in what came over the connection."""
        if self.ended:
            return
        try:
            for pdu in self._frames.feed(data):
                if self.ended:
                    return
                self._heard_at = now
                self._take(pdu)
        except PduLengthError as fault:
            self._counts["wrong-length"] += 1
            self.outgoing += write_pdu(Command.GENERIC_NACK, fault.status, 0)
            self._end(f"the SMSC sent {fault}")
        self._tell()

    def _tell(self) -> None:
        """Make events of what came of submissions and deliveries since."""
        if self._outcomes:
            self.events.append(Outcomes(self._outcomes))
            self._outcomes = []
        if self._delivered:
            self.events.append(Delivered(self._delivered))
            self._delivered = []

    def lost(self, reason: str) -> None:
        """Note that the connection is gone."""
        self._end(reason)

    def tick(self, now: float) -> None:
        """Do what is due by time."""
        if self.ended:
            return
        for sequence, request in list(self._requests.items()):
            if request[2] <= now and not self.ended:
                self._overdue(sequence, request)
        self._tell()
        if self.bound and self._enquiry is None and self._heard_at + self._timing.quiet <= now:
            self._enquiry = self._request(Command.ENQUIRE_LINK, None, now + self._timing.enquire)
            self.outgoing += write_pdu(Command.ENQUIRE_LINK, 0, self._enquiry)

    def _overdue(self, sequence: int, request: _Request) -> None:
        command, token, _, _ = request
        if command == Command.SUBMIT_SM:
            del self._requests[sequence]
            self.under_way -= 1
            self._counts["unanswered"] += 1
            self._outcomes.append(Unanswered(token, "the SMSC did not answer"))
        elif command == Command.UNBIND:
            self._end("stopped")
        else:
            self._counts["silence"] += 1
            self._end("the SMSC does not answer")

    def _take(self, pdu: Pdu) -> None:
        if not self.welcome:
            self._before_bind += 1
        if self._before_bind > MOST_BEFORE_BIND:
            self._counts["too-early"] += 1
            self._end("the SMSC says too much before it takes the bind")
        elif pdu.command >= RESPONSE:
            self._take_answer(pdu)
        elif pdu.command in _DELIVERIES:
            self._take_delivery(pdu)
        elif pdu.command == Command.ENQUIRE_LINK:
            self._answer(pdu)
        elif pdu.command == Command.UNBIND:
            self._answer(pdu)
            self._end("the SMSC ended the session")
        elif pdu.command == Command.ALERT_NOTIFICATION:
            self._take_alert(pdu)
        elif pdu.command == Command.OUTBIND:
            self._counts["outbind"] += 1
        else:
            self._counts["unknown-command"] += 1
            self.outgoing += write_pdu(Command.GENERIC_NACK, Status.RINVCMDID, pdu.sequence)

    def _take_answer(self, pdu: Pdu) -> None:
        command, status, sequence, body = pdu
        request = self._requests.get(sequence)
        if request is None:
            self._counts["answer-to-nothing"] += 1
            return
        asked, token, _, acknowledged = request
        if command != asked | RESPONSE:
            if command != Command.GENERIC_NACK:
                self._counts["answer-to-another"] += 1
                return
            self._counts["nack"] += 1
            status = status or Status.RUNKNOWNERR
        del self._requests[sequence]
        if acknowledged > self._heard:
            self._heard = acknowledged
            self.events.append(Heard(acknowledged))
        if asked == Command.SUBMIT_SM:
            self.under_way -= 1
            message_id = "" if status else self._message_id(body)
            self._outcomes.append(Answered(token, status, message_id))
        elif asked == Command.UNBIND:
            self._end("stopped")
        elif asked == Command.ENQUIRE_LINK:
            self._enquiry = None
        else:
            self._take_bind_answer(status, body)

    def _message_id(self, body: bytes) -> str:
        try:
            return read_message_id(body)
        except PduError:
            self._counts["unreadable"] += 1
            return ""

    def _take_bind_answer(self, status: int, body: bytes) -> None:
        if status != Status.ROK:
            self._end(f"the SMSC refuses the bind: {name_of(status)}", status)
            return
        try:
            answer = read_bind_answer(body)
        except PduError:
            self._counts["unreadable"] += 1
            answer = BindAnswer("", 0)
        self.bound = self.welcome = True
        self.events.append(Bound(answer))

    def _take_delivery(self, pdu: Pdu) -> None:
        if not self.bound or not self._receives:
            self._refuse(pdu, "delivery-out-of-turn", Status.RINVBNDSTS)
        elif self._held >= MOST_HELD:
            self._refuse(pdu, "too-many-deliveries", Status.RMSGQFUL)
        elif len(pdu.body) > MOST_OCTETS:
            self._refuse(pdu, "too-long", Status.RX_P_APPN)
        else:
            try:
                self._delivered.append(read_delivery(pdu))
            except PduError:
                self._refuse(pdu, "unreadable", Status.RX_P_APPN)
            else:
                self._held += 1

    def _refuse(self, delivery: Pdu, count: str, status: Status) -> None:
        self._counts[count] += 1
        self.outgoing += write_delivery_answer(delivery.command, status, delivery.sequence)

    def _take_alert(self, pdu: Pdu) -> None:
        try:
            read_alert(pdu.body)
        except PduError:
            self._counts["unreadable"] += 1
        else:
            self._counts["alerts"] += 1

    def _answer(self, pdu: Pdu) -> None:
        self.outgoing += write_pdu(pdu.command | RESPONSE, Status.ROK, pdu.sequence)

    def _request(self, command: int, token: Any, due: float) -> int:
        """Note a request under the next sequence that is free; return that."""
        sequence = self._sequence % HIGHEST_SEQUENCE + 1
        while sequence in self._requests:
            sequence = sequence % HIGHEST_SEQUENCE + 1
        self._sequence = sequence
        self._requests[sequence] = command, token, due, self._acknowledged
        return sequence

    def _end(self, reason: str, refusal: int | None = None) -> None:
        if self.ended:
            return
        self.ended, self.bound = True, False
        self._tell()
        self.events.append(Ended(reason, refusal))
        requests, self._requests, self.under_way = self._requests, {}, 0
        self._outcomes = [
            Unanswered(token, f"{reason}, before its answer")
            for command, token, _, _ in requests.values()
            if command == Command.SUBMIT_SM
        ]
        self._tell()

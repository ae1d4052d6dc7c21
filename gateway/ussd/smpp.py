"""USSD by SMPP: deliver_sm bring what was typed, submit_sm the screens, with `ussd_service_op`."""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from dtns.gateway import gsm7
from dtns.gateway.smpp.content import read_text
from dtns.gateway.smpp.errors import PduError
from dtns.gateway.smpp.events import Answered
from dtns.gateway.smpp.messages import Submission, number_of
from dtns.gateway.smpp.pdu import Tag, first, whole
from dtns.gateway.smpp.status import Status
from dtns.gateway.ussd.dialects import SERVICE_TYPE, Numbering
from dtns.gateway.ussd.seam import Turn
from dtns.gateway.ussd.sessions import SESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtns.gateway.smpp.events import Unanswered
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.smsc import Smsc
    from dtns.gateway.ussd.dialects import Dialect
    from dtns.gateway.ussd.seam import Screen
    from dtns.gateway.ussd.sessions import Sessions

TRY_AGAIN_SECONDS: Final = 0.1
TRIES: Final = 50
"""A screen that no window has room for is tried again, for 5 seconds."""
MOST_WAITING: Final = 500
"""Screens that wait for room; further ones are dropped, and their sessions time out."""
_UCS2: Final = 8
_END: Final = 1
_CODE: Final = re.compile(r"\*[0-9*]+#")


class SmppUssd:
    """Serves USSD sessions of one SMSC, in its dialect.

    *code* is what callers dial; what they dial beyond it is typed ahead. *count* counts by name
    what is out of the ordinary.
    """

    def __init__(
        self,
        dialect: Dialect,
        code: str,
        sessions: Sessions,
        *,
        reactor: Any,
        count: Callable[[str], None],
    ) -> None:
        self._dialect = dialect
        self._code = code.removesuffix("#")
        self._sessions = sessions
        self._reactor = reactor
        self._count = count
        self._serials = itertools.count(1)
        self._waiting = 0
        self._open: OrderedDict[tuple[str, int], str] = OrderedDict()

    def take(self, smsc: Smsc, delivery: Delivery, acknowledge: Callable[[Status], object]) -> None:
        """Take a deliver_sm that is USSD: acknowledge it, and submit the screen that follows.

        One that says nothing of this dialect is refused for good and counted; a notice that the
        session has ended changes nothing.
        """
        turn = self._turn(delivery)
        if turn is None:
            ended = self._is_end(delivery)
            self._count("ussd-ended" if ended else "ussd-bad-request")
            acknowledge(Status.ROK if ended else Status.RX_P_APPN)
            return
        acknowledge(Status.ROK)
        self._sessions.turn(turn).addCallback(self._show, smsc, delivery)

    def _turn(self, delivery: Delivery) -> Turn | None:
        dialect, operation = self._dialect, whole(delivery.tlvs, Tag.USSD_SERVICE_OP)
        number = self._number(delivery)
        if number is None or self._is_end(delivery):
            return None
        text, caller = read_text(delivery.content, delivery.data_coding), number_of(delivery.source)
        opens = operation == dialect.opens
        if dialect.opens == dialect.goes_on:
            opens = opens and _CODE.fullmatch(text) is not None
        if not opens and operation != dialect.goes_on:
            return None
        key, mark = (caller, number), self._mark(delivery, text)
        if opens and self._sessions.mark(self._open.get(key, "")) != mark:
            self._open[key] = f"smpp-{next(self._serials)}"
            if len(self._open) > SESSIONS:
                self._open.popitem(last=False)
        typed = self._typed_ahead(text) if opens else (text,)
        return Turn(self._open.get(key, ""), caller, mark, typed, opens)

    def _typed_ahead(self, dialled: str) -> tuple[str, ...]:
        if not dialled.startswith(f"{self._code}*"):
            return ()
        ahead = dialled.removesuffix("#").removeprefix(self._code)
        return tuple(part for part in ahead.split("*") if part)

    def _number(self, delivery: Delivery) -> int | None:
        """Return the session's number; None where the dialect wants one and there is none."""
        match self._dialect.numbering:
            case Numbering.ITS_SESSION_INFO:
                info = first(delivery.tlvs, Tag.ITS_SESSION_INFO)
                return info[0] if info is not None and len(info) == 2 else None  # noqa: PLR2004 (its octets)
            case Numbering.USER_MESSAGE_REFERENCE:
                return whole(delivery.tlvs, Tag.USER_MESSAGE_REFERENCE)
        return 0

    def _mark(self, delivery: Delivery, text: str) -> str:
        """Return what tells this turn from the others: a sequence number where there is one."""
        info = first(delivery.tlvs, Tag.ITS_SESSION_INFO)
        if self._dialect.numbering is Numbering.ITS_SESSION_INFO and info is not None:
            return f"{info[1] >> 1}:{text}"
        return f"turn {next(self._serials)}"

    def _is_end(self, delivery: Delivery) -> bool:
        info = first(delivery.tlvs, Tag.ITS_SESSION_INFO)
        its = self._dialect.numbering is Numbering.ITS_SESSION_INFO
        return its and info is not None and bool(info[-1:] and info[-1] & _END)

    def _show(self, screen: Screen, smsc: Smsc, delivery: Delivery, tries: int = TRIES) -> None:
        try:
            passed = smsc.pass_on(self._submission(screen, delivery))
        except PduError:
            self._count("ussd-not-sent")
            return
        if passed is not None:
            passed.addCallback(self._passed)
        elif tries > 1 and self._waiting < MOST_WAITING:
            self._waiting += 1
            self._reactor.callLater(
                TRY_AGAIN_SECONDS, self._try_again, screen, smsc, delivery, tries - 1
            )
        else:
            self._count("ussd-not-sent")

    def _try_again(self, screen: Screen, smsc: Smsc, delivery: Delivery, tries: int) -> None:
        self._waiting -= 1
        self._show(screen, smsc, delivery, tries)

    def _passed(self, outcome: Answered | Unanswered) -> None:
        if not isinstance(outcome, Answered) or outcome.status != Status.ROK:
            self._count("ussd-not-taken")

    def _submission(self, screen: Screen, delivery: Delivery) -> Submission:
        narrow = gsm7.septets(screen.text) is not None
        operation = self._dialect.last if screen.ends else self._dialect.more
        return Submission(
            delivery.destination,
            delivery.source,
            gsm7.encode(screen.text) if narrow else screen.text.encode("utf-16-be", "replace"),
            data_coding=0 if narrow else _UCS2,
            registered_delivery=0,
            service_type=SERVICE_TYPE,
            tlvs=(
                (Tag.USSD_SERVICE_OP, bytes([operation])),
                *self._numbered(delivery, ends=screen.ends),
            ),
        )

    def _numbered(self, delivery: Delivery, *, ends: bool) -> tuple[tuple[int, bytes], ...]:
        """Return the session's number as it came, with the end bit where that is there."""
        match self._dialect.numbering:
            case Numbering.ITS_SESSION_INFO:
                number, sequence = first(delivery.tlvs, Tag.ITS_SESSION_INFO) or b"\0\0"
                marked = sequence | _END if ends else sequence
                return ((Tag.ITS_SESSION_INFO, bytes((number, marked))),)
            case Numbering.USER_MESSAGE_REFERENCE:
                reference = first(delivery.tlvs, Tag.USER_MESSAGE_REFERENCE) or b"\0\0"
                return ((Tag.USER_MESSAGE_REFERENCE, reference),)
        return ()

"""Pages that only show: how Sam is, parties, exchanges, what operators did."""

from __future__ import annotations

import re
from typing import Any, Final

from klein import Klein

from dtns.sam.console.operator.charts import Moment, stacked, timeline
from dtns.sam.console.operator.desk import Desk, Problem, fields_of, go
from dtns.sam.console.operator.minutes import ANSWERS, ASKS, DELIVERED
from dtns.sam.errors import NumberError
from dtns.sam.protocol.numbers import Number, parse_number
from dtns.sam.service.requests import (
    GetVitals,
    IssueRecord,
    ListGateways,
    ListIssues,
    ListParties,
    ShowIssue,
    ShowParty,
)

_RECENT: Final = 8
_PAGE: Final = 50
_BEGINNING: Final = re.compile(r"\+([1-9][0-9]{0,5}|[1-9][0-9]{0,13}(?=\*))\*?", re.ASCII)
"""What a number begins with: too few digits for one, or digits and a star."""
MAX_ID: Final = 1 << 62
TONES: Final = {"delivered": "good", "failed": "bad", "expired": "bad", "retrying": "warn"}


def add_views(app: Klein, desk: Desk) -> None:
    """Add the pages that only show."""

    @app.route("/", methods=["GET"])
    def overview(request: Any) -> str:
        session = desk.session(request)
        return desk.page(
            request,
            session,
            "overview.html",
            vitals=desk.ask(GetVitals()),
            gateways=desk.ask(ListGateways()).gateways,
            recent=desk.ask(ListIssues(limit=_RECENT)).issues,
            asks=stacked(desk.minutes.series(ASKS)),
            answers=stacked(desk.minutes.series(ANSWERS), *desk.minutes.series(DELIVERED)),
            tones=TONES,
        )

    @app.route("/parties", methods=["GET"])
    def parties(request: Any) -> str:
        session, fields = desk.session(request), fields_of(request)
        after = desk.number(fields["after"]) if fields.get("after") else None
        start = fields.get("start", "")
        pattern = f"{desk.number(start)}*" if start else "*"
        page = desk.ask(ListParties(pattern, after, _PAGE))
        return desk.page(
            request, session, "parties.html", page=page, first=after is None, start=start
        )

    @app.route("/search", methods=["POST"])
    def search(request: Any) -> bytes:
        _, fields = desk.form(request)
        number = fields.get("number", "")
        if beginning := _BEGINNING.fullmatch(number.replace(" ", "")):
            return go(request, f"/parties?start={desk.cloak.seal(Number(beginning[1]))}")
        return go(request, f"/parties/{desk.cloak.seal(_sought(number))}")

    @app.route("/parties/<reference>", methods=["GET"])
    def party(request: Any, reference: str) -> str:
        desk.session(request)
        return show_party(desk, request, desk.number(reference), full=False)

    @app.route("/issues/<int:issue>", methods=["GET"])
    def exchange(request: Any, issue: int) -> str:
        session = desk.session(request)
        if not 0 < issue < MAX_ID:
            raise Problem(404, "No such exchange", "Its number is out of range.")
        record = desk.ask(ShowIssue(issue))
        return desk.page(
            request,
            session,
            "exchange.html",
            record=record,
            moments=timeline(moments_of(record)),
            tones=TONES,
            retriable=_is_retriable(record),
        )

    @app.route("/deeds", methods=["GET"])
    def deeds(request: Any) -> str:
        session = desk.session(request)
        return desk.page(request, session, "deeds.html", deeds=desk.deeds.latest())


def show_party(desk: Desk, request: Any, number: Number, *, full: bool) -> str:
    """Return the page of a party, its number masked unless *full*."""
    session = desk.session(request)
    return desk.page(
        request,
        session,
        "party.html",
        details=desk.ask(ShowParty(number)),
        number=desk.shown(number, full=full),
        page=desk.ask(ListIssues(party=number, limit=20)),
        tones=TONES,
    )


def moments_of(record: IssueRecord) -> list[Moment]:
    """Return what happened in an exchange, as far as the store tells."""
    outcome = "a key was issued" if record.key else f"refused: {record.reason}"
    moments = [
        Moment(
            record.decided_at,
            f"Ask decided on: {outcome}",
            f"came by {record.carrier}",
            "good" if record.key else "warn",
        )
    ]
    for place, sending in enumerate(record.deliveries, start=1):
        copy = "Answer" if place == 1 else f"Answer, copy {place},"
        tries = f"{sending.attempts} attempt{'s' * (sending.attempts != 1)}"
        moments.append(
            Moment(sending.queued_at, f"{copy} queued", f"for {sending.carrier}", "idle")
        )
        if sending.settled_at is not None:
            detail = ", ".join(filter(None, (tries, sending.reason)))
            tone = TONES.get(sending.state, "idle")
            moments.append(Moment(sending.settled_at, f"{copy} {sending.state}", detail, tone))
    return moments


def _is_retriable(record: IssueRecord) -> bool:
    return bool(record.deliveries) and record.deliveries[-1].state in {
        *("retrying", "failed", "expired"),
    }


def _sought(text: str) -> Number:
    try:
        return parse_number(text)
    except NumberError as fault:
        raise Problem(400, "That is no number", f"{fault}.") from None

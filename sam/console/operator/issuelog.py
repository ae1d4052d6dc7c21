"""The log of decisions, filtered, as a page and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from attrs import evolve, frozen
from klein import Klein

from dtns.sam.cells import safe_cell
from dtns.sam.console.operator.deeds import Deed
from dtns.sam.console.operator.desk import Desk, Problem, fields_of, go
from dtns.sam.console.operator.streaming import Stream
from dtns.sam.console.operator.views import MAX_ID, TONES
from dtns.sam.errors import NumberError
from dtns.sam.protocol.numbers import Number, masked, parse_number
from dtns.sam.service.requests import MAX_BATCH, IssueRecord, ListIssues

_PAGE: Final = 50
MOST_ROWS: Final = 100_000
_COLUMNS: Final = (
    *("id", "decided_at", "asker", "asker_generation", "holder", "outcome", "reason", "epoch"),
    *("n", "limit_class", "expires_at", "carrier", "repeats", "answer", "attempts", "settled_at"),
)
_OUTCOMES: Final = {"": None, "issued": True, "refused": False}


@frozen
class Filter:
    """What a reader of the log looks for, as in the page's address; a party's number is sealed."""

    outcome: str = ""
    since: str = ""
    until: str = ""
    party: str = ""
    before: str = ""

    @classmethod
    def of(cls, fields: dict[str, str]) -> Filter:
        """Return the filter that an address names."""
        return cls(**{name: fields.get(name, "")[:100] for name in cls.names()})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of its fields."""
        return ("outcome", "since", "until", "party", "before")

    def address(self, path: str, before: int | None = None) -> str:
        """Return the address of a page with this filter, from an id on."""
        fields = {name: getattr(self, name) for name in self.names() if name != "before"}
        if before is not None:
            fields["before"] = str(before)
        query = urlencode({name: value for name, value in fields.items() if value})
        return f"{path}?{query}" if query else path

    def request(self, desk: Desk, limit: int) -> ListIssues:
        """Return what Sam is asked; raises Problem where a field is none that can be."""
        if self.outcome not in _OUTCOMES:
            raise Problem(400, "No such outcome", "An outcome is issued or refused.")
        until = _day(self.until)
        return ListIssues(
            party=desk.number(self.party) if self.party else None,
            before=_place(self.before),
            limit=limit,
            granted=_OUTCOMES[self.outcome],
            since=None if (since := _day(self.since)) is None else since.timestamp(),
            until=None if until is None else (until + timedelta(days=1)).timestamp(),
        )


def add_issue_log(app: Klein, desk: Desk) -> None:
    """Add the log of decisions and its export."""

    @app.route("/issues", methods=["GET"])
    def issues(request: Any) -> str:
        session, sought = desk.session(request), Filter.of(fields_of(request))
        page = desk.ask(sought.request(desk, _PAGE))
        party = desk.shown(desk.number(sought.party)) if sought.party else None
        return desk.page(
            request, session, "issues.html", page=page, sought=sought, party=party, tones=TONES
        )

    @app.route("/issues", methods=["POST"])
    def filtered(request: Any) -> bytes:
        _, fields = desk.form(request)
        sought, number = Filter.of(fields), fields.get("number", "")
        if number:
            sought = evolve(sought, party=desk.cloak.seal(_sought(number)))
        return go(request, sought.address("/issues"))

    @app.route("/issues.csv", methods=["GET"])
    async def masked_csv(request: Any) -> bytes:
        desk.session(request)
        await _write(desk, request, Filter.of(fields_of(request)), masked)
        return b""

    @app.route("/issues.csv", methods=["POST"])
    async def full_csv(request: Any) -> bytes:
        session, fields = desk.form(request)
        desk.operating(session)
        sought = Filter.of(fields)
        what = sought.address("log").partition("?")[2] or "everything"
        deed = Deed(desk.sam.clock(), session.token.name, "export with numbers", what)
        with desk.deeds.doing(deed) as outcome:
            whole = await _write(desk, request, sought, lambda number: f"+{number}")
            outcome.append("done" if whole else "broken off")
        return b""


async def _write(desk: Desk, request: Any, sought: Filter, show: Any) -> bool:
    """Write the log as CSV, a page of Sam's at a time; tell whether the browser took it all."""
    wanted = sought.request(desk, MAX_BATCH)
    request.setHeader("Content-Type", "text/csv; charset=utf-8")
    request.setHeader("Content-Disposition", 'attachment; filename="issues.csv"')
    return await Stream(request, _pages(desk, wanted, show), desk.sam.reactor).run()


def _pages(desk: Desk, wanted: ListIssues, show: Any) -> Iterator[bytes]:
    yield _lines([_COLUMNS])
    written = 0
    while written < MOST_ROWS:
        page = desk.ask(wanted)
        yield _lines(_row(issue, show) for issue in page.issues)
        written += len(page.issues)
        if page.next is None:
            return
        wanted = evolve(wanted, before=page.next)


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _row(issue: IssueRecord, show: Any) -> Iterator[Any]:
    key = issue.key
    last = issue.deliveries[-1] if issue.deliveries else None
    yield from (issue.id, _iso(issue.decided_at), show(issue.asker), issue.asker_generation)
    yield from (show(issue.holder), "issued" if key else "refused", issue.reason)
    yield from (key and key.epoch, key and key.n, key and key.limit)
    yield from (_iso(key.expires_at if key else None), issue.carrier, issue.repeats)
    yield from (last and last.state, last and last.attempts)
    yield _iso(last.settled_at if last else None)


def _iso(time: float | None) -> str | None:
    return None if time is None else datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Problem(400, "That is no day", "Write days as in 2026-03-31.") from None


def _place(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and 0 < int(text) < MAX_ID:
        return int(text)
    raise Problem(400, "No such place in the log", "Begin at its end.")


def _sought(text: str) -> Number:
    try:
        return parse_number(text)
    except NumberError as fault:
        raise Problem(400, "That is no number", f"{fault}.") from None

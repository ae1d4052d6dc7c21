"""What all pages of the console share: who asks, how Sam is asked, how a page is made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from attrs import define, field, frozen
from markupsafe import Markup

from dtns.sam.console.operator.charts import span
from dtns.sam.console.operator.cloak import Cloak
from dtns.sam.console.operator.deeds import Deeds
from dtns.sam.console.operator.minutes import Minutes
from dtns.sam.console.operator.sessions import Session, Sessions
from dtns.sam.console.operator.tokens import TokenFile
from dtns.sam.console.rendering import render
from dtns.sam.protocol.numbers import Number, masked
from dtns.sam.service.beside import RunningSam
from dtns.sam.service.requests import Refusal, Request

_R = TypeVar("_R")

BACKGROUND: Final = "x-refresh"
"""The header by which a page that renews itself says that nobody touched it."""


class Problem(Exception):  # noqa: N818 (expected bad news, for a page of its own)
    """What was asked for cannot be shown or done; a page says why."""

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text


class LoginWanted(Exception):  # noqa: N818 (the same)
    """Nobody has logged in with this browser."""


@frozen
class Shown:
    """A party's number as pages show it: sealed in addresses, masked in text unless *full*."""

    number: Number
    reference: str
    full: bool = False

    def __html__(self) -> Markup:
        if self.full:
            return Markup('<span class="digits">+{}</span>').format(self.number)
        return Markup('<span class="digits masked">{}</span>').format(masked(self.number))


@define
class Desk:
    """The console's parts. cookie is the name of its cookie, secure whether it needs HTTPS."""

    sam: RunningSam
    tokens: TokenFile
    sessions: Sessions
    deeds: Deeds
    minutes: Minutes
    cookie: str
    secure: bool = False
    cloak: Cloak = field(factory=Cloak)

    def cookie_of(self, request: Any) -> str:
        """Return the cookie that came with a request, '' if none did."""
        return (request.getCookie(self.cookie.encode()) or b"").decode("ascii", "replace")

    def session(self, request: Any) -> Session:
        """Return whose browser asks; raises LoginWanted if nobody's."""
        cookie = self.cookie_of(request)
        session = self.sessions.find(cookie, touch=request.getHeader(BACKGROUND) is None)
        if session is None:
            raise LoginWanted
        if not self.tokens.holds(session.token, self.sam.clock()):
            self.sessions.end(cookie)
            raise LoginWanted
        return session

    def form(self, request: Any) -> tuple[Session, dict[str, str]]:
        """Return whose form was sent and its fields; raises Problem if no page of ours made it."""
        session, fields = self.session(request), fields_of(request)
        if not session.is_own_form(fields.get("form", "")):
            raise Problem(
                403,
                "This form is out of date",
                "Go back, load the page again and send it once more.",
            )
        return session, fields

    def operating(self, session: Session) -> None:
        """Raise Problem if the session may only look."""
        if session.token.read_only:
            raise Problem(
                403,
                "You may only look",
                f"The token “{session.token.name}” was made with --read-only.",
            )

    def ask(self, request: Request[_R]) -> _R:
        """Return the result of a request; raises Problem with Sam's reason if it is refused."""
        result = self.sam.administration.answer(request)
        if isinstance(result, Refusal):
            raise Problem(409, "Sam refuses", plain(result.reason))
        return result

    def shown(self, number: Number, *, full: bool = False) -> Shown:
        """Return a number as pages show it."""
        return Shown(number, self.cloak.seal(number), full)

    def number(self, reference: str) -> Number:
        """Return the number that an address refers to; raises Problem if it is none."""
        number = self.cloak.open(reference)
        if number is None:
            raise Problem(
                404,
                "This address has ended",
                "It was made before Sam last started, or cut short. Search for the party again.",
            )
        return number

    def page(self, request: Any, session: Session, template: str, **values: Any) -> str:
        """Return a page for a session; what there is to tell it is told once."""
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        news, session.news = session.news, ""
        return render(
            template,
            news=news,
            session=session,
            here=request.path.decode("ascii", "replace"),
            now=self.sam.clock(),
            when=when,
            span=span,
            shown=self.shown,
            phones=self.sam.config.console.simulator,
            **values,
        )


def fields_of(request: Any) -> dict[str, str]:
    """Return a request's fields, of each the first value, as text."""
    return {
        name.decode("utf-8", "replace"): values[0].decode("utf-8", "replace").strip()
        for name, values in request.args.items()
    }


def go(request: Any, address: str) -> bytes:
    """Send the browser to another page of ours."""
    request.setResponseCode(303)
    request.setHeader("Location", address)
    return b""


def when(time: float | None) -> Markup:
    """Return a POSIX time as pages show it, in UTC."""
    if time is None:
        return Markup("never")
    moment = datetime.fromtimestamp(time, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), moment.strftime("%Y-%m-%d %H:%M:%S")
    )


def plain(reason: str) -> str:
    """Return Sam's reason as a sentence, without the marks of commands."""
    text = reason.replace("`", "")
    return f"{text[:1].upper()}{text[1:]}."

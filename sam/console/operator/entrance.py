"""Logging in and out."""

from __future__ import annotations

import math
from typing import Any, Final

from klein import Klein
from twisted.logger import Logger

from dtns.sam.console.operator.desk import Desk, fields_of, go
from dtns.sam.console.rendering import render

_log: Final = Logger()
_WRONG: Final = (
    "That is no token, or one that has expired or was revoked. The command dtns console token"
    " makes a new one."
)


def add_entrance(app: Klein, desk: Desk) -> None:
    """Add the pages at which sessions begin and end."""

    @app.route("/login", methods=["GET"])
    def login(request: Any) -> str:
        return _page(request, "")

    @app.route("/login", methods=["POST"])
    def enter(request: Any) -> Any:
        wait = desk.sessions.wait()
        if wait > 0:
            request.setResponseCode(429)
            request.setHeader("Retry-After", str(math.ceil(wait)))
            return _page(request, f"Too many wrong tokens: wait {math.ceil(wait)} seconds.")
        token = desk.tokens.find(fields_of(request).get("token", ""), desk.sam.clock())
        if token is None:
            desk.sessions.note_failure()
            _log.warn("a wrong token at the console", event="console-login-failed")
            request.setResponseCode(403)
            return _page(request, _WRONG)
        cookie = desk.sessions.begin(token)
        _log.info("{name} logged in at the console", event="console-login", name=token.name)
        request.addCookie(
            desk.cookie, cookie, path="/", httpOnly=True, sameSite="strict", secure=desk.secure
        )
        return go(request, "/")

    @app.route("/logout", methods=["POST"])
    def leave(request: Any) -> bytes:
        desk.form(request)
        desk.sessions.end(desk.cookie_of(request))
        request.addCookie(desk.cookie, "", path="/", max_age="0", httpOnly=True, sameSite="strict")
        return go(request, "/login")


def _page(request: Any, fault: str) -> str:
    request.setHeader("Content-Type", "text/html; charset=utf-8")
    return render("login.html", fault=fault)

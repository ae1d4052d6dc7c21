"""The console beside a running Sam: its pages put together, and what happens when one fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from klein import Klein
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException

from dtns.gateway.loopback.address import TcpAddress, parse_address
from dtns.sam.console.assets import Assets
from dtns.sam.console.operator.actions import add_actions
from dtns.sam.console.operator.deeds import Deeds
from dtns.sam.console.operator.desk import BACKGROUND, Desk, LoginWanted, Problem, go
from dtns.sam.console.operator.entrance import add_entrance
from dtns.sam.console.operator.issuelog import add_issue_log
from dtns.sam.console.operator.minutes import Minutes
from dtns.sam.console.operator.sessions import Sessions
from dtns.sam.console.operator.tokens import TokenFile
from dtns.sam.console.operator.training import Training
from dtns.sam.console.operator.views import add_views
from dtns.sam.console.rendering import render
from dtns.sam.console.site import GuardedSite, WebServer, host_name, url_of
from dtns.sam.errors import SamError
from dtns.sam.service.beside import RunningSam

_log: Final = Logger()


class Console:
    """`[console]`: serves the operator's pages."""

    _training: Training | None = None

    async def start(self, sam: RunningSam) -> Mapping[str, Any]:
        """Listen; GatewayError where that cannot be."""
        address, url = parse_address(sam.config.console_endpoint), sam.config.console.url
        place = address.port if isinstance(address, TcpAddress) else "unix"
        self._minutes = Minutes(sam.counters, sam.clock, sam.reactor, sam.config.folder)
        desk = Desk(
            sam=sam,
            tokens=TokenFile(sam.config.folder),
            sessions=Sessions(sam.reactor.seconds),
            deeds=Deeds(sam.config.folder),
            minutes=self._minutes,
            cookie=f"dtns-{place}",
            secure=url.startswith("https:"),
        )
        hosts = [host_name(url.partition("//")[2])] if url else []
        app = console_app(desk)
        if sam.config.console.simulator:
            self._training = Training(desk)
            self._training.add_to(app)
        self._server = WebServer(
            GuardedSite(app.resource(), sam.reactor, hosts), address, sam.reactor
        )
        listening = await self._server.start()
        self._minutes.start()
        return {"console": url or url_of(listening) or str(listening)}

    async def stop(self) -> None:
        """Stop listening, and take down the phones if there are any."""
        self._minutes.stop()
        await self._server.stop()
        if self._training is not None:
            await self._training.stop()


def console_app(desk: Desk) -> Klein:
    """Return all pages of the console but the two phones."""
    app = Klein()

    @app.route("/static/", branch=True)
    def static(_request: Any) -> Assets:
        return Assets()

    add_entrance(app, desk)
    add_views(app, desk)
    add_actions(app, desk)
    add_issue_log(app, desk)

    @app.handle_errors(LoginWanted)
    def login(request: Any, failure: Failure) -> bytes:
        del failure
        if request.getHeader(BACKGROUND) is not None:
            request.setResponseCode(401)
            return b""
        return go(request, "/login")

    @app.handle_errors(Problem)
    def problem(request: Any, failure: Failure) -> str:
        fault: Any = failure.value
        return _problem(request, fault.status, fault.title, fault.text)

    @app.handle_errors(HTTPException)
    def strange(request: Any, failure: Failure) -> str:
        status = getattr(failure.value, "code", None) or 404
        if status in {301, 302, 307, 308}:
            status = 404
        return _problem(request, status, "There is no such page", "Begin at the overview.")

    @app.handle_errors(SamError)
    def unusable(request: Any, failure: Failure) -> str:
        return _problem(request, 503, "Sam cannot do that now", f"{failure.value}.")

    @app.handle_errors(Exception)
    def fault(request: Any, failure: Failure) -> str:
        _log.failure("a page failed", failure=failure, event="fault")
        return _problem(request, 500, "This page has a fault", "Sam's log tells which.")

    return app


def _problem(request: Any, status: int, title: str, text: str) -> str:
    request.setResponseCode(status)
    request.setHeader("Content-Type", "text/html; charset=utf-8")
    return render("problem.html", title=title, text=text)

"""The two-phone page: it draws what a stage tells and passes on keys; nothing is computed here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.web.resource import IResource
from twisted.web.server import Request

from dtns.sam.console.assets import Assets
from dtns.sam.console.rendering import render
from dtns.sam.console.simulator_door import Door
from dtns.sam.console.simulator_stage import StageProcess
from dtns.sam.console.simulator_stream import Stream

MOST_STREAMS: Final = 8
ORDER_OCTETS: Final = 1024
ORDERS_A_SECOND: Final = 40.0
ORDERS_AT_ONCE: Final = 200
_RESTART_SECONDS: Final = 5.0
_JSON: Final = "application/json"
_BEARER: Final = "Bearer "


class TwoPhones:
    """The page, its orders and its events, for those whom *door* admits.

    With *home*, the address of other pages, the page itself is for those who may use it: it
    carries a link's token, and a way back. With *idle_seconds* the stage is taken down when nobody
    has looked for so long.

    refused counts what was turned away, by reason: link, session, type, order, flood, viewers;
    a site of its own adds what never came here.
    """

    def __init__(
        self,
        stage: StageProcess,
        door: Door,
        reactor: Any,
        *,
        home: str = "",
        idle_seconds: float | None = None,
    ) -> None:
        self._stage = stage
        self._door = door
        self._reactor = reactor
        self._allowance = Allowance(reactor.seconds)
        self._streams: set[Stream] = set()
        self._home = home
        self._idle_seconds = idle_seconds
        self._idle: IDelayedCall | None = None
        self._restarted_at = -_RESTART_SECONDS
        self.refused: Counter[str] = Counter()

    @property
    def resource(self) -> IResource:
        """The page and what belongs to it, to be mounted anywhere."""
        app: Any = Klein()
        for path, method, serve in (
            ("/", "GET", self._page),
            ("/open", "POST", self._open),
            ("/events", "GET", self._events),
            ("/order", "POST", self._order),
        ):
            app.route(path, methods=[method])(serve)
        found: IResource = app.resource()
        return found

    def close(self) -> None:
        """Hang up on all viewers."""
        for stream in list(self._streams):
            stream.close()
        self._awake()

    def _page(self, request: Request) -> str:
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        token = self._door.link() if self._home else ""
        return render("simulator.html", home=self._home or "/", token=token)

    def _open(self, request: Request) -> bytes:
        """Use up a link, for the key of a session."""
        told = self._read(request)
        if isinstance(told, bytes):
            return told
        token = told.get("token")
        session = self._door.open(token) if isinstance(token, str) else None
        if session is None:
            return self._refuse(request, 403, "link", "This link was used before, or has expired.")
        return _answer(request, {"session": session})

    def _events(self, request: Request) -> Any:
        if not self._is_admitted(request):
            return self._refuse(request, 401, "session", "Open the page by its link first.")
        if len(self._streams) >= MOST_STREAMS:
            return self._refuse(request, 429, "viewers", f"At most {MOST_STREAMS} can look on.")
        self._awake()
        self._stage.start()
        stream = Stream(request, self._reactor)
        self._streams.add(stream)
        stream.send(json.dumps({"past": True}))
        for text in self._stage.past():
            stream.send(text)
        stream.send(json.dumps({"past": False, "refused_so_far": self.refused.total()}))
        self._stage.watchers.add(stream.send)
        return stream.over.addCallback(lambda _: self._gone(stream))

    def _gone(self, stream: Stream) -> None:
        self._stage.watchers.discard(stream.send)
        self._streams.discard(stream)
        if not self._streams and self._idle_seconds is not None and self._idle is None:
            self._idle = self._reactor.callLater(self._idle_seconds, self._rest)

    def _awake(self) -> None:
        if self._idle is not None and self._idle.active():
            self._idle.cancel()
        self._idle = None

    def _rest(self) -> None:
        """Take the stage down: nobody looks on."""
        self._idle = None
        Deferred.fromCoroutine(self._stage.stop())

    def _order(self, request: Request) -> bytes | Deferred[bytes]:
        """Pass an order on, or start all over."""
        if not self._is_admitted(request):
            return self._refuse(request, 401, "session", "Open the page by its link first.")
        if not self._allowance.take():
            return self._refuse(request, 429, "flood", "Too many keys at once.")
        told = self._read(request)
        if isinstance(told, bytes):
            return told
        if told == {"restart": True}:
            return self._restart(request)
        if not self._stage.order(told):
            return self._refuse(request, 503, "order", "The phones are being switched on.")
        return _answer(request, {})

    def _restart(self, request: Request) -> bytes | Deferred[bytes]:
        now = self._reactor.seconds()
        if now - self._restarted_at < _RESTART_SECONDS:
            return self._refuse(request, 429, "flood", "It has only just been started anew.")
        self._restarted_at = now
        restart = Deferred.fromCoroutine(self._stage.restart())
        return restart.addCallback(lambda _: _answer(request, {}))

    def _is_admitted(self, request: Request) -> bool:
        told = request.getHeader("authorization") or ""
        return told.startswith(_BEARER) and self._door.admits(told.removeprefix(_BEARER))

    def _read(self, request: Request) -> dict[str, Any] | bytes:
        """Return the JSON object that was sent, or a refusal."""
        if (request.getHeader("content-type") or "").partition(";")[0].strip() != _JSON:
            return self._refuse(request, 415, "type", f"Send {_JSON}.")
        content: Any = request.content
        octets = content.read(ORDER_OCTETS + 1)
        if len(octets) > ORDER_OCTETS:
            return self._refuse(request, 413, "order", f"At most {ORDER_OCTETS} octets.")
        try:
            told = json.loads(octets)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            return self._refuse(request, 400, "order", "Send one JSON object.")
        return told

    def _refuse(self, request: Request, code: int, reason: str, message: str) -> bytes:
        self.refused[reason] += 1
        return _answer(request, {"refused": message}, code)


class Allowance:
    """So many orders a second, and so many at once; *seconds* is a steady clock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._left = float(ORDERS_AT_ONCE)
        self._at = seconds()

    def take(self) -> bool:
        """Use one up; False if none is left."""
        now = self._seconds()
        self._left = min(ORDERS_AT_ONCE, self._left + (now - self._at) * ORDERS_A_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def alone(two_phones: TwoPhones) -> IResource:
    """Return a site of the two-phone page and nothing else."""
    app: Any = Klein()

    @app.route("/static/", branch=True)  # type: ignore[untyped-decorator]
    def static(_: Request) -> IResource:
        return Assets()

    @app.route("/", branch=True)  # type: ignore[untyped-decorator]
    def page(_: Request) -> IResource:
        return two_phones.resource

    found: IResource = app.resource()
    return found


def _answer(request: Request, facts: Mapping[str, Any], code: int = 200) -> bytes:
    request.setResponseCode(code)
    request.setHeader("Content-Type", f"{_JSON}; charset=utf-8")
    return json.dumps(facts).encode()

"""USSD on the loopback network, sans-I/O: who serves which code, and the sessions under way.

Unlike messages, sessions wait for nobody: they end when a side goes, is silent or has no signal.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from dtns.gateway.gsm7 import septets
from dtns.gateway.loopback import operations as op
from dtns.gateway.ussd.pages import SCREEN_SEPTETS

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

ANSWER_SECONDS: Final = 10.0
"""For so long a network waits for a screen."""
SESSION_SECONDS: Final = 180.0
SESSIONS: Final = 1_000
CODES: Final = 100
_WIDEST: Final = 80

Outgoing = list[tuple["Hashable", op.FromNetwork]]


class _Session:
    def __init__(self, caller: Hashable, server: Hashable, number: str, ends_at: float) -> None:
        self.caller = caller
        self.server = server
        self.number = number
        self.turn = 0
        self.ends_at = ends_at
        self.answer_by: float | None = None


class Calls:
    """Sessions between lines that dial and lines that serve. *run* is as for the network."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._ids = itertools.count(1)
        self._servers: dict[str, Hashable] = {}
        self._sessions: dict[str, _Session] = {}

    def serves(self, line: Hashable) -> bool:
        """Tell whether *line* serves any code."""
        return line in self._servers.values()

    def dial(
        self, line: Hashable, request: op.Dial, now: float, *, own: bool, signal: bool
    ) -> Outgoing:
        """Open a session, if the caller's number is its own, there is signal, and somebody serves.

        A line has one session: another one ends it.
        """
        id_ = f"{self._run}-u{next(self._ids)}"
        server = self._server(request.code)
        if not own:
            return [(line, op.Hangup(id_, "the number is not attached to this connection"))]
        if not signal:
            return [(line, op.Hangup(id_, "no signal"))]
        if server is None:
            return [(line, op.Hangup(id_, "nobody serves this code"))]
        ended = self._end(
            [known for known, each in self._sessions.items() if each.caller == line], "dialled anew"
        )
        if len(self._sessions) >= SESSIONS:
            return [*ended, (line, op.Hangup(id_, "the network has no room for another session"))]
        session = _Session(line, server, request.number, now + SESSION_SECONDS)
        self._sessions[id_] = session
        return [*ended, self._asked(id_, session, request.code, now)]

    def receive(
        self, line: Hashable, operation: op.Serve | op.Show | op.Key | op.Hangup, now: float
    ) -> Outgoing:
        """Do what *line* says of a session, or of a code that it serves."""
        if isinstance(operation, op.Serve):
            return self._serve(line, operation.code)
        session = self._sessions.get(operation.session)
        if session is None or line not in {session.caller, session.server}:
            return [(line, op.Hangup(operation.session, "there is no such session"))]
        match operation:
            case op.Key() if session.caller == line and session.answer_by is None:
                return [self._asked(operation.session, session, operation.text, now)]
            case op.Show() if session.server == line:
                return self._shown(session, operation)
            case op.Hangup():
                return self._end([operation.session], operation.reason)
        return []

    def advance(self, now: float) -> Outgoing:
        """End what nobody answered, and what went on for too long."""
        late = [id_ for id_, session in self._sessions.items() if self._ends_at(session) <= now]
        return self._end(late, "the session timed out")

    def next_time(self) -> float | None:
        """Tell when `advance` may next have something to do."""
        return min(map(self._ends_at, self._sessions.values()), default=None)

    def lose_signal(self) -> Outgoing:
        """End all sessions."""
        return self._end(list(self._sessions), "no signal")

    def drop(self, line: Hashable) -> Outgoing:
        """Forget *line*, and end its sessions."""
        self._servers = {code: server for code, server in self._servers.items() if server != line}
        gone = [
            id_
            for id_, session in self._sessions.items()
            if line in {session.caller, session.server}
        ]
        return [each for each in self._end(gone, "the other side is gone") if each[0] != line]

    def _serve(self, line: Hashable, code: str) -> Outgoing:
        if code not in self._servers and len(self._servers) >= CODES:
            return [(line, op.Error("the network has no room for another code"))]
        self._servers[code] = line
        return [(line, op.Served(code))]

    def _server(self, dialled: str) -> Hashable | None:
        """Return who serves the longest code that *dialled* begins with."""
        served = [
            code
            for code in self._servers
            if dialled == code or dialled.startswith(code.removesuffix("#") + "*")
        ]
        return self._servers[max(served, key=len)] if served else None

    @staticmethod
    def _ends_at(session: _Session) -> float:
        return min(session.ends_at, session.answer_by or session.ends_at)

    @staticmethod
    def _asked(id_: str, session: _Session, text: str, now: float) -> tuple[Hashable, op.Ask]:
        session.turn += 1
        session.answer_by = now + ANSWER_SECONDS
        return session.server, op.Ask(id_, session.number, session.turn, text)

    def _shown(self, session: _Session, shown: op.Show) -> Outgoing:
        if session.answer_by is None or shown.turn != session.turn:
            return []
        if not _fits(shown.text):
            return self._end([shown.session], "the screen is longer than USSD has room for")
        session.answer_by = None
        if shown.ends:
            del self._sessions[shown.session]
        return [(session.caller, op.Show(shown.session, shown.text, shown.ends))]

    def _end(self, ids: list[str], reason: str) -> Outgoing:
        ended = [(id_, self._sessions.pop(id_)) for id_ in ids]
        return list(_hangups(ended, reason))


def _hangups(
    ended: list[tuple[str, _Session]], reason: str
) -> Iterator[tuple[Hashable, op.Hangup]]:
    for id_, session in ended:
        yield session.caller, op.Hangup(id_, reason)
        yield session.server, op.Hangup(id_, reason)


def _fits(text: str) -> bool:
    """Tell whether *text* fits one USSD string: 182 septets, or 80 characters of UTF-16."""
    narrow = septets(text)
    if narrow is not None:
        return narrow <= SCREEN_SEPTETS
    return len(text.encode("utf-16-be", "replace")) // 2 <= _WIDEST

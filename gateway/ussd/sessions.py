"""Sessions of one USSD carrier: repeats answered alike, pages turned, callers let in again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from dtns.gateway.ussd.pages import NEXT, SCREEN_CHARACTERS, pages
from dtns.gateway.ussd.seam import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from dtns.gateway.ussd.seam import Dialogue, Menu, Turn

PATIENCE_SECONDS: Final = 1.5
"""After so long a caller is told to wait, and the network has its answer."""
IDLE_SECONDS: Final = 300.0
"""For so long a session is remembered, to be answered alike and to be gone on with."""
SESSIONS: Final = 10_000
UNDER_WAY: Final = 500
TURNS_REMEMBERED: Final = 32
TYPED_CHARACTERS: Final = 200
TYPED_AHEAD: Final = 8


class _Session:
    """One conversation; a caller who dials again goes on with it under another id."""

    def __init__(self, id_: str, caller: str, dialogue: Dialogue) -> None:
        self.id = id_
        self.caller = caller
        self.dialogue = dialogue
        self.mark: str | None = None
        self.pages: list[Screen] = []
        """Those after the one that is shown."""
        self.told: dict[str, Screen] = {}
        """What was told to the network by the mark of the turn, to be told again to a repeat."""
        self.unseen: Screen | None = None
        """What came of the last turn after the caller had been told to wait."""
        self.running = False
        self.over = False
        self.waiting: list[Deferred[Screen]] = []
        self.alarm: IDelayedCall | None = None
        self.used_at = 0.0

    def tells(self, screen: Screen) -> Screen:
        """Remember a screen as the answer to the latest turn, and return it."""
        if self.mark is not None:
            self.told[self.mark] = screen
            if len(self.told) > TURNS_REMEMBERED:
                del self.told[next(iter(self.told))]
        return screen


class Sessions:
    """Brings turns to dialogues and screens back, within 1.5 seconds.

    *count* counts by name what is out of the ordinary; *reactor* gives the time; *characters* is
    how much one screen shows.
    """

    _log = Logger()

    def __init__(
        self,
        menu: Menu,
        *,
        reactor: Any,
        count: Callable[[str], None],
        characters: int = SCREEN_CHARACTERS,
        room: int = SESSIONS,
    ) -> None:
        self._menu = menu
        self._reactor = reactor
        self._count = count
        self._characters = characters
        self._room = room
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._by_caller: dict[str, _Session] = {}
        self._under_way = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def turn(self, turn: Turn) -> Deferred[Screen]:
        """Return a Deferred that fires with the screen for a turn; it never fails."""
        self._expire()
        session = self._sessions.get(turn.session)
        if session is None:
            return self._opened(turn)
        if session.caller != turn.caller:
            return self._refused("ussd-other-caller", self._menu.over)
        self._touch(session)
        if turn.mark in session.told:
            self._count("ussd-repeat")
            return _now(session.told[turn.mark])
        if turn.mark == session.mark:
            self._count("ussd-repeat")
            return self._wait(session)
        session.mark = turn.mark
        if session.over:
            self._count("ussd-over")
            return _now(session.tells(Screen(self._menu.over, ends=True)))
        return self._gone_on(session, turn.typed)

    def refuse(self, why: str) -> Deferred[Screen]:
        """Count by *why* a turn that belongs to no session, and tell its caller to dial again."""
        return self._refused(why, self._menu.over)

    def mark(self, session: str) -> str | None:
        """Return the mark of the latest turn of a session, None if there is no such session."""
        known = self._sessions.get(session)
        return None if known is None else known.mark

    def has_told(self, session: str, mark: str) -> bool:
        """Tell whether a turn of this mark was answered."""
        known = self._sessions.get(session)
        return known is not None and mark in known.told

    def _opened(self, turn: Turn) -> Deferred[Screen]:
        if not turn.begins:
            return self._refused("ussd-unknown-session", self._menu.over)
        before = self._by_caller.get(turn.caller)
        if before is not None and not before.over and not turn.typed:
            return self._resumed(before, turn)
        if self._under_way >= UNDER_WAY:
            return self._refused("ussd-busy", self._menu.busy)
        session = _Session(turn.session, turn.caller, self._menu.dialogue(turn.caller))
        session.mark = turn.mark
        self._sessions[session.id] = self._by_caller[session.caller] = session
        self._touch(session)
        self._make_room()
        if turn.typed:
            return self._gone_on(session, turn.typed)
        return _now(self._show(session, session.dialogue.opened()))

    def _resumed(self, session: _Session, turn: Turn) -> Deferred[Screen]:
        self._count("ussd-resumed")
        del self._sessions[session.id]
        session.id, session.mark = turn.session, turn.mark
        session.told = {}
        self._sessions[session.id] = session
        self._touch(session)
        if session.running or session.unseen is not None:
            return self._wait(session)
        return _now(self._show(session, session.dialogue.resumed()))

    def _gone_on(self, session: _Session, typed: tuple[str, ...]) -> Deferred[Screen]:
        """Do what was typed; what is still under way, or was not seen yet, comes first."""
        if session.running or session.unseen is not None:
            return self._wait(session)
        if session.pages and typed == (NEXT,):
            return _now(self._next_page(session))
        if self._under_way >= UNDER_WAY:
            self._count("ussd-busy")
            return _now(session.tells(Screen(self._menu.busy, ends=True)))
        session.running = True
        self._under_way += 1
        run = Deferred.fromCoroutine(self._take(session.dialogue, typed[:TYPED_AHEAD]))
        run.addErrback(self._failed).addCallback(self._taken, session)
        return self._wait(session)

    async def _take(self, dialogue: Dialogue, typed: tuple[str, ...]) -> Screen:
        screen = Screen(self._menu.busy, ends=True)
        for text in typed:
            screen = await dialogue.take(text.strip()[:TYPED_CHARACTERS])
            if screen.ends:
                break
        return screen

    def _failed(self, failure: Failure) -> Screen:
        self._count("ussd-faults")
        self._log.failure("a USSD session failed", failure=failure, event="fault")
        return Screen(self._menu.busy, ends=True)

    def _taken(self, screen: Screen, session: _Session) -> None:
        self._under_way -= 1
        session.running = False
        session.unseen = screen
        waiting, session.waiting = session.waiting, []
        if waiting:
            self._tell(waiting, self._seen(session))

    def _wait(self, session: _Session) -> Deferred[Screen]:
        """Return what fires with what came of the last turn, or after a while with patience."""
        if session.unseen is not None:
            return _now(self._seen(session))
        waiting: Deferred[Screen] = Deferred()
        session.waiting.append(waiting)
        if session.alarm is None or not session.alarm.active():
            session.alarm = self._reactor.callLater(PATIENCE_SECONDS, self._ask_to_wait, session)
        return waiting

    def _ask_to_wait(self, session: _Session) -> None:
        waiting, session.waiting = session.waiting, []
        if waiting:
            self._count("ussd-told-to-wait")
            self._tell(waiting, session.tells(Screen(self._menu.wait)))

    def _seen(self, session: _Session) -> Screen:
        if session.alarm is not None and session.alarm.active():
            session.alarm.cancel()
        screen, session.unseen = session.unseen, None
        assert screen is not None
        return self._show(session, screen)

    @staticmethod
    def _tell(waiting: list[Deferred[Screen]], screen: Screen) -> None:
        for each in waiting:
            each.callback(screen)

    def _show(self, session: _Session, screen: Screen) -> Screen:
        """Keep all but the first page of a screen, and return that."""
        *more, last = pages(screen.text, self._characters)
        session.pages = [*map(Screen, more), Screen(last, screen.ends)]
        return self._next_page(session)

    @staticmethod
    def _next_page(session: _Session) -> Screen:
        page = session.pages.pop(0)
        session.over = page.ends
        return session.tells(page)

    def _refused(self, why: str, text: str) -> Deferred[Screen]:
        self._count(why)
        return _now(Screen(text, ends=True))

    def _touch(self, session: _Session) -> None:
        session.used_at = self._reactor.seconds()
        self._sessions.move_to_end(session.id)

    def _expire(self) -> None:
        oldest = self._reactor.seconds() - IDLE_SECONDS
        while self._sessions:
            session = next(iter(self._sessions.values()))
            if session.used_at > oldest or session.running:
                return
            self._forget(session)

    def _make_room(self) -> None:
        if len(self._sessions) > self._room:
            self._count("ussd-evicted")
            idle = (session for session in self._sessions.values() if not session.running)
            self._forget(next(idle))

    def _forget(self, session: _Session) -> None:
        del self._sessions[session.id]
        if self._by_caller.get(session.caller) is session:
            del self._by_caller[session.caller]


def _now(screen: Screen) -> Deferred[Screen]:
    done: Deferred[Screen] = Deferred()
    done.callback(screen)
    return done

"""Sessions of operators who logged in, and the bound on guessing; sans-I/O."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Final

from attrs import define, field

from dtns.sam.console.operator.tokens import Token

IDLE_SECONDS: Final = 1800.0
LONGEST_SECONDS: Final = 8 * 3600.0
SESSIONS: Final = 64
ATTEMPTS: Final = 5
"""How many wrong tokens are looked at in a row."""
ATTEMPT_SECONDS: Final = 12.0
"""After how long another one is."""


@define
class Session:
    """One browser of an operator. form is the token that each of its forms carries."""

    token: Token
    began: float
    seen: float
    form: str = field(repr=False)
    news: str = ""

    def is_own_form(self, given: str) -> bool:
        """Tell whether a form was made for this session."""
        return hmac.compare_digest(self.form.encode(), given.encode("utf-8", "replace"))


class Sessions:
    """All sessions, known by the hashes of their cookies; *clock* gives seconds, never back."""

    def __init__(
        self, clock: Callable[[], float], random: Callable[[int], str] = secrets.token_hex
    ) -> None:
        self._clock = clock
        self._random = random
        self._sessions: dict[str, Session] = {}
        self._failures = 0.0
        self._failed_at = clock()

    def begin(self, token: Token) -> str:
        """Begin a session and return its new cookie; the longest unseen makes room if need be."""
        now, cookie = self._clock(), self._random(24)
        self._forget(now)
        if len(self._sessions) >= SESSIONS:
            oldest = min(self._sessions, key=lambda key: self._sessions[key].seen)
            del self._sessions[oldest]
        self._sessions[_key(cookie)] = Session(token, now, now, self._random(24))
        return cookie

    def find(self, cookie: str, *, touch: bool = True) -> Session | None:
        """Return the session with this cookie; *touch* notes that its operator is there."""
        now = self._clock()
        self._forget(now)
        session = self._sessions.get(_key(cookie))
        if session is not None and touch:
            session.seen = now
        return session

    def end(self, cookie: str) -> None:
        """End a session, if there is one."""
        self._sessions.pop(_key(cookie), None)

    def wait(self) -> float:
        """Return for how many seconds no token is looked at, 0 if one is now."""
        self._heal()
        return max(0.0, (self._failures - ATTEMPTS + 1) * ATTEMPT_SECONDS)

    def note_failure(self) -> None:
        """Count a wrong token."""
        self._heal()
        self._failures += 1

    def _heal(self) -> None:
        now = self._clock()
        self._failures = max(0.0, self._failures - (now - self._failed_at) / ATTEMPT_SECONDS)
        self._failed_at = now

    def _forget(self, now: float) -> None:
        self._sessions = {
            key: session
            for key, session in self._sessions.items()
            if now - session.seen < IDLE_SECONDS and now - session.began < LONGEST_SECONDS
        }


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()

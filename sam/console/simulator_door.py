"""Who may move the two phones: a link opens once, and gives the page a key of its own."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Final

TOKEN_OCTETS: Final = 24
LINK_SECONDS: Final = 3600.0
MOST_LINKS: Final = 16
MOST_SESSIONS: Final = 32


class Door:
    """Links and the sessions that they opened, in memory alone; *clock* gives seconds.

    A page keeps its session's key where no other origin can read it and sends it in a header.
    There is no cookie: a page of another site, or another port, has nothing that could be sent
    in its name. Beyond MOST_LINKS and MOST_SESSIONS the oldest end.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._links: dict[str, float] = {}
        self._sessions: list[str] = []

    def link(self) -> str:
        """Return the token of a new link, good once and for an hour."""
        token = secrets.token_urlsafe(TOKEN_OCTETS)
        self._links[token] = self._clock() + LINK_SECONDS
        while len(self._links) > MOST_LINKS:
            del self._links[next(iter(self._links))]
        return token

    def open(self, token: str) -> str | None:
        """Use up a link; return the key of a new session, None if there is no such link."""
        found = _find(token, self._links)
        if found is None or self._links.pop(found) < self._clock():
            return None
        session = secrets.token_urlsafe(TOKEN_OCTETS)
        self._sessions = [*self._sessions, session][-MOST_SESSIONS:]
        return session

    def admits(self, session: str) -> bool:
        """Tell whether this is the key of a session."""
        return _find(session, self._sessions) is not None


def _find(told: str, known: list[str] | dict[str, float]) -> str | None:
    """Return the known secret that equals *told*, each compared in constant time."""
    octets = told.encode(errors="replace")
    found = [secret for secret in known if hmac.compare_digest(secret.encode(), octets)]
    return found[0] if found else None

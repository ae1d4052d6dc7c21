"""The seam between USSD carriers and the menu that they show.

A carrier brings what callers type, a `Menu` holds the conversations. The caller's number is what a
network says: a hint, never proof of who is calling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable


@dataclass(frozen=True, slots=True)
class Screen:
    """What a caller reads; with `ends` nothing can be typed any more."""

    text: str = field(repr=False)
    ends: bool = False


class Dialogue(Protocol):
    """One caller's conversation."""

    def opened(self) -> Screen:
        """Return its first screen."""

    def resumed(self) -> Screen:
        """Return the screen it stands at, for a caller who was cut off and dials again.

        Nothing in it may harm whoever is harmed by another who can name their number.
        """

    def take(self, typed: str) -> Awaitable[Screen]:
        """Do what the caller typed and return the next screen, once what it tells is durable."""


class Menu(Protocol):
    """What callers reach. The three texts are for what no dialogue can answer."""

    wait: str
    """It takes longer than a network waits: any key goes on."""
    over: str
    """The session has ended."""
    busy: str
    """Too much is under way, or it failed: the caller may try again later."""

    def dialogue(self, caller: str) -> Dialogue:
        """Begin a conversation with a caller."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a network brought of one session.

    `mark` tells it from every other turn of the session: the same again is a repeat. `typed` is
    what was typed, several texts where the caller dialled them in advance; `begins` tells a
    session that the network has just opened.
    """

    session: str
    caller: str = field(repr=False)
    mark: str = field(repr=False)
    typed: tuple[str, ...] = field(repr=False, default=())
    begins: bool = False

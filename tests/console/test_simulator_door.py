"""Links to the two phones: good once, for an hour, and not without end."""

from __future__ import annotations

from dtns.sam.console.simulator_door import LINK_SECONDS, MOST_LINKS, MOST_SESSIONS, Door


class Clock:
    """A clock one turns by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_link_opens_once() -> None:
    """The second try with the same link gives nothing; the session goes on."""
    door = Door(Clock())
    link = door.link()
    session = door.open(link)
    assert session is not None
    assert door.open(link) is None
    assert door.admits(session)
    assert not door.admits(link)
    assert not door.admits("")


def test_a_link_expires() -> None:
    """After an hour a link is none, and is forgotten."""
    clock = Clock()
    door = Door(clock)
    link = door.link()
    clock.now = LINK_SECONDS + 1
    assert door.open(link) is None
    clock.now = 0.0
    assert door.open(link) is None


def test_links_and_sessions_are_bounded() -> None:
    """The oldest end when there are too many."""
    door = Door(Clock())
    links = [door.link() for _ in range(MOST_LINKS + 1)]
    assert door.open(links[0]) is None
    assert door.open(links[1]) is not None
    sessions = [door.open(door.link()) or "" for _ in range(MOST_SESSIONS + 1)]
    assert not door.admits(sessions[0])
    assert door.admits(sessions[1])
    assert door.admits(sessions[-1])

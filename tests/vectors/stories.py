"""The lines of phones.jsonl: what people, networks and forgers do to phones."""

from __future__ import annotations

from collections.abc import Iterator

import confirmation_stories
import memory_stories
import network_stories
import sealed_stories
import ticket_stories
from lines import Line
from telling import TALES, Story

CHAPTERS = (
    network_stories,
    confirmation_stories,
    ticket_stories,
    memory_stories,
    sealed_stories,
)


def stories() -> Iterator[Line]:
    """Tell them all; the first line of each is its note."""
    for chapter in CHAPTERS:
        for told in TALES:
            if told.__module__ == chapter.__name__:
                story = Story((told.__doc__ or "").rstrip("."))
                told(story)
                yield story.line()

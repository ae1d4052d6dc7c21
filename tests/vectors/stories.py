"""The lines of phones.jsonl: what people, networks and forgers do to phones."""

from __future__ import annotations

from collections.abc import Iterator

import confirmation_stories
import network_stories
import sealed_stories
import ticket_stories
from lines import Line
from telling import TALES, Story


def stories() -> Iterator[Line]:
    """Tell them all; the first line of each is its note."""
    for chapter in (network_stories, confirmation_stories, ticket_stories, sealed_stories):
        for told in TALES:
            if told.__module__ == chapter.__name__:
                story = Story((told.__doc__ or "").rstrip("."))
                told(story)
                yield story.line()

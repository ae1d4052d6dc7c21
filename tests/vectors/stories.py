"""The lines of phones.jsonl: what people, networks and forgers do to phones."""

from __future__ import annotations

from collections.abc import Iterator

import bound_stories
import confirmation_stories
import memory_stories
import money_stories
import network_stories
import purse_stories
import sealed_stories
import small_stories
import ticket_stories
import typed_stories
from lines import Line
from money_telling import MoneyStory
from telling import TALES

CHAPTERS = (
    network_stories,
    confirmation_stories,
    ticket_stories,
    memory_stories,
    sealed_stories,
    typed_stories,
    money_stories,
    bound_stories,
    small_stories,
    purse_stories,
)


def stories() -> Iterator[Line]:
    """Tell them all; the first line of each is its note."""
    for chapter in CHAPTERS:
        for told in TALES:
            if told.__module__ == chapter.__name__:
                story = MoneyStory((told.__doc__ or "").rstrip("."))
                told(story)
                yield story.line()

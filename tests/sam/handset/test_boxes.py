"""Typing into boxes: what the screen shows, what is kept, what is asked for next."""

from __future__ import annotations

import re

import click
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.entry import Entry
from dtns.sam.handset.boxes import drawn, fill, highlighted, resumed
from dtns.sam.handset.tickets import SEALED_TICKET, TICKET

DIGITS = "37728507454209175299"


def _typing(entry: Entry, keys: list[str]) -> tuple[Entry | None, list[str], str]:
    """Return what fill gave, the texts it kept and all that it wrote."""
    kept: list[str] = []
    written: list[str] = []
    strokes = iter(keys)
    filled = fill(
        entry, lambda: next(strokes, ""), written.append, lambda typed: kept.append(typed.saved)
    )
    return filled, kept, click.unstyle("".join(written))


@given(st.text(max_size=100), st.sampled_from([TICKET, SEALED_TICKET]))
def test_every_screen_is_at_most_20_columns_wide(text: str, profile: object) -> None:
    """Whatever is typed, the boxes and their marks fit the narrowest phone."""
    entry = Entry.begin(profile).typed(text)  # type: ignore[arg-type]
    assert all(len(click.unstyle(line)) <= 20 for line in drawn(entry))


def test_boxes_fill_and_are_marked_without_a_key() -> None:
    """A full box is ok, one of no group's value is not, and what is missing shows as gaps."""
    lines = [
        click.unstyle(line).rstrip() for line in drawn(Entry.begin(TICKET).typed("3772998045"))
    ]
    assert lines == ["3772 9980 45__ ____", "ok   no   ^", "____", ""]


def test_typing_all_digits_completes_the_entry() -> None:
    """The last digit ends the entry; each box that was closed was kept first."""
    filled, kept, screen = _typing(Entry.begin(TICKET), list(DIGITS))
    assert filled is not None
    assert "".join(filled.boxes) == DIGITS
    assert len(kept) == 4
    assert "3772 8507 4542 0917" in screen


def test_leaving_half_way_keeps_what_was_typed() -> None:
    """Escape, or the end of input, keeps the boxes, and they can be gone on with."""
    for leave in (["\x1b"], []):
        filled, kept, _ = _typing(Entry.begin(SEALED_TICKET), [*DIGITS[:10], *leave])
        assert filled is None
        going_on, _, _ = _typing(resumed(SEALED_TICKET, kept[-1]), [*DIGITS[10:], "\r"])
        assert going_on is not None
        assert "".join(going_on.boxes) == DIGITS


def test_a_text_typed_elsewhere_can_be_gone_on_with() -> None:
    """What was typed as one line, one parity group with it, comes back in its boxes."""
    entry = resumed(TICKET, "3772 8507 4542 0917 5299 49")
    assert entry.boxes == ("3772", "8507", "4542", "0917", "5299", "49")


def test_repaired_groups_stand_out() -> None:
    """The repaired group is in reverse and marked below, the others are plain."""
    first, below = highlighted([3772, 8507, 4542, 917], [4])
    assert "\x1b[7m0917" in first
    assert not re.search(r"\x1b\[7m(3772|8507|4542)", first)
    assert below.rstrip() == " " * 15 + "^^^^"

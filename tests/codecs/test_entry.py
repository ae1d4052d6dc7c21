"""An entry while it is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, Status, encode, show
from dtns.codecs.entry import Entry, Mark

TICKET = PROFILES["ticket"]
PAYLOAD = 0x1_2345_6789_ABCD_EF01
CODE = show(encode(TICKET, PAYLOAD))
KEYS = st.text("0123456789 \b-", max_size=40)


def test_boxes_fill_by_themselves_until_a_separator_is_typed() -> None:
    """Twenty digits in a row and twenty digits in five groups are the same entry."""
    for text in (CODE, CODE.replace(" ", ""), CODE.replace(" ", "-") + "-"):
        entry = Entry.begin(TICKET).typed(text)
        assert entry.boxes == tuple(CODE.split())
        assert entry.complete
        assert set(entry.marks) == {Mark.OK}
        assert entry.reading(PAYLOAD.__eq__).payload == PAYLOAD


def test_marks_tell_only_what_needs_no_key() -> None:
    """Short, long, no group value, being typed, still empty."""
    entry = Entry.begin(TICKET).typed("123 12345 9973 1")
    assert entry.marks == (Mark.SHORT, Mark.LONG, Mark.NO_GROUP, Mark.OPEN, Mark.EMPTY)
    assert not entry.complete


def test_a_doubtful_box_is_typed_again_alone() -> None:
    """The other boxes stay; the entry is complete when the last one asked for is full."""
    first, second, *rest = CODE.split()
    entry = Entry.begin(TICKET).typed(" ".join([first[:3], second + "0", *rest]))
    reading = entry.reading(PAYLOAD.__eq__)
    assert (reading.status, reading.doubtful) == (Status.SAY_AGAIN, (1, 2))
    entry = entry.asked_again(reading.doubtful)
    assert entry.boxes == ("", "", *rest)
    assert not entry.typed(first).complete
    entry = entry.typed(f"{first} {second}")
    assert entry.complete
    assert entry.reading(PAYLOAD.__eq__).status is Status.ACCEPTED


def test_one_more_group_is_appended() -> None:
    """A slip that does not verify is repaired once the parity group is in."""
    slipped = CODE[:-1] + str((int(CODE[-1]) + 1) % 10)
    entry = Entry.begin(TICKET).typed(slipped)
    assert entry.reading(PAYLOAD.__eq__).status is Status.MORE
    more = show(encode(TICKET, PAYLOAD, parity=1)).split()[5]
    entry = entry.with_more()
    assert (len(entry.boxes), entry.complete) == (6, False)
    reading = entry.typed(more).reading(PAYLOAD.__eq__)
    assert (reading.status, reading.payload, reading.changed) == (Status.REPAIRED, PAYLOAD, (5,))


def test_a_missed_key_in_an_unbroken_row_is_found_with_parity() -> None:
    """Without separators the boxes behind a missed key are shifted; the stream is read instead."""
    text = show(encode(TICKET, PAYLOAD, parity=1)).replace(" ", "")
    entry = Entry.begin(TICKET, parity=1).typed(text[:6] + text[7:])
    assert entry.marks[-1] is Mark.OPEN
    assert entry.reading(PAYLOAD.__eq__).payload == PAYLOAD


@given(st.integers(0, 24))
def test_a_half_typed_code_is_resumed(typed: int) -> None:
    """Saved after any key, the rest of the keys complete it."""
    half = Entry.begin(TICKET).typed(CODE[:typed])
    again = Entry.resume(TICKET, half.saved)
    assert again.boxes == half.boxes
    assert again.typed(CODE[typed:]).reading(PAYLOAD.__eq__).payload == PAYLOAD


@given(st.sampled_from(list(PROFILES.values())), KEYS, KEYS)
def test_any_keys_leave_an_entry_that_can_be_saved_and_read(
    profile: object, first: str, then: str
) -> None:
    """No key raises; boxes never vanish; a saved entry comes back with its boxes."""
    kind = next(p for p in PROFILES.values() if p is profile)
    entry = Entry.begin(kind).typed(first).asked_again((1, 2)).typed(then)
    assert len(entry.boxes) == len(entry.marks) == kind.groups + kind.parity
    assert Entry.resume(kind, entry.saved).boxes == entry.boxes
    assert entry.reading().message()


@given(st.text(max_size=30))
def test_what_belongs_in_no_code_changes_nothing(text: str) -> None:
    """Letters, controls and invisible marks are passed over."""
    kept = "".join(c for c in text if not (c.isdecimal() or c in "\b\x7f"))
    assert Entry.begin(TICKET).typed(kept).boxes == ("",) * 5


def test_erasing_goes_back_over_boxes() -> None:
    """Backspace takes the last digit, also from the box before an empty one."""
    entry = Entry.begin(TICKET).typed("1234 5")
    assert entry.typed("\b\b").boxes[:2] == ("123", "")
    assert entry.typed("\b" * 40).boxes == ("",) * 5


@pytest.mark.parametrize("saved", ["12a4////", "1234", "1234/" * 12, "1234/\u0661////"])
def test_a_foreign_saved_entry_is_an_error(saved: str) -> None:
    """Only what `saved` wrote can be resumed."""
    with pytest.raises(ValueError, match=r"ticket|digits"):
        Entry.resume(TICKET, saved)


def test_misuse_is_an_error() -> None:
    """A profile shows no more parity groups than it has."""
    with pytest.raises(ValueError, match="0 to 0"):
        Entry.begin(PROFILES["request"], parity=1)
    with pytest.raises(ValueError, match="at most"):
        Entry.begin(TICKET, parity=3).with_more()

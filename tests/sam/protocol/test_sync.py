"""Sam's own messages: what is written is read, and no more than fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import MAX_AMOUNT, Payment
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.sync import (
    ROOM_OCTETS,
    Filed,
    Floor,
    Load,
    Mark,
    NewExchangeKeys,
    NewTicketKeys,
    NewUniversalKey,
    Sync,
    Unlock,
    UnlockPin,
    fitting,
    read_items,
    read_sync,
)
from dtns.sam.protocol.wire import MAX_TEXT, MalformedError, to_text

KEY = bytes(range(32))
WORD = st.integers(0, 0xFFFF)
NUMBERS = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True).map(Number)
HALF = st.binary(min_size=16, max_size=16)
WHOLE = st.binary(min_size=32, max_size=32)
PAYMENTS = st.builds(
    Payment, st.from_regex(r"[A-Z]{3}", fullmatch=True), st.integers(1, MAX_AMOUNT)
)
ITEMS = st.one_of(
    st.builds(Floor, WORD),
    st.builds(Mark, st.builds(Party, NUMBERS, WORD), WORD, st.integers(0, 255)),
    st.builds(Unlock, WORD),
    st.builds(NewExchangeKeys, WORD, HALF, WHOLE),
    st.builds(NewTicketKeys, WORD, HALF, HALF, WHOLE),
    st.builds(Load, st.integers(0, 0xFFFFFFFF), PAYMENTS),
    st.builds(UnlockPin, WORD, st.booleans()),
    st.builds(NewUniversalKey, st.integers(0, 255), HALF),
    st.builds(Filed, st.integers(0, 0xFFFFFFFF)),
)


@given(st.integers(1, 0xFFFFFFFF), WORD, WORD, st.lists(ITEMS, max_size=30))
def test_what_is_written_is_read(counter: int, week: int, epoch: int, items: list[object]) -> None:
    """As many items as fit come back as they were, in one SMS."""
    told = tuple(items[: fitting(items)])  # type: ignore[arg-type,type-var]
    sync = Sync(counter, week, epoch, told)  # type: ignore[arg-type]
    text = to_text(sync.seal(KEY))
    assert len(text) <= MAX_TEXT
    assert read_sync(text).open(KEY) == sync
    assert read_sync(text).open(KEY[::-1]) is None


@given(ITEMS)
def test_every_item_fits_into_a_message(item: object) -> None:
    """Even the largest has room, so that everything can be told in the end."""
    assert fitting([item]) == 1  # type: ignore[list-item]


def test_too_many_items_are_refused() -> None:
    """A message that would not fit one SMS is never made."""
    items = tuple(Floor(1) for _ in range(ROOM_OCTETS // 3 + 1))
    assert fitting(items) == len(items) - 1
    with pytest.raises(ValueError, match="octets of room"):
        Sync(1, 1, 1, items).seal(KEY)


@given(st.binary(max_size=120))
def test_no_octets_make_items_raise_anything_else(octets: bytes) -> None:
    """Junk under a good seal, as a later Sam might send, is refused as malformed."""
    try:
        items = read_items(octets)
    except MalformedError:
        return
    assert b"".join(item.octets for item in items) == octets


@given(st.text(max_size=200))
def test_no_text_makes_reading_raise_anything_else(text: str) -> None:
    """Whatever an SMS says."""
    try:
        read_sync(text)
    except MalformedError:
        return

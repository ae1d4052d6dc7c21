"""Long messages in parts: whole in the end, whatever the network does to the parts."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.gateway.carrier import Inbound, Part
from dtns.gateway.parts import (
    CHARACTERS,
    EXPIRY_SECONDS,
    PARTS_PER_SENDER,
    Joining,
    MemoryPartRecords,
    Whole,
)

ANN, BEN = "+254700000001", "+254700000002"
DAY = 24 * 3600.0


def part(number: int, total: int, text: str, **changes: Any) -> Inbound:
    """Return a part of a message."""
    values = {"reference": 7, "sender": ANN, "carrier": "c"} | changes
    reference = values.pop("reference")
    identity = values.pop("identity", f"{values['sender']}-{reference}-{total}-{number}-{text}")
    return Inbound(
        **values,
        identity=identity,
        text=text,
        received_at=0.0,
        part=Part(reference, total, number),
    )


@pytest.fixture
def joining() -> Joining:
    """Joining over parts in memory."""
    return Joining(MemoryPartRecords())


def texts(joining: Joining, *messages: Inbound) -> list[str]:
    """Return the texts that came out, in order."""
    wholes = [joining.take(message, 0.0) for message in messages]
    return [whole.text for whole in wholes if whole is not None]


def test_a_message_without_a_part_is_whole(joining: Joining) -> None:
    """A short message goes straight through."""
    message = Inbound("c", "id", ANN, "hello", 0.0)
    assert joining.take(message, 0.0) == Whole(("id",), "hello")


@given(
    st.lists(
        st.lists(st.text(max_size=CHARACTERS), min_size=1, max_size=6), min_size=1, max_size=5
    ),
    st.randoms(use_true_random=False),
)
def test_parts_in_any_order_and_twice_give_each_message_once(
    messages: list[list[str]], dice: random.Random
) -> None:
    """Shuffled among each other, each perhaps twice: every message comes out whole, once."""
    joining = Joining(MemoryPartRecords(), per_sender=100)
    sent = [
        part(number, len(pieces), text, reference=reference)
        for reference, pieces in enumerate(messages)
        for number, text in enumerate(pieces, 1)
    ]
    arriving = sent + dice.sample(sent, len(sent) // 2)
    dice.shuffle(arriving)
    seen: set[str] = set()
    out = []
    for message in arriving:
        if message.identity in seen:  # what was acted on is known to the sink by its identity
            continue
        whole = joining.take(message, 0.0)
        if whole is not None:
            seen |= set(whole.identities)
            out.append(whole.text)
    assert sorted(out) == sorted("".join(pieces) for pieces in messages)
    assert joining.dropped == 0


def test_parts_may_be_days_apart(joining: Joining) -> None:
    """The last part may come days after the first."""
    assert joining.take(part(2, 2, "world"), 0.0) is None
    whole = joining.take(part(1, 2, "hello "), 6 * DAY)
    assert whole is not None
    assert whole.text == "hello world"
    assert len(whole.identities) == 2


def test_orphans_expire(joining: Joining) -> None:
    """A part that waits too long is dropped, and counted."""
    joining.take(part(1, 2, "hello "), 0.0)
    assert joining.take(part(2, 2, "world"), float(EXPIRY_SECONDS)) is None
    assert joining.dropped == 1


def test_another_total_is_another_message(joining: Joining) -> None:
    """Contradictory totals under one reference never mix."""
    out = texts(
        joining, part(1, 2, "a"), part(2, 3, "y"), part(1, 3, "x"), part(2, 2, "b"), part(3, 3, "z")
    )
    assert out == ["ab", "xyz"]


def test_other_senders_references_and_carriers_do_not_mix(joining: Joining) -> None:
    """Two senders with the same reference, or one sender on two carriers, are apart."""
    out = texts(
        joining,
        part(1, 2, "a"),
        part(2, 2, "B", sender=BEN),
        part(2, 2, "x", reference=8),
        part(2, 2, "q", carrier="d"),
        part(1, 2, "A", sender=BEN),
        part(2, 2, "b"),
    )
    assert out == ["AB", "ab"]


def test_a_part_that_comes_again_changes_nothing(joining: Joining) -> None:
    """Duplicates, also under another identity, neither complete nor spoil a message."""
    again = part(1, 2, "a", identity="another")
    assert texts(joining, part(1, 2, "a"), again, part(2, 2, "b")) == ["ab"]
    assert joining.dropped == 0


def test_a_reference_used_again_begins_anew(joining: Joining) -> None:
    """After a lost part, the next message under the reference is not mixed with the old one."""
    assert texts(joining, part(1, 2, "old"), part(1, 2, "new"), part(2, 2, "!")) == ["new!"]
    assert joining.dropped == 1


@pytest.mark.parametrize(
    ("number", "total", "text"),
    [
        (0, 2, ""),
        (3, 2, ""),
        (1, 0, ""),
        (-1, -1, ""),
        (1, PARTS_PER_SENDER + 1, ""),
        (1, 2, "x" * 161),
    ],
)
def test_impossible_parts_are_dropped(joining: Joining, number: int, total: int, text: str) -> None:
    """Numbers outside the total, totals that never fit, parts too long: dropped, counted."""
    assert joining.take(part(number, total, text), 0.0) is None
    assert joining.dropped == 1


def test_one_sender_is_bounded_and_drops_its_own(joining: Joining) -> None:
    """A sender with too many orphans loses its oldest ones, nobody else's."""
    records = MemoryPartRecords()
    joining = Joining(records, per_sender=4)
    joining.take(part(1, 2, "b", sender=BEN), 0.0)
    for reference in range(20):
        joining.take(part(1, 2, "a", reference=reference), 0.0)
    assert records.count(ANN) == 4
    assert joining.dropped == 16
    assert texts(joining, part(2, 2, "!", reference=19), part(2, 2, "!", sender=BEN)) == [
        "a!",
        "b!",
    ]


def test_all_together_are_bounded() -> None:
    """A flood from ever new senders keeps no more than the bound."""
    records = MemoryPartRecords()
    joining = Joining(records, in_all=50)
    for n in range(500):
        joining.take(part(1, 2, "x", sender=f"+{n}"), 0.0)
    assert records.count() == 50
    assert joining.dropped == 450


def test_no_text_shows_in_a_repr(joining: Joining) -> None:
    """Texts and numbers stay out of logs."""
    records = MemoryPartRecords()
    Joining(records).take(part(1, 2, "SECRET", identity="i"), 0.0)
    shown = repr(records.oldest()) + repr(Whole(("i",), "SECRET"))
    assert "SECRET" not in shown
    assert ANN not in shown

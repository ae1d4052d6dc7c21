"""What came in: known again, bounded, and parts that wait for others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtns.gateway.carrier import Inbound, Part
from dtns.gateway.parts import HeldPart, Joining, MemoryPartRecords, MessageKey, PartRecords
from dtns.sam.store.inbound import INBOUND_SECONDS, InboundRows
from dtns.sam.store.store import Store

NOW = 1_800_000_000.0


@pytest.fixture
def rows(store: Store) -> Iterator[InboundRows]:
    """The inbound table, inside a transaction."""
    with store.transaction():
        yield store.inbound


@pytest.fixture(params=["memory", "store"])
def records(request: pytest.FixtureRequest, store: Store) -> Iterator[PartRecords]:
    """Every provider of part records."""
    with store.transaction():
        yield MemoryPartRecords() if request.param == "memory" else store.parts


def held(number: int, sender: str = "+1", reference: int = 1) -> HeldPart:
    """Return a part."""
    key = MessageKey("c", sender, reference, 3)
    return HeldPart(key, number, f"{sender}-{reference}-{number}", f"text{number}", float(number))


def test_what_was_acted_on_is_known_by_carrier_and_identity(rows: InboundRows) -> None:
    """Only the same identity of the same carrier is a redelivery; remembering twice is fine."""
    rows.remember("c", ["m1", "m2"], NOW)
    rows.remember("c", ["m1"], NOW)
    assert rows.known("c", ["m1", "m2", "m3"]) == {"m1", "m2"}
    assert rows.known("other", ["m1"]) == set()
    assert rows.known("c", []) == set()


def test_the_old_is_forgotten(rows: InboundRows) -> None:
    """After its time an identity goes, the younger ones stay."""
    rows.remember("c", ["old"], NOW)
    rows.remember("c", ["young"], NOW + 10)
    assert rows.forget(NOW + INBOUND_SECONDS - 1) == 0
    assert rows.forget(NOW + INBOUND_SECONDS) == 1
    assert rows.known("c", ["old", "young"]) == {"young"}


def test_what_is_known_is_bounded(rows: InboundRows) -> None:
    """The latest few are known, however many came."""
    rows.remember("c", [f"m{n}" for n in range(50)], NOW)
    assert rows.forget(NOW, rows=10) == 40
    assert rows.known("c", [f"m{n}" for n in range(50)]) == {f"m{n}" for n in range(40, 50)}


def test_a_waiting_part_is_known_until_it_goes(store: Store) -> None:
    """A part's redelivery is recognised while it waits."""
    with store.transaction():
        store.parts.keep(held(1))
        assert store.inbound.known("c", ["+1-1-1"]) == {"+1-1-1"}
        store.parts.drop(held(1).key)
        assert store.inbound.known("c", ["+1-1-1"]) == set()


def test_part_records(records: PartRecords) -> None:
    """Kept, found by message, counted by sender, dropped by message, the oldest first."""
    first, second, other = held(1), held(2), held(1, sender="+2")
    for each in (first, other, second):
        records.keep(each)
    assert sorted(records.of(first.key), key=lambda part: part.number) == [first, second]
    assert (records.count(), records.count("+1"), records.count("+9")) == (3, 2, 0)
    assert (records.oldest(), records.oldest("+2"), records.oldest("+9")) == (first, other, None)
    assert records.drop(first.key) == 2
    assert records.oldest() == other
    assert records.drop(first.key) == 0


def test_parts_are_joined_from_the_records(records: PartRecords) -> None:
    """Joining over any provider gives the same message."""
    joining = Joining(records)
    out = [
        joining.take(Inbound("c", f"i{n}", "+1", f"{n}", 0.0, Part(5, 3, n)), 0.0)
        for n in (3, 1, 2)
    ]
    assert out[:2] == [None, None]
    assert out[2] is not None
    assert (out[2].text, out[2].identities) == ("123", ("i1", "i2", "i3"))
    assert records.count() == 0

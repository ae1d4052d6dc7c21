"""Answers handed over as they were decided on: one row a turn, until it is known how each fared."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from guarded import GuardedWorld
from hypothesis import given, settings
from hypothesis import strategies as st

from dtns.sam.issuing.issuer import Answer, Outcome
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.outbox import OutboxRows, Parcel, State, Times
from dtns.sam.store.retention import Retention, purge_span
from dtns.sam.store.store import Store

ASKER = Number("254700000001")
TIMES = Times(1_800_000_000.0, 1000.0, 1100.0)
CLOCK = 1_800_000_005.0


class BrokenError(Exception):
    """Undoes a transaction."""


def hand(rows: OutboxRows, *issues: int) -> list[Parcel]:
    """Hand the answers of these decisions over by the carrier c; a 0 has no decision."""
    answers = [Answer(ASKER, 1, 1, f"TEXT{n}", Outcome.ISSUED, issue=n) for n in issues]
    return rows.pass_on("net", "c", [("b", answer) for answer in answers], TIMES)


def table(store: Store, name: str) -> list[tuple[Any, ...]]:
    """Return all rows of a table."""
    return store.connection.execute(f"SELECT * FROM {name}").fetchall()


def states(store: Store) -> dict[str, int]:
    """Count the answers by their states, those that there are."""
    return {state: count for state, count in store.outbox.counts().items() if count}


def test_a_turn_is_one_row_and_an_accepted_answer_another(store: Store) -> None:
    """Each answer's own row is written once, as it stays; the turn's goes with the last of them."""
    with store.transaction():
        parcels = hand(store.outbox, 7, 0)
        (turn,) = table(store, "handed")
        assert turn[:3] == (1, "net", "c")
        assert json.loads(turn[6]) == [
            [7, "b", int(ASKER), False, "TEXT7"],
            [None, "b", int(ASKER), False, "TEXT0"],
        ]
        assert [parcel.id for parcel in parcels] == [1, 2]
        assert table(store, "outbox") == []
    with store.transaction():
        store.outbox.accepted([("net-2", 2)])
        assert len(table(store, "handed")) == 1
        times = (1_800_000_000.0, 1100.0, 1000.0)
        (row,) = table(store, "outbox")
        began = (2, None, "net", "b", int(ASKER), 0, "TEXT0", *times)
        assert row == (*began, "accepted", 1, "c", 0, "net-2", "", None)
        store.outbox.accepted([("net-1", 1)])
        assert table(store, "handed") == []
        assert store.outbox.find("c", "net-1") == 1


def test_what_is_under_way_is_told_of_as_ever(store: Store) -> None:
    """An answer without a row of its own exists, waits, is counted and shown, and not retried."""
    with store.transaction():
        hand(store.outbox, 7)
    with store.transaction():
        rows = store.outbox
        assert rows.exists(1)
        assert not rows.exists(2)
        assert rows.waits(7)
        assert not rows.waits(8)
        assert states(store) == {"handed": 1}
        assert rows.waiting() == (0, None)
        assert not rows.retry_now(7, now=1000.0, validity=100.0)
        (delivery,) = rows.deliveries(7)
        assert (delivery.carrier, delivery.state, delivery.attempts) == ("c", State.HANDED, 1)
        assert (delivery.queued_at, delivery.reason, delivery.settled_at) == (1.8e9, "", None)


@pytest.mark.parametrize("known", [(), (2,), (1, 3), (1, 2, 3)])
def test_after_a_crash_what_nobody_knows_of_is_handed_over_again(
    path: Path, known: tuple[int, ...]
) -> None:
    """Whatever was known of a turn stays known; the rest is due, and was perhaps sent."""
    with Store.open(path) as store:
        with store.transaction():
            hand(store.outbox, 1, 2, 3)
        with store.transaction():
            store.outbox.accepted([(f"net-{parcel}", parcel) for parcel in known])
    with Store.open(path) as store, store.transaction():
        assert states(store).get("handed", 0) == 3 - len(known)
        assert store.outbox.take_back() == 3 - len(known)
        assert table(store, "handed") == []
        again = store.outbox.hand_over("net", "c", ["c"], 9, now=1000.0, clock=CLOCK)
        assert {parcel.id for parcel in again} == {1, 2, 3} - set(known)
        assert {(each.text, each.attempts, each.unknown) for each in again} == {
            (f"TEXT{parcel.id}", 2, 1) for parcel in again
        }
        assert states(store).get("accepted", 0) == len(known)


def test_what_is_rolled_back_was_never_handed_over(store: Store) -> None:
    """Memory is no further than the disk, and the ids are given anew."""
    with suppress(BrokenError), store.transaction():
        hand(store.outbox, 1, 2)
        raise BrokenError
    with store.transaction():
        assert states(store) == {}
        assert not store.outbox.exists(1)
        assert [parcel.id for parcel in hand(store.outbox, 3)] == [1]
    assert [len(table(store, name)) for name in ("handed", "outbox")] == [1, 0]


def test_an_outcome_that_is_rolled_back_can_be_noted_again(store: Store) -> None:
    """An outcome that did not become durable finds its answer where it was."""
    with store.transaction():
        hand(store.outbox, 1, 2)
    for _ in range(2):
        with suppress(BrokenError), store.transaction():
            store.outbox.accepted([("net-1", 1)])
            store.outbox.settle(2, State.FAILED, "refused", CLOCK)
            assert states(store) == {"accepted": 1, "failed": 1}
            raise BrokenError
        assert states(store) == {"handed": 2}
    with store.transaction():
        store.outbox.accepted([("net-1", 1)])
        store.outbox.retry(2, 1001.0, "no signal", unknown=True)
    assert states(store) == {"accepted": 1, "retrying": 1}
    assert table(store, "handed") == []


def test_a_report_before_the_networks_answer_stands(store: Store) -> None:
    """Settled by our own reference while under way; the acceptance that follows undoes nothing."""
    with store.transaction():
        hand(store.outbox, 1, 2)
    with store.transaction():
        assert store.outbox.settle(1, State.DELIVERED, "", CLOCK)
        store.outbox.accepted([("net-1", 1), ("net-2", 2)])
    assert [row[10] for row in table(store, "outbox")] == ["delivered", "accepted"]
    assert table(store, "handed") == []


def test_a_failure_is_final_or_tried_again(store: Store) -> None:
    """Both give the answer its row; one that is tried again may be accepted later."""
    with store.transaction():
        hand(store.outbox, 1, 2)
    with store.transaction():
        assert store.outbox.settle(1, State.FAILED, "no such number", CLOCK)
        store.outbox.retry(2, 1001.0, "no signal", unknown=False)
        assert store.outbox.deliveries(2)[0].reason == "no signal"
    with store.transaction():
        (again,) = store.outbox.hand_over("net", "c", ["c"], 9, now=1001.0, clock=CLOCK)
        store.outbox.accepted([("net-2", again.id)])
    assert states(store) == {"accepted": 1, "failed": 1}


def test_an_accepted_answer_that_the_network_gives_up_can_leave_again(store: Store) -> None:
    """Its text is kept: the operator may order what was accepted and failed sent once more."""
    with store.transaction():
        hand(store.outbox, 1)
    with store.transaction():
        store.outbox.accepted([("net-1", 1)])
        assert store.outbox.settle(1, State.FAILED, "phone away", CLOCK)
        assert store.outbox.retry_now(1, now=1000.0, validity=100.0)
        (again,) = store.outbox.hand_over("net", "c", ["c"], 9, now=1000.0, clock=CLOCK)
    assert (again.text, again.recipient) == ("TEXT1", ASKER)


def test_a_purge_takes_along_what_is_under_way(tmp_path: Path) -> None:
    """No number stays in the row of a turn, and the outcome that comes later brings none back."""
    world = GuardedWorld(tmp_path)
    alice, bob = world.phone(), world.phone()
    world.answer(world.ask(alice, bob))
    store = world.store
    with store.transaction():
        hand(store.outbox, 1, 2)
    with store.transaction():
        assert store.guard is not None
        retention = Retention(world.now + 1, world.week + 9999)
        assert purge_span(store, store.guard.chain, retention, 0).purged == 1
    assert table(store, "handed") == []
    assert [row[:2] for row in table(store, "outbox")] == [(2, 2)]
    with store.transaction():
        store.outbox.accepted([("net-1", 1), ("net-2", 2)])
    assert states(store) == {"accepted": 1}
    world.kill()


def test_what_was_under_way_at_a_backup_leaves_from_the_copy(tmp_path: Path) -> None:
    """A restored store hands over again what it did not see accepted, and nothing else."""
    world = GuardedWorld(tmp_path)
    with world.store.transaction():
        hand(world.store.outbox, 1, 2)
    with world.store.transaction():
        world.store.outbox.accepted([("net-1", 1)])
    backup = world.backup()
    with world.store.transaction():
        world.store.outbox.accepted([("net-2", 2)])
    world.restore(backup)
    with world.store.transaction():
        assert world.store.outbox.take_back() == 1
        (again,) = world.store.outbox.hand_over("net", "c", ["c"], 9, now=1000.0, clock=CLOCK)
        assert (again.id, again.text, again.unknown) == (2, "TEXT2", 1)
    assert states(world.store) == {"accepted": 1, "handed": 1}
    world.kill()


@settings(max_examples=60, deadline=None)
@given(turns=st.lists(st.integers(1, 4), min_size=1, max_size=6), data=st.data())
def test_many_turns_under_way_end_in_any_order(
    tmp_path_factory: Any, turns: list[int], data: st.DataObject
) -> None:
    """Each turn's row stays as long as one of its answers has no row, with crashes in between."""
    path = tmp_path_factory.mktemp("turns") / "sam.sqlite"
    Store.create(path, 0.0)
    store = Store.open(path)
    handed: list[range] = []
    for count in turns:
        with store.transaction():
            parcels = hand(store.outbox, *range(count))
            handed.append(range(parcels[0].id, parcels[-1].id + 1))
    order = data.draw(st.permutations([parcel for turn in handed for parcel in turn]))
    left = set(order)
    for parcel in order:
        if data.draw(st.booleans()):
            store.close()
            store = Store.open(path)
        with store.transaction():
            store.outbox.accepted([(f"net-{parcel}", parcel)])
        left.discard(parcel)
        firsts = [row[0] for row in table(store, "handed")]
        assert firsts == [turn[0] for turn in handed if left & set(turn)]
        assert store.outbox.counts()["handed"] == len(left)
    assert [row[0] for row in table(store, "outbox")] == sorted(order)
    store.close()

"""The outbox table: what is due, and what became of each answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtns.sam.issuing.issuer import Answer, Outcome
from dtns.sam.issuing.records import Decision
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party
from dtns.sam.store.outbox import OutboxRows, State
from dtns.sam.store.store import Store

ASKER = Party(Number("254700000001"), 1)
NOW = 1000.0


@pytest.fixture
def rows(store: Store) -> Iterator[OutboxRows]:
    """The outbox of a store with ten decisions, inside a transaction."""
    with store.transaction():
        for counter in range(1, 11):
            decision = Decision(
                asker=ASKER,
                counter=counter,
                ask_mac=bytes(8),
                holder=ASKER.number,
                week=1,
                decided_at=NOW,
                carrier="c",
                reason=Reason.SELF,
            )
            store.add(decision)
        yield store.outbox


def add(rows: OutboxRows, counter: int, now: float = NOW, validity: float = 100.0) -> None:
    """Queue an answer to the message `m<counter>`."""
    answer = Answer(ASKER.number, 1, counter, f"TEXT{counter}", Outcome.REFUSED)
    rows.add("c", f"m{counter}", answer, now, validity)


def states(rows: OutboxRows, *counters: int) -> list[str]:
    """Return the states of the answers to these counters."""
    return [rows.deliveries(ASKER, counter)[-1].state.value for counter in counters]


def test_due_answers_are_handed_over_in_order_and_within_the_limit(rows: OutboxRows) -> None:
    """The oldest due go first, each once."""
    for counter in (1, 2, 3):
        add(rows, counter, NOW + counter)
    assert rows.hand_over("c", NOW, 10) == []
    taken = rows.hand_over("c", NOW + 3, 2)
    assert [(parcel.text, parcel.attempts) for parcel in taken] == [("TEXT1", 1), ("TEXT2", 1)]
    assert [parcel.text for parcel in rows.hand_over("c", NOW + 3, 10)] == ["TEXT3"]
    assert rows.hand_over("c", NOW + 3, 10) == []
    assert rows.hand_over("other", NOW + 3, 10) == []


def test_an_accepted_answer_is_delivered_by_its_report(rows: OutboxRows) -> None:
    """Queued, handed, accepted, delivered; found by the network's id."""
    add(rows, 1)
    (parcel,) = rows.hand_over("c", NOW, 1)
    rows.accepted(parcel.id, "net-1")
    assert states(rows, 1) == ["accepted"]
    assert rows.find("c", "net-1") == parcel.id
    assert rows.find("c", "net-2") is None
    assert rows.find("other", "net-1") is None
    rows.settle(parcel.id, State.DELIVERED, "", NOW + 5)
    assert states(rows, 1) == ["delivered"]
    assert rows.deliveries(ASKER, 1)[0].settled_at == NOW + 5


def test_a_report_before_the_acceptance_stands(rows: OutboxRows) -> None:
    """What is final is not undone by what comes later."""
    add(rows, 1)
    (parcel,) = rows.hand_over("c", NOW, 1)
    rows.settle(parcel.id, State.DELIVERED, "", NOW)
    rows.accepted(parcel.id, "net-1")
    rows.retry(parcel.id, NOW, "late")
    rows.settle(parcel.id, State.FAILED, "later", NOW)
    assert states(rows, 1) == ["delivered"]


def test_a_retry_waits_for_its_time(rows: OutboxRows) -> None:
    """What the network did not take for now is due again later, its attempts counted."""
    add(rows, 1)
    (parcel,) = rows.hand_over("c", NOW, 1)
    rows.retry(parcel.id, NOW + 9, "no signal")
    assert rows.next_due("c") == NOW + 9
    assert rows.hand_over("c", NOW + 8, 1) == []
    (again,) = rows.hand_over("c", NOW + 9, 1)
    assert (again.id, again.attempts) == (parcel.id, 2)
    assert rows.next_due("c") is None


def test_the_overdue_expire(rows: OutboxRows) -> None:
    """An answer whose validity is over is not sent any more."""
    add(rows, 1, validity=10)
    add(rows, 2, validity=20)
    assert [parcel.text for parcel in rows.hand_over("c", NOW + 10, 5)] == ["TEXT2"]
    assert states(rows, 1, 2) == ["expired", "handed"]


def test_what_was_under_way_is_taken_back(rows: OutboxRows) -> None:
    """After a crash what was handed over is due again, what was accepted is not."""
    for counter in (1, 2, 3):
        add(rows, counter)
    first, second, _ = rows.hand_over("c", NOW, 3)
    rows.accepted(first.id, "net-1")
    rows.settle(second.id, State.FAILED, "refused", NOW)
    assert rows.take_back("c", NOW + 1) == 1
    assert states(rows, 1, 2, 3) == ["accepted", "failed", "queued"]
    assert [parcel.attempts for parcel in rows.hand_over("c", NOW + 1, 3)] == [2]


def test_answered_messages_are_known_by_carrier_and_identity(rows: OutboxRows) -> None:
    """Only the same identity of the same carrier is a redelivery."""
    add(rows, 1)
    assert rows.answered("c", ["m1", "m2"]) == {"m1"}
    assert rows.answered("other", ["m1"]) == set()
    assert rows.answered("c", []) == set()


def test_counts_name_every_state(rows: OutboxRows) -> None:
    """The operator sees each state, those with nothing in them too."""
    for counter in (1, 2):
        add(rows, counter)
    rows.hand_over("c", NOW, 1)
    counts = rows.counts()
    assert set(counts) == {state.value for state in State}
    assert (counts["queued"], counts["handed"], counts["failed"]) == (1, 1, 0)


def test_an_answer_text_does_not_show_in_a_repr(rows: OutboxRows) -> None:
    """Texts stay out of logs."""
    add(rows, 1)
    assert "TEXT" not in repr(rows.hand_over("c", NOW, 1))

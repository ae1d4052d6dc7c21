"""The outbox table: what is due, and what became of each answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from dtns.sam.issuing.issuer import Answer, Outcome
from dtns.sam.issuing.records import Decision
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party
from dtns.sam.store.outbox import (
    EARLY_REPORTS,
    EARLY_SECONDS,
    OutboxRows,
    Parcel,
    State,
    Times,
)
from dtns.sam.store.store import Store

ASKER = Party(Number("254700000001"), 1)
NOW = 1000.0
"""In seconds of service."""
CLOCK = 1_800_000_000.0


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


def add(
    rows: OutboxRows,
    counter: int,
    now: float = NOW,
    *,
    validity: float = 100.0,
    carrier: str = "c",
    outcome: Outcome = Outcome.ISSUED,
) -> None:
    """Queue an answer to an ask that *carrier* brought."""
    answer = Answer(ASKER.number, 1, counter, f"TEXT{counter}", outcome, issue=counter)
    rows.add("net", carrier, answer, Times(CLOCK, now, now + validity))


def take(
    rows: OutboxRows, now: float, limit: int, route: str = "c", open_routes: Sequence[str] = ("c",)
) -> list[Parcel]:
    """Hand over what is due."""
    return rows.hand_over("net", route, open_routes, limit, now=now, clock=CLOCK)


def states(rows: OutboxRows, *counters: int) -> list[str]:
    """Return the states of the answers to these counters."""
    return [rows.deliveries(counter)[-1].state.value for counter in counters]


def texts(parcels: list[Parcel]) -> list[str]:
    """Return the texts of parcels."""
    return [parcel.text for parcel in parcels]


def test_due_answers_are_handed_over_in_order_and_within_the_limit(rows: OutboxRows) -> None:
    """The oldest due go first, each once, and only to carriers of their network."""
    for counter in (1, 2, 3):
        add(rows, counter, NOW + counter)
    assert take(rows, NOW, 10) == []
    assert rows.hand_over("other", "c", ["c"], 9, now=NOW + 3, clock=CLOCK) == []
    taken = take(rows, NOW + 3, 2)
    assert [(parcel.text, parcel.attempts) for parcel in taken] == [("TEXT1", 1), ("TEXT2", 1)]
    assert texts(take(rows, NOW + 3, 10)) == ["TEXT3"]
    assert take(rows, NOW + 3, 10) == []


def test_first_answers_go_before_repeated_ones(rows: OutboxRows) -> None:
    """A repeat, which anyone can cause, holds up nobody's first answer."""
    add(rows, 1, outcome=Outcome.REPEATED)
    add(rows, 2, NOW + 5)
    assert texts(take(rows, NOW + 9, 1)) == ["TEXT2"]
    assert texts(take(rows, NOW + 9, 1)) == ["TEXT1"]


def test_an_answer_goes_by_the_carrier_that_brought_the_ask(rows: OutboxRows) -> None:
    """While that one is open no other takes it; when it is not, any other of the network does."""
    add(rows, 1, carrier="c")
    assert take(rows, NOW, 9, "d", ("c", "d")) == []
    (parcel,) = take(rows, NOW, 9, "d", ("d", "e"))
    assert rows.deliveries(1)[0].carrier == "d"
    rows.retry(parcel.id, NOW, "no signal", unknown=False)
    assert take(rows, NOW, 9, "d", ("c", "d")) == []
    assert len(take(rows, NOW, 9, "c", ("c", "d"))) == 1


def test_after_a_failure_the_only_carrier_tries_again(rows: OutboxRows) -> None:
    """Where nobody can stand in, the one that failed is used again."""
    add(rows, 1)
    (parcel,) = take(rows, NOW, 1)
    rows.retry(parcel.id, NOW, "no signal", unknown=False)
    assert len(take(rows, NOW, 1)) == 1


def test_an_accepted_answer_is_delivered_by_its_report(rows: OutboxRows) -> None:
    """Queued, handed, accepted, delivered; found by the network's id."""
    add(rows, 1)
    (parcel,) = take(rows, NOW, 1)
    rows.accepted([("net-1", parcel.id)])
    assert states(rows, 1) == ["accepted"]
    assert rows.find("c", "net-1") == parcel.id
    assert rows.find("c", "net-2") is None
    assert rows.find("other", "net-1") is None
    assert rows.settle(parcel.id, State.DELIVERED, "", CLOCK + 5)
    assert not rows.settle(parcel.id, State.DELIVERED, "", CLOCK + 6)
    assert states(rows, 1) == ["delivered"]
    assert rows.deliveries(1)[0].settled_at == CLOCK + 5


def test_a_report_before_the_acceptance_stands(rows: OutboxRows) -> None:
    """What is final is not undone by what comes later."""
    add(rows, 1)
    (parcel,) = take(rows, NOW, 1)
    rows.settle(parcel.id, State.DELIVERED, "", CLOCK)
    rows.accepted([("net-1", parcel.id)])
    rows.retry(parcel.id, NOW, "late", unknown=False)
    assert not rows.settle(parcel.id, State.FAILED, "later", CLOCK)
    assert states(rows, 1) == ["delivered"]


def test_a_delivery_outdoes_every_other_end(rows: OutboxRows) -> None:
    """What was given up and arrives all the same has arrived."""
    for counter, end in ((1, State.FAILED), (2, State.EXPIRED)):
        add(rows, counter)
        (parcel,) = take(rows, NOW, 1)
        rows.settle(parcel.id, end, "", CLOCK)
        assert rows.settle(parcel.id, State.DELIVERED, "", CLOCK)
    assert states(rows, 1, 2) == ["delivered", "delivered"]


def test_a_retry_waits_for_its_time(rows: OutboxRows) -> None:
    """What the network did not take for now is due again later, its attempts counted."""
    add(rows, 1)
    (parcel,) = take(rows, NOW, 1)
    rows.retry(parcel.id, NOW + 9, "no signal", unknown=True)
    assert states(rows, 1) == ["retrying"]
    assert rows.next_due("net") == NOW + 9
    assert take(rows, NOW + 8, 1) == []
    (again,) = take(rows, NOW + 9, 1)
    assert (again.id, again.attempts, again.unknown) == (parcel.id, 2, 1)
    assert rows.next_due("net") is None


def test_the_overdue_expire(rows: OutboxRows) -> None:
    """An answer whose validity is over is not sent any more."""
    add(rows, 1, validity=10)
    add(rows, 2, validity=20)
    assert texts(take(rows, NOW + 10, 5)) == ["TEXT2"]
    assert states(rows, 1, 2) == ["expired", "handed"]


def test_what_was_under_way_is_taken_back(rows: OutboxRows) -> None:
    """After a crash what was handed over is due again, what was accepted is not."""
    for counter in (1, 2, 3):
        add(rows, counter)
    first, second, _ = take(rows, NOW, 3)
    rows.accepted([("net-1", first.id)])
    rows.settle(second.id, State.FAILED, "refused", CLOCK)
    assert rows.take_back() == 1
    assert states(rows, 1, 2, 3) == ["accepted", "failed", "retrying"]
    assert [(each.attempts, each.unknown) for each in take(rows, NOW, 3)] == [(2, 1)]


def test_an_answer_waits_until_a_network_took_it(rows: OutboxRows) -> None:
    """Queued, handed over, or failed for now: it waits; accepted or settled: no more."""
    assert not rows.waits(1)
    add(rows, 1)
    assert rows.waits(1)
    assert not rows.waits(2)
    (parcel,) = take(rows, NOW, 1)
    assert rows.waits(1)
    rows.retry(parcel.id, NOW, "", unknown=False)
    assert rows.waits(1)
    (parcel,) = take(rows, NOW, 1)
    rows.accepted([("net-1", parcel.id)])
    assert not rows.waits(1)


def test_an_early_report_is_kept_for_a_while(rows: OutboxRows) -> None:
    """It is given out once, for its own carrier and id, and not when it is old."""
    rows.keep_early("c", "net-1", State.DELIVERED, "", NOW)
    assert rows.take_early("other", "net-1", NOW) is None
    assert rows.take_early("c", "net-1", NOW + 1) == (State.DELIVERED, "")
    assert rows.take_early("c", "net-1", NOW + 1) is None
    rows.keep_early("c", "net-2", State.FAILED, "no", NOW)
    assert rows.take_early("c", "net-2", NOW + EARLY_SECONDS) is None


def test_early_reports_are_bounded(store: Store, rows: OutboxRows) -> None:
    """However many junk ids are reported, the latest are kept."""
    junk = [(f"junk-{number}", NOW) for number in range(EARLY_REPORTS)]
    store.connection.executemany(
        "INSERT INTO early_report (carrier, carrier_id, state, reason, came_at)"
        " VALUES ('c', ?, 'failed', '', ?)",
        junk,
    )
    for number in range(15):
        rows.keep_early("c", f"last-{number}", State.FAILED, "", NOW)
    kept = [n for n in range(25) if rows.take_early("c", f"junk-{n}", NOW)]
    assert kept == [*range(15, 25)]


def test_counts_name_every_state(rows: OutboxRows) -> None:
    """The operator sees each state, those with nothing in them too."""
    for counter in (1, 2):
        add(rows, counter)
    take(rows, NOW, 1)
    counts = rows.counts()
    assert set(counts) == {state.value for state in State}
    assert (counts["queued"], counts["handed"], counts["failed"]) == (1, 1, 0)


def test_an_answer_text_does_not_show_in_a_repr(rows: OutboxRows) -> None:
    """Texts stay out of logs."""
    add(rows, 1)
    assert "TEXT" not in repr(take(rows, NOW, 1))

"""Sam's records: what was saved is what comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtns.sam.issuing.records import Decision, Granted, Registration, Share
from dtns.sam.issuing.window import Window
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.keys import Enrolment
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Direction, Party, Terms
from dtns.sam.store.store import Store

SHORT = st.integers(1, 0xFFFF)
NUMBERS = st.integers(10**6, 10**15 - 1).map(lambda digits: Number(str(digits)))
PARTIES = st.builds(Party, NUMBERS, SHORT)
SECONDS = st.floats(0, 1e10)
REGISTRATIONS = st.builds(
    Registration,
    st.builds(Enrolment, NUMBERS, SHORT, SHORT, st.integers(1, 255)),
    SECONDS,
    st.booleans(),
    st.builds(Window, st.integers(0, 0xFFFFFFFF), st.integers(0, (1 << 64) - 1)),
    st.builds(Share, st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**5)),
    st.none(),
    st.integers(0, 0xFFFFFFFF),
)
TERMS = st.builds(Terms, st.integers(0, 31), st.sampled_from(Direction), st.integers(0, 0xFFFF))
GRANTS = st.builds(Granted, SHORT, SHORT, st.integers(1, 255), TERMS, st.sampled_from(Form))
DECISIONS = st.builds(
    Decision,
    asker=PARTIES,
    counter=st.integers(1, 0xFFFFFFFF),
    ask_mac=st.binary(min_size=8, max_size=8),
    holder=NUMBERS,
    week=st.integers(0, 0xFFFF),
    decided_at=SECONDS,
    carrier=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    granted=GRANTS,
    reason=st.none(),
    answer=st.none() | st.binary(max_size=100),
    repeats=st.just(0),
) | st.builds(
    Decision,
    asker=PARTIES,
    counter=st.integers(1, 0xFFFFFFFF),
    ask_mac=st.binary(min_size=8, max_size=8),
    holder=NUMBERS,
    week=st.integers(0, 0xFFFF),
    decided_at=SECONDS,
    carrier=st.just("loopback"),
    granted=st.none(),
    reason=st.sampled_from(Reason),
    answer=st.none(),
    repeats=st.just(0),
)

A = Party(Number("254700000001"), 1)
B = Party(Number("254700000002"), 1)
many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def granted(n: int) -> Decision:
    """Return a grant of the key *n* of A with B in epoch 1."""
    key = Granted(B.generation, 1, n, Terms(4, Direction.ASKER_PAYS, 120), Form.DERIVED)
    return Decision(A, n, bytes(8), B.number, 100, 1.0, "loopback", key)


def undone(store: Store, check: Callable[[], None]) -> None:
    """Run *check* in a transaction that leaves nothing behind."""

    def check_and_fail() -> None:
        with store.transaction():
            check()
            assert 1 / 0

    with pytest.raises(ZeroDivisionError):
        check_and_fail()


@many
@given(registration=REGISTRATIONS)
def test_a_party_comes_back_as_it_was_saved(store: Store, registration: Registration) -> None:
    """Every field of a registration, the 64-bit map included, survives the disk."""
    with store.transaction():
        store.save(registration)
    with store.transaction():
        assert store.registration(registration.enrolment.number) == registration


@many
@given(decision=DECISIONS)
def test_a_decision_comes_back_as_it_was_made(store: Store, decision: Decision) -> None:
    """Every field of a decision survives the disk, and repeats are counted."""

    def check() -> None:
        store.add(decision)
        assert store.decision(decision.asker, decision.counter) == decision
        store.count_repeat(decision.asker, decision.counter)
        again = store.decision(decision.asker, decision.counter)
        assert again == decision._replace(repeats=1)

    undone(store, check)


def test_what_is_not_there_is_none(store: Store) -> None:
    """An unknown party, decision or pair is no fault."""
    with store.transaction():
        assert store.registration(A.number) is None
        assert store.decision(A, 1) is None
        assert store.last_n(A, B, 1) == 0


def test_n_is_counted_for_each_pair_generation_and_epoch(store: Store) -> None:
    """Only the very same pair, with both generations and the epoch, shares a counter."""
    with store.transaction():
        store.add(granted(7))
    others = [
        (B, A, 1),
        (A._replace(generation=2), B, 1),
        (A, B._replace(generation=2), 1),
        (A, B, 2),
    ]
    with store.transaction():
        assert store.last_n(A, B, 1) == 7
        assert [store.last_n(*other) for other in others] == [0, 0, 0, 0]


def test_what_was_read_and_undone_is_read_again(store: Store) -> None:
    """After a transaction that failed, nothing of it is remembered."""

    def check() -> None:
        store.add(granted(9))
        store.save(Registration(Enrolment(A.number, 1, 1, 1), 0.0))
        assert store.last_n(A, B, 1) == 9

    undone(store, check)
    with store.transaction():
        assert store.last_n(A, B, 1) == 0
        assert store.registration(A.number) is None


def test_behind_stays_until_the_epoch_is_raised(path: Path) -> None:
    """What a phone has proved outlives the process."""
    with Store.open(path) as store, store.transaction():
        assert not store.behind
        store.note_behind(1)
        assert store.behind
    with Store.open(path) as store, store.transaction():
        assert store.behind


def test_a_transaction_reads_each_party_and_pair_once(store: Store) -> None:
    """However often the issuer looks, the database is asked once a transaction."""
    with store.transaction():
        assert store.last_n(B, A, 1) == 0
    asked: list[str] = []
    store.connection.set_trace_callback(asked.append)
    with store.transaction():
        for _ in range(5):
            store.registration(A.number)
            store.last_n(A, B, store.epoch)
    assert len([query for query in asked if query.startswith("SELECT")]) == 3

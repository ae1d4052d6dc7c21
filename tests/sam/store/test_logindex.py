"""Asks and pairs are found in the log, whether its tables have come to its end or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtns.sam.errors import StoreError
from dtns.sam.issuing.records import Decision, Granted
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Direction, Party, Terms
from dtns.sam.store import logindex
from dtns.sam.store.keyfile import create_key_file, read_key_file
from dtns.sam.store.recovery import begin_journal
from dtns.sam.store.retention import Retention, purge_span
from dtns.sam.store.snapshot import snapshot
from dtns.sam.store.store import Store

BULK = 5
PARTIES = [Party(Number(f"25470000000{digit}"), 1) for digit in range(3)]
A, B, C = PARTIES
TERMS = Terms(4, Direction.ASKER_PAYS, 120)
INDEXED = "SELECT indexed, (SELECT count(*) FROM ask_index) FROM meta"
BOTH = (
    "SELECT * FROM ask ORDER BY 1, 2, 3",
    "SELECT asker, holder, epoch, max(last_n) FROM pair GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
)
OF_DECISIONS = (
    "SELECT asker, asker_generation, counter, id FROM decision WHERE asker ORDER BY 1, 2, 3",
    (
        "SELECT asker, holder, epoch, max(n) FROM decision WHERE n AND asker GROUP BY 1, 2, 3"
        " ORDER BY 1, 2, 3"
    ),
)
STEPS = st.lists(
    st.sampled_from(["ask", "ask", "ask", "refuse", "repeat", "undo", "reopen", "write"]),
    max_size=40,
)


@pytest.fixture(autouse=True)
def small_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the tables written after a few decisions."""
    monkeypatch.setattr(logindex, "BULK", BULK)


def decided(asker: Party, counter: int, holder: Party, n: int | None) -> Decision:
    """Return a grant of the key *n*, or a refusal."""
    key = None if n is None else Granted(holder.generation, 1, n, TERMS, Form.DERIVED)
    reason = Reason.SUSPENDED if n is None else None
    return Decision(asker, counter, bytes(8), holder.number, 100, 1.0, "gsm", key, reason)


def ask(store: Store, counter: int, *, refuse: bool = False) -> None:
    """Decide on an ask of A for a key with B."""
    n = None if refuse else store.last_n(A, B, 1) + 1
    store.add(decided(A, counter, B, n))


def rows(store: Path, queries: Sequence[str]) -> list[list[Any]]:
    """Return what another process reads now."""
    with snapshot(store) as connection:
        return [connection.execute(query).fetchall() for query in queries]


class Run:
    """A store in use, beside a model of what it must know."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store.open(path)
        self.asks: dict[tuple[Party, int], Decision] = {}
        self.last: dict[tuple[Party, Party], int] = defaultdict(int)

    def do(self, step: str, asker: Party, holder: Party) -> None:
        """Do a step of STEPS."""
        match step:
            case "reopen":
                self.store.close()
                self.store = Store.open(self.path)
            case "write":
                with self.store.transaction():
                    self.store.index.write()
            case "undo":
                with suppress(ZeroDivisionError), self.store.transaction():
                    self._decide(asker, holder, self.last[asker, holder] + 1)
                    assert 1 / 0
            case "repeat":
                self._repeat()
            case _:
                n = None if step == "refuse" else self.last[asker, holder] + 1
                with self.store.transaction():
                    decision = self._decide(asker, holder, n)
                self.asks[asker, decision.counter] = decision
                self.last[asker, holder] = n or self.last[asker, holder]

    def _decide(self, asker: Party, holder: Party, n: int | None) -> Decision:
        assert self.store.last_n(asker, holder, 1) == self.last[asker, holder]
        decision = decided(asker, len(self.asks) + 1, holder, n)
        self.store.add(decision)
        return decision

    def _repeat(self) -> None:
        for (asker, counter), decision in list(self.asks.items())[:2]:
            with self.store.transaction():
                self.store.count_repeat(asker, counter)
            again = decision._replace(repeats=decision.repeats + 1)
            self.asks[asker, counter] = again

    def check(self) -> None:
        """Sam itself and whoever reads beside it know what the model knows."""
        with self.store.transaction():
            for (asker, counter), decision in self.asks.items():
                assert self.store.decision(asker, counter) == decision
                assert self.store.decision(asker, counter + 100) is None
            for (asker, holder), n in self.last.items():
                assert self.store.last_n(asker, holder, 1) == n
            for party in PARTIES:
                asked = [each for each in self.asks.values() if each.asker == party]
                granted = sum(each.granted is not None for each in asked)
                assert self.store.registry.count_issues(party.number) == (len(asked), granted)
                latest = self.store.registry.latest(party.number)
                assert (latest and latest.decision) == (asked[-1] if asked else None)
        assert rows(self.path, BOTH) == rows(self.path, OF_DECISIONS)
        ((indexed, found),) = self.store.connection.execute(INDEXED)
        assert indexed == found
        assert 0 <= len(self.asks) - indexed < BULK


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=STEPS,
    parties=st.lists(st.permutations(PARTIES), min_size=40, max_size=40),
    data=st.data(),
)
def test_tables_and_memory_follow_from_the_log(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], parties: Any, data: Any
) -> None:
    """Asks, refusals, repeats, failures and new starts in any order: all is found, at any time."""
    path = tmp_path_factory.mktemp("run") / "sam.sqlite"
    Store.create(path, 0.0)
    run = Run(path)
    checked = data.draw(st.integers(0, len(steps)))
    for number, (step, (asker, holder, _)) in enumerate(zip(steps, parties, strict=False)):
        run.do(step, asker, holder)
        if number == checked:
            run.check()
    run.check()
    run.store.close()


def test_a_turn_of_any_size_is_one_write(store: Store) -> None:
    """Tables are written at the end of a transaction, and not before enough has come."""
    with store.transaction():
        for counter in range(1, BULK):
            ask(store, counter)
    assert store.connection.execute(INDEXED).fetchone() == (0, 0)
    with store.transaction():
        for counter in range(BULK, 4 * BULK):
            ask(store, counter)
        assert store.connection.execute(INDEXED).fetchone() == (0, 0)
    assert store.connection.execute(INDEXED).fetchone() == (4 * BULK - 1, 4 * BULK - 1)


def test_an_ask_is_decided_on_once(store: Store) -> None:
    """A second decision is refused, in the same transaction and in a later one."""
    with store.transaction():
        ask(store, 1)
        with pytest.raises(ValueError, match="a decision on this ask already"):
            ask(store, 1)
    with pytest.raises(ValueError, match="already"), store.transaction():
        ask(store, 1)
    with store.transaction():
        assert store.last_n(A, B, 1) == 1


def test_a_full_disk_loses_nothing(path: Path, store: Store) -> None:
    """Where the tables cannot be written the turn is not done, and is done once they can be."""
    with store.transaction():
        for counter in range(1, BULK):
            ask(store, counter)
    before = rows(path, BOTH)
    (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
    store.connection.execute(f"PRAGMA max_page_count = {pages}")

    def turn() -> None:
        with store.transaction():
            for counter in range(BULK, 100):
                ask(store, counter)

    with pytest.raises(StoreError, match="disk is full"):
        turn()
    assert rows(path, BOTH) == before
    with store.transaction():
        assert store.last_n(A, B, 1) == BULK - 1
        assert store.decision(A, BULK) is None
    store.connection.execute("PRAGMA max_page_count = 1000000")
    turn()
    assert rows(path, BOTH) == rows(path, OF_DECISIONS)
    assert store.connection.execute(INDEXED).fetchone() == (99, 99)


@pytest.fixture
def guarded(path: Path, tmp_path: Path) -> Iterator[Store]:
    """A store with a journal, whose decisions are sealed."""
    create_key_file(tmp_path / "master.key", bytes(range(32)))
    keys = read_key_file(tmp_path / "master.key")
    with closing(Store.open(path)) as opened:
        begin_journal(opened, tmp_path / "journal", keys, lambda: 1.0)
        yield opened


def test_a_purge_leaves_the_counters_of_pairs(path: Path, guarded: Store) -> None:
    """Purged decisions are found by no ask; no n is issued twice, even if the tables lacked it."""
    with guarded.transaction():
        ask(guarded, 1)
        ask(guarded, 2)
    with guarded.transaction():
        assert guarded.guard is not None
        purge_span(guarded, guarded.guard.chain, Retention(2.0, 200), 0)
    assert rows(path, BOTH) == [[], [(int(A.number), int(B.number), 1, 2)]]
    with guarded.transaction():
        assert guarded.last_n(A, B, 1) == 2
        assert guarded.decision(A, 1) is None
        ask(guarded, 3)
    with guarded.transaction():
        assert guarded.last_n(A, B, 1) == 3

"""Group commit: one transaction a turn, and no piece of work harms another."""

from __future__ import annotations

from typing import Any

import pytest

from dtns.sam.errors import StoreError


def test_all_of_a_turn_goes_into_one_transaction(bench: Any) -> None:
    """Work of the same turn shares a commit; work of the next has its own."""
    start = len(bench.statements)
    done = [bench.commits.write(lambda n=n: n * n) for n in range(20)]
    assert bench.commits_since(start) == 0
    bench.turn()
    assert [bench.done(each) for each in done] == [n * n for n in range(20)]
    assert bench.commits_since(start) == 1
    bench.commits.write(int)
    bench.turn()
    assert bench.commits_since(start) == 2


def test_results_come_after_the_commit(bench: Any) -> None:
    """Whoever hears of a result may rely on it being durable."""
    told: list[str] = []
    bench.commits.write(lambda: bench.world.store.note_behind(1)).addCallback(
        lambda _: told.append(bench.statements[-1])
    )
    bench.turn()
    assert told == ["COMMIT"]


def test_a_faulty_piece_does_not_harm_the_others(bench: Any) -> None:
    """What raises is undone and told to its owner; the rest is written."""
    registry = bench.world.store.registry

    def faulty() -> None:
        registry.note_master_key(66, "no")
        raise ZeroDivisionError

    good = bench.commits.write(lambda: registry.note_master_key(1, "one"))
    bad = bench.commits.write(faulty)
    last = bench.commits.write(lambda: registry.note_master_key(2, "two"))
    bench.turn()
    bench.done(good)
    bench.done(last)
    with pytest.raises(ZeroDivisionError):
        bench.done(bad)
    with bench.world.store.transaction():
        assert registry.master_keys() == {1: "one", 2: "two"}


def test_a_store_fault_fails_the_whole_turn(bench: Any) -> None:
    """If nothing can be written, everyone is told, and the next turn is tried afresh."""
    bench.writable(yes=False)
    failed = [bench.commits.write(lambda: bench.world.store.note_behind(1)) for _ in range(3)]
    bench.turn()
    for each in failed:
        with pytest.raises(StoreError, match="cannot be written"):
            bench.done(each)
    bench.writable(yes=True)
    again = bench.commits.write(lambda: bench.world.store.note_behind(1))
    bench.pass_time(0.25)
    bench.done(again)


def test_a_store_that_fails_is_left_alone_for_longer_each_time(bench: Any) -> None:
    """A locked store is asked once in two seconds at most, however much waits to be written."""
    bench.writable(yes=False)
    start = len(bench.statements)
    for _ in range(80):
        bench.commits.write(lambda: bench.world.store.note_behind(1)).addErrback(lambda _: None)
        bench.pass_time(0.25)
    assert 8 <= bench.commits_since(start) <= 20 / 2 + 4


def test_work_asked_for_by_a_result_waits_for_the_next_turn(bench: Any) -> None:
    """A result that asks for more work gets it, in a transaction of its own."""
    start = len(bench.statements)
    chained = bench.commits.write(int).addCallback(lambda _: bench.commits.write(lambda: "done"))
    bench.turn()
    assert bench.done(chained) == "done"
    assert bench.commits_since(start) == 2

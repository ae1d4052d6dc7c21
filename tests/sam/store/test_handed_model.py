"""Answers handed over at once fare as those that are queued first, whatever happens to both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dtns.sam.issuing.issuer import Answer, Outcome
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.outbox import OutboxRows, State, Times
from dtns.sam.store.store import Store

ASKER = Number("254700000001")
TIMES = Times(1_800_000_000.0, 1000.0, 1100.0)
CLOCK = 1_800_000_005.0
ISSUES = range(1, 7)
PARCELS = range(1, 13)
MARK_HANDED = "UPDATE outbox SET state = 'handed', attempts = 1, route = ? WHERE state = 'queued'"

parcels = st.sampled_from(PARCELS)
routes = st.sampled_from("bc")


class BrokenError(Exception):
    """Undoes a transaction."""


def open_store(path: Path) -> Store:
    """Open a store that need not survive a power cut."""
    store = Store.open(path)
    store.connection.execute("PRAGMA synchronous = OFF")
    return store


def look(rows: OutboxRows) -> list[Any]:
    """Return all that can be asked of the outbox."""
    return [
        rows.counts(),
        rows.waiting(),
        rows.next_due("net"),
        [(rows.waits(issue), rows.deliveries(issue)) for issue in ISSUES],
        [rows.exists(parcel) for parcel in PARCELS],
        [rows.find(route, f"net-{parcel}") for route in "bc" for parcel in PARCELS],
    ]


class TwoOutboxes(RuleBasedStateMachine):
    """The second one's answers have rows of their own from the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.paths = [Path(self.folder.name) / name for name in ("at-once", "queued")]
        for path in self.paths:
            Store.create(path, 0.0)
        self.stores = [open_store(path) for path in self.paths]

    def teardown(self) -> None:
        """Compare the tables, once each answer has its row."""
        self.both(lambda rows: rows.write_out())
        ends = [
            [store.connection.execute(f"SELECT * FROM {name}").fetchall() for store in self.stores]
            for name in ("outbox", "handed")
        ]
        for store in self.stores:
            store.close()
        self.folder.cleanup()
        assert ends[0][0] == ends[0][1]
        assert ends[1] == [[], []]

    def both(self, work: Callable[[OutboxRows], Any], *, undone: bool = False) -> None:
        """Do the same in a transaction of each, and compare what it returns."""
        results = []
        for store in self.stores:
            with suppress(BrokenError), store.transaction():
                results.append(work(store.outbox))
                if undone:
                    raise BrokenError
        assert results[0] == results[1]

    @rule(
        route=routes,
        wanted=st.sets(st.sampled_from([0, *ISSUES]), min_size=1, max_size=3),
        undone=st.booleans(),
    )
    def hand(self, route: str, wanted: set[int], undone: bool) -> None:  # noqa: FBT001 (drawn)
        """Hand answers over, one of no decision as 0, and none of a decision whose answer waits."""
        for at_once, store in zip((True, False), self.stores, strict=True):
            with suppress(BrokenError), store.transaction():
                rows, turn = store.outbox, []
                for issue in sorted(each for each in wanted if not (each and rows.waits(each))):
                    answer = Answer(ASKER, 1, 1, f"TEXT{issue}", Outcome.ISSUED, issue=issue)
                    turn.append(("b", answer))
                if turn and at_once:
                    rows.pass_on("net", route, turn, TIMES)
                elif turn:
                    for carrier, answer in turn:
                        rows.add("net", carrier, answer, TIMES)
                    store.connection.execute(MARK_HANDED, (route,))
                if undone:
                    raise BrokenError

    @rule(taken=st.lists(parcels, max_size=4), undone=st.booleans())
    def accept(self, taken: list[int], undone: bool) -> None:  # noqa: FBT001 (drawn)
        """Some may be unknown, known already, or named twice."""
        ids = [(f"net-{parcel}", parcel) for parcel in taken]
        self.both(lambda rows: rows.accepted(ids), undone=undone)

    @rule(parcel=parcels, unknown=st.booleans(), undone=st.booleans())
    def retry(self, parcel: int, unknown: bool, undone: bool) -> None:  # noqa: FBT001 (drawn)
        """A carrier may fail for now."""
        self.both(lambda rows: rows.retry(parcel, 1000.0, "r", unknown=unknown), undone=undone)

    @rule(parcel=parcels, state=st.sampled_from(list(State)[-3:]), undone=st.booleans())
    def settle(self, parcel: int, state: State, undone: bool) -> None:  # noqa: FBT001 (drawn)
        """A report may come at any time."""
        self.both(lambda rows: rows.settle(parcel, state, "s", CLOCK), undone=undone)

    @rule(route=routes, limit=st.integers(1, 4))
    def hand_over(self, route: str, limit: int) -> None:
        """What is due leaves, with the same attempts."""
        self.both(lambda rows: rows.hand_over("net", route, "bc", limit, now=1000.0, clock=CLOCK))

    @rule(issue=st.sampled_from(ISSUES))
    def retry_now(self, issue: int) -> None:
        """The operator may order it of any answer."""
        self.both(lambda rows: rows.retry_now(issue, now=1000.0, validity=100.0))

    @rule(back=st.booleans())
    def restart(self, back: bool) -> None:  # noqa: FBT001 (drawn)
        """Only what is in the file stays."""
        for store in self.stores:
            store.close()
        self.stores = [open_store(path) for path in self.paths]
        if back:
            self.both(lambda rows: rows.take_back())

    @invariant()
    def looks_the_same(self) -> None:
        """Nobody can tell the two apart."""
        self.both(look)


TestTwoOutboxes = TwoOutboxes.TestCase
TestTwoOutboxes.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

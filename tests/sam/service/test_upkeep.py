"""Sam's upkeep of its store: the log's head journalled, old decisions purged day by day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guarded import FailingDisk, GuardedWorld
from twisted.internet.task import Clock

from dtns.sam.errors import StoreError
from dtns.sam.issuing.issuer import DAY_SECONDS
from dtns.sam.service import requests as ask
from dtns.sam.service.administration import Administration
from dtns.sam.service.requests import Purge, Purged, Refusal
from dtns.sam.service.upkeep import HOUR_SECONDS, Upkeep, UpkeepLoop
from dtns.sam.store.retention import SPAN, Span

DAYS = 30


class Counting(Upkeep):
    """An upkeep that counts the spans that it was asked to purge."""

    spans = 0

    def purge(self, after: int, *, dry: bool = False) -> Span | None:
        """Purge, and count."""
        self.spans += 1
        return super().purge(after, dry=dry)


class Bench:
    """A store under upkeep; time passes by hand."""

    def __init__(self, folder: Path, span: int = SPAN) -> None:
        self.world = GuardedWorld(folder)
        self.clock = Clock()
        self.began = self.world.now
        self.upkeep = Counting(self.world.store, self.now, DAYS, span)
        self.loop = UpkeepLoop(self.world.store, self.upkeep, self.clock, young_spans=3)
        self.alice, self.bob = self.world.phone(), self.world.phone()
        self.note_week()

    def now(self) -> float:
        """POSIX time."""
        return float(self.began + self.clock.seconds())

    def note_week(self) -> None:
        """Let Sam go by the week that it is."""
        self.world.now = self.now()
        with self.world.store.transaction():
            self.world.store.note_week(self.world.week)

    def pass_days(self, days: int) -> None:
        """Let time pass, Sam's week with it."""
        for _ in range(days):
            for _ in range(24):
                self.clock.advance(HOUR_SECONDS)
            self.note_week()
            for _ in range(100):
                self.clock.advance(0.05)

    def entries(self) -> int:
        """Return how many entries the journal has."""
        return self.world.journal.read_bytes().count(b"\n")

    def purged(self) -> int:
        """Return how many decisions are purged."""
        return self.world.verified().purged


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A store with two parties."""
    made = Bench(tmp_path)
    yield made
    made.world.kill()


def test_the_head_is_journalled_at_the_start_hourly_and_at_the_end(bench: Bench) -> None:
    """Where nothing was decided, nothing is written but at the start."""
    before = bench.entries()
    bench.loop.start()
    assert bench.entries() == before + 1
    bench.pass_days(1)
    assert bench.entries() == before + 1
    bench.world.key(bench.alice, bench.bob)
    bench.clock.advance(HOUR_SECONDS)
    assert bench.entries() == before + 2
    bench.world.key(bench.alice, bench.bob)
    bench.loop.stop()
    assert bench.entries() == before + 3
    assert bench.clock.getDelayedCalls() == []
    bench.world.restart()


def test_a_full_journal_disk_keeps_sam_from_starting_not_from_running(bench: Bench) -> None:
    """What cannot be journalled at the start is a fault; later it is logged and tried again."""
    guard = bench.world.store.guard
    assert guard is not None
    guard.journal._file._disk = disk = FailingDisk(0)
    with pytest.raises(StoreError, match="No space left"):
        bench.loop.start()
    disk.left = None
    bench.loop.start()
    disk.left = 0
    bench.world.key(bench.alice, bench.bob)
    before = bench.entries()
    bench.clock.advance(HOUR_SECONDS)
    assert bench.entries() == before
    disk.left = None
    bench.clock.advance(HOUR_SECONDS)
    assert bench.entries() == before + 1
    disk.left = 0
    bench.world.key(bench.alice, bench.bob)
    bench.loop.stop()


def test_old_decisions_are_purged_by_and_by(tmp_path: Path) -> None:
    """Span by span, daily, once they are old enough and their keys have expired."""
    bench = Bench(tmp_path, span=3)
    bench.loop.start()
    for _ in range(8):
        bench.world.key(bench.alice, bench.bob, life=2)
    bench.world.key(bench.alice, bench.bob, life=20)
    bench.pass_days(DAYS - 1)
    assert bench.purged() == 0
    bench.pass_days(3)
    assert bench.purged() == 8
    bench.pass_days(20 * 7)
    verified = bench.world.verified()
    assert (verified.decisions, verified.purged, verified.fault) == (9, 9, None)
    bench.upkeep.spans = 0
    bench.pass_days(1)
    assert bench.upkeep.spans == 1
    bench.loop.stop()
    bench.world.kill()


def test_a_run_ends_where_all_is_young(tmp_path: Path) -> None:
    """A long young log is not read through daily; a few decisions of a wrong clock are no end."""
    bench = Bench(tmp_path, span=1)
    bench.loop.start()
    bench.world.suspend(bench.bob)
    for leap in (3650 * DAY_SECONDS, 0):
        bench.world.now = bench.now() + leap
        for _ in range(2):
            bench.world.answer(bench.world.ask(bench.alice, bench.bob))
    bench.note_week()
    bench.pass_days(DAYS + 8)
    assert bench.purged() == 2
    for _ in range(9):
        bench.world.answer(bench.world.ask(bench.alice, bench.bob))
    bench.upkeep.spans = 0
    bench.pass_days(1)
    assert 3 < bench.upkeep.spans < 13
    bench.loop.stop()
    bench.world.kill()


def test_a_clock_that_sam_does_not_believe_purges_nothing(bench: Bench) -> None:
    """Years ahead, the clock makes no decision old: Sam's own week counts."""
    bench.world.key(bench.alice, bench.bob, life=1)
    bench.clock.advance(4000 * DAY_SECONDS)
    with bench.world.store.transaction():
        span = bench.upkeep.purge(0)
    assert span is not None
    assert span.purged == 0
    bench.note_week()
    with bench.world.store.transaction():
        span = bench.upkeep.purge(0)
    assert span is not None
    assert span.purged == 1


def test_the_operator_purges_by_request(bench: Bench) -> None:
    """A span for each request, counted; refused where all is kept for ever."""
    bench.world.key(bench.alice, bench.bob, life=1)
    bench.clock.advance((DAYS + 8) * DAY_SECONDS)
    bench.note_week()
    store, keys = bench.world.store, bench.world.keys
    sam = Administration(store, keys, bench.now, upkeep=bench.upkeep)
    assert sam.answer(Purge(dry=True)) == Purged(1, None)
    assert sam.answer(Purge()) == Purged(1, None)
    assert sam.answer(Purge()) == Purged(0, None)
    for_ever = Administration(store, keys, bench.now, upkeep=Upkeep(store, bench.now, 0))
    refused: Any = for_ever.answer(Purge())
    assert isinstance(refused, Refusal)
    assert "retention_days is 0" in refused.reason
    assert isinstance(sam.answer(ask.GetStatus()), ask.Status)

"""A real `dtns serve` whose disk, store or clock goes wrong: silent meanwhile, well afterwards."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from deployment import Deployment, deploy, dtns
from diskfaults import Faults, compiler

from dtns.gateway.loopback.handset import Line
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.phone import Phone

ALICE, BOB = "+254700000001", "+254700000002"
SILENCE_SECONDS = 2.5
PATIENCE_SECONDS = 15.0

pytestmark = pytest.mark.slow
needs_compiler = pytest.mark.skipif(not compiler(), reason="apt-get install gcc libc6-dev")


class Caller:
    """A phone that stays in signal and asks for one key after the other."""

    def __init__(self, phone: Phone, holder: Phone, line: Line) -> None:
        self.phone = phone
        self.holder = holder
        self.line = line
        self.asks = 0

    def ask(self) -> None:
        """Send a new ask; the network takes it."""
        with self.phone.handset() as handset:
            asked = handset.ask(self.holder.sim.number, Wish(), time.time(), anew=True)
        assert isinstance(asked, Asked)
        assert self.phone.send(self.line, asked)
        self.asks += 1

    def answers(self, seconds: float) -> int:
        """Return how many answers come within so many seconds."""
        return sum(
            received.outcome == "answered" for received in self.phone.take_in(self.line, seconds)
        )

    def is_answered(self) -> bool:
        """Tell whether an answer comes before long."""
        coming = self.phone.take_in(self.line, PATIENCE_SECONDS)
        return any(received.outcome == "answered" for received in coming)


@contextmanager
def serving(deployment: Deployment) -> Iterator[tuple[subprocess.Popen[str], Caller]]:
    """Run Sam and put a phone into signal that has had one key already."""
    alice, bob = map(Phone, deployment.enrol(ALICE, BOB))
    with deployment.sam() as sam, alice.line() as line:
        caller = Caller(alice, bob, line)
        caller.ask()
        assert caller.is_answered()
        yield sam, caller


def expect_silence_then_service(
    deployment: Deployment, caller: Caller, begin: Callable[[], object], end: Callable[[], object]
) -> None:
    """While the fault lasts nothing is answered, and it is logged; afterwards all is answered."""
    begin()
    caller.ask()
    assert caller.answers(SILENCE_SECONDS) == 0
    assert '"not-stored"' in deployment.log
    end()
    assert caller.is_answered()
    caller.ask()
    assert caller.is_answered()


def insist_on_whole_numbers(deployment: Deployment, asks: int) -> None:
    """Each ask has one decision, the keys' numbers no gap and no double, and the file is whole."""
    with closing(sqlite3.connect(deployment.folder / "dtns.sqlite")) as store:
        issued = [row[0] for row in store.execute("SELECT n FROM decision ORDER BY n")]
        assert issued == [*range(1, asks + 1)]
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@needs_compiler
@pytest.mark.parametrize(
    ("call", "number"),
    [("fsync", errno.EIO), ("write", errno.ENOSPC), ("write", errno.EROFS), ("write", errno.EIO)],
)
def test_a_disk_that_fails_makes_sam_silent_until_it_is_well(
    tmp_path: Path, call: str, number: int
) -> None:
    """EIO at fsync or write, a full disk, one gone read-only: nothing lost, nothing twice."""
    faults = Faults(tmp_path, "dtns.sqlite")
    deployment = deploy(tmp_path / "d")
    deployment.environment = faults.environment
    with serving(deployment) as (_, caller):
        expect_silence_then_service(
            deployment, caller, lambda: faults.order(call, number), faults.end
        )
    insist_on_whole_numbers(deployment, caller.asks)


def test_a_file_that_may_not_grow_makes_sam_silent_until_it_may(tmp_path: Path) -> None:
    """The process's own limit on file sizes, set to that of the store's log as it is now."""
    deployment = deploy(tmp_path / "d")
    with serving(deployment) as (sam, caller):
        before = resource.prlimit(sam.pid, resource.RLIMIT_FSIZE)
        size = (deployment.folder / "dtns.sqlite-wal").stat().st_size
        expect_silence_then_service(
            deployment,
            caller,
            lambda: resource.prlimit(sam.pid, resource.RLIMIT_FSIZE, (size, before[1])),
            lambda: resource.prlimit(sam.pid, resource.RLIMIT_FSIZE, before),
        )
    insist_on_whole_numbers(deployment, caller.asks)


def test_a_store_locked_by_another_process_makes_sam_silent_until_it_is_free(
    tmp_path: Path,
) -> None:
    """Somebody's sqlite3 shell with an open transaction does no harm."""
    deployment = deploy(tmp_path / "d")
    with serving(deployment) as (_, caller), ExitStack() as held:
        shell = sqlite3.connect(deployment.folder / "dtns.sqlite", isolation_level=None)
        held.enter_context(closing(shell))
        expect_silence_then_service(
            deployment,
            caller,
            lambda: shell.execute("BEGIN EXCLUSIVE"),
            lambda: shell.execute("ROLLBACK"),
        )
    insist_on_whole_numbers(deployment, caller.asks)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write what is read-only")
def test_a_store_that_may_not_be_written_keeps_sam_from_starting(tmp_path: Path) -> None:
    """The reason and what to do are told; nothing is served half."""
    deployment = deploy(tmp_path / "d")
    (deployment.folder / "dtns.sqlite").chmod(0o400)
    done = dtns("serve", "-c", str(deployment.config))
    assert done.returncode == 4
    assert "cannot be written" in done.stderr


@needs_compiler
@pytest.mark.parametrize("years", [-20, 3])
def test_a_clock_set_by_years_holds_nothing_up(tmp_path: Path, years: int) -> None:
    """What is on its way when the clock jumps arrives, and so does what comes after."""
    faults = Faults(tmp_path, "dtns.sqlite")
    deployment = deploy(tmp_path / "d")
    deployment.environment = faults.environment
    deployment.conditions(delay=0.7)
    with serving(deployment) as (_, caller):
        caller.ask()
        faults.order("clock", years * 365 * 86400)
        assert caller.is_answered()
        caller.ask()
        assert caller.is_answered()
    insist_on_whole_numbers(deployment, caller.asks)

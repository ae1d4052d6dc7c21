"""Store and journal after crashes, full disks and old copies: in step again, or refused."""

from __future__ import annotations

import errno
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from guarded import FailingDisk, GuardedWorld, KilledError

from dtns.sam.errors import KeyFileError, StoreError
from dtns.sam.issuing.notices import renew, renewed
from dtns.sam.issuing.records import Registration, Topic
from dtns.sam.protocol.keys import Enrolment, MasterKey
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.sync import Unlock
from dtns.sam.store.audit import AuditChain, Head
from dtns.sam.store.entries import Enrolled, EpochRaised
from dtns.sam.store.guard import ANCHOR_DECISIONS
from dtns.sam.store.journal import Journal
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.recovery import Mended, join_journal
from dtns.sam.store.schema import Schema, current_schema
from dtns.sam.store.store import Store
from dtns.sam.store.verification import Anchors, verify_log

A, B, C = (Number(str(254700000000 + n)) for n in (1, 2, 3))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GuardedWorld]:
    """A Sam with a journal, and nobody enrolled."""
    made = GuardedWorld(tmp_path)
    yield made
    made.kill()


def enrol(world: GuardedWorld, number: Number, generation: int = 1) -> None:
    """Enrol a party, or give it a new SIM."""
    enrolment = Enrolment(number, generation, world.store.epoch, 1)
    known = world.store.registration(number)
    fresh = Registration(enrolment, world.now)
    world.store.save(fresh if known is None else fresh._replace(suspended=known.suspended))


def suspend(world: GuardedWorld, number: Number, *, suspended: bool) -> None:
    """Suspend or resume a party."""
    known = world.store.registration(number)
    assert known is not None
    world.store.save(known._replace(suspended=suspended))


def offer_renewal(world: GuardedWorld, number: Number) -> None:
    """Begin to give a party new keys over the air."""
    known = world.store.registration(number)
    assert known is not None
    assert renew(world.store, known, 1) is not None


def take_renewal(world: GuardedWorld, number: Number) -> None:
    """Let a party have taken its new keys."""
    known = world.store.registration(number)
    assert known is not None
    renewed(world.store, known)


def enrol_many(world: GuardedWorld) -> None:
    """Enrol fifty parties in one transaction."""
    for n in range(50):
        enrol(world, Number(str(254711000000 + n)))


Work = Callable[[GuardedWorld], None]
STEPS: list[Work] = [
    lambda world: enrol(world, A),
    lambda world: enrol(world, B),
    lambda world: suspend(world, A, suspended=True),
    lambda world: enrol(world, A, 2),
    enrol_many,
    lambda world: offer_renewal(world, B),
    lambda world: suspend(world, A, suspended=False),
    lambda world: take_renewal(world, B),
    lambda world: world.store.raise_epoch(world.store.epoch + 1),
    lambda world: world.store.add_notice(A, Topic.ITEM, Unlock(3).octets),
    lambda world: enrol(world, B, 3),
]
"""Everything that is journalled, a transaction each."""


def use_disk(world: GuardedWorld, disk: FailingDisk) -> None:
    """Let the journal be written through this disk from here on."""
    assert world.store.guard is not None
    world.store.guard.journal._file._disk = disk


def do(world: GuardedWorld, work: Work) -> None:
    """Do one step durably."""
    with world.store.transaction():
        work(world)


def state(world: GuardedWorld) -> list[Any]:
    """Return all that the steps bear on, as the store has it."""
    connection = world.store.connection
    tables = ("party", "notice", "master_key")
    columns = {"notice": "number, topic, item"}
    rows = [
        sorted(connection.execute(f"SELECT {columns.get(name, '*')} FROM {name}"))
        for name in tables
    ]
    return [*rows[:2], world.epoch]


def expected(tmp_path: Path) -> list[list[Any]]:
    """Return the state before each step and after the last, where nothing goes wrong."""
    (tmp_path / "model").mkdir()
    world = GuardedWorld(tmp_path / "model")
    states = [state(world)]
    for work in STEPS:
        do(world, work)
        states.append(state(world))
    world.kill()
    return states


def test_a_store_in_step_with_its_journal_starts(world: GuardedWorld) -> None:
    """Nothing is mended where nothing is wrong."""
    for work in STEPS:
        do(world, work)
        before = state(world)
        world.restart()
        assert world.mended is not None
        assert (world.mended.rolled_forward, world.mended.torn) == (None, 0)
        assert state(world) == before


def test_what_decisions_change_is_not_journalled(world: GuardedWorld) -> None:
    """Asks and answers do not wait for the journal: only what must not be forgotten goes there."""
    alice, bob = world.phone(), world.phone()
    before = world.journal.read_bytes()
    world.key(alice, bob)
    world.key(bob, alice)
    assert world.journal.read_bytes() == before


def test_the_head_of_the_log_is_journalled_every_so_often(world: GuardedWorld) -> None:
    """After so many decisions the next transaction journals where the log had come.

    A full disk does not hold up asks for that: it is tried again after as many more.
    """
    guard = world.store.guard
    assert guard is not None
    with world.store.transaction():
        meta = world.store.meta()
    assert guard.settle(meta) is None
    disk = FailingDisk(0)
    use_disk(world, disk)
    overdue = evolve(meta, head=Head(ANCHOR_DECISIONS, bytes(16)))
    assert guard.settle(overdue) is None
    disk.left = None
    assert guard.settle(overdue) is None
    later = evolve(meta, head=Head(2 * ANCHOR_DECISIONS, bytes(16)))
    assert guard.settle(later) == (guard.journal.tip.place, later.head, later.log_seal)
    assert (guard.journal.tip.seq, guard.journal.tip.head) == (1, later.head)


@pytest.mark.parametrize("left", range(2 * len(STEPS) + 1))
@pytest.mark.parametrize("fault", [None, errno.ENOSPC, errno.EIO])
def test_wherever_the_disk_fails_a_step_is_done_or_not_done(
    tmp_path: Path, left: int, fault: int | None
) -> None:
    """Killed or refused at any write of the journal: nothing half done, all before it whole.

    After a restart the step is done at most once, and the rest of the steps can be taken. Only a
    disk that does not even let the entry be taken back leaves a refused step to be done then.
    """
    states = expected(tmp_path)
    world = GuardedWorld(tmp_path)
    use_disk(world, FailingDisk(left, fault))
    done = 0
    with suppress(KilledError, StoreError):
        for work in STEPS:
            do(world, work)
            done += 1
    assert done == min(left // 2, len(STEPS))
    world.restart()
    assert state(world) in (states[done], states[min(done + 1, len(STEPS))])
    if fault == errno.ENOSPC:
        assert state(world) == states[done]
    for position, work in enumerate(STEPS[done:], start=done):
        if state(world) != states[position + 1]:
            do(world, work)
    assert state(world) == states[-1]
    world.restart()
    assert world.verified().fault is None
    world.kill()


class FailingCommit:
    """A connection whose commits fail while *failing*."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.failing = True

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Execute, or refuse to commit."""
        if self.failing and statement == "COMMIT":
            fault = sqlite3.OperationalError("database or disk is full")
            fault.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise fault
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def failing_commit(world: GuardedWorld) -> FailingCommit:
    """Let the store's commits fail from here on."""
    connection = FailingCommit(world.store.connection)
    world.store.connection = connection  # type: ignore[assignment]
    return connection


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_a_crash_between_journal_and_commit_is_rolled_forward(tmp_path: Path, step: int) -> None:
    """Every kind of change that reached the journal alone is done at the next start, once."""
    states = expected(tmp_path)
    world = GuardedWorld(tmp_path)
    for work in STEPS[:step]:
        do(world, work)
    failing_commit(world)
    with pytest.raises(StoreError, match="disk is full"):
        do(world, STEPS[step])
    world.restart()
    assert world.mended is not None
    assert world.mended.rolled_forward is not None
    assert state(world) == states[step + 1]
    world.restart()
    assert world.mended.rolled_forward is None
    assert state(world) == states[step + 1]
    world.kill()


@pytest.mark.parametrize("after", ["step", "decision", "anchor"])
def test_a_commit_that_failed_is_overtaken_by_the_next(world: GuardedWorld, after: str) -> None:
    """What was refused for a full store stays refused, whatever is done once there is room."""
    alice, bob = world.phone(), world.phone()
    world.key(alice, bob)
    backup = world.backup()
    connection = failing_commit(world)
    for _ in range(2):
        with pytest.raises(StoreError, match="disk is full"):
            do(world, lambda world: enrol(world, C))
    connection.failing = False
    match after:
        case "step":
            do(world, lambda world: suspend(world, bob.sim.number, suspended=True))
        case "decision":
            world.key(alice, bob)
        case "anchor":
            world.anchor()
    for _ in range(2):
        with world.store.transaction():
            assert world.store.registration(C) is None
        world.restart()
        assert world.mended is not None
        assert world.mended.rolled_forward is None
    for source in (None, backup):
        world.restore(source)
        with world.store.transaction():
            assert world.store.registration(C) is None


def copy(world: GuardedWorld) -> Path:
    """Copy the store as a snapshot of its disk would."""
    return world.copy_of_store()


def put_back(world: GuardedWorld, snapshot: Path) -> None:
    """Put a copy in the store's place behind everybody's back."""
    world.kill()
    shutil.copy(snapshot, world.path)


@pytest.mark.parametrize("later", ["one step", "two steps", "decision, step", "decision, anchor"])
def test_an_old_copy_of_the_store_is_refused(world: GuardedWorld, later: str) -> None:
    """Put back by other means than `dtns restore`, it does not start, and the message names that.

    One step behind is a crash only if no decision is missing either.
    """
    alice, bob = world.phone(), world.phone()
    snapshot = copy(world)
    if "decision" in later:
        world.key(alice, bob)
    if "anchor" in later:
        world.anchor()
    for number in (B, C)[: {"one step": 1, "two steps": 2}.get(later, 1 if "step" in later else 0)]:
        do(world, lambda world, number=number: suspend_or_enrol(world, number))  # type: ignore[misc]
    put_back(world, snapshot)
    if later == "one step":
        world.start()
        assert world.mended is not None
        assert world.mended.rolled_forward is not None
        return
    with pytest.raises(StoreError, match=r"older than its journal.*`dtns restore FILE`"):
        world.start()
    world.restore()
    assert world.epoch == 2


def suspend_or_enrol(world: GuardedWorld, number: Number) -> None:
    """Suspend a party, or enrol it."""
    if world.store.registration(number) is None:
        enrol(world, number)
    else:
        suspend(world, number, suspended=True)


def test_an_old_copy_is_refused_after_every_start(world: GuardedWorld) -> None:
    """Each start is journalled, so a copy from before it is known by that alone."""
    snapshot = copy(world)
    world.anchor()
    world.anchor()
    put_back(world, snapshot)
    with pytest.raises(StoreError, match="older than its journal"):
        world.start()


def test_a_shortened_journal_is_refused(world: GuardedWorld) -> None:
    """A store beyond the end of its journal does not start."""
    for work in STEPS:
        do(world, work)
    world.kill()
    lines = world.journal.read_bytes().splitlines(keepends=True)
    for count in range(1, len(lines)):
        world.journal.write_bytes(b"".join(lines[:count]))
        with pytest.raises(
            StoreError, match=rf"ends at entry {count - 1}, and the store .*--new-j"
        ):
            world.start()


def test_a_missing_journal_or_another_sam_s_is_refused(world: GuardedWorld, tmp_path: Path) -> None:
    """No journal, no start; and none of another instance in its place."""
    world.kill()
    kept = world.journal.read_bytes()
    world.journal.unlink()
    master_keys = world.keys
    with closing(Store.open(world.path)) as store, pytest.raises(StoreError, match="is missing"):
        join_journal(store, world.journal, master_keys, lambda: 0.0)
    Journal.create(world.journal, master_keys.keys, "another", head=Head(), now=0.0)
    with pytest.raises(StoreError, match="of another Sam"):
        world.start()
    world.journal.write_bytes(kept)
    world.start()


def test_a_forked_journal_is_refused(world: GuardedWorld) -> None:
    """The same count of entries with other contents is not the store's journal."""
    before = world.journal.read_bytes()
    do(world, STEPS[0])
    world.kill()
    world.journal.write_bytes(before)
    journal = Journal.open(world.journal, world.keys.keys)
    journal.append(0, world.now, Head(), (EpochRaised(2),))
    journal.close()
    with pytest.raises(StoreError, match="older than its journal"):
        world.start()


def test_an_entry_is_not_done_under_a_missing_master_key(world: GuardedWorld) -> None:
    """What a crash left is not done with another key than it was meant for."""
    world.kill()
    journal = Journal.open(world.journal, world.keys.keys)
    journal.append(0, world.now, Head(), (Enrolled(Enrolment(A, 1, 1, 9), world.now),))
    journal.close()
    with pytest.raises(KeyFileError, match="lacks master key 9"):
        world.start()


def test_a_full_journal_disk_refuses_and_serving_goes_on(world: GuardedWorld) -> None:
    """What needs the journal is refused; asks are answered all the same."""
    alice, bob = world.phone(), world.phone()
    disk = FailingDisk(0)
    use_disk(world, disk)
    with pytest.raises(StoreError, match=r"journal .* cannot be written: No space left"):
        do(world, lambda world: enrol(world, C))
    world.key(alice, bob)
    assert world.issued()[-1][-1] == 1
    disk.left = None
    do(world, lambda world: enrol(world, C))
    world.restart()
    with world.store.transaction():
        assert world.store.registration(C) is not None


def test_a_store_of_an_older_version_is_upgraded_with_all_it_knows(world: GuardedWorld) -> None:
    """Parties, keys, seals and the journal's place come through; a backup stands beside.

    Going back is putting the backup in place, under the older program, and a new epoch if the
    journal has gone on.
    """
    alice, bob = world.phone(), world.phone()
    world.key(alice, bob)
    world.kill()
    script = "ALTER TABLE decision ADD COLUMN route TEXT; ALTER TABLE party ADD COLUMN name TEXT;"
    newer = Schema(2, current_schema().creation, {2: script})
    with Store.open(world.path, newer) as store:
        mended = join_journal(store, world.journal, world.keys, lambda: world.now)
        assert mended == Mended(None, 0)
        with store.transaction():
            assert store.meta().schema_version == 2
            assert store.last_n(alice.sim.party, bob.sim.party, 1) == 1
            store.save(Registration(Enrolment(C, 1, 1, 1), world.now))
        chain = AuditChain(world.keys.keys, 1)
        assert verify_log(store.connection, chain, Anchors([])).fault is None
    with pytest.raises(StoreError, match="version 2 and this dtns knows versions up to 1"):
        world.start()
    shutil.copy(world.path.with_name("sam.sqlite.v1-backup"), world.path)
    world.start()
    assert world.mended is not None
    assert world.mended.rolled_forward is not None
    with world.store.transaction():
        assert world.store.registration(C) is not None
    world.key(alice, bob)
    assert world.verified().fault is None


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from guarded import GuardedWorld
from dtns.sam.store.journalfile import Disk

class Deadly(Disk):
    left = int(sys.argv[3])
    def sync(self, descriptor):
        super().sync(descriptor)
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

world = GuardedWorld(Path(sys.argv[2]))
world.store.connection.execute("PRAGMA synchronous = FULL")
world.store.guard.journal._file._disk = Deadly()
for _ in range(3):
    phone = world.phone()
    print(phone.sim.number, flush=True)
"""


@pytest.mark.parametrize("left", range(3))
def test_sigkill_between_journal_and_commit(tmp_path: Path, left: int) -> None:
    """A process killed there has its entry done at the next start; what it told before is there."""
    equipment = str(Path(__file__).parents[2] / "equipment")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, equipment, str(tmp_path), str(left)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    told = done.stdout.split()
    assert len(told) == left
    keys = MasterKeys({1: MasterKey(1, bytes(range(32)))}, {1: "00000000"})
    with Store.open(tmp_path / "sam.sqlite") as store:
        mended = join_journal(store, tmp_path / "sam.journal", keys, lambda: 0.0)
        assert mended.rolled_forward == left + 1
        with store.transaction():
            there = [party.enrolment.number for party in store.registry.parties("*", None, 9)]
    assert there[:left] == told
    assert len(there) == left + 1

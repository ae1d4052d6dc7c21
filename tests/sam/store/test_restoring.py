"""Restores: what was known stays known, and no key is ever made twice."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from guarded import FailingDisk, GuardedWorld, KilledError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dtns.codecs.digits import Status
from dtns.sam.errors import StoreError
from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.issuer import Answer, Outcome
from dtns.sam.issuing.notices import renew, renewed
from dtns.sam.issuing.records import Topic
from dtns.sam.protocol.keys import MAX_EPOCH
from dtns.sam.protocol.sync import Unlock
from dtns.sam.store.journalfile import Disk
from dtns.sam.store.knowledge import LOST


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GuardedWorld]:
    """A Sam with a journal."""
    made = GuardedWorld(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def alice(world: GuardedWorld) -> Handset:
    """A phone that asks."""
    return world.phone()


@pytest.fixture
def bob(world: GuardedWorld) -> Handset:
    """A phone that holds."""
    return world.phone()


def party(world: GuardedWorld, phone: Handset) -> Any:
    """Return what Sam knows of a phone."""
    with world.store.transaction():
        return world.store.registration(phone.sim.number)


def taken(world: GuardedWorld, asker: Handset, holder: Handset) -> bool:
    """Tell whether the holder takes the ticket that the asker has, and confirms its key."""
    entered = holder.enter(asker.sim.number, world.ticket(asker, holder))
    return entered.key is not None and world.confirm(asker, holder).status is Status.ACCEPTED


def test_an_honest_pair_goes_on_with_the_ticket_it_holds(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """A ticket that Sam has forgotten is taken and confirmed; the next key is of the new epoch."""
    backup = world.backup()
    world.key(alice, bob)
    done = world.restore(backup)
    assert (done.decisions, done.forgotten, done.epoch) == (0, 1, 2)
    assert taken(world, alice, bob)
    world.key(alice, bob)
    assert world.issued()[-1][-2:] == (2, 1)
    assert taken(world, alice, bob)
    with world.store.transaction():
        assert not world.store.behind
    assert world.verified().fault is None


def test_an_ask_that_was_forgotten_is_answered_in_the_new_epoch(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """An ask whose decision is lost gets another key; the phone has use for either."""
    backup = world.backup()
    asked = world.ask(alice, bob)
    first = world.answer(asked)
    world.restore(backup)
    second = world.answer(asked)
    assert first != second
    assert alice.receive(second).key is not None
    assert alice.receive(first).key is None
    assert taken(world, alice, bob)


def test_four_restores_in_a_row(world: GuardedWorld, alice: Handset, bob: Handset) -> None:
    """Each begins an epoch; both phones go on once both have heard from Sam, and none is misread.

    A holder that has heard nothing for three epochs cannot read a ticket of the newest: it refuses
    the digits until it asks Sam for anything.
    """
    backup = world.backup()
    world.key(alice, bob)
    assert taken(world, alice, bob)
    for epoch in range(2, 6):
        world.restore(backup)
        world.key(alice, bob)
        assert world.issued()[-1][-2:] == (epoch, 1)
    assert world.epoch == 5
    entered = bob.enter(alice.sim.number, world.ticket(alice, bob))
    assert entered.key is None
    world.key(bob, alice)
    assert taken(world, alice, bob)
    assert taken(world, bob, alice)
    assert world.verified().fault is None


def test_a_new_sim_before_and_after(world: GuardedWorld, alice: Handset, bob: Handset) -> None:
    """Generations given since the backup stay given, the next one is above them."""
    backup = world.backup()
    second = world.renewed(alice)
    world.key(second, bob)
    assert world.restore(backup).done == {"renewed": 1}
    assert party(world, alice).enrolment == party(world, alice).enrolment._replace(generation=2)
    assert party(world, alice).enrolment.epoch == 1
    world.key(second, bob)
    assert taken(world, second, bob)
    third = world.renewed(second)
    world.restore(backup)
    assert party(world, alice).enrolment.generation == 3
    world.key(third, bob)
    assert taken(world, third, bob)
    assert not isinstance(world.tell(world.ask(second, bob).text), Answer)
    fourth = world.renewed(third)
    assert fourth.sim.epoch == 3
    assert fourth.sim.keys != third.sim.keys


def test_everything_the_journal_knows_is_done_again(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """Parties, suspensions, resumptions, renewals over the air, withdrawals not yet obeyed."""
    world.suspend(alice)
    backup = world.backup()
    carol, dave = world.phone(), world.phone()
    world.suspend(alice, suspended=False)
    world.suspend(carol)
    with world.store.transaction():
        for phone in (bob, dave):
            renew(world.store, world.store.registration(phone.sim.number), 1)  # type: ignore[arg-type]
        renewed(world.store, world.store.registration(dave.sim.number))  # type: ignore[arg-type]
        world.store.add_notice(alice.sim.number, Topic.ITEM, Unlock(3).octets)
    done = world.restore(backup)
    assert done.done == {"enrolled": 2, "renewed": 1, "offered": 2, "suspended": 1, "resumed": 1}
    assert [party(world, phone).suspended for phone in (alice, carol)] == [False, True]
    assert party(world, dave).enrolment.generation == 2
    assert party(world, dave).renewal is None
    assert party(world, bob).renewal.generation == 2
    with world.store.transaction():
        topics = [notice.topic for notice in world.store.notices(bob.sim.number)]
        told = [notice.item for notice in world.store.notices(alice.sim.number)]
    assert topics == [Topic.EXCHANGE_KEYS, Topic.UNIVERSAL_KEY, Topic.TICKET_KEYS]
    assert told == [Unlock(3).octets]


def test_no_counter_of_sam_s_own_messages_comes_twice(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """A SIM obeys only counters above the last it obeyed, so a restore leaves many out."""
    backup = world.backup()
    with world.store.transaction():
        world.store.save(party_in(world, alice)._replace(told=70))
    world.restore(backup)
    assert party(world, alice).told == 2 << 16
    assert party(world, bob).told == 2 << 16


def party_in(world: GuardedWorld, phone: Handset) -> Any:
    """Return what Sam knows of a phone, inside a transaction."""
    return world.store.registration(phone.sim.number)


def test_a_dry_run_tells_the_same_and_changes_nothing(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """The plan is what is then done; until then no file is another."""
    backup = world.backup()
    world.key(alice, bob)
    world.phone()
    before = {path.name: path.read_bytes() for path in (world.journal, backup)}
    for source in (backup, None):
        plan = world.restore(source, dry=True)
        assert world.epoch == 1
        assert {name: (world.folder / name).read_bytes() for name in before} == before
        assert list(world.folder.glob("*.re*")) == []
    plan = world.restore(backup, dry=True)
    done = world.restore(backup)
    assert done.replaced is not None
    assert evolve(done, replaced=None) == plan


def test_the_former_store_is_kept(world: GuardedWorld, alice: Handset, bob: Handset) -> None:
    """Whole, private, beside the new one, each under a name of its own."""
    backup = world.backup()
    kept = []
    for count in (1, 2, 3):
        world.key(alice, bob)
        done = world.restore(backup)
        assert done.replaced is not None
        kept.append(done.replaced)
        with closing(sqlite3.connect(done.replaced)) as former:
            assert former.execute("SELECT count(*) FROM decision").fetchone() == (1,), count
    assert len(set(kept)) == 3
    assert all(path.name.startswith("sam.sqlite.replaced-20") for path in kept)


@pytest.mark.parametrize("damage", ["missing", "junk", "zeros", "wal alone"])
def test_a_damaged_or_missing_store_is_replaced(
    world: GuardedWorld, alice: Handset, bob: Handset, damage: str
) -> None:
    """The journal alone brings the backup forward; leftovers never join the new store."""
    backup = world.backup()
    world.key(alice, bob)
    carol = world.phone()
    wal = Path(f"{world.path}-wal").read_bytes()
    assert wal
    world.kill()
    match damage:
        case "junk":
            world.path.write_bytes(b"junk" * 5000)
        case "zeros":
            world.path.write_bytes(bytes(world.path.stat().st_size))
        case _:
            world.path.unlink()
    if damage != "missing":
        Path(f"{world.path}-wal").write_bytes(wal)
    done = world.restore(backup)
    assert done.epoch == 2
    assert party(world, carol) is not None
    world.key(alice, carol)
    assert world.verified().decisions == 1
    assert world.store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_old_copy_goes_on_in_place(world: GuardedWorld, alice: Handset, bob: Handset) -> None:
    """A snapshot put back is refused; in place it is brought forward, in a new epoch."""
    snapshot = world.copy_of_store()
    world.key(alice, bob)
    carol = world.phone()
    world.anchor()
    world.kill()
    shutil.copy(snapshot, world.path)
    with pytest.raises(StoreError, match="older than its journal"):
        world.start()
    done = world.restore()
    assert (done.epoch, done.done["enrolled"], done.forgotten) == (2, 1, 1)
    assert taken(world, alice, bob)
    world.key(alice, carol)
    assert world.issued()[-1][-2:] == (2, 1)
    assert world.verified().fault is None


def test_a_copy_from_before_a_restore_is_verified_by_its_own_line(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """Put back, it is checked by what was journalled before it, not by what ended since."""
    backup = world.backup()
    world.key(alice, bob)
    world.anchor()
    snapshot = world.copy_of_store()
    world.restore(backup)
    world.key(alice, bob)
    world.anchor()
    world.anchor()
    world.kill()
    shutil.copy(snapshot, world.path)
    assert world.restore().epoch == 3
    assert world.verified().fault is None
    world.key(alice, bob)
    world.anchor()
    assert world.verified().fault is None


def test_a_rollback_of_both_is_proved_by_a_phone_and_ended_in_place(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """Store and journal put back together: a phone stops Sam, and tells of its epoch."""
    first = world.backup()
    snapshot, journal = world.copy_of_store(), world.journal.read_bytes()
    world.restore(first)
    world.restore(first)
    world.key(alice, bob)
    assert world.issued()[-1][-2:] == (3, 1)
    world.kill()
    shutil.copy(snapshot, world.path)
    world.journal.write_bytes(journal)
    world.start()
    assert world.epoch == 1
    world.answer(world.ask(alice, bob))
    with world.store.transaction():
        assert world.store.behind
    assert world.restore().epoch == 4
    with world.store.transaction():
        assert not world.store.behind
    world.key(alice, bob)
    assert world.issued()[-1][-2:] == (4, 1)
    world.key(bob, alice)
    assert taken(world, alice, bob)


def test_a_lost_journal_is_replaced_and_what_cannot_be_known_is_told(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """Without it a restore refuses; with --new-journal it tells what to look to."""
    world.key(alice, bob)
    backup = world.backup()
    carol = world.phone()
    world.kill()
    world.journal.unlink()
    for source in (backup, None):
        with pytest.raises(StoreError, match=r"journal .* is missing"):
            world.restore(source)
    done = world.restore(backup, new_journal=True)
    assert (done.epoch, list(done.unknown), done.replaced_journal) == (2, LOST, None)
    assert party(world, carol) is None
    assert world.verified().fault is None
    with pytest.raises(StoreError, match="is whole: leave --new-journal out"):
        world.restore(new_journal=True)
    world.start()
    carol = world.phone()
    older = world.restore(backup)
    assert (older.epoch, list(older.unknown), older.done["enrolled"]) == (3, LOST, 1)


def test_a_backup_and_the_master_key_are_enough(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """With store and journal both gone, Sam goes on from the backup, and tells the gaps."""
    world.key(alice, bob)
    backup = world.backup()
    world.kill()
    world.journal.unlink()
    world.path.unlink()
    done = world.restore(backup, new_journal=True, least_epoch=7)
    assert (done.epoch, list(done.unknown), done.replaced) == (7, LOST, None)
    assert taken(world, alice, bob)
    assert world.verified().fault is None


def test_a_damaged_journal_is_kept_aside(world: GuardedWorld, alice: Handset, bob: Handset) -> None:
    """A new one goes on from the store, in an epoch above those that the old one still tells of."""
    backup = world.backup()
    world.restore(backup)
    world.key(alice, bob)
    world.kill()
    octets = bytearray(world.journal.read_bytes())
    octets[40] ^= 1
    world.journal.write_bytes(octets)
    with pytest.raises(StoreError, match="damaged at entry 0"):
        world.start()
    done = world.restore(new_journal=True)
    assert done.epoch == 3
    assert done.replaced_journal is not None
    assert done.replaced_journal.read_bytes() == octets
    assert world.verified().fault is None


def test_a_shortened_journal_still_tells_its_epochs(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """What is left of a journal counts: the new epoch is above all it names."""
    old = world.backup()
    for _ in range(3):
        world.restore(old)
    world.key(alice, bob)
    world.phone()
    world.kill()
    whole = world.journal.read_bytes()
    world.journal.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    with pytest.raises(StoreError, match="does not go on from this store"):
        world.restore()
    world.path.unlink()
    assert world.restore(old).epoch == 5


def test_an_epoch_can_be_named_but_not_lowered(world: GuardedWorld) -> None:
    """--epoch is at least; above the last epoch there is none."""
    assert world.restore(least_epoch=9).epoch == 9
    assert world.restore(least_epoch=3).epoch == 10
    assert world.restore(least_epoch=MAX_EPOCH).epoch == MAX_EPOCH
    with pytest.raises(StoreError, match="no epoch after"):
        world.restore()


def test_another_sam_s_backup_is_refused(world: GuardedWorld, tmp_path: Path) -> None:
    """Whoever's backup it is, the store in use stays."""
    (tmp_path / "other").mkdir()
    other = GuardedWorld(tmp_path / "other")
    other.store.connection.execute("UPDATE meta SET instance = 'another'")
    backup = other.backup()
    other.kill()
    with pytest.raises(StoreError, match="of another Sam than the store"):
        world.restore(backup)
    world.path.unlink()
    with pytest.raises(StoreError, match=r"journal .* is of another Sam"):
        world.restore(backup)


def test_a_store_that_is_being_read_is_not_replaced(
    world: GuardedWorld, alice: Handset, bob: Handset
) -> None:
    """A backup or verification going on keeps its store."""
    backup = world.backup()
    world.key(alice, bob)
    with closing(sqlite3.connect(world.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM meta").fetchall()
        with pytest.raises(StoreError, match="open in another program"):
            world.restore(backup)
    with pytest.raises(StoreError, match=r"a restore of .* was interrupted"):
        world.start()
    assert world.restore(backup).epoch == 3


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("left", range(6))
@pytest.mark.parametrize("kind", ["backup", "in place", "new journal"])
def test_a_restore_that_is_killed_is_run_again(
    tmp_path: Path, kind: str, left: int, *, late: bool
) -> None:
    """Before or after whichever write or renaming it dies: run again, it ends, and no key twice.

    Until then either nothing has happened, or Sam does not start and names `dtns restore`.
    """
    world = GuardedWorld(tmp_path)
    alice, bob = world.phone(), world.phone()
    world.key(alice, bob)
    backup = None if kind == "in place" else world.backup()
    world.key(alice, bob)
    carol = world.phone()
    made = set(world.issued())
    if kind == "new journal":
        world.kill()
        world.journal.unlink()
    world.disk = FailingDisk(left, None, late=late)
    done = False
    try:
        world.restore(backup, new_journal=kind == "new journal")
        done = True
    except KilledError:
        world.disk = Disk()
        with suppress(StoreError):
            world.start()
            world.kill()
    if not done:
        order = {"new_journal": True} if not world.journal.exists() else {}
        world.restore(backup, **order)
    assert world.epoch > 1
    assert (party(world, carol) is None) == (kind == "new journal")
    world.key(alice, bob)
    assert not made & {world.issued()[-1]}
    assert world.verified().fault is None
    world.kill()


@pytest.mark.parametrize("left", range(4))
@pytest.mark.parametrize("kind", ["backup", "in place"])
def test_a_restore_on_a_full_disk_is_run_again(tmp_path: Path, kind: str, left: int) -> None:
    """Where there is no room for the journal, or a name, it says so, and later it can be done."""
    world = GuardedWorld(tmp_path)
    alice, bob = world.phone(), world.phone()
    world.key(alice, bob)
    backup = None if kind == "in place" else world.backup()
    world.disk = FailingDisk(left)
    with suppress(StoreError):
        world.restore(backup)
        world.kill()
    world.disk = Disk()
    world.restore(backup)
    assert world.epoch in (2, 3)
    world.key(alice, bob)
    assert world.issued()[-1][-1] == 1
    world.kill()


class Disasters(RuleBasedStateMachine):
    """Asks, backups, restores, rollbacks, crashes and new SIMs in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="dtns-disasters-")
        self.world = GuardedWorld(Path(self.folder.name))
        self.phones = [self.world.phone() for _ in range(2)]
        self.backups: list[Path] = []
        self.snapshots: list[Path] = []
        self.made: set[tuple[Any, ...]] = set()
        self.generations = [1, 1]
        self.suspended = [False, False]

    def teardown(self) -> None:
        """Clear away."""
        self.world.kill()
        self.folder.cleanup()

    @rule(asker=st.integers(0, 1))
    def ask(self, asker: int) -> None:
        """Have Sam decide on an ask, which its own phone then knows of."""
        mine, other = self.phones[asker], self.phones[1 - asker]
        answer = self.world.tell(self.world.ask(mine, other).text)
        if not isinstance(answer, Answer) or answer.outcome is not Outcome.ISSUED:
            return
        mine.receive(answer.text)
        issued = self.world.issued()[-1]
        assert issued not in self.made, f"{issued} was made twice"
        self.made.add(issued)

    @rule()
    def back_up(self) -> None:
        """Make a backup, and keep a snapshot too."""
        self.backups.append(self.world.backup())
        self.snapshots.append(self.world.copy_of_store())

    @rule(which=st.integers(0, 9))
    def restore(self, which: int) -> None:
        """Restore any backup."""
        if self.backups:
            self.world.restore(self.backups[which % len(self.backups)])

    @rule(which=st.integers(0, 9))
    def roll_back(self, which: int) -> None:
        """Put any snapshot back, behind Sam's back."""
        if not self.snapshots:
            return
        for _ in range(2):
            self.world.anchor()
        self.world.kill()
        shutil.copy(self.snapshots[which % len(self.snapshots)], self.world.path)
        try:
            self.world.start()
        except StoreError:
            self.world.restore()
        else:
            raise AssertionError("a rollback went unnoticed")

    @rule()
    def restart(self) -> None:
        """Kill Sam and start it again."""
        self.world.restart()

    @rule(which=st.integers(0, 1))
    def renew(self, which: int) -> None:
        """Give a party a new SIM."""
        self.phones[which] = self.world.renewed(self.phones[which])
        self.generations[which] += 1
        self.suspended[which] = False

    @rule(which=st.integers(0, 1), suspended=st.booleans())
    def suspend(self, which: int, *, suspended: bool) -> None:
        """Suspend or resume a party."""
        self.world.suspend(self.phones[which], suspended=suspended)
        self.suspended[which] = suspended

    @rule(left=st.integers(0, 3), which=st.integers(0, 1))
    def die_in_the_journal(self, left: int, which: int) -> None:
        """Be killed in the middle of a suspension or resumption."""
        guard = self.world.store.guard
        assert guard is not None
        disk = FailingDisk(left, None)
        guard.journal._file._disk = disk
        try:
            for suspended in (not self.suspended[which], self.suspended[which]):
                self.world.suspend(self.phones[which], suspended=suspended)
        except KilledError:
            pass
        self.world.restart()
        self.suspended[which] = party(self.world, self.phones[which]).suspended

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """Generations and suspensions are as they were ordered, and the log is whole."""
        known = [party(self.world, phone) for phone in self.phones]
        assert [each.enrolment.generation for each in known] == self.generations
        assert [each.suspended for each in known] == self.suspended
        assert self.world.verified().fault is None


Disasters.TestCase.settings = settings(max_examples=8, stateful_step_count=15, deadline=None)
TestDisasters = Disasters.TestCase


@pytest.mark.slow
class TestManyDisasters(Disasters.TestCase):  # type: ignore[misc,name-defined]
    """The same, for longer."""

    settings = settings(max_examples=100, stateful_step_count=50, deadline=None)

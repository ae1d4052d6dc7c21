"""The audit chain: whatever is changed in the log of decisions, the first bad one is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from guarded import GuardedWorld
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.issuing.issuer import DAY_SECONDS, Answer, Silence
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.keys import MasterKey
from dtns.sam.store.audit import AuditChain, Head
from dtns.sam.store.entries import Entry
from dtns.sam.store.registry import Sought
from dtns.sam.store.retention import SPAN, Retention, purge_span
from dtns.sam.store.rows import SEALED_COLUMNS
from dtns.sam.store.snapshot import snapshot
from dtns.sam.store.verification import Anchors, Fault, Verified, verify_log

LENGTH = 12
VALUES = st.lists(
    st.none()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=5),
    max_size=4,
)
CHAIN = AuditChain({1: MasterKey(1, bytes(32)), 2: MasterKey(2, bytes([2] * 32))}, 2)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GuardedWorld]:
    """A Sam whose log has a dozen grants and refusals, one of them of a random key."""
    made = GuardedWorld(tmp_path)
    alice, bob, carol = made.phone(), made.phone(), made.phone()
    made.suspend(carol)
    for _ in range(3):
        made.key(alice, bob)
        made.answer(made.ask(bob, carol))
        made.key(bob, alice, form=Form.RANDOM)
        made.answer(made.ask(alice, carol))
    yield made
    made.kill()


def tamper(world: GuardedWorld, *statements: str) -> None:
    """Change the store behind Sam's back."""
    with closing(sqlite3.connect(world.path)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement


def fault(world: GuardedWorld) -> Fault | None:
    """Return what verification finds."""
    return world.verified().fault


@given(VALUES, VALUES)
def test_different_values_have_different_seals(one: list[object], other: list[object]) -> None:
    """Neither kind nor length nor order nor place of values can be shifted."""
    same = repr(one) == repr(other)
    here = CHAIN.next(1, Head(4), one).digest
    assert CHAIN.is_next(1, Head(4), other, here) == same
    assert not CHAIN.is_next(1, Head(5), one, here)
    assert not CHAIN.is_next(1, Head(4, bytes([1] * 16)), one, here)
    assert not CHAIN.is_next(2, Head(4), one, here)


def test_an_untouched_log_is_whole(world: GuardedWorld) -> None:
    """Grants and refusals count, and so do the entries of the journal; Sam may be serving."""
    verified = world.verified()
    assert (verified.decisions, verified.purged, verified.fault) == (LENGTH, 0, None)
    assert verified.entries == 5


@pytest.mark.parametrize("column", SEALED_COLUMNS.split(", "))
@pytest.mark.parametrize("place", [1, 3, LENGTH - 1])
def test_every_edit_is_found(world: GuardedWorld, column: str, place: int) -> None:
    """Any value of any decision that is changed, were it only from nothing to something."""
    changes = {
        "ask_mac": "x'0000000000000000'",
        "carrier": "'trail'",
        "answer": "x'00'",
        "decided_at": "decided_at + 0.001",
        "reason": "coalesce(reason, 0) + 1",
    }
    change = changes.get(column, f"coalesce({column}, 6) + 1000")
    extra = ", n = NULL" if column == "reason" else ""
    extra = ", reason = NULL" if column == "n" else extra
    tamper(world, f"UPDATE decision SET {column} = {change}{extra} WHERE id = {place}")
    assert fault(world) == Fault(place, "it was edited, moved or replaced")


def test_repeats_may_be_counted(world: GuardedWorld) -> None:
    """What changes by itself is not sealed."""
    tamper(world, "UPDATE decision SET repeats = repeats + 1")
    assert fault(world) is None


@pytest.mark.parametrize("place", range(1, LENGTH + 1))
def test_every_removal_is_found(world: GuardedWorld, place: int) -> None:
    """The first decision that is missing is named, the last one too."""
    tamper(world, f"DELETE FROM decision WHERE id = {place}")
    found = fault(world)
    assert found is not None
    assert found.decision == place
    assert "missing" in found.reason


@pytest.mark.parametrize("place", range(1, LENGTH))
def test_closing_the_gap_does_not_help(world: GuardedWorld, place: int) -> None:
    """A decision taken out and the others moved up is found where it was."""
    tamper(
        world,
        f"DELETE FROM decision WHERE id = {place}",
        f"UPDATE decision SET id = id - 1 WHERE id > {place}",
        "UPDATE meta SET log_count = log_count - 1",
    )
    found = fault(world)
    assert found is not None
    assert found.decision == place


def test_every_reordering_is_found(world: GuardedWorld) -> None:
    """Two decisions that changed places, seals and all."""
    for place in range(1, LENGTH):
        swap = (
            f"UPDATE decision SET id = 0 WHERE id = {place}",
            f"UPDATE decision SET id = {place} WHERE id = {place + 1}",
            f"UPDATE decision SET id = {place + 1} WHERE id = 0",
        )
        tamper(world, *swap)
        found = fault(world)
        assert found is not None
        assert found.decision == place
        tamper(world, *swap)
    assert fault(world) is None


def test_a_log_cut_back_with_its_old_head_is_found_by_the_journal(world: GuardedWorld) -> None:
    """Whoever saw an old head and its store can cut the log back, but not the journal."""
    with world.store.transaction():
        meta = world.store.meta()
    head, seal = meta.head, meta.log_seal
    alice, bob = world.phones[:2]
    world.key(alice, bob)
    cut = (
        f"DELETE FROM decision WHERE id > {head.count}",
        f"UPDATE meta SET log_count = {head.count}",
        f"UPDATE meta SET log_digest = x'{head.digest.hex()}', log_seal = x'{seal.hex()}'",
    )
    world.anchor()
    tamper(world, *cut)
    assert fault(world) == Fault(head.count + 1, "it is missing, and all after it")


def test_a_store_put_back_under_sam_is_found(world: GuardedWorld) -> None:
    """Its old head and seal, and its old place in the journal, do not hide what it then had."""
    with world.store.transaction():
        old = world.store.meta()
    for _ in range(2):
        world.anchor()
        world.key(*world.phones[:2])
    tamper(
        world,
        f"DELETE FROM decision WHERE id > {old.head.count}",
        f"UPDATE meta SET log_count = {old.head.count}, log_digest = x'{old.head.digest.hex()}',"
        f" log_seal = x'{old.log_seal.hex()}', journal_seq = {old.place.seq},"
        f" journal_mac = x'{old.place.mac.hex()}'",
    )
    for _ in range(3):
        world.key(*world.phones[:2])
    seq = old.place.seq + 3
    assert fault(world) == Fault(
        LENGTH + 1, f"entry {seq} of the journal is of a store put back to entry {old.place.seq}"
    )


def test_entries_of_commits_that_failed_bear_witness_of_nothing() -> None:
    """Each has the base of the one that overtook it, else the store had come to it."""
    for bases, put_back in (((0, 0, 1, 1, 1), False), ((0, 0, 1, 2, 1), True)):
        entries = [Entry(seq, base, 0.0, Head(base)) for seq, base in enumerate(bases)]
        assert (Anchors(entries).conflict is not None) == put_back


@pytest.mark.parametrize("place", [0, -4, LENGTH + 1, 999])
def test_every_addition_is_found(world: GuardedWorld, place: int) -> None:
    """A decision that Sam did not make is named, wherever it stands."""
    columns = SEALED_COLUMNS.replace("counter", "99")
    tamper(
        world,
        f"INSERT INTO decision (id, digest, audit_key, {SEALED_COLUMNS})"
        f" SELECT {place}, digest, audit_key, {columns} FROM decision WHERE id = {LENGTH}",
    )
    found = fault(world)
    assert found is not None
    assert found.decision == min(place, LENGTH + 1)
    without = f"UPDATE decision SET digest = NULL WHERE id = {place}"
    tamper(world, without)
    assert fault(world) is not None


@pytest.mark.parametrize("column", ["log_digest", "log_seal"])
def test_an_edited_head_is_found(world: GuardedWorld, column: str) -> None:
    """What the store says of the end of its log must fit the log."""
    tamper(world, f"UPDATE meta SET {column} = x'00000000000000000000000000000000'")
    assert fault(world) == Fault(LENGTH, "the store's head of the log does not fit it")


@pytest.mark.parametrize("purged", [False, True])
def test_a_log_cut_back_to_any_digest_is_found(world: GuardedWorld, *, purged: bool) -> None:
    """The digests in the log do not tell the seal of any length that it had."""
    if purged:
        purge(world, Retention(world.now + 1, world.week + 200))
    for place in range(LENGTH - 1, 0, -1):
        tamper(
            world,
            f"DELETE FROM decision WHERE id > {place}",
            f"UPDATE meta SET log_count = {place},"
            f" log_digest = (SELECT digest FROM decision WHERE id = {place})",
        )
        assert fault(world) == Fault(place, "the store's head of the log does not fit it")


@pytest.mark.parametrize("place", range(1, LENGTH + 1))
def test_every_edited_digest_is_found(world: GuardedWorld, place: int) -> None:
    """Nor can a digest be replaced by that of another decision, or cut."""
    other = 1 + place % LENGTH
    for digest in (f"(SELECT digest FROM decision WHERE id = {other})", "substr(digest, 2)"):
        tamper(world, f"UPDATE decision SET digest = {digest} WHERE id = {place}")
        assert fault(world) == Fault(place, "it was edited, moved or replaced")


@pytest.mark.parametrize("when", ["never", "before", "after"])
def test_a_decision_of_another_line_is_found(world: GuardedWorld, when: str) -> None:
    """What Sam itself once made at this place, in a copy that went on, does not fit what follows.

    Nor does it where it was purged there, or is purged here after it was put in.
    """
    everything = Retention(world.now + 1, world.week + 200)
    if when == "before":
        purge(world, everything)
    chain, place = AuditChain(world.keys.keys, 1), 5
    row = f"SELECT digest, {SEALED_COLUMNS} FROM decision WHERE id = ?"
    (before, *_), (_, *values) = (
        world.store.connection.execute(row, (each,)).fetchone() for each in (place - 1, place)
    )
    values[SEALED_COLUMNS.split(", ").index("week")] += 1
    head = Head(place - 1, before)
    digest = chain.next(1, head, values).digest
    mark = chain.purge_mark(1, head, digest, values)
    tamper(
        world,
        f"UPDATE decision SET week = week + 1, digest = x'{digest.hex()}',"
        f" purged = iif(purged IS NULL, NULL, x'{mark.hex()}') WHERE id = {place}",
    )
    if when == "after":
        assert purge(world, everything) == LENGTH - 1
    found = fault(world)
    assert found is not None
    assert found.decision == place + 1


@pytest.mark.parametrize("place", [0, 1, LENGTH - 1])
def test_a_log_cut_back_is_found_after_sam_went_on(world: GuardedWorld, place: int) -> None:
    """Sam seals no log whose end was not sealed before: it would seal what another hand cut."""
    cut = (
        f"DELETE FROM decision WHERE id > {place}",
        f"UPDATE meta SET log_count = {place}, log_digest = zeroblob(16), log_seal = zeroblob(16)",
        "UPDATE meta SET log_digest = digest FROM decision WHERE decision.id = log_count",
    )
    tamper(world, *cut[: 3 if place else 2])
    assert no_journal(world) == Fault(place, "the store's head of the log does not fit it")
    for length in range(place + 1, place + 4):
        world.key(*world.phones[:2])
        assert no_journal(world) == Fault(length, "the store's head of the log does not fit it")


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    """So it is under a new master key."""
    made = GuardedWorld(tmp_path)
    assert made.verified().fault is None
    chain = AuditChain({1: made.master, 2: MasterKey(2, bytes(32))}, 2)
    assert made.store.guard is not None
    made.store.guard.chain = chain
    made.key(made.phone(), made.phone())
    with snapshot(made.path) as connection:
        assert verify_log(connection, chain, Anchors([])) == Verified(1, 0, 0)
    made.kill()


def no_journal(world: GuardedWorld) -> Fault | None:
    """Return what is found where no entry of the journal tells how long the log was."""
    with snapshot(world.path) as connection:
        return verify_log(connection, AuditChain(world.keys.keys, 1), Anchors([])).fault


def test_a_log_goes_on_under_another_master_key(world: GuardedWorld) -> None:
    """The first digest under a new key is over the last under the old one."""
    chain = AuditChain({1: world.master, 2: MasterKey(2, bytes(32))}, 2)
    assert world.store.guard is not None
    world.store.guard.chain = chain
    world.key(*world.phones[:2])
    with snapshot(world.path) as connection:
        assert verify_log(connection, chain, Anchors([])).fault is None
    tamper(world, "UPDATE decision SET audit_key = 1 WHERE id > 12")
    with snapshot(world.path) as connection:
        found = verify_log(connection, chain, Anchors([])).fault
    assert found == Fault(LENGTH + 1, "it was edited, moved or replaced")


def test_an_unknown_master_key_is_named(world: GuardedWorld) -> None:
    """A seal under a key that is not in the key file is no proof."""
    tamper(world, "UPDATE decision SET audit_key = 9 WHERE id = 4")
    assert fault(world) == Fault(4, "it was sealed under master key 9, which the key file lacks")


def test_a_log_that_is_not_the_one_the_journal_saw_is_found(world: GuardedWorld) -> None:
    """A log whole in itself, as of a copy that went on by itself, is not what was journalled."""
    chain = AuditChain(world.keys.keys, 1)
    other = Anchors([Entry(9, -1, 0.0, Head(5, bytes(16)))])
    with snapshot(world.path) as connection:
        assert verify_log(connection, chain, Anchors([])).fault is None
        found = verify_log(connection, chain, other).fault
    assert found == Fault(5, "up to it, the log is not the one that entry 9 of the journal saw")


def test_journal_entries_that_differ_about_the_log_are_found() -> None:
    """Two heads at the same length cannot both be true."""
    one, other = (Entry(seq, 0, 0.0, Head(5, bytes([seq] * 16))) for seq in (0, 1))
    assert Anchors([one, evolve(one, seq=1)]).conflict is None
    assert Anchors([one, other]).conflict == Fault(
        5, "entries 0 and 1 of the journal differ about it"
    )


def test_what_a_restore_ended_does_not_bear_on_the_log() -> None:
    """Entries after the one to which the store was put back are of another line of history."""
    heads = [0, 3, 5, 3, 5]
    entries = [
        Entry(seq, max(seq - 1, 0), 0.0, Head(count, bytes([seq * (count > 3)] * 16)))
        for seq, count in enumerate(heads)
    ]
    assert Anchors(entries).conflict is not None
    entries[3] = evolve(entries[3], restored=1)
    anchors = Anchors(entries)
    assert (anchors.conflict, anchors.last, anchors.entries) == (None, 5, 5)
    assert anchors.at(5) == entries[4]
    assert anchors.at(0) == entries[0]
    entries[3] = evolve(entries[3], restored=-1)
    assert Anchors(entries).at(0) is None


def purge(world: GuardedWorld, retention: Retention, *, dry: bool = False) -> int:
    """Purge everything that may be."""
    total, after = 0, 0
    while True:
        with world.store.transaction():
            assert world.store.guard is not None
            span = purge_span(world.store, world.store.guard.chain, retention, after, dry=dry)
        total += span.purged
        if span.next is None:
            return total
        after = span.next


def test_a_purged_log_is_whole_and_tells_of_nobody(world: GuardedWorld) -> None:
    """Numbers, carriers and sealed answers are gone; the chain holds, and goes on."""
    later = Retention(world.now + 1, world.week + 200)
    assert purge(world, later, dry=True) == LENGTH
    assert world.verified().purged == 0
    assert purge(world, later) == LENGTH
    assert purge(world, later) == 0
    verified = world.verified()
    assert (verified.decisions, verified.purged, verified.fault) == (LENGTH, LENGTH, None)
    rows = world.store.connection.execute("SELECT asker, holder, carrier, answer FROM decision")
    assert set(rows) == {(None, None, "", None)}
    alice, bob = world.phones[:2]
    world.key(alice, bob)
    assert world.verified().decisions == LENGTH + 1
    with world.store.transaction():
        assert [issue.id for issue in world.store.registry.issues(Sought(), None, 99).issues] == [
            LENGTH + 1
        ]
        assert world.store.registry.issue(1) is None


def test_a_message_that_comes_again_after_the_purge_is_not_answered(world: GuardedWorld) -> None:
    """Its identity is gone with the rest of its decision; the replay window knows its counter."""
    text = world.ask(*world.phones[:2]).text
    decided = []
    for retention in (Retention(world.now + 1, world.week + 200), None):
        with world.store.transaction():
            decided.append(
                world.issuer.decide(world.store, text, "c", world.now, identity="of +254700000001")
            )
        if retention:
            purge(world, retention)
    assert isinstance(decided[0], Answer)
    assert decided[1] is Silence.REPEATS
    assert "of +254700000001" not in "".join(world.store.connection.iterdump())


@pytest.mark.parametrize("column", ["n", "epoch", "decided_at", "week", "carrier", "digest"])
def test_an_edited_purged_decision_is_found(world: GuardedWorld, column: str) -> None:
    """What a purge left is sealed again."""
    purge(world, Retention(world.now + 1, world.week + 200))
    change = {"carrier": "'x'", "digest": "x'00'"}.get(column, f"{column} + 1")
    tamper(world, f"UPDATE decision SET {column} = {change} WHERE id = 3")
    assert fault(world) == Fault(3, "it was blanked or edited, and not by Sam")


def test_a_purge_by_another_hand_is_found(world: GuardedWorld) -> None:
    """Blanking a decision, marked as one likes, is not purging it."""
    purge(world, Retention(world.now + 1, 0))
    for mark in ("x'00'", "(SELECT purged FROM decision WHERE purged IS NOT NULL)"):
        tamper(
            world,
            "UPDATE decision SET asker = NULL, holder = NULL, carrier = '', answer = NULL,"
            f" purged = {mark} WHERE id = 3",
        )
        assert fault(world) == Fault(3, "it was blanked or edited, and not by Sam")


def test_a_purge_does_not_hide_an_edit(world: GuardedWorld) -> None:
    """A decision whose digest is wrong is kept, and found as before."""
    tamper(world, "UPDATE decision SET n = n + 1 WHERE id = 3")
    for dry in (True, False):
        assert purge(world, Retention(world.now + 1, world.week + 200), dry=dry) == LENGTH - 1
    assert fault(world) == Fault(3, "it was edited, moved or replaced")


def test_text_that_is_none_is_found_and_stops_no_purge(world: GuardedWorld) -> None:
    """Octets that are no UTF-8 are an edit like any other."""
    tamper(world, "UPDATE decision SET carrier = CAST(x'ff' AS TEXT) WHERE id = 3")
    assert fault(world) == Fault(3, "it was edited, moved or replaced")
    assert purge(world, Retention(world.now + 1, world.week + 200)) == LENGTH - 1
    assert fault(world) == Fault(3, "it was edited, moved or replaced")


def test_living_keys_and_young_decisions_are_kept(world: GuardedWorld) -> None:
    """Nothing that a repeated ask still needs is purged, nor anything younger than it must be."""
    alice, bob = world.phones[:2]
    assert purge(world, Retention(world.now, world.week + 200)) == 0
    asked = world.ask(alice, bob, life=2)
    answer = world.answer(asked)
    refusals = LENGTH // 2
    assert purge(world, Retention(world.now + DAY_SECONDS, world.week + 1)) == refusals
    assert world.answer(asked) == answer
    assert purge(world, Retention(world.now + DAY_SECONDS, world.week + 2)) == 1
    assert fault(world) is None


def test_a_purge_takes_the_answers_along(world: GuardedWorld) -> None:
    """Sent answers carry numbers too, and so do Sam's own messages."""
    sendings = ((None, "delivered"), (None, "queued"), (1, "delivered"), (2, "queued"))
    world.store.connection.executemany(
        "INSERT INTO outbox (decision, network, carrier, recipient, repeat, text,"
        " queued_at, expires_at, due_at, state, attempts)"
        f" VALUES (?, '', '', 254700000001, 0, '', {world.now}, 0, 0, ?, 0)",
        sendings,
    )
    purge(world, Retention(world.now + 1, world.week + 200))
    left = world.store.connection.execute("SELECT decision, state FROM outbox")
    assert set(left) == {(None, "queued")}


def test_a_purge_takes_along_what_waits_for_a_network_that_is_gone(world: GuardedWorld) -> None:
    """Nobody marks it expired; once its validity is over its number goes like all others."""
    execute = world.store.connection.execute
    execute("REPLACE INTO service_time VALUES (1, 500)")
    for expires_at in (499, 501):
        execute(
            "INSERT INTO outbox (network, carrier, recipient, repeat, text, queued_at, expires_at,"
            " due_at, state, attempts) VALUES ('', '', 254700000001, 0, '', ?, ?, 0, 'queued', 0)",
            (world.now, expires_at),
        )
    purge(world, Retention(world.now + 1, world.week + 200))
    assert execute("SELECT expires_at FROM outbox").fetchall() == [(501,)]


def test_spans_cover_the_whole_log(world: GuardedWorld) -> None:
    """A long log is purged in steps, each with a transaction of its own."""
    with world.store.transaction():
        assert world.store.guard is not None
        span = purge_span(world.store, world.store.guard.chain, Retention(world.now + 1, 9999), 0)
    assert (span.purged, span.left, span.next) == (LENGTH, 0, None)
    world.store.connection.execute(f"UPDATE meta SET log_count = {SPAN + 1}")
    with world.store.transaction():
        span = purge_span(world.store, world.store.guard.chain, Retention(0, 0), 0)
    assert (span.purged, span.next) == (0, SPAN)

"""The journal: every entry is there, as it was written, or the damage is noticed."""

from __future__ import annotations

import errno
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from guarded import FailingDisk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtns.sam.errors import StoreError
from dtns.sam.protocol.keys import Enrolment, MasterKey
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.audit import Head
from dtns.sam.store.entries import (
    Change,
    Enrolled,
    Entry,
    EpochRaised,
    NoticeAdded,
    RenewalOffered,
    StandingSet,
)
from dtns.sam.store.journal import Journal

KEYS = {1: MasterKey(1, bytes(32)), 2: MasterKey(2, bytes([2] * 32))}
NOW = 1_800_000_000.0
SHORT = st.integers(1, 0xFFFF)
NUMBERS = st.integers(10**6, 10**15 - 1).map(lambda digits: Number(str(digits)))
ENROLMENTS = st.builds(Enrolment, NUMBERS, SHORT, SHORT, st.integers(1, 255))
CHANGES = st.one_of(
    st.builds(Enrolled, ENROLMENTS, st.floats(0, 1e10)),
    st.builds(RenewalOffered, ENROLMENTS),
    st.builds(StandingSet, NUMBERS, st.booleans()),
    st.builds(EpochRaised, SHORT),
    st.builds(NoticeAdded, NUMBERS, st.binary(min_size=1, max_size=60)),
)
SUSPENDED = (StandingSet(Number("254700000001"), suspended=True),)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with nothing in it but its beginning."""
    place = tmp_path / "j"
    Journal.create(place, KEYS, "instance", head=Head(), now=NOW)
    return place


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """The same, open."""
    opened = Journal.open(path, KEYS)
    yield opened
    opened.close()


def append(journal: Journal, changes: tuple[Change, ...] = SUSPENDED) -> None:
    """Add an entry to what was there."""
    journal.append(journal.tip.seq, NOW, Head(journal.tip.seq, bytes([7] * 16)), changes)


def filled(path: Path, count: int = 5) -> bytes:
    """Add entries to a journal and return all of its file."""
    journal = Journal.open(path, KEYS)
    for _ in range(count):
        append(journal)
    journal.close()
    return path.read_bytes()


def read(path: Path) -> tuple[list[Entry], int]:
    """Return the entries of a journal, and the octets of what is not whole."""
    journal = Journal.open(path, KEYS)
    try:
        return list(journal.entries()), journal.torn
    finally:
        journal.close()


def test_a_new_journal_is_private_and_says_whose_it_is(path: Path) -> None:
    """One line, mode 0600, with the instance of the store; it is never overwritten."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["instance"] == "instance"
    with pytest.raises(StoreError, match="never overwritten"):
        Journal.create(path, KEYS, "other", head=Head(), now=NOW)
    with pytest.raises(StoreError, match="dtns init --journal"):
        Journal.create(path / "no" / "folder", KEYS, "other", head=Head(), now=NOW)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(SHORT, st.floats(0, 1e10), st.lists(CHANGES, max_size=4))))
def test_entries_come_back_as_they_were_written(
    tmp_path: Path, written: list[tuple[int, float, list[Change]]]
) -> None:
    """Whatever the changes, reading gives what was appended, in order, chained."""
    place = tmp_path / "h"
    place.unlink(missing_ok=True)
    Journal.create(place, KEYS, "instance", head=Head(3, bytes(16)), now=NOW)
    journal = Journal.open(place, KEYS)
    for base, at, changes in written:
        journal.append(base, at, Head(base, bytes(16)), tuple(changes), restored=base % 2 or None)
    journal.close()
    (first, *entries), torn = read(place)
    assert (first.seq, first.head.count, torn) == (0, 3, 0)
    assert [(e.base, e.at, list(e.changes)) for e in entries] == written
    assert [e.seq for e in entries] == [*range(1, len(written) + 1)]
    assert all(e.restored == (e.base % 2 or None) and e.master_id == 2 for e in entries)


def test_an_entry_is_one_line(path: Path, journal: Journal) -> None:
    """A whole transaction, five hundred parties, is one JSON line."""
    enrolments = [Enrolment(Number(str(254700000000 + n)), 1, 1, 1) for n in range(500)]
    append(journal, tuple(Enrolled(enrolment, NOW) for enrolment in enrolments))
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert len(json.loads(lines[1])["do"]) == 500


def noticed(path: Path, octets: bytes, tip: int) -> bool:
    """Tell whether a journal with these octets is refused, or does not reach the entry *tip*.

    A store that has come to that entry is then refused with it.
    """
    path.write_bytes(octets)
    try:
        entries, _ = read(path)
    except StoreError as fault:
        return "damaged" in str(fault) or "lacks" in str(fault)
    return entries[-1].seq < tip


def test_every_changed_octet_is_noticed(path: Path) -> None:
    """No octet can be changed in a journal without a store at its end being refused with it."""
    whole = filled(path, 2)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        assert noticed(path, bytes(damaged), 2), place


def test_every_removed_or_moved_line_is_noticed(path: Path) -> None:
    """No line can be taken out, doubled, or swapped with its neighbour."""
    lines = filled(path, 4).splitlines(keepends=True)
    for place in range(len(lines)):
        without, doubled, swapped = lines.copy(), lines.copy(), lines.copy()
        del without[place]
        doubled.insert(place, lines[place])
        swapped[place : place + 2] = reversed(lines[place : place + 2])
        inner = [doubled, swapped] if place < len(lines) - 1 else []
        assert all(noticed(path, b"".join(wrong), 4) for wrong in (without, *inner)), place


def test_damage_before_the_last_line_is_never_taken_for_a_crash(path: Path) -> None:
    """Where more lines follow, the journal is damaged, and the message says at which entry."""
    lines = filled(path, 4).splitlines(keepends=True)
    lines[2] = lines[2].replace(b"suspend", b"resume")
    path.write_bytes(b"".join(lines))
    with pytest.raises(StoreError, match="damaged at entry 2"):
        read(path)


def test_a_line_cut_anywhere_is_not_whole_and_gives_way(path: Path) -> None:
    """However much of the last line a crash left, the next entry takes its place."""
    whole = filled(path, 2)
    last = whole.rindex(b"\n", 0, -1) + 1
    for length in range(last + 1, len(whole)):
        path.write_bytes(whole[:length])
        journal = Journal.open(path, KEYS)
        assert (journal.tip.seq, journal.torn) == (1, length - last)
        append(journal)
        journal.close()
        assert path.read_bytes() == whole


def test_a_missing_or_empty_journal_is_named_with_a_remedy(tmp_path: Path) -> None:
    """The message says where, and what to do."""
    with pytest.raises(StoreError, match=r"missing: put it back; if it is lost, `dtns restore"):
        Journal.open(tmp_path / "j", KEYS)
    (tmp_path / "j").write_bytes(b"")
    with pytest.raises(StoreError, match="damaged at entry 0"):
        Journal.open(tmp_path / "j", KEYS)


def test_master_keys_are_needed_as_long_as_entries_are_of_them(path: Path) -> None:
    """Without the key of an entry, or with another one, the journal does not open."""
    filled(path)
    with pytest.raises(StoreError, match="made under master key 2, which the key file lacks"):
        Journal.open(path, {1: KEYS[1]})
    with pytest.raises(StoreError, match="of other master keys"):
        Journal.open(path, {2: MasterKey(2, bytes([9] * 32))})


def test_a_new_master_key_goes_on_where_the_old_one_ended(path: Path) -> None:
    """Entries under several keys are one chain."""
    Journal.create(path.with_name("k"), {1: KEYS[1]}, "i", head=Head(), now=NOW)
    journal = Journal.open(path.with_name("k"), KEYS)
    append(journal)
    journal.close()
    entries, _ = read(path.with_name("k"))
    assert [entry.master_id for entry in entries] == [1, 2]


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("left", range(6))
def test_an_append_that_fails_changes_nothing(path: Path, left: int, fault: int) -> None:
    """At whichever call the disk fails, the entry is not there; once it works, the next one is."""
    before = filled(path)
    disk = FailingDisk(left, fault)
    journal = Journal.open(path, KEYS, disk)
    tip = journal.tip
    if left < 2:
        with pytest.raises(StoreError, match="nothing was changed"):
            append(journal)
        assert journal.tip == tip
        with pytest.raises(StoreError, match="nothing was changed"):
            append(journal)
    disk.left = None
    append(journal)
    journal.close()
    assert path.read_bytes().startswith(before)
    entries, torn = read(path)
    assert (len(entries), torn) == (7, 0)


def test_a_journal_that_was_moved_or_changed_takes_nothing(path: Path, journal: Journal) -> None:
    """Entries never go into a file that will not be found at the next start."""
    append(journal)
    path.rename(path.with_name("moved"))
    with pytest.raises(StoreError, match="moved, replaced or changed"):
        append(journal)
    path.write_bytes(path.with_name("moved").read_bytes())
    with pytest.raises(StoreError, match="moved, replaced or changed"):
        append(journal)
    path.with_name("moved").rename(path)
    append(journal)
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(StoreError, match="moved, replaced or changed"):
        append(journal)

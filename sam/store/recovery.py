"""The store and its journal brought together: at the beginning, at every start, after a crash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from attrs import frozen

from dtns.sam.errors import KeyFileError, StoreError
from dtns.sam.issuing.notices import end_sim, offer, renewed
from dtns.sam.issuing.records import Registration, Topic
from dtns.sam.protocol.keys import Enrolment
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.audit import AuditChain
from dtns.sam.store.database import Meta
from dtns.sam.store.entries import (
    Change,
    Enrolled,
    Entry,
    EpochRaised,
    NoticeAdded,
    Place,
    RefundNoted,
    RenewalOffered,
    StandingSet,
)
from dtns.sam.store.guard import Guard
from dtns.sam.store.journal import Journal
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.store import Store


@frozen
class Mended:
    """What a crash had left, and was put right.

    rolled_forward is the entry that the store had not done yet, torn the octets of one that was
    not whole and never done.
    """

    rolled_forward: int | None
    torn: int


def begin_journal(
    store: Store, path: Path, master_keys: MasterKeys, clock: Callable[[], float]
) -> None:
    """Make a new journal at *path* for *store*, seal its log and guard the store by both.

    Raises StoreError if there is a file already or none can be made.
    """
    with store.transaction():
        meta = store.meta()
        Journal.create(path, master_keys.keys, meta.instance, head=meta.head, now=clock())
    journal = Journal.open(path, master_keys.keys)
    guard = _guard(journal, master_keys, clock)
    try:
        with store.transaction():
            store.set_place(journal.tip.place)
            store.set_log_seal(guard.chain.seal(guard.chain.current, meta.head))
    except BaseException:
        journal.close()
        raise
    store.guard = guard


def join_journal(
    store: Store, path: Path, master_keys: MasterKeys, clock: Callable[[], float]
) -> Mended:
    """Guard *store* by its journal at *path*, once the two agree.

    What a crash left in the journal but not in the store is done now. Raises StoreError, which
    names what to do, where the store is behind the journal or the journal is not the store's.
    """
    journal = Journal.open(path, master_keys.keys)
    try:
        with store.transaction():
            rolled_forward = _bring_together(store, journal, master_keys)
        mended = Mended(rolled_forward, journal.torn)
        if journal.torn:
            journal.mend()
    except BaseException:
        journal.close()
        raise
    store.guard = _guard(journal, master_keys, clock)
    return mended


def follow(store: Store, changes: Iterable[Change], master_keys: MasterKeys) -> Counter[str]:
    """Do in an unguarded *store* what the journal tells, and count what was not done already."""
    done: Counter[str] = Counter()
    for change in changes:
        match change:
            case Enrolled(enrolment, at):
                done.update(_enrol(store, enrolment, at, master_keys))
            case RenewalOffered(enrolment):
                done.update(_offer(store, enrolment))
            case StandingSet(number, suspended):
                done.update(_set_standing(store, number, suspended=suspended))
            case EpochRaised(epoch):
                if epoch > store.epoch:
                    store.raise_epoch(epoch)
            case NoticeAdded(number, item):
                store.add_notice(number, Topic.ITEM, item)
            case RefundNoted(number, load, refund_of):
                store.note_refund(number, load, refund_of)
    return done


def committed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield those entries, first to last, that the later ones build upon."""
    found = list(entries)
    kept: list[Entry] = []
    seq = len(found) - 1
    while seq >= 0:
        kept.append(found[seq])
        seq = found[seq].base if seq else -1
    yield from reversed(kept)


def insist_same_instance(journal: Journal, meta: Meta, what: str) -> None:
    """Raise StoreError unless the journal belongs to the store or backup that *what* names."""
    if journal.instance != meta.instance:
        raise StoreError(
            f"the journal {journal.path} is of another Sam than {what}: put the right one back"
        )


def _bring_together(store: Store, journal: Journal, master_keys: MasterKeys) -> int | None:
    """Return the entry that was done now, None if there was nothing to do."""
    meta, tip = store.meta(), journal.tip
    insist_same_instance(journal, meta, f"the store {store.path}")
    if meta.place == tip.place and meta.head.count >= tip.head.count:
        return None
    known = any(entry.place == meta.place for entry in journal.entries())
    if known and tip.base == meta.place.seq < tip.seq and tip.head == meta.head:
        follow(store, tip.changes, master_keys)
        store.set_place(tip.place)
        return tip.seq
    raise StoreError(_disagreement(meta.place, journal, store.path))


def _disagreement(place: Place, journal: Journal, path: Path) -> str:
    tip = journal.tip
    if place.seq > tip.seq:
        return (
            f"the journal {journal.path} ends at entry {tip.seq}, and the store {path} has come "
            f"to entry {place.seq}: put the whole journal back; if it is lost, `dtns restore "
            "--in-place --new-journal` goes on without what it knew"
        )
    if tip.restored is not None:
        return f"a restore of {path} was interrupted: run `dtns restore` again"
    return (
        f"the store {path} is older than its journal {journal.path}, as an old copy that was put "
        "back would be: `dtns restore FILE` installs a backup, `dtns restore --in-place` goes on "
        "with this store; both begin a new epoch, so that no key is made twice"
    )


def _enrol(store: Store, enrolment: Enrolment, at: float, master_keys: MasterKeys) -> Iterator[str]:
    known = store.registration(enrolment.number)
    if known is not None and known.enrolment.generation >= enrolment.generation:
        return
    master_id = enrolment.master_id
    if master_id not in master_keys.checks:
        raise KeyFileError(
            f"the key file lacks master key {master_id}, under which parties are enrolled"
        )
    store.registry.note_master_key(master_id, master_keys.checks[master_id])
    if known is not None and known.renewal == enrolment:
        renewed(store, known)
    elif known is not None:
        end_sim(store, known)
        fresh = Registration(enrolment, at, known.suspended, share=known.share, told=known.told)
        store.save(fresh)
    else:
        store.save(Registration(enrolment, at))
    yield "enrolled" if known is None else "renewed"


def _offer(store: Store, renewal: Enrolment) -> Iterator[str]:
    known = store.registration(renewal.number)
    if known is None or known.enrolment.generation >= renewal.generation:
        return
    offer(store, known, renewal)
    yield "offered"


def _set_standing(store: Store, number: Number, *, suspended: bool) -> Iterator[str]:
    known = store.registration(number)
    if known is not None and known.suspended != suspended:
        store.save(known._replace(suspended=suspended))
        yield "suspended" if suspended else "resumed"


def _guard(journal: Journal, master_keys: MasterKeys, clock: Callable[[], float]) -> Guard:
    chain = AuditChain(master_keys.keys, master_keys.current.master_id)
    return Guard(journal, chain, clock)

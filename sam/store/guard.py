"""What keeps a store from forgetting unnoticed: its journal, and the chain over its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from dtns.sam.errors import StoreError
from dtns.sam.issuing.records import Registration
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.audit import AuditChain, Head
from dtns.sam.store.database import Meta
from dtns.sam.store.entries import (
    Change,
    Enrolled,
    EpochRaised,
    NoticeAdded,
    Place,
    RefundNoted,
    RenewalOffered,
    StandingSet,
)
from dtns.sam.store.journal import Journal

ANCHOR_DECISIONS: Final = 4096
"""After so many decisions since the last entry the journal gets one with the head of the log."""


class Guard:
    """Collects what one transaction changes and writes it ahead; *clock* gives POSIX time."""

    def __init__(self, journal: Journal, chain: AuditChain, clock: Callable[[], float]) -> None:
        self.journal = journal
        self.chain = chain
        self._clock = clock
        self._tried = 0
        self.begin()

    def begin(self) -> None:
        """Forget what the last transaction was about."""
        self._changes: list[Change] = []
        self._head: Head | None = None
        self._anchor = False

    def note(self, known: Registration | None, registration: Registration) -> None:
        """Note that what is known of a party is replaced."""
        if known is not None and _standing(known) == _standing(registration):
            return
        self._changes.extend(_changes(known, registration))

    def note_notice(self, number: Number, item: bytes) -> None:
        """Note that there is something to tell a party."""
        self._changes.append(NoticeAdded(number, item))

    def note_refund(self, number: Number, load: int, refund_of: int) -> None:
        """Note which payment a load gives back."""
        self._changes.append(RefundNoted(number, load, refund_of))

    def note_epoch(self, epoch: int) -> None:
        """Note that a new epoch begins."""
        self._changes.append(EpochRaised(epoch))

    def anchor(self) -> None:
        """Have the head of the log journalled whatever else changes."""
        self._anchor = True

    def chain_on(self, meta: Meta, values: Sequence[Any]) -> tuple[int, int, bytes]:
        """Chain the next decision; return its place, the id of its master key, its digest."""
        chain = self.chain
        self._head = head = chain.next(chain.current, self._head or meta.head, values)
        return head.count, chain.current, head.digest

    def settle(self, meta: Meta) -> tuple[Place, Head, bytes] | None:
        """Journal what must be before the store commits; return its new ends if it has any.

        The ends are the entry it comes to, the head of its log and the seal of that. *meta* is
        what the store says before. An entry that was written for a transaction that then failed is
        overtaken by one that names the entry before it as its base. A log whose end has not its
        seal gets none that is right, however it goes on. StoreError if a change cannot be
        journalled; the head of the log alone holds nothing up.
        """
        tip = self.journal.tip
        place, head = meta.place, self._head or meta.head
        if self._changes or self._anchor or tip.seq != place.seq:
            place = self._append(meta)
        elif meta.head.count - max(tip.head.count, self._tried) >= ANCHOR_DECISIONS:
            self._tried = meta.head.count
            with suppress(StoreError):
                place = self._append(meta)
        if (place, head) == (meta.place, meta.head):
            return None
        chain, seal = self.chain, meta.log_seal
        if head != meta.head and chain.is_sealed(meta.head, seal):
            seal = chain.seal(chain.current, head)
        return place, head, seal

    def _append(self, meta: Meta) -> Place:
        changes = tuple(self._changes)
        return self.journal.append(meta.place.seq, self._clock(), meta.head, changes)


def _standing(registration: Registration) -> tuple[Any, ...]:
    """Return what is journalled of a party, whenever it changes."""
    return registration.enrolment, registration.renewal, registration.suspended


def _changes(known: Registration | None, registration: Registration) -> Iterator[Change]:
    enrolment = registration.enrolment
    if known is None or known.enrolment != enrolment:
        yield Enrolled(enrolment, registration.enrolled_at)
    renewal = registration.renewal
    if renewal is not None and (known is None or known.renewal != renewal):
        yield RenewalOffered(renewal)
    if registration.suspended != (known is not None and known.suspended):
        yield StandingSet(enrolment.number, registration.suspended)

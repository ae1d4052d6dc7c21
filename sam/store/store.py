"""The store as Sam uses it: the issuer's records, the registry and the outbox in one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from dtns.sam.issuing.records import Decision, Notice, Registration, Topic
from dtns.sam.ledger.entries import Load
from dtns.sam.protocol import sync
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party
from dtns.sam.store.connection import Connection
from dtns.sam.store.database import Database, Meta
from dtns.sam.store.entries import Place
from dtns.sam.store.guard import Guard
from dtns.sam.store.inbound import InboundRows, PartRows
from dtns.sam.store.ledger import LedgerRows
from dtns.sam.store.logindex import LogIndex
from dtns.sam.store.notices import NoticeRows
from dtns.sam.store.outbox import OutboxRows
from dtns.sam.store.registry import Registry
from dtns.sam.store.rows import (
    DECISION_COLUMNS,
    PARTY_COLUMNS,
    decision_row,
    party_row,
    to_decision,
    to_registration,
)

_FIND_PARTY: Final = f"SELECT {PARTY_COLUMNS} FROM party WHERE number = ?"  # noqa: S608 (constants)
_FIND_PARTIES: Final = (
    f"SELECT {PARTY_COLUMNS} FROM party"  # noqa: S608 (constants)
    " WHERE number IN (SELECT value FROM json_each(?))"
)
_SAVE_PARTY: Final = (
    f"REPLACE INTO party ({PARTY_COLUMNS})"  # noqa: S608 (constants)
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_FIND_DECISION: Final = (
    f"SELECT {DECISION_COLUMNS} FROM decision"  # noqa: S608 (constants)
    " WHERE id = ?"
)
_ADD_DECISION: Final = (
    f"INSERT INTO decision (id, audit_key, digest, identity, {DECISION_COLUMNS})"  # noqa: S608
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_CAME_BEFORE: Final = "SELECT 1 FROM decision WHERE id = ? AND carrier = ? AND identity = ?"
_COUNT_REPEAT: Final = "UPDATE decision SET repeats = repeats + 1 WHERE id = ? RETURNING id"
_FIND_BAD_TYPED: Final = "SELECT bad FROM bad_typed WHERE number = ? AND day = ?"
_COUNT_BAD_TYPED: Final = (
    "INSERT INTO bad_typed VALUES (?1, ?2, 1) ON CONFLICT (number) DO UPDATE"
    " SET bad = CASE WHEN day = ?2 THEN bad + 1 ELSE 1 END, day = ?2"
)
_SAVE_LAST_PARCEL: Final = "UPDATE meta SET last_parcel = ?"
_SAVE_ENDS: Final = (
    "UPDATE meta SET journal_seq = ?, journal_mac = ?, log_count = ?, log_digest = ?, log_seal = ?"
)
_NOTE_BEHIND: Final = "UPDATE meta SET behind = 1, proved_epoch = max(proved_epoch, ?)"


class Store(Database):
    """Sam's records, valid inside `with store.transaction():` and durable once that is left.

    Within a transaction each party, pair and the meta row is read once. The registry
    (parties and issues for the operator), what came in and the outbox share the file and the
    transaction. Every Sam's store has a guard; one without seals and journals nothing. serial
    counts the transactions begun.
    """

    def __init__(self, path: Path, connection: Connection) -> None:
        super().__init__(path, connection)
        self.registry = Registry(connection)
        self.index = LogIndex(connection)
        self.inbound = InboundRows(connection)
        self.parts = PartRows(connection)
        self.outbox = OutboxRows(connection, lambda: self.meta().last_parcel)
        self.ledger = LedgerRows(connection)
        self._notices = NoticeRows(connection)
        self.guard: Guard | None = None
        self.serial = 0
        self._unsealed = 0
        self._answered: set[int] = set()
        self._meta: Meta | None = None
        self._any_notice: bool | None = None
        self._parties: dict[Number, Registration | None] = {}

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Do all that happens inside durably, or none of it; StoreError where it cannot be."""
        self._forget()
        self.serial += 1
        try:
            with super().transaction():
                yield self
                self._settle()
            self.outbox.committed()
        except BaseException:
            self.index.forget()
            raise
        finally:
            self._forget()

    def close(self) -> None:
        """Close the file and the journal; what was not committed is gone."""
        if self.guard is not None:
            self.guard.journal.close()
            self.guard = None
        super().close()

    def meta(self) -> Meta:
        """Return what the store says of itself."""
        if self._meta is None:
            self._meta = super().meta()
        return self._meta

    @property
    def epoch(self) -> int:
        """Sam's incarnation."""
        return self.meta().epoch

    @property
    def week(self) -> int:
        """The last week that Sam went by, 0 if none yet."""
        return self.meta().week

    def note_week(self, week: int) -> None:
        """Remember the week that Sam goes by."""
        self.connection.execute("UPDATE meta SET week = ?", (week,))
        self._meta = None

    @property
    def behind(self) -> bool:
        """Whether a phone has proved that this store forgot keys."""
        return self.meta().behind

    def note_behind(self, proved_epoch: int) -> None:
        """Remember that, and the epoch of the forgotten keys, until the epoch is raised."""
        self.connection.execute(_NOTE_BEHIND, (proved_epoch,))
        self._meta = None

    def raise_epoch(self, epoch: int) -> None:
        """Begin a new epoch, in which no key was ever issued; the store is not behind any more."""
        self.connection.execute("UPDATE meta SET epoch = ?, behind = 0", (epoch,))
        self._meta = None
        if self.guard is not None:
            self.guard.note_epoch(epoch)

    def set_place(self, place: Place) -> None:
        """Remember the entry of the journal that this transaction comes to."""
        self.connection.execute(
            "UPDATE meta SET journal_seq = ?, journal_mac = ?", (place.seq, place.mac)
        )
        self._meta = None

    def set_log_seal(self, seal: bytes) -> None:
        """Remember the seal of the log as it is."""
        self.connection.execute("UPDATE meta SET log_seal = ?", (seal,))
        self._meta = None

    def registration(self, number: Number) -> Registration | None:
        """Return the party with this number, or None."""
        parties = self._parties
        if number not in parties:
            row = self.connection.first(_FIND_PARTY, (int(number),))
            parties[number] = None if row is None else to_registration(row)
        return parties[number]

    def read_ahead(self, numbers: Iterable[Number]) -> None:
        """Read the parties with these numbers at once; `registration` has them at hand then."""
        unread = [number for number in numbers if number not in self._parties]
        if not unread:
            return
        self._parties.update(dict.fromkeys(unread))
        for row in self.connection.look_up(_FIND_PARTIES, (f"[{','.join(unread)}]",)):
            registration = to_registration(row)
            self._parties[registration.enrolment.number] = registration

    def save(self, registration: Registration) -> None:
        """Replace, or begin, what is known of a party."""
        if self.guard is not None:
            self.guard.note(self.registration(registration.enrolment.number), registration)
        self.connection.later(_SAVE_PARTY, party_row(registration))
        self._parties[registration.enrolment.number] = registration

    def decision(self, asker: Party, counter: int) -> Decision | None:
        """Return what was decided on the ask with this counter, or None."""
        place = self.index.place(asker, counter)
        row = self.connection.execute(_FIND_DECISION, (place,)).fetchone()
        return None if row is None else to_decision(row)

    def add(self, decision: Decision, identity: str = "") -> int:
        """Remember a new decision on a message that came, in its place; return its number."""
        row = decision_row(decision)
        if self.guard is None:
            self._unsealed = place = (self._unsealed or self._last_decision()) + 1
            seals: tuple[int | bytes | None, ...] = (place, None, None)
        else:
            seals = place, _, _ = self.guard.chain_on(self.meta(), row[:-1])
        self.index.add(place, row)
        self.connection.later(_ADD_DECISION, (*seals, identity, *row))
        self._answered.add(place)
        return place

    def _last_decision(self) -> int:
        (last,) = self.connection.execute("SELECT coalesce(max(id), 0) FROM decision").fetchone()
        return int(last)

    def came_before(self, asker: Party, counter: int, carrier: str, identity: str) -> bool:
        """Tell whether this very message brought the ask with this counter, new or again."""
        place = self.index.place(asker, counter)
        brought = self.connection.execute(_CAME_BEFORE, (place, carrier, identity)).fetchone()
        return brought is not None or self.inbound.is_known(carrier, identity)

    def count_repeat(self, asker: Party, counter: int) -> int:
        """Count one more sending of the answer to this ask; return the decision's number."""
        place = self.index.place(asker, counter)
        ((issue,),) = self.connection.execute(_COUNT_REPEAT, (place,)).fetchall()
        self._answered.add(issue)
        return int(issue)

    def answer_waits(self, asker: Party, counter: int) -> bool:
        """Tell whether an answer to this ask waits to leave, or will from this transaction on."""
        place = self.index.place(asker, counter)
        return place is not None and (place in self._answered or self.outbox.waits(place))

    def notices(self, number: Number) -> list[Notice]:
        """Return what the party has still to be told, oldest first."""
        if self._any_notice is None:
            self._any_notice = self._notices.any()
        return self._notices.of(number) if self._any_notice else []

    def add_notice(self, number: Number, topic: Topic, item: bytes = b"") -> None:
        """Remember something to tell a party; nothing, if the same is waiting already.

        A load that is told is on record from then on.
        """
        self._notices.add(number, topic, item)
        self._any_notice = True
        if topic is not Topic.ITEM:
            return
        for told in sync.read_items(item):
            if isinstance(told, sync.Load):
                sum_ = told.payment
                self.ledger.add_load(Load(number, told.number, sum_.currency, sum_.amount))
        if self.guard is not None:
            self.guard.note_notice(number, item)

    def note_refund(self, number: Number, load: int, refund_of: int) -> None:
        """Remember which payment of the party's log a load gives back."""
        self.ledger.note_refund(number, load, refund_of)
        if self.guard is not None:
            self.guard.note_refund(number, load, refund_of)

    def note_told(self, notices: Sequence[Notice], counter: int) -> None:
        """Note that the message with this counter carries these."""
        self._notices.told(notices, counter)

    def drop_notices(self, notices: Sequence[Notice]) -> None:
        """Forget notices that the party knows."""
        self._notices.drop(notices)

    def restart_messages(self) -> None:
        """Count Sam's own messages from where no former epoch has come to; tell all anew."""
        self._notices.restart(self.epoch)
        self._parties.clear()

    def bad_typed(self, number: Number, day: int) -> int:
        """Return how many bad typed asks came for this party on this day."""
        row = self.connection.execute(_FIND_BAD_TYPED, (int(number), day)).fetchone()
        return 0 if row is None else int(row[0])

    def count_bad_typed(self, number: Number, day: int) -> None:
        """Count one more of them."""
        self.connection.execute(_COUNT_BAD_TYPED, (int(number), day))

    def exposure(self, payer: Number, week: int) -> int:
        """Return what this party's keys that have not expired in this week may pay together."""
        query = "SELECT coalesce(sum(total), 0) FROM exposure WHERE number = ? AND expiry > ?"
        (total,) = self.connection.execute(query, (int(payer), week)).fetchone()
        return int(total)

    def expose(self, payer: Number, expiry: int, amount: int) -> None:
        """Remember that a key with this expiry lets the party pay so much."""
        self.connection.execute(
            "INSERT INTO exposure VALUES (?,?,?)"
            " ON CONFLICT (number, expiry) DO UPDATE SET total = total + excluded.total",
            (int(payer), expiry, amount),
        )

    def last_n(self, asker: Party, holder: Party, epoch: int) -> int:
        """Return the highest n issued in this pair and epoch, 0 if none."""
        return self.index.last_n(asker, holder, epoch)

    def _settle(self) -> None:
        """Let the journal go ahead of what is about to be committed."""
        if self.outbox.last is not None:
            self.connection.execute(_SAVE_LAST_PARCEL, (self.outbox.last,))
        self.connection.write()
        self.index.settle()
        if self.guard is not None and (ends := self.guard.settle(self.meta())) is not None:
            place, head, seal = ends
            self.connection.execute(
                _SAVE_ENDS, (place.seq, place.mac, head.count, head.digest, seal)
            )

    def _forget(self) -> None:
        if self.guard is not None:
            self.guard.begin()
        self.outbox.forget()
        self._unsealed = 0
        self._answered.clear()
        self._meta = None
        self._any_notice = None
        self._parties.clear()

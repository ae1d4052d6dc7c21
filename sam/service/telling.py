"""What the operator has Sam tell its parties: new keys, the end of a lock, withdrawn SIMs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dtns.sam.issuing.clock import credible_week
from dtns.sam.issuing.issuer import Answer, Outcome
from dtns.sam.issuing.notices import message, renew
from dtns.sam.issuing.records import Registration, Topic
from dtns.sam.issuing.vault import Vault
from dtns.sam.protocol.keys import MASTER_OCTETS, MAX_EPOCH, MAX_MASTER_ID
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import MAX_N
from dtns.sam.protocol.sync import Mark, Unlock
from dtns.sam.protocol.weeks import week_of
from dtns.sam.service import requests as ask
from dtns.sam.service.outbox import Outbox
from dtns.sam.service.requests import NOT_ENROLLED, Refusal
from dtns.sam.store.keyfile import MasterKeys, add_key
from dtns.sam.store.store import Store


def at_once(
    store: Store, vault: Vault, outbox: Outbox, clock: Callable[[], float]
) -> Callable[[Registration], None]:
    """Return a function that queues, inside the transaction, what a party has still to be told."""

    def tell(party: Registration) -> None:
        if not outbox.routes:
            return
        now = clock()
        week = credible_week(store.week, week_of(now))
        party, text = message(store, vault, party, week)
        store.save(party)
        if text:
            number, generation = party.enrolment.number, party.enrolment.generation
            answer = Answer(number, generation, 0, text, Outcome.ISSUED)
            outbox.add(next(iter(outbox.routes)), answer, now)
            outbox.wake(new=True)

    return tell


class Telling:
    """Does these requests inside the store's transaction.

    tell sends a party at once what waits for it; without it, with no Sam running, that waits
    until the party next asks for a key.
    """

    def __init__(
        self,
        store: Store,
        master_keys: MasterKeys,
        key_file: Path,
        tell: Callable[[Registration], None] | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._master_keys = master_keys
        self._key_file = key_file
        self._tell = tell
        self._random = random
        self.answers: Mapping[type[Any], Callable[[Any], Any]] = {
            ask.Renew: self._renew,
            ask.EndLock: self._end_lock,
            ask.Withdraw: self._withdraw,
            ask.RotateMaster: self._rotate,
        }

    def _renew(self, request: ask.Renew) -> ask.Told | Refusal:
        known = self._store.registration(request.number)
        if known is None:
            return NOT_ENROLLED
        self._note_current()
        begun = renew(self._store, known, self._master_keys.current.master_id)
        if begun is None:
            return Refusal("a renewal is under way already, or all generations are used up")
        return self._told([begun])

    def _end_lock(self, request: ask.EndLock) -> ask.Told | Refusal:
        known = self._store.registration(request.number)
        if known is None:
            return NOT_ENROLLED
        self._store.add_notice(request.number, Topic.ITEM, Unlock(request.lock).octets)
        return self._told([known])

    def _withdraw(self, request: ask.Withdraw) -> ask.Told | Refusal:
        """Suspend a party, and have all who may hold a key with its SIM forget it."""
        known = self._store.registration(request.number)
        if known is None:
            return NOT_ENROLLED
        self._store.save(known._replace(suspended=True))
        mark = Mark(known.party, MAX_EPOCH, MAX_N).octets
        others = [self._store.registration(number) for number in self._others(known)]
        concerned = [other for other in others if other is not None]
        for other in concerned:
            self._store.add_notice(other.enrolment.number, Topic.ITEM, mark)
        return self._told(concerned)

    def _others(self, known: Registration) -> list[Number]:
        return self._store.registry.counterparts(known.enrolment.number)

    def _rotate(self, _request: ask.RotateMaster) -> ask.Rotated | Refusal:
        if self._master_keys.current.master_id >= MAX_MASTER_ID:
            return Refusal("all ids of master keys are used up")
        add_key(self._key_file, self._master_keys, self._random(MASTER_OCTETS))
        self._note_current()
        parties, _ = self._store.registry.count_parties()
        return ask.Rotated(self._master_keys.current.master_id, parties)

    def _told(self, parties: list[Registration]) -> ask.Told:
        if self._tell is not None:
            for party in parties:
                self._tell(party)
        return ask.Told(len(parties), at_once=self._tell is not None)

    def _note_current(self) -> None:
        current = self._master_keys.current.master_id
        self._store.registry.note_master_key(current, self._master_keys.checks[current])

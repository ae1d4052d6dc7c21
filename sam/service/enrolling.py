"""The operator's enrolments: parties join, or get a new SIM, and their keys are given out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dtns.sam.issuing.clock import credible_week
from dtns.sam.issuing.notices import end_sim
from dtns.sam.issuing.records import Registration
from dtns.sam.protocol import keys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.weeks import week_of
from dtns.sam.service import requests as ask
from dtns.sam.service.requests import MAX_BATCH, NOT_ENROLLED, Refusal
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.store import Store


class Enrolling:
    """Answers inside the store's transaction; *clock* gives POSIX time."""

    def __init__(self, store: Store, master_keys: MasterKeys, clock: Callable[[], float]) -> None:
        self._store = store
        self._master_keys = master_keys
        self._clock = clock
        self.answers: Mapping[type[Any], Callable[[Any], Any]] = {
            ask.Enrol: self._enrol,
            ask.Rekey: self._rekey,
        }

    def _enrol(self, request: ask.Enrol) -> ask.Enrolments | Refusal:
        if len(request.numbers) > MAX_BATCH:
            return Refusal(f"at most {MAX_BATCH} numbers at a time")
        if request.create:
            self._note_master_key()
        self._store.read_ahead(request.numbers)
        desk = _Desk(self._store, self._master_keys, self._clock())
        return ask.Enrolments(
            tuple([desk.enrol(number, create=request.create) for number in request.numbers])
        )

    def _rekey(self, request: ask.Rekey) -> ask.Personalisation | Refusal:
        known = self._store.registration(request.number)
        if known is None:
            return NOT_ENROLLED
        generation = (known.renewal or known.enrolment).generation + 1
        if generation > keys.MAX_GENERATION:
            return Refusal("this number has used up all its generations")
        self._note_master_key()
        desk = _Desk(self._store, self._master_keys, self._clock())
        fresh = desk.registration(request.number, generation)
        fresh = fresh._replace(suspended=known.suspended, share=known.share, told=known.told)
        end_sim(self._store, known)
        self._store.save(fresh)
        return desk.personalisation(fresh)

    def _note_master_key(self) -> None:
        current = self._master_keys.current.master_id
        self._store.registry.note_master_key(current, self._master_keys.checks[current])


class _Desk:
    """Where parties are enrolled at one time: what is the same for all of them is read once."""

    def __init__(self, store: Store, master_keys: MasterKeys, now: float) -> None:
        self._store = store
        self._master_keys = master_keys.keys
        self._now = now
        self._epoch, self._week = store.epoch, store.week
        self._master_id = master_keys.current.master_id
        self._universal = master_keys.current.universal_key()

    def enrol(self, number: Number, *, create: bool) -> ask.Enrolled:
        """Enrol a party that is not, if *create*; give it its keys unless it is in use."""
        known = self._store.registration(number)
        if known is not None and (known.window.highest or known.told):
            return ask.Enrolled(number, ask.Enrolment.ALREADY)
        if known is not None:
            return ask.Enrolled(number, ask.Enrolment.AGAIN, self.personalisation(known))
        if not create:
            return ask.Enrolled(number, ask.Enrolment.UNKNOWN)
        registration = self.registration(number, generation=1)
        self._store.save(registration)
        return ask.Enrolled(number, ask.Enrolment.NEW, self.personalisation(registration))

    def registration(self, number: Number, generation: int) -> Registration:
        """Return a party that joins now under the current master key."""
        enrolment = keys.Enrolment(number, generation, self._epoch, self._master_id)
        return Registration(enrolment, self._now)

    def personalisation(self, registration: Registration) -> ask.Personalisation:
        """Return what the party's SIM file is made of."""
        enrolment = registration.enrolment
        return ask.Personalisation(
            number=enrolment.number,
            generation=enrolment.generation,
            epoch=enrolment.epoch,
            week=credible_week(self._week, week_of(registration.enrolled_at)),
            keys=self._master_keys[enrolment.master_id].party_keys(enrolment),
            universal=self._universal,
        )

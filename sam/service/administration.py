"""What the operator's requests do, sans-I/O: over the store, the master keys and a clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from attrs import asdict

from dtns.sam.issuing.issuer import DAY_SECONDS, Issuer
from dtns.sam.issuing.records import Granted, Registration
from dtns.sam.protocol.weeks import start_of
from dtns.sam.service import requests as ask
from dtns.sam.service.accounting import Accounting
from dtns.sam.service.enrolling import Enrolling
from dtns.sam.service.gateways import Gateways
from dtns.sam.service.importing import Importing
from dtns.sam.service.outbox import Outbox
from dtns.sam.service.requests import MAX_BATCH, NOT_ENROLLED, Refusal, Request, Undone
from dtns.sam.service.retrying import NO_ISSUE, Retrying
from dtns.sam.service.telling import Telling
from dtns.sam.service.upkeep import Upkeep
from dtns.sam.service.vitals import Pulse, vitals_answers
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.registry import Issue, Sought
from dtns.sam.store.store import Store

_R = TypeVar("_R")


class Administration:
    """Answers requests, each in one transaction; *counters* are those of a running Sam, or None."""

    def __init__(
        self,
        store: Store,
        master_keys: MasterKeys,
        clock: Callable[[], float],
        counters: Mapping[str, int] | None = None,
        *,
        carriers: Callable[[], Mapping[str, ask.CarrierRecord]] = dict,
        gateways: Gateways | None = None,
        telling: Telling | None = None,
        accounting: Accounting | None = None,
        upkeep: Upkeep | None = None,
        pulse: Pulse | None = None,
        outbox: Outbox | None = None,
        issuer: Issuer | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._counters = counters
        self._carriers = carriers
        self._answers: dict[type[Any], Callable[[Any], Any]] = {
            ask.ListParties: self._list_parties,
            ask.ShowParty: self._show_party,
            ask.SetSuspended: self._set_suspended,
            ask.ListIssues: self._list_issues,
            ask.ShowIssue: self._show_issue,
            ask.GetStatus: self._status,
            **Enrolling(store, master_keys, clock).answers,
            **(gateways or Gateways()).answers,
            **(telling.answers if telling else {}),
            **(accounting.answers if accounting else {}),
            **(upkeep.answers if upkeep else {}),
            **vitals_answers(pulse),
            **Retrying(store, outbox, self._show_issue).answers,
            **Importing(store, clock, issuer, outbox).answers,
        }

    def answer(self, request: Request[_R]) -> _R | Refusal:
        """Do what is asked, durably; StoreError if that cannot be, and then nothing was done."""
        try:
            with self._store.transaction():
                return cast("_R | Refusal", self._answers[type(request)](request))
        except Undone as undone:
            return cast("_R", undone.result)

    def _list_parties(self, request: ask.ListParties) -> ask.Parties:
        limit = _page(request.limit)
        found = self._store.registry.parties(request.pattern, request.after, limit + 1)
        return ask.Parties(tuple(map(self._record, found[:limit])), more=len(found) > limit)

    def _show_party(self, request: ask.ShowParty) -> ask.PartyDetails | Refusal:
        registration = self._store.registration(request.number)
        if registration is None:
            return NOT_ENROLLED
        asks, granted = self._store.registry.count_issues(request.number)
        return ask.PartyDetails(self._record(registration), asks, granted)

    def _set_suspended(self, request: ask.SetSuspended) -> ask.PartyRecord | Refusal:
        registration = self._store.registration(request.number)
        if registration is None:
            return NOT_ENROLLED
        registration = registration._replace(suspended=request.suspended)
        self._store.save(registration)
        return self._record(registration)

    def _record(self, registration: Registration) -> ask.PartyRecord:
        enrolment = registration.enrolment
        share = registration.share.on(int(self._clock() // DAY_SECONDS))
        return ask.PartyRecord(
            number=enrolment.number,
            generation=enrolment.generation,
            epoch=enrolment.epoch,
            master_id=enrolment.master_id,
            enrolled_at=registration.enrolled_at,
            suspended=registration.suspended,
            heard=registration.window.highest,
            asks_today=share.asks,
            repeats_today=share.repeats,
        )

    def _list_issues(self, request: ask.ListIssues) -> ask.Issues:
        sought = Sought(request.party, request.granted, request.since, request.until)
        page = self._store.registry.issues(sought, request.before, _page(request.limit))
        return ask.Issues(tuple(map(self._issue, page.issues)), page.next)

    def _show_issue(self, request: ask.ShowIssue) -> ask.IssueRecord | Refusal:
        issue = self._store.registry.issue(request.id)
        if issue is None:
            return NO_ISSUE
        return self._issue(issue)

    def _issue(self, issue: Issue) -> ask.IssueRecord:
        decision = issue.decision
        deliveries = self._store.outbox.deliveries(issue.id)
        return ask.IssueRecord(
            id=issue.id,
            asker=decision.asker.number,
            asker_generation=decision.asker.generation,
            counter=decision.counter,
            holder=decision.holder,
            decided_at=decision.decided_at,
            carrier=decision.carrier,
            repeats=decision.repeats,
            reason=None if decision.reason is None else decision.reason.code,
            key=None if decision.granted is None else _key(decision.granted),
            deliveries=tuple(
                ask.DeliveryRecord(**asdict(delivery) | {"state": delivery.state.value})
                for delivery in deliveries
            ),
        )

    def _status(self, _request: ask.GetStatus) -> ask.Status:
        meta, registry = self._store.meta(), self._store.registry
        parties, suspended = registry.count_parties()
        asks, granted = registry.count_issues()
        return ask.Status(
            running=self._counters is not None,
            instance=meta.instance,
            epoch=meta.epoch,
            behind=meta.behind,
            parties=parties,
            suspended=suspended,
            asks=asks,
            keys=granted,
            outbox=self._store.outbox.counts(),
            counters=dict(self._counters or {}),
            carriers=self._carriers(),
        )


def _page(limit: int) -> int:
    return min(max(limit, 1), MAX_BATCH)


def _key(granted: Granted) -> ask.KeyRecord:
    return ask.KeyRecord(
        holder_generation=granted.holder_generation,
        epoch=granted.epoch,
        n=granted.n,
        limit=granted.terms.limit,
        direction=_spelled(granted.terms.direction.name),
        expires_at=float(start_of(granted.terms.expiry)),
        form=_spelled(granted.form.name),
    )


def _spelled(name: str) -> str:
    return name.lower().replace("_", "-")

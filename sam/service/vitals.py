"""How a running Sam is, told without a look at more than a few rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from dtns.sam.service import requests as ask
from dtns.sam.service.gateways import NOT_RUNNING
from dtns.sam.service.requests import Check, Refusal, Vitals
from dtns.sam.store.store import Store


@frozen
class Pulse:
    """Tells of a running Sam inside the store's transaction; *clock* gives POSIX time.

    counters and carriers are those of its traffic, up_for gives the seconds since its start.
    """

    store: Store
    clock: Callable[[], float]
    counters: Mapping[str, int]
    carriers: Callable[[], Mapping[str, ask.CarrierRecord]]
    up_for: Callable[[], float]

    def vitals(self, _request: ask.GetVitals) -> Vitals:
        """Return the vitals now; that it can be done at all proves the store writable."""
        meta = self.store.meta()
        waiting, since = self.store.outbox.waiting()
        carriers = self.carriers()
        return Vitals(
            checks=(_store(), _memory(behind=meta.behind), _gateways(carriers)),
            epoch=meta.epoch,
            decisions=meta.head.count,
            waiting=waiting,
            oldest=None if since is None else max(0.0, self.clock() - since),
            up_for=self.up_for(),
            counters=dict(self.counters),
            carriers=carriers,
        )


def vitals_answers(pulse: Pulse | None) -> Mapping[type[Any], Callable[[Any], Any]]:
    """Return the requests answered here; with no Sam running they are refused."""
    if pulse is not None:
        return {ask.GetVitals: pulse.vitals}
    return {ask.GetVitals: _refuse}


def _refuse(_request: ask.GetVitals) -> Refusal:
    return NOT_RUNNING


def _store() -> Check:
    return Check("store", holds=True, finding="can be written")


def _memory(*, behind: bool) -> Check:
    finding = "is an old copy: `dtns restore` tells what to do" if behind else "forgot nothing"
    return Check("memory", holds=not behind, finding=finding)


def _gateways(carriers: Mapping[str, ask.CarrierRecord]) -> Check:
    up = sorted(name for name, record in carriers.items() if record.connected)
    if up:
        return Check("gateways", holds=True, finding=f"connected: {', '.join(up)}")
    return Check("gateways", holds=False, finding=f"none of {len(carriers)} is connected")

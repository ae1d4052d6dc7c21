"""Asks that reached some other place and come in a file: decided on and answered like others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from dtns.sam.issuing.issuer import Answer, Issuer, Outcome
from dtns.sam.service import requests as ask
from dtns.sam.service.gateways import NOT_RUNNING
from dtns.sam.service.outbox import Outbox
from dtns.sam.service.requests import MAX_BATCH, Refusal, Undone
from dtns.sam.store.store import Store

IMPORT: Final = "import"
"""What the log of decisions names as the carrier of such asks."""
IMPORTED: Final = "imported"
"""The outcome of an ask that was answered when the file, or another, was imported before."""


class Importing:
    """Answers inside the store's transaction; *issuer* and *outbox* are None where no Sam runs."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        issuer: Issuer | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._issuer = issuer
        self._outbox = outbox
        self.answers: Mapping[type[Any], Callable[[Any], Any]] = {ask.ImportAsks: self._import}

    def _import(self, request: ask.ImportAsks) -> ask.Imported | Refusal:
        if self._issuer is None or self._outbox is None or not self._outbox.routes:
            return NOT_RUNNING
        if len(request.texts) > MAX_BATCH:
            return Refusal(f"at most {MAX_BATCH} asks at a time")
        identities = [_identity(text) for text in request.texts]
        known = self._store.inbound.known(IMPORT, identities)
        imported = [
            self._import_one(self._issuer, self._outbox, text, identity, known)
            for text, identity in zip(request.texts, identities, strict=True)
        ]
        result = ask.Imported(
            tuple(outcome for outcome, _ in imported), sum(sent for _, sent in imported)
        )
        if request.dry:
            raise Undone(result)
        self._outbox.wake(new=True)
        return result

    def _import_one(
        self, issuer: Issuer, outbox: Outbox, text: str, identity: str, known: set[str]
    ) -> tuple[str, int]:
        """Return what became of one ask, and how many messages its answer takes."""
        if identity in known:
            return IMPORTED, 0
        now = self._clock()
        decided = issuer.decide(self._store, text, IMPORT, now)
        if not isinstance(decided, Answer):
            return decided.value, 0
        known.add(identity)
        self._store.inbound.remember(IMPORT, [identity], now)
        route = next(iter(outbox.routes))
        outbox.add(route, decided, now)
        if decided.notice:
            outbox.add(route, decided.aside, now)
        return decided.outcome.value, 1 + bool(decided.notice)


ANSWERED: Final = frozenset(outcome.value for outcome in Outcome)
"""The outcomes that are answered, by a message."""


def _identity(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()

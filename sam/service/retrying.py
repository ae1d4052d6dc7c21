"""The operator's retry: an answer that waits, failed or expired leaves now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dtns.sam.service import requests as ask
from dtns.sam.service.gateways import NOT_RUNNING
from dtns.sam.service.outbox import Outbox
from dtns.sam.service.requests import Refusal
from dtns.sam.store.store import Store

NO_ISSUE = Refusal("there is no issue with this id: `dtns issue list` shows them")
NOTHING_TO_RETRY = Refusal("its answer is under way or has arrived: there is nothing to try again")


class Retrying:
    """Answers inside the store's transaction; *outbox* is None where no Sam runs."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox | None,
        show: Callable[[ask.ShowIssue], ask.IssueRecord | Refusal],
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._show = show
        self.answers: Mapping[type[Any], Callable[[Any], Any]] = {ask.Retry: self._retry}

    def _retry(self, request: ask.Retry) -> ask.IssueRecord | Refusal:
        if self._outbox is None:
            return NOT_RUNNING
        issue = self._store.registry.issue(request.id)
        if issue is None:
            return NO_ISSUE
        if not self._outbox.retry(issue.id):
            return NOTHING_TO_RETRY
        return self._show(ask.ShowIssue(request.id))

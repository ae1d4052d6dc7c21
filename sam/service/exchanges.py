"""The log of exchanges: each step with one number, the issue's, from the ask to the last report."""

from __future__ import annotations

import sqlite3
from typing import Final

from attrs import frozen
from twisted.logger import Logger

from dtns.sam.issuing.issuer import Answer

_BY_PARCEL: Final = "SELECT decision FROM outbox WHERE id = ? AND decision IS NOT NULL"


@frozen
class ExchangeLog:
    """Logs steps under the number that `dtns issue show` takes; looks it up in the store."""

    connection: sqlite3.Connection
    log = Logger()

    def decided(self, answer: Answer, carrier: str) -> None:
        """Log what was decided on an ask, once that is durable."""
        if answer.issue:
            self._tell(answer.issue, answer.outcome.value, carrier)

    def sent(self, parcel: int, step: str, carrier: str) -> None:
        """Log how far an answer has come, once that is durable."""
        row = self.connection.execute(_BY_PARCEL, (parcel,)).fetchone()
        if row is not None:
            self._tell(row[0], step, carrier)

    def _tell(self, issue: int, step: str, carrier: str) -> None:
        self.log.info(
            "exchange {exchange}: {step}",
            event="exchange",
            exchange=issue,
            step=step,
            carrier=carrier,
        )

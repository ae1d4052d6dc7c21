"""The log of exchanges: each step with one number, the issue's, from the ask to the last report."""

from __future__ import annotations

import sqlite3
from typing import Final

from attrs import frozen
from twisted.logger import Logger

from dtns.sam.issuing.issuer import Answer

_BY_ASK: Final = "SELECT id FROM decision WHERE asker = ? AND asker_generation = ? AND counter = ?"
_BY_PARCEL: Final = (
    "SELECT decision.id FROM outbox JOIN decision ON asker = recipient"
    " AND asker_generation = generation AND decision.counter = outbox.counter WHERE outbox.id = ?"
)


@frozen
class ExchangeLog:
    """Logs steps under the number that `dtns issue show` takes; looks it up in the store."""

    connection: sqlite3.Connection
    log = Logger()

    def decided(self, answer: Answer, carrier: str) -> None:
        """Log what was decided on an ask, once that is durable."""
        ask = (int(answer.recipient), answer.generation, answer.counter)
        self._tell(_BY_ASK, ask, step=answer.outcome.value, carrier=carrier)

    def sent(self, parcel: int, step: str, carrier: str) -> None:
        """Log how far an answer has come, once that is durable."""
        self._tell(_BY_PARCEL, (parcel,), step=step, carrier=carrier)

    def _tell(self, query: str, values: tuple[int, ...], step: str, carrier: str) -> None:
        row = self.connection.execute(query, values).fetchone()
        if row is not None:
            self.log.info(
                "exchange {exchange}: {step}",
                event="exchange",
                exchange=row[0],
                step=step,
                carrier=carrier,
            )

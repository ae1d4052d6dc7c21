"""When a payment whose code was never taken may be given back: only once nobody can take it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dtns.sam.ledger.entries import Filed
from dtns.sam.ledger.reconciliation import whole
from dtns.sam.protocol.log import COUNT_BITS, Kind
from dtns.sam.protocol.payments import Mode


def objection(filed: Filed, expiry: int | None, payee_log: Sequence[Filed], week: int) -> str:
    """Return why this debit is not given back, or nothing.

    expiry is that of its key, payee_log the payee's entries by serial, week Sam's. Both sides must
    be on record: the payee's statement of the week in which the key expired, or later, with a log
    that is whole up to it and shows no receipt.
    """
    if filed.entry.kind.mode is Mode.SMALL:
        return "small payments have no key that ends: they are not given back"
    if expiry is None:
        return "Sam has no record any more of the key that was paid on"
    if any(entry.entry.kind.received and entry.deal == filed.deal for entry in payee_log):
        return "the payee's log shows that it was taken"
    if week < expiry:
        return f"the code can still be taken: its key expires in week {expiry}, it is week {week}"
    if not any(
        entry.entry.kind is Kind.STATEMENT and entry.entry.week >= expiry
        for entry in _of_sim(payee_log, filed.deal.payee.generation)
    ):
        return "the payee's log of the time after the key's end is missing: it has to come first"
    return ""


def _of_sim(log: Sequence[Filed], generation: int) -> Iterator[Filed]:
    """Yield the log of the SIM that the payee had then, up to the first entry missing."""
    lines = {entry.serial >> COUNT_BITS for entry in log}
    made_as = max((line for line in lines if line <= generation), default=generation)
    return (entry for entry in whole(log) if entry.serial >> COUNT_BITS == made_as)

"""What Sam has on record of purses, as values, and the seam through which the ledger reaches it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from attrs import frozen

from dtns.sam.protocol.log import Entry
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode
from dtns.sam.protocol.session import Party


@frozen
class Filed:
    """An entry of a party's log; generation is the SIM's own in the key, 0 where there is none."""

    number: Number
    serial: int
    currency: str
    entry: Entry
    generation: int

    @property
    def deal(self) -> Deal:
        """The payment that this entry is one side of."""
        own, other, kind = Party(self.number, self.generation), self.entry.other, self.entry.kind
        payer, payee = (other, own) if kind.received else (own, other)
        return Deal(
            currency=self.currency,
            payer=payer,
            payee=payee,
            payer_asked=kind.mode is not Mode.SMALL and kind.as_asker is not kind.received,
            epoch=self.entry.epoch,
            n=self.entry.n,
            mode=kind.mode,
            number=self.entry.number,
        )


@frozen
class Deal:
    """A payment, by what identifies it: both sides log the same."""

    currency: str
    payer: Party
    payee: Party
    payer_asked: bool
    epoch: int
    n: int
    mode: Mode
    number: int


@frozen
class Load:
    """Money that Sam put into a purse; refund_of is the serial of a payment never taken."""

    number: Number
    load: int
    currency: str
    amount: int
    refund_of: int | None = None


@frozen
class Contradiction:
    """A serial under which a phone logged two different things."""

    number: Number
    serial: int


class LedgerRecords(Protocol):
    """The ledger's tables, inside one transaction."""

    def file(self, filed: Filed, now: float) -> None:
        """Remember an entry; another one under the same serial is kept as a contradiction."""

    def filed_up_to(self, number: Number, before: int) -> int:
        """Return the serial up to which all is on record of a SIM whose first is before + 1."""

    def entries(self) -> Iterable[Filed]:
        """Yield all entries by number and serial."""

    def loads(self) -> Iterable[Load]:
        """Yield all loads by number and load."""

    def contradictions(self) -> Iterable[Contradiction]:
        """Yield all contradictions."""

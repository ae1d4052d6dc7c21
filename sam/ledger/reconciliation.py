"""Whether the logs of all phones and the loads fit together, and where they do not.

Pure: a function of what is on record. A finding is definite where the record alone proves it, and
open where a log that is still to come may explain it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from attrs import field, frozen

from dtns.sam.ledger.entries import Contradiction, Deal, Filed, Load
from dtns.sam.protocol.log import COUNT_BITS, Kind
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode

_LOW_BITS = 0xFFFF


class Trouble(Enum):
    """What the record shows; the definite ones come first."""

    COPIED_PURSE = "copied-purse"
    """A phone logged two things under one serial: its purse was copied back."""
    CREDITED_TWICE = "credited-twice"
    """A phone took the same payment twice."""
    AMOUNTS_DIFFER = "amounts-differ"
    """Payer and payee logged the same payment with different sums."""
    NEVER_PAID = "never-paid"
    """The payee took a payment that the payer's log has passed over: the key was used elsewhere."""
    BALANCE = "balance"
    """A statement's balance is not what loads and entries come to."""
    UNKNOWN_LOAD = "unknown-load"
    """A phone logged a load that Sam did not make."""
    NOT_CREDITED = "not-credited"
    """Debited, and not in the payee's log: in somebody's hand, lost, or not uploaded yet."""
    NOT_DEBITED = "not-debited"
    """Credited, and not in the payer's log, which may still come."""
    LOAD_UNDERWAY = "load-underway"
    """A load that no log has shown yet."""


OPEN = frozenset({Trouble.NOT_CREDITED, Trouble.NOT_DEBITED, Trouble.LOAD_UNDERWAY})
"""Findings that a log still to come may explain."""


@frozen
class Finding:
    """One thing that does not fit: in whose log, under which serial, about whom and how much.

    serial is the number of the load where the finding is about one.
    """

    trouble: Trouble
    number: Number
    serial: int
    other: Number | None = None
    amount: int = 0
    currency: str = ""
    mode: Mode | None = None


@frozen
class Reconciliation:
    """What was compared and found: payments with both sides alike, and their sum by currency."""

    entries: int
    agreed: int
    sums: dict[str, int] = field(factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def definite(self) -> list[Finding]:
        """What no log that is still to come can explain."""
        return [finding for finding in self.findings if finding.trouble not in OPEN]


def reconcile(
    entries: Iterable[Filed], loads: Iterable[Load], contradictions: Iterable[Contradiction]
) -> Reconciliation:
    """Compare both sides of each payment, each balance with its log, and each load with both.

    *entries* come in the order of number and serial.
    """
    filed, made = list(entries), list(loads)
    paid, received = _sides(filed)
    unbroken = list(whole(filed))
    agreed = [deal for deal in paid if _sums(paid[deal]) == _sums(received.get(deal, []))]
    sums: dict[str, int] = defaultdict(int)
    for deal in agreed:
        sums[deal.currency] += paid[deal][0].entry.amount
    found = [
        *(Finding(Trouble.COPIED_PURSE, each.number, each.serial) for each in contradictions),
        *_payments(paid, received, _passed(_sides(unbroken)[0])),
        *_balances(unbroken),
        *_loads(filed, made),
    ]
    ranks = list(Trouble)
    found.sort(key=lambda finding: (ranks.index(finding.trouble), finding.number, finding.serial))
    return Reconciliation(len(filed), len(agreed), dict(sums), tuple(found))


_Sides = dict[Deal, list[Filed]]


def _sides(filed: list[Filed]) -> tuple[_Sides, _Sides]:
    paid: _Sides = defaultdict(list)
    received: _Sides = defaultdict(list)
    for each in filed:
        if each.entry.kind.is_payment:
            (received if each.entry.kind.received else paid)[each.deal].append(each)
    return dict(paid), dict(received)


def _sums(side: Sequence[Filed]) -> list[int]:
    return [filed.entry.amount for filed in side]


_Series = tuple[object, ...]


def _payments(paid: _Sides, received: _Sides, passed: dict[_Series, int]) -> Iterator[Finding]:
    """Find payments with one side, with two unlike ones, or with too many."""
    for deal, debits in paid.items():
        receipts = received.get(deal, [])
        for again in debits[1:]:
            small = deal.mode is Mode.SMALL
            yield _finding(Trouble.NOT_CREDITED if small else Trouble.CREDITED_TWICE, again)
        for again in receipts[1:]:
            yield _finding(Trouble.CREDITED_TWICE, again)
        if not receipts:
            yield _finding(Trouble.NOT_CREDITED, debits[0])
        elif receipts[0].entry.amount != debits[0].entry.amount:
            yield _finding(Trouble.AMOUNTS_DIFFER, receipts[0])
    for deal, receipts in received.items():
        if deal in paid:
            continue
        for again in receipts[1:]:
            yield _finding(Trouble.CREDITED_TWICE, again)
        never = deal.number < passed.get(_series(deal), 0)
        yield _finding(Trouble.NEVER_PAID if never else Trouble.NOT_DEBITED, receipts[0])


def _series(deal: Deal) -> _Series:
    """Return what a payer's numbers rise in: a key, its numbered payments or its challenges."""
    numbered = deal.mode in (Mode.EXPRESS, Mode.CHEQUE)
    key = (deal.currency, deal.payer, deal.payee, deal.payer_asked, deal.epoch, deal.n)
    return (*key, numbered)


def _passed(paid: _Sides) -> dict[_Series, int]:
    """Return the highest number in payers' whole logs for each series; lower ones were before it.

    Small payments are numbered by the payee, so that nothing follows for those.
    """
    highest: dict[_Series, int] = {}
    for deal in paid:
        if deal.mode is not Mode.SMALL:
            series = _series(deal)
            highest[series] = max(highest.get(series, 0), deal.number)
    return highest


def whole(filed: Sequence[Filed]) -> Iterator[Filed]:
    """Yield the entries of each SIM's log up to the first that is missing."""
    expected: dict[tuple[Number, int], int] = {}
    for each in filed:
        line = each.serial >> COUNT_BITS
        sim = (each.number, line)
        if each.serial == expected.get(sim, (line << COUNT_BITS) + 1):
            expected[sim] = each.serial + 1
            yield each


def _balances(unbroken: list[Filed]) -> Iterator[Finding]:
    """Check each statement against what came before it in a whole log."""
    balances: dict[tuple[Number, int], int] = defaultdict(int)
    for each in unbroken:
        sim, entry = (each.number, each.serial >> COUNT_BITS), each.entry
        if entry.kind is Kind.STATEMENT:
            if entry.amount != balances[sim]:
                yield _finding(Trouble.BALANCE, each)
        else:
            came_in = entry.kind is Kind.LOAD or entry.kind.received
            balances[sim] += entry.amount if came_in else -entry.amount


def _loads(filed: list[Filed], made: list[Load]) -> Iterator[Finding]:
    """Match loads with the entries that show them; an entry has the low 16 bits of the number."""
    coming = Counter(map(_key_of, made))
    for each in filed:
        if each.entry.kind is Kind.LOAD:
            key = (each.number, each.entry.number, each.currency, each.entry.amount)
            if coming[key] <= 0:
                yield _finding(Trouble.UNKNOWN_LOAD, each)
            coming[key] -= 1
    for load in reversed(made):
        if coming[_key_of(load)] > 0:
            coming[_key_of(load)] -= 1
            yield Finding(
                Trouble.LOAD_UNDERWAY,
                load.number,
                load.load,
                amount=load.amount,
                currency=load.currency,
            )


def _key_of(load: Load) -> tuple[Number, int, str, int]:
    """Return what an entry tells of a load; those of two epochs may be alike."""
    return load.number, load.load & _LOW_BITS, load.currency, load.amount


def _finding(trouble: Trouble, filed: Filed) -> Finding:
    entry = filed.entry
    payment = entry.kind.is_payment
    return Finding(
        trouble,
        filed.number,
        filed.serial,
        entry.other.number if payment else None,
        entry.amount,
        filed.currency,
        entry.kind.mode if payment else None,
    )

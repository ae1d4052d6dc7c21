"""A payment at the end of each key's way, and what must be true of all purses after anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from attrs import evolve

from dtns.sam.handset.orders import Order, Paid, Received
from dtns.sam.ledger.entries import Filed
from dtns.sam.ledger.reconciliation import reconcile
from dtns.sam.protocol.payments import Payment

if TYPE_CHECKING:
    from pair import Pair

    from dtns.sam.handset.phone import Phone
    from dtns.sam.handset.state import State

FULL = 1_000_000
"""What is in each asker's purse at first."""
_MOST = 100
_PIN = "1978"


def pay(pair: Pair) -> bool:
    """Let the asker pay the holder under the newest key, another sum for each of the first ones.

    Tell whether that is over: the money has come, or the key bears no payment.
    """
    payee, payer = pair.holder.sim.number, pair.asker.sim.number
    with pair.asker.handset() as handset:
        state = handset.card.state
        if not state.purse.log and not state.purse.balance:
            handset.card.keep(evolve(state, purse=evolve(state.purse, balance=FULL)))
        handset.set_pin("", _PIN)
        n = handset.card.state.asked[payee][-1].context.n
        order = Order(payee, Payment(handset.sim.terms.currency, min(n, _MOST)))
        paid = handset.pay(order, _PIN)
    if not isinstance(paid, Paid):
        return True
    digits = paid.transaction.digits
    pair.promises.tell("paid", party=str(payer), serial=paid.transaction.serial, digits=digits)
    with pair.holder.handset() as handset:
        taken = handset.accept(Order(payer, order.payment, code=digits))
    if isinstance(taken, Received):
        pair.promises.tell("paid", party=str(payee), serial=taken.transaction.serial, digits="")
    return True


def money_faults(pairs: Iterable[Pair]) -> Iterator[str]:
    """Yield what is wrong with the purses: every sum is where it was, or went where it was sent."""
    filed: list[Filed] = []
    for pair in pairs:
        asker, holder = pair.states()
        for phone, state, full in ((pair.asker, asker, FULL), (pair.holder, holder, 0)):
            if state is not None and (full == 0 or state.purse.log):
                yield from _purse_faults(phone, state, full)
                filed += _as_filed(phone, state)
    for finding in reconcile(filed, [], []).definite:
        yield f"money: {finding}"


def _purse_faults(phone: Phone, state: State, full: int) -> Iterator[str]:
    moved = sum(
        line.entry.amount if line.received else -line.entry.amount for line in state.purse.log
    )
    if state.purse.balance != full + moved:
        yield f"{phone.sim.number} has {state.purse.balance}, of {full} and {moved}"


def _as_filed(phone: Phone, state: State) -> Iterator[Filed]:
    for line in state.purse.log:
        currency = phone.sim.terms.currency
        yield Filed(phone.sim.number, line.serial, currency, line.entry, line.generation)

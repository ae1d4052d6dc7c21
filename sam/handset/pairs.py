"""The keys of a pair by who pays on them, and the bounds that a key sets to payments."""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import evolve

from dtns.sam.handset.purse import KeyUse
from dtns.sam.handset.state import AskedKey, HeldKey, Peer, State
from dtns.sam.protocol.limits import limit_of
from dtns.sam.protocol.log import Entry, Kind
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode, Payment
from dtns.sam.protocol.session import Direction, Party

MAX_PAYMENTS: Final = 64
MAX_UNPAID_CHARGES: Final = 100
MAX_WRONG_CHARGES: Final = 10

PairKey: TypeAlias = AskedKey | HeldKey


def paying_keys(state: State, payee: Number) -> list[PairKey]:
    """Return the keys on which this SIM pays *payee*, the latest first; own asks before others."""
    return _keys(state, payee, Direction.ASKER_PAYS)


def paid_keys(state: State, payer: Number) -> list[PairKey]:
    """Return the keys on which *payer* pays this SIM, the latest first."""
    return _keys(state, payer, Direction.HOLDER_PAYS)


def _keys(state: State, other: Number, asked_direction: Direction) -> list[PairKey]:
    asked = reversed(state.asked.get(other, ()))
    held = reversed(state.peers.get(other, Peer()).held)
    return [
        *(key for key in asked if key.context.terms.direction is asked_direction),
        *(key for key in held if key.context.terms.direction is not asked_direction),
    ]


def with_use(state: State, key: PairKey, use: KeyUse) -> State:
    """Return the state in which this was paid under a key that it has."""
    if isinstance(key, AskedKey):
        return state.with_asked(key.context.holder.number, evolve(key, use=use))
    number = key.context.asker.number
    return state.with_peer(number, state.peers[number].with_key(evolve(key, use=use)))


def objection(use: KeyUse, limit_class: int, payment: Payment) -> str:
    """Return why a key bears no such payment, or nothing."""
    limit = limit_of(limit_class)
    if payment.amount > limit:
        return "limit"
    if use.total + payment.amount > limit:
        return "limit-sum"
    return "payments-used-up" if use.payments >= MAX_PAYMENTS else ""


def ends(key: PairKey) -> tuple[Party, Party]:
    """Return this SIM and the other party as the key has them."""
    context = key.context
    if isinstance(key, AskedKey):
        return context.asker, context.holder
    return context.holder, context.asker


def key_entry(
    key: PairKey, mode: Mode, number: int, payment: Payment, week: int, *, received: bool = False
) -> Entry:
    """Return the log's entry of a payment under a key."""
    kind = Kind(8 * received + 4 * isinstance(key, HeldKey) + mode)
    context = key.context
    return Entry(kind, ends(key)[1], context.epoch, context.n, number, payment.amount, week)

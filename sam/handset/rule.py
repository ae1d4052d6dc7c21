"""The holder's rule: how a ticket's header is read, and when a good ticket is taken.

Specified in sam/README.md, section 11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve

from dtns.sam.handset.state import MAX_PEERS, HeldKey, Peer, State
from dtns.sam.protocol.keys import MAX_EPOCH, MAX_GENERATION
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.session import Context, Order, Party
from dtns.sam.protocol.ticket import EPOCH_BITS, GENERATION_BITS, WEEK_BITS, Header
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS, MAX_WEEK, read_low_bits

MOST_READINGS: Final = 8
"""The most contexts that one header stands for, for each generation of the holder."""
_STRANGERS_GENERATIONS: Final = 16


def contexts(holder: Party, state: State, asker: Number, header: Header) -> Iterator[Context]:
    """Yield every context that a ticket's header can stand for, likeliest first.

    The generation is read upwards from the one known (of a stranger, every one up to 16), the
    epoch from one below the highest seen, the expiry from next week; then the expiry is read
    once more, backwards, so that a person can be told that a ticket has expired. While a nonce of
    ours is out, only tickets made with it count, and those of keys that are held already.
    """
    epoch = read_low_bits(header.epoch_low, EPOCH_BITS, max(state.epoch - 1, 0))
    if 0 in (header.n, epoch) or epoch > MAX_EPOCH:
        return
    ahead = read_low_bits(header.expiry_low, WEEK_BITS, state.week + 1)
    expiries = [week for week in (ahead, ahead - (1 << WEEK_BITS)) if 0 <= week <= MAX_WEEK]
    for generation in _generations(state, asker, header):
        for nonce in _nonces(state, asker, (holder.generation, generation, epoch, header.n)):
            for expiry in expiries:
                asking, terms = Party(asker, generation), header.terms(expiry)
                yield Context(asking, holder, epoch, header.n, terms, nonce)


def _generations(state: State, asker: Number, header: Header) -> range:
    peer = state.peers.get(asker)
    known = 1 if peer is None else peer.generation
    first = read_low_bits(header.generation_low, GENERATION_BITS, known)
    last = first if peer is not None and peer.until else _STRANGERS_GENERATIONS
    return range(first, min(last, MAX_GENERATION) + 1, 1 << GENERATION_BITS)


def _nonces(state: State, asker: Number, order: Order) -> list[int | None]:
    peer = state.peers.get(asker, Peer())
    held = peer.key(order)
    nonces = [peer.nonce] if held is None else [held.context.nonce, peer.nonce]
    return list(dict.fromkeys(nonces))


def admit(
    state: State, asker: Number, context: Context, session: Key
) -> tuple[State, HeldKey | None, str]:
    """Apply the rule to a ticket whose tag was good.

    Returns the state after it, and the key that is held, or else the reason why none is.
    """
    known = state.peers.get(asker)
    reason = _objection(state, known, context)
    if known is None and reason:
        return state, None, reason
    peer = known or Peer()
    peer = evolve(peer, generation=max(peer.generation, context.asker.generation))
    key = peer.key(context.order)
    if not reason and key is None:
        key = HeldKey(context, session)
        peer = evolve(peer.with_key(key), nonce=None)
    week = context.terms.expiry - LONGEST_LIFE_WEEKS
    state = state.with_peer(asker, peer).at(week, context.epoch)
    return state, None if reason else key, reason


def _is_revoked(peer: Peer | None, context: Context) -> bool:
    return peer is not None and context.order[1:] <= peer.revoked


def _objection(state: State, peer: Peer | None, context: Context) -> str:
    """Return why a good ticket is not taken, or nothing."""
    if context.terms.expiry <= state.week:
        return "expired"
    if context.epoch < state.floor or _is_revoked(peer, context):
        return "revoked"
    if peer is None:
        return "full" if len(state.peers) >= MAX_PEERS else ""
    held = peer.key(context.order)
    if held is not None:
        return "" if held.context == context else "contradiction"
    if context.order <= max(peer.mark, peer.dropped):
        return "superseded"
    return "" if peer.has_room_for(context.order) else "crowded"

"""Sam's own messages on the phone: each is obeyed once, and none lowers anything."""

from __future__ import annotations

from attrs import evolve

from dtns.sam.handset.card import Card
from dtns.sam.handset.exchanges import Received
from dtns.sam.handset.identities import all_identities
from dtns.sam.handset.purse import Purse
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import Peer, Renewal, State
from dtns.sam.protocol.keys import MAX_EPOCH, PartyKeys
from dtns.sam.protocol.session import MAX_N
from dtns.sam.protocol.small import UniversalKey
from dtns.sam.protocol.sync import (
    Filed,
    Floor,
    Item,
    Load,
    Mark,
    NewExchangeKeys,
    NewTicketKeys,
    NewUniversalKey,
    PurseItem,
    ReceivedSync,
    Sync,
    Unlock,
    UnlockPin,
)


def obey(sim: SimFile, card: Card, received: ReceivedSync) -> Received:
    """Obey a message that Sam sealed for this SIM, unless one as high was obeyed before."""
    state = card.state
    for known in all_identities(sim, state):
        opened = received.open(known.keys.sync) if known.generation >= state.spoken else None
        if opened is not None:
            break
    else:
        return Received("ignored", "not-authentic")
    if opened.counter <= state.synced:
        return Received("ignored", "known")
    card.keep(_obeyed(sim, state.heard(known.generation), opened))
    return Received("obeyed")


def _obeyed(sim: SimFile, state: State, sync: Sync) -> State:
    state = evolve(state, synced=sync.counter).at(sync.week, sync.epoch)
    for item in sync.items:
        state = _with(sim, state, item)
    return _renewed(sim, state)


def _with(sim: SimFile, state: State, item: Item) -> State:
    match item:
        case Floor(epoch):
            return evolve(state, floor=max(state.floor, epoch))
        case Mark():
            return _marked(state, item)
        case Unlock(lock):
            return evolve(state, guesses=state.guesses.unlocked(lock, state.week))
        case NewExchangeKeys():
            return evolve(state, exchange_keys=item)
        case NewTicketKeys():
            return evolve(state, ticket_keys=item)
        case Load() | UnlockPin() | NewUniversalKey() | Filed():
            return evolve(state, purse=_purse_with(sim, state, item))


def _purse_with(sim: SimFile, state: State, item: PurseItem) -> Purse:
    purse = state.purse
    match item:
        case Load(number, payment):
            known = number <= purse.loads or payment.currency != sim.terms.currency
            return purse if known else purse.loaded(sim.party, number, payment, state.week)
        case UnlockPin(lock, forget):
            return evolve(purse, pin=purse.pin.unlocked(lock, forget=forget))
        case NewUniversalKey(period, key):
            return purse.in_period(UniversalKey(period, key), sim.universal)
        case Filed(serial):
            return purse.filed_up_to(serial)


def _marked(state: State, mark: Mark) -> State:
    """Withdraw a party's keys; a whole generation is withdrawn as a holder too."""
    number, generation = mark.asker.number, mark.asker.generation
    peer = state.peers.get(number, Peer())
    peer = evolve(peer, generation=max(peer.generation, generation))
    state = state.with_peer(
        number, peer.without_revoked((generation, mark.epoch, mark.n), state.week)
    )
    if (mark.epoch, mark.n) < (MAX_EPOCH, MAX_N):
        return state
    asked = state.asked.get(number, ())
    kept = tuple(key for key in asked if key.context.holder.generation > generation)
    return evolve(state, asked={**state.asked, number: kept})


def _renewed(sim: SimFile, state: State) -> State:
    """Become the new generation once both halves of its keys are here."""
    exchange, tickets = state.exchange_keys, state.ticket_keys
    if exchange is None or tickets is None or exchange.generation != tickets.generation:
        return state
    state = evolve(state, exchange_keys=None, ticket_keys=None)
    if exchange.generation <= all_identities(sim, state)[0].generation:
        return state
    keys = PartyKeys(
        ask=exchange.ask,
        answer=exchange.answer,
        ticket=tickets.ticket,
        seal=tickets.seal,
        sync=tickets.sync,
    )
    renewal = Renewal(exchange.generation, keys, state.week)
    return evolve(state, renewals=(*state.renewals, renewal))

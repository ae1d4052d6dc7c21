"""M4 and M5 on the phone: the holder challenges, the asker responds, the holder checks."""

from __future__ import annotations

from typing import Final

from attrs import evolve, field, frozen

from dtns.codecs.digits import PROFILES, Reading, Status, decode, encode, show
from dtns.sam.handset.card import Card
from dtns.sam.handset.state import AskedKey, HeldKey, Peer, State
from dtns.sam.protocol import confirmation as codes
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.primitives import same

MAX_FAILURES: Final = 10
"""Wrong challenges, and wrong confirmations, that a key survives."""


@frozen
class Code:
    """A code to read out."""

    digits: str = field(repr=False)


@frozen
class Verdict:
    """What a typed confirmation proved; reason says why it was refused."""

    status: Status
    reason: str = ""
    key: HeldKey | None = None
    reading: Reading | None = None


def challenge(card: Card, asker: Number) -> Code | str:
    """Make M4 for the newest key held from *asker*; a reason instead where there is none.

    Each is counted durably before it is shown, and ends the one before it.
    """
    state = card.state
    peer = state.peers.get(asker)
    if peer is None or not peer.held:
        return "no-key"
    key = peer.held[-1]
    if key.failures >= MAX_FAILURES:
        return "locked"
    if key.challenged >= codes.MAX_COUNT:
        return "used-up"
    count = key.challenged + 1
    others = tuple(evolve(held, pending=0) for held in peer.held[:-1])
    key = evolve(key, challenged=count, pending=count)
    card.keep(state.with_peer(asker, evolve(peer, held=(*others, key))))
    bits = codes.challenge(key.session, key.context, count)
    return Code(show(encode(PROFILES["request"], bits)))


def respond(card: Card, holder: Number, entry: str) -> Code | Verdict:
    """Answer the challenge that *holder* read out with M5, if the holder has a key of ours.

    A good challenge under a key ends the keys asked for before it. An older challenge than the
    last one answered is refused; the last one gets the same answer again.
    """
    reading = decode(PROFILES["request"], entry)
    if reading.payload is None:
        return Verdict(reading.status, reading.reason, reading=reading)
    keys = card.state.asked.get(holder, ())
    if not keys:
        return Verdict(Status.REFUSED, "no-key")
    alive = [key for key in reversed(keys) if key.failures < MAX_FAILURES]
    if not alive:
        return Verdict(Status.REFUSED, "locked")
    count, proof = codes.split_challenge(reading.payload)
    charged = card.state
    for key in alive:
        charged = charged.with_asked(holder, evolve(key, failures=key.failures + 1))
    card.keep(charged)
    for key in alive:
        if same(codes.challenge_proof(key.session, key.context, count), proof):
            return _answer(card, holder, key, alive, count)
    return Verdict(Status.REFUSED, "wrong")


def _answer(
    card: Card, holder: Number, key: AskedKey, alive: list[AskedKey], count: int
) -> Code | Verdict:
    """Answer a good challenge; the failures charged to all keys before the search come back."""
    state = card.state
    for charged in alive:
        state = state.with_asked(holder, charged)
    if count < max(key.answered, 1):
        card.keep(state)
        return Verdict(Status.REFUSED, "old")
    key = evolve(key, answered=count, confirmed=True)
    card.keep(state.with_asked(holder, key).without_asked_below(holder, key))
    bits = codes.confirmation(key.session, key.context, count)
    return Code(show(encode(PROFILES["confirm"], bits)))


def check(card: Card, asker: Number, entry: str) -> Verdict:
    """Check M5 against the challenge that is open; a good one confirms the key.

    The mark rises to the key, and the asker's older keys are dead from then on.
    """
    reading = decode(PROFILES["confirm"], entry)
    if reading.payload is None:
        return Verdict(reading.status, reading.reason, reading=reading)
    state = card.state
    peer = state.peers.get(asker, Peer())
    key = next((held for held in reversed(peer.held) if held.pending), None)
    if key is None:
        return Verdict(Status.REFUSED, "no-challenge")
    if key.failures >= MAX_FAILURES:
        return Verdict(Status.REFUSED, "locked")
    card.keep(state.with_peer(asker, peer.with_key(evolve(key, failures=key.failures + 1))))
    expected = codes.confirmation(key.session, key.context, key.pending)
    if not same(expected, reading.payload):
        return Verdict(Status.REFUSED, "wrong")
    key = evolve(key, pending=0, confirmed=True)
    card.keep(confirmed(state, asker, peer, key))
    return Verdict(Status.ACCEPTED, key=key)


def confirmed(state: State, asker: Number, peer: Peer, key: HeldKey) -> State:
    """Return the state in which this key is confirmed: the mark is at it, older keys are dead."""
    mark = max(peer.mark, key.order)
    held = tuple(k for k in peer.with_key(key).held if k.order >= mark)
    return state.with_peer(asker, evolve(peer, held=held, mark=mark))

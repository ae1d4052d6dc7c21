"""Tickets on the phone: shown by the asker, typed at the holder, accepted by the holder's rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from attrs import evolve, field, frozen

from dtns.codecs.digits import PROFILES, Profile, Reading, Status, decode, encode, show
from dtns.sam.handset.card import Card
from dtns.sam.handset.guesses import price
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import MAX_PEERS, HeldKey, Peer, State
from dtns.sam.protocol.keys import MAX_EPOCH, MAX_GENERATION
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.primitives import Key, same
from dtns.sam.protocol.sealed import SEALED_TAG_BITS, open_sealed, split_sealed_ticket
from dtns.sam.protocol.session import Context, Party, session_key
from dtns.sam.protocol.ticket import (
    EPOCH_BITS,
    GENERATION_BITS,
    TAG_BITS,
    WEEK_BITS,
    Header,
    split_ticket,
    ticket,
    ticket_tag,
)
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS, MAX_WEEK, read_low_bits

TICKET: Final = PROFILES["ticket"]
SEALED_TICKET: Final = PROFILES["sealed"]
_SHORTEST_SEALED_DIGITS: Final = 4 * (TICKET.groups + SEALED_TICKET.groups) // 2
_MOST_READINGS: Final = 4


@frozen
class Shown:
    """A ticket in digits; form is derived or sealed."""

    digits: str = field(repr=False)
    form: str
    context: Context


@frozen
class Entered:
    """What came of an entry: its reading, why it was refused if it was, the key if it was not."""

    reading: Reading
    status: Status
    reason: str = ""
    key: HeldKey | None = None


def show_ticket(
    card: Card, holder: Number, *, sealed: bool = False, parity: int | None = None
) -> Shown | str:
    """Return the ticket of the newest key asked for with *holder*, or a reason why there is none.

    Random keys have the sealed ticket alone. ValueError if the code has no such parity groups.
    """
    keys = card.state.asked.get(holder)
    if not keys:
        return "no-key"
    key = keys[-1]
    if sealed or not key.derived:
        if key.sealed is None:
            return "not-sealed"
        groups = encode(SEALED_TICKET, key.sealed.ticket(key.context), parity=parity)
        return Shown(show(groups), "sealed", key.context)
    groups = encode(TICKET, ticket(key.session, key.context), parity=parity)
    return Shown(show(groups), "derived", key.context)


def enter(sim: SimFile, card: Card, asker: Number, entry: str) -> Entered:
    """Take in a ticket that *asker* handed over as digits, and install its key if it is good.

    Errors that show without a key cost nothing. Every comparison with a tag is charged to the
    guess budget, durably, before it is made; what was not used, and the whole of a success,
    comes back.
    """
    if asker == sim.number:
        return _refused(Reading(Status.REFUSED), "self")
    profile = SEALED_TICKET if _digits_in(entry) >= _SHORTEST_SEALED_DIGITS else TICKET
    keyless = decode(profile, entry, check=lambda _: False)
    if keyless.candidates_tried == 0:
        return Entered(keyless, keyless.status, keyless.reason)
    return _enter_charged(sim, card, asker, entry, profile)


def _enter_charged(
    sim: SimFile, card: Card, asker: Number, entry: str, profile: Profile
) -> Entered:
    state = card.state
    tag_bits = SEALED_TAG_BITS if profile is SEALED_TICKET else TAG_BITS
    stranger = asker not in state.peers
    charge = price(tag_bits, profile.candidates * _MOST_READINGS)
    charged = state.guesses.at(state.week).charged(charge, stranger=stranger)
    if charged is None:
        return _refused(Reading(Status.REFUSED), "locked")
    card.keep(evolve(state, guesses=charged))
    search = _Search(sim, state, asker, _open_ticket if profile is TICKET else _open_sealed)
    reading = decode(profile, entry, check=search.check)
    spent = 0 if search.found else price(tag_bits, search.comparisons)
    state = evolve(
        card.state, guesses=card.state.guesses.refunded(charge - spent, stranger=stranger)
    )
    if search.found is None:
        card.keep(state)
        return Entered(reading, reading.status, reading.reason)
    state, entered = _admit(state, asker, *search.found, reading)
    card.keep(state)
    return entered


class _Search:
    """Compares candidate tickets with every key that they may stand for, and counts."""

    def __init__(
        self,
        sim: SimFile,
        state: State,
        asker: Number,
        open_: Callable[[SimFile, int, Context], Key | None],
    ) -> None:
        self._sim, self._state, self._asker, self._open = sim, state, asker, open_
        self.comparisons = 0
        self.found: tuple[Context, Key] | None = None

    def check(self, bits: int) -> bool:
        """Tell whether these bits are a ticket for this SIM, and remember its key."""
        for context in self._contexts(bits):
            self.comparisons += 1
            session = self._open(self._sim, bits, context)
            if session is not None:
                self.found = context, session
                return True
        return False

    def _contexts(self, bits: int) -> Iterator[Context]:
        header = _header(bits, sealed=self._open is _open_sealed)
        return contexts(self._sim.party, self._state, self._asker, header)


def contexts(holder: Party, state: State, asker: Number, header: Header) -> Iterator[Context]:
    """Yield every context that a ticket's header can stand for, likeliest first; at most four.

    The generation is read upwards from the one known, the epoch from one below the highest
    seen, the expiry from next week; then the expiry is read once more, backwards, so that a
    person can be told that a ticket has expired. While a nonce of ours is out, only tickets made
    with it count, and those of keys that are held already.
    """
    peer = state.peers.get(asker, Peer())
    generation = read_low_bits(header.generation_low, GENERATION_BITS, peer.generation)
    epoch = read_low_bits(header.epoch_low, EPOCH_BITS, max(state.epoch - 1, 0))
    if 0 in (header.n, epoch) or epoch > MAX_EPOCH or generation > MAX_GENERATION:
        return
    ahead = read_low_bits(header.expiry_low, WEEK_BITS, state.week + 1)
    held = peer.key((generation, epoch, header.n))
    nonces = [peer.nonce] if held is None else [held.context.nonce, peer.nonce]
    for nonce in dict.fromkeys(nonces):
        for expiry in (ahead, ahead - (1 << WEEK_BITS)):
            if 0 <= expiry <= MAX_WEEK:
                terms = header.terms(expiry)
                asking = Party(asker, generation)
                yield Context(asking, holder, epoch, header.n, terms, nonce)


def _header(bits: int, *, sealed: bool) -> Header:
    return split_sealed_ticket(bits)[0] if sealed else split_ticket(bits)[0]


def _open_ticket(sim: SimFile, bits: int, context: Context) -> Key | None:
    session = session_key(sim.keys.ticket, context)
    good = same(ticket_tag(session, context), split_ticket(bits)[1])
    return session if good else None


def _open_sealed(sim: SimFile, bits: int, context: Context) -> Key | None:
    return open_sealed(sim.keys.seal, context, split_sealed_ticket(bits)[1])


def _admit(
    state: State, asker: Number, context: Context, session: Key, reading: Reading
) -> tuple[State, Entered]:
    """Apply the holder's rule to a ticket whose tag was good (sam/README.md, section 11)."""
    known = state.peers.get(asker)
    reason = _objection(state, known, context)
    if known is None and reason:
        return state, _refused(reading, reason)
    peer = known or Peer()
    peer = evolve(peer, generation=max(peer.generation, context.asker.generation))
    key = peer.key(context.order)
    if not reason and key is None:
        key = HeldKey(context, session)
        peer = evolve(peer.with_key(key), nonce=None)
    week = context.terms.expiry - LONGEST_LIFE_WEEKS
    state = state.with_peer(asker, peer).at(week, context.epoch)
    if reason:
        return state, _refused(reading, reason)
    return state, Entered(reading, reading.status, "", key)


def _objection(state: State, peer: Peer | None, context: Context) -> str:
    """Return why a good ticket is not taken, or nothing."""
    if context.terms.expiry <= state.week:
        return "expired"
    if context.epoch < state.floor:
        return "revoked"
    if peer is None:
        return "full" if len(state.peers) >= MAX_PEERS else ""
    held = peer.key(context.order)
    if held is not None:
        return "" if held.context == context else "contradiction"
    if context.order <= peer.mark:
        return "superseded"
    return "" if peer.has_room_for(context.order) else "crowded"


def _refused(reading: Reading, reason: str) -> Entered:
    return Entered(reading, Status.REFUSED, reason)


def _digits_in(entry: str) -> int:
    return sum(character.isdigit() for character in entry)

"""What a SIM remembers: monotone counters, marks and bounded sets, as frozen values."""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeVar

from attrs import evolve, field, frozen

from dtns.sam.handset.guesses import Guesses
from dtns.sam.handset.purse import KeyUse, Purse
from dtns.sam.protocol.ask import Ask, parse_ask
from dtns.sam.protocol.keys import PartyKeys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.sealed import Sealed
from dtns.sam.protocol.session import NO_ORDER, Context, Order, Party
from dtns.sam.protocol.sync import NewExchangeKeys, NewTicketKeys
from dtns.sam.protocol.typedask import TypedAsk, is_typed, parse_typed_ask
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS

MAX_ASKS: Final = 64
"""Asks remembered; the oldest go first. As many as Sam's replay window is wide."""
MAX_PEERS: Final = 256
MAX_HOLDERS: Final = 1024
MAX_KEYS_A_PEER: Final = 4


class AskOutcome(Enum):
    """What became of an ask."""

    WAITING = "waiting"
    ANSWERED = "answered"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@frozen
class SentAsk:
    """An ask as it was sent, octet for octet, so that it can be repeated.

    asked_at is a POSIX time by the phone's clock, for show alone; sent counts the sendings that
    the network took.
    """

    octets: bytes
    asked_at: float
    sent: int = 0
    outcome: AskOutcome = AskOutcome.WAITING
    reason: str = ""

    @property
    def ask(self) -> Ask | TypedAsk:
        """The ask that the octets spell."""
        return parse_typed_ask(self.octets) if self.typed else parse_ask(self.octets)

    @property
    def typed(self) -> bool:
        """Whether a person types it to Sam; it never goes out by SMS."""
        return is_typed(self.octets)


@frozen
class AskedKey:
    """A key this SIM asked Sam for.

    answered is the highest challenge count answered under it, failures the bad challenges. The
    witness is empty where the answer was typed.
    """

    context: Context
    session: Key
    witness: bytes
    derived: bool = True
    sealed: Sealed | None = None
    answered: int = 0
    failures: int = 0
    confirmed: bool = False
    use: KeyUse = field(factory=KeyUse)

    @property
    def order(self) -> Order:
        """Where the key stands among those with its holder: n starts anew with each new SIM."""
        context = self.context
        generations = (context.asker.generation, context.holder.generation)
        return (*generations, context.epoch, context.n)


@frozen
class HeldKey:
    """A key this SIM holds by a ticket.

    challenged counts the challenges made under it, pending is the count of the one that is
    open (0: none), failures the bad confirmations.
    """

    context: Context
    session: Key
    challenged: int = 0
    pending: int = 0
    failures: int = 0
    confirmed: bool = False
    use: KeyUse = field(factory=KeyUse)

    @property
    def order(self) -> Order:
        """Where the key stands among the asker's."""
        return self.context.order


@frozen
class Peer:
    """What this SIM knows of a party whose tickets it takes.

    generation is the highest seen; mark is the place of the last key confirmed, below which
    nothing is taken; dropped is the highest that ever had to make room, and like the
    mark it never falls, so that no key is held twice; nonce is the J handed out and not yet used;
    until is the week up to which both must be kept; revoked is the (generation, epoch, n) at and
    below which Sam has withdrawn the party's keys.
    """

    generation: int = 1
    mark: Order = NO_ORDER
    dropped: Order = NO_ORDER
    held: tuple[HeldKey, ...] = ()
    nonce: int | None = None
    until: int = 0
    revoked: tuple[int, int, int] = (0, 0, 0)

    def key(self, order: Order) -> HeldKey | None:
        """Return the key held in this place, or None."""
        return next((key for key in self.held if key.order == order), None)

    def has_room_for(self, order: Order) -> bool:
        """Tell whether a key of this order, put in, would stay."""
        below = any(not key.confirmed and key.order < order for key in self.held)
        return below or len(self.held) < MAX_KEYS_A_PEER

    def with_key(self, key: HeldKey) -> Peer:
        """Return the peer with this key put in, or put in the place of its former self."""
        held = with_key(self.held, key)
        gone = [known.order for known in self.held if known.order not in {k.order for k in held}]
        until = max(self.until, key.context.terms.expiry + LONGEST_LIFE_WEEKS)
        return evolve(self, held=held, dropped=max([self.dropped, *gone]), until=until)

    def without_revoked(self, revoked: tuple[int, int, int], week: int) -> Peer:
        """Return the peer after Sam withdrew its keys at and below (generation, epoch, n)."""
        revoked = max(revoked, self.revoked)
        held = tuple(key for key in self.held if key.order[1:] > revoked)
        until = max(self.until, week + 2 * LONGEST_LIFE_WEEKS)
        return evolve(self, held=held, revoked=revoked, until=until)

    def matters(self, week: int) -> bool:
        """Tell whether anything would be lost if the peer were forgotten in this week."""
        risen = self.generation > 1 or max(self.mark, self.dropped) > NO_ORDER or any(self.revoked)
        return bool(self.held) or self.nonce is not None or (risen and week < self.until)


@frozen
class Renewal:
    """A new generation of this SIM that Sam sent: its keys, and the week in which it came."""

    generation: int
    keys: PartyKeys
    week: int


@frozen
class Draft:
    """A ticket of *asker* that was typed in part, or with a slip, as it can be typed again."""

    asker: Number
    text: str = field(repr=False)


@frozen
class State:
    """All of it. party binds the state to its SIM; week is the latest authenticated time.

    counter is the last request counter used, epoch the highest of Sam's seen, floor the epoch
    below which Sam said to take nothing, synced the counter of the last message of Sam's own.
    renewals are the generations that Sam has sent, oldest first; exchange_keys and ticket_keys
    are the halves of one that is still to come; spoken is the highest generation under whose
    keys Sam has spoken, below which it does not speak again; purse is the money and its log;
    answer_draft is an answer that was typed in part.
    """

    party: Party
    week: int
    epoch: int
    counter: int = 0
    floor: int = 0
    guesses: Guesses = field(factory=Guesses)
    asks: tuple[SentAsk, ...] = ()
    asked: dict[Number, tuple[AskedKey, ...]] = field(factory=dict)
    peers: dict[Number, Peer] = field(factory=dict)
    draft: Draft | None = None
    synced: int = 0
    renewals: tuple[Renewal, ...] = ()
    exchange_keys: NewExchangeKeys | None = None
    ticket_keys: NewTicketKeys | None = None
    spoken: int = 0
    purse: Purse = field(factory=Purse)
    answer_draft: str = field(default="", repr=False)

    def at(self, week: int, epoch: int) -> State:
        """Return the state after authenticated news of the time and of Sam's epoch.

        Neither ever falls. Keys that have expired are forgotten, marks stay.
        """
        week, epoch = max(week, self.week), max(epoch, self.epoch)
        asked = {number: _unexpired(keys, week) for number, keys in self.asked.items()}
        peers = {
            number: kept
            for number, peer in self.peers.items()
            if (kept := evolve(peer, held=_unexpired(peer.held, week))).matters(week)
        }
        asked = {number: keys for number, keys in asked.items() if keys}
        return evolve(self, week=week, epoch=epoch, asked=asked, peers=peers)

    def heard(self, generation: int) -> State:
        """Return the state after Sam spoke under the keys of this generation of the SIM."""
        return evolve(self, spoken=max(self.spoken, generation))

    def with_ask(self, sent: SentAsk) -> State:
        """Return the state with this ask remembered, in the place of its former self if any."""
        counter = sent.ask.counter
        others = [known for known in self.asks if known.ask.counter != counter]
        asks = sorted([*others, sent], key=lambda known: known.ask.counter)
        return evolve(self, asks=tuple(asks[-MAX_ASKS:]), counter=max(self.counter, counter))

    def with_peer(self, number: Number, peer: Peer) -> State:
        """Return the state with this peer in it."""
        return evolve(self, peers={**self.peers, number: peer})

    def with_asked(self, number: Number, key: AskedKey) -> State:
        """Return the state with this key asked for with *number*, its former self replaced.

        Beyond MAX_HOLDERS the keys with the number whose last one expires first go.
        """
        keys = with_key(self.asked.get(number, ()), key)
        asked = {**self.asked, number: keys}
        if len(asked) > MAX_HOLDERS:
            others = (other for other in asked if other != number)
            del asked[min(others, key=lambda other: _last_expiry(asked[other]))]
        return evolve(self, asked=asked)

    def without_asked_below(self, number: Number, key: AskedKey) -> State:
        """Return the state without the keys asked for with *number* before *key*."""
        keys = tuple(k for k in self.asked[number] if k.order >= key.order)
        return evolve(self, asked={**self.asked, number: keys})


def _last_expiry(keys: tuple[AskedKey, ...]) -> int:
    return max((key.context.terms.expiry for key in keys), default=0)


_K = TypeVar("_K", AskedKey, HeldKey)


def with_key(keys: tuple[_K, ...], key: _K) -> tuple[_K, ...]:
    """Return *keys*, lowest first, with *key* put in or put in the place of its former self.

    Beyond MAX_KEYS_A_PEER the lowest that is not confirmed goes.
    """
    kept = [known for known in keys if known.order != key.order]
    kept.append(key)
    kept.sort(key=lambda known: known.order)
    while len(kept) > MAX_KEYS_A_PEER:
        kept.remove(next((known for known in kept if not known.confirmed), kept[0]))
    return tuple(kept)


def _unexpired(keys: tuple[_K, ...], week: int) -> tuple[_K, ...]:
    return tuple(key for key in keys if week < key.context.terms.expiry)

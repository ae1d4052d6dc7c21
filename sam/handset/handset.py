"""The handset: one SIM, its card, and everything a person can do with them. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import evolve

from dtns.codecs.digits import PROFILES, encode, show
from dtns.codecs.entry import Entry
from dtns.sam.handset import (
    confirmations,
    crediting,
    entering,
    exchanges,
    paying,
    pins,
    syncing,
    tickets,
    typed,
    uploading,
)
from dtns.sam.handset.card import Card
from dtns.sam.handset.orders import Charged, Order, Paid, Received, Refused
from dtns.sam.handset.purse import Purse, Transaction
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import MAX_PEERS, AskedKey, Draft, HeldKey, Peer
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import NONCE_BITS
from dtns.sam.protocol.sync import read_sync
from dtns.sam.protocol.wire import MalformedError

_RANDOM_OCTETS: Final = 4


class Handset:
    """A phone. Each method returns only after what it changed is durable on the card.

    random gives as many random octets as it is asked for.
    """

    def __init__(self, sim: SimFile, card: Card, random: Callable[[int], bytes]) -> None:
        self.sim = sim
        self.card = card
        self._random = random

    def ask(
        self, holder: Number, wish: exchanges.Wish, now: float, *, anew: bool = False
    ) -> exchanges.Asked | str:
        """Make an ask, or repeat the one that waits for the same; see exchanges.ask."""
        return exchanges.ask(self.sim, self.card, holder, wish, now, anew=anew)

    def ask_typed(self, holder: Number, now: float, *, anew: bool = False) -> exchanges.Asked | str:
        """Make an ask to be typed, or show the one that waits; see typed.ask_typed."""
        return typed.ask_typed(self.sim, self.card, holder, now, anew=anew)

    def enter_answer(self, entry: str | Entry) -> typed.EnteredAnswer:
        """Take in an answer that was typed; see typed.enter_answer."""
        return typed.enter_answer(self.sim, self.card, entry)

    @property
    def answer_draft(self) -> str:
        """What was typed of an answer and not taken yet, or nothing."""
        return self.card.state.answer_draft

    def keep_answer_draft(self, text: str) -> None:
        """Keep a half-typed answer, to be gone on with."""
        self.card.keep(evolve(self.card.state, answer_draft=text))

    def cancel(self, holder: Number) -> int:
        """Give up the asks for *holder* that wait, and return how many."""
        return exchanges.cancel(self.card, holder)

    def waiting(self) -> list[exchanges.Asked]:
        """Return the asks without an answer, oldest first, ready to be sent or typed again."""
        return [exchanges.again(sent) for sent in exchanges.waiting_asks(self.card.state)]

    def count_sending(self, counter: int) -> None:
        """Count that the network took an ask."""
        exchanges.count_sending(self.card, counter)

    def receive(self, text: str) -> exchanges.Received:
        """Take in one SMS: an answer to an ask, or a message of Sam's own."""
        try:
            sync = read_sync(text)
        except MalformedError:
            return exchanges.receive(self.sim, self.card, text)
        return syncing.obey(self.sim, self.card, sync)

    def ticket(
        self, holder: Number, *, sealed: bool = False, parity: int | None = None
    ) -> tickets.Shown | str:
        """Show the ticket of the newest key with *holder*; see tickets.show_ticket."""
        return tickets.show_ticket(self.card, holder, sealed=sealed, parity=parity)

    def enter(self, asker: Number, entry: str | Entry) -> entering.Entered:
        """Take in a ticket from *asker*; see entering.enter."""
        return entering.enter(self.sim, self.card, asker, entry)

    def draft(self, asker: Number) -> str:
        """Return what was typed of a ticket of *asker* and not taken yet, or nothing."""
        draft = self.card.state.draft
        return draft.text if draft is not None and draft.asker == asker else ""

    def keep_draft(self, asker: Number, text: str) -> None:
        """Keep a half-typed ticket of *asker*, to be gone on with."""
        self.card.keep(evolve(self.card.state, draft=Draft(asker, text)))

    def nonce(self, asker: Number) -> str | None:
        """Hand out a nonce J, 8 digits: from now on *asker*'s tickets must be made with it.

        Sam binds it into the key, so that the key is known to be younger than the nonce
        (Needham and Schroeder 1987). None if *asker* is a stranger and there is no room for one.
        """
        state = self.card.state
        if asker not in state.peers and len(state.peers) >= MAX_PEERS:
            return None
        value = int.from_bytes(self._random(_RANDOM_OCTETS)) % (1 << NONCE_BITS)
        peer = evolve(state.peers.get(asker, Peer()), nonce=value)
        self.card.keep(state.with_peer(asker, peer))
        return show(encode(PROFILES["request"], value))

    def forget_nonce(self, asker: Number) -> bool:
        """Take back the nonce handed out to *asker*; False if none was out."""
        peer = self.card.state.peers.get(asker)
        if peer is None or peer.nonce is None:
            return False
        self.card.keep(self.card.state.with_peer(asker, evolve(peer, nonce=None)))
        return True

    def challenge(self, asker: Number) -> confirmations.Code | str:
        """Make a challenge to *asker*; see confirmations.challenge."""
        return confirmations.challenge(self.card, asker)

    def respond(self, holder: Number, entry: str) -> confirmations.Code | confirmations.Verdict:
        """Answer *holder*'s challenge; see confirmations.respond."""
        return confirmations.respond(self.card, holder, entry)

    def check(self, asker: Number, entry: str) -> confirmations.Verdict:
        """Check *asker*'s confirmation; see confirmations.check."""
        return confirmations.check(self.card, asker, entry)

    def keys(self) -> list[tuple[Number, AskedKey | HeldKey]]:
        """Return every key with the number of its other party."""
        state = self.card.state
        asked = [(number, key) for number, keys in state.asked.items() for key in keys]
        held = [(number, key) for number, peer in state.peers.items() for key in peer.held]
        return [*asked, *held]

    @property
    def purse(self) -> Purse:
        """The money and its log."""
        return self.card.state.purse

    def set_pin(self, old: str, new: str) -> str:
        """Set the PIN; see pins.set_pin."""
        return pins.set_pin(self.sim, self.card, old, new)

    def charge(self, order: Order) -> Charged | Refused:
        """Ask *order.other* to pay; see crediting.charge."""
        return crediting.charge(self.sim, self.card, order)

    def pay(self, order: Order, pin: str) -> Paid | Refused:
        """Pay *order.other*; see paying.pay."""
        return paying.pay(self.sim, self.card, order, pin)

    def accept(self, order: Order) -> Received | Refused:
        """Take a payment code of *order.other*; see crediting.accept."""
        return crediting.accept(self.sim, self.card, order)

    def last_payment(self, other: Number) -> Transaction | None:
        """Return the last payment to or from this number, whose receipt people compare."""
        log = reversed(self.purse.log)
        return next((t for t in log if t.is_payment and t.entry.other.number == other), None)

    def log_messages(self) -> list[str]:
        """Return what Sam has to be told of the log; see uploading.log_messages."""
        return uploading.log_messages(self.sim, self.card)

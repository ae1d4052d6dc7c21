"""The phone and Sam: asks out, answers in."""

from __future__ import annotations

from typing import Final

from attrs import evolve, field, frozen

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.handset.card import Card
from dtns.sam.handset.identities import all_identities
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import AskedKey, AskOutcome, Peer, SentAsk, State
from dtns.sam.protocol.answer import Grant, read_answer
from dtns.sam.protocol.ask import MAX_COUNTER, Ask, Form, Seen
from dtns.sam.protocol.keys import MAX_EPOCH
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import MAX_N, NO_ORDER, Context, Direction, Party
from dtns.sam.protocol.typedask import TypedAsk, typed_bits
from dtns.sam.protocol.wire import MalformedError, to_text

SELF: Final = "self"
USED_UP: Final = "used-up"
MAX_SENDINGS: Final = 8
"""Sendings of one ask; what is not answered by then is asked anew, under a new counter."""


@frozen
class Wish:
    """What a person wants of a key: a class 0 to 31, who pays, weeks of life (0: Sam's choice)."""

    limit: int = 16
    direction: Direction = Direction.ASKER_PAYS
    form: Form = Form.BOTH
    life: int = 0
    nonce: int | None = None


@frozen
class Asked:
    """An ask that is durable and may now be sent; sent counts how often the network took it.

    Of one that a person types the text is its digits.
    """

    counter: int
    text: str = field(repr=False)
    sent: int = 0
    typed: bool = False

    @property
    def may_be_sent(self) -> bool:
        """Whether sending it by SMS may still help; else it is time to ask anew."""
        return not self.typed and self.sent < MAX_SENDINGS


@frozen
class Received:
    """What a message turned out to be.

    outcome is answered, refused, ignored, or obeyed of a message of Sam's own; reason says why it
    was refused or ignored, or why an answer brought no key after all.
    """

    outcome: str
    reason: str = ""
    peer: Number | None = None
    counter: int | None = None
    key: AskedKey | None = None


def ask(
    sim: SimFile, card: Card, holder: Number, wish: Wish, now: float, *, anew: bool = False
) -> Asked | str:
    """Make an ask for a key with *holder*, or repeat the one that waits for the same wish.

    anew makes another one in any case. Returns a reason instead where no ask can be made.
    """
    if holder == sim.number:
        return SELF
    state = card.state
    sim = all_identities(sim, state)[0]
    waiting = None if anew else _waiting(sim, state, holder, wish)
    if waiting is not None:
        return again(waiting)
    if state.counter >= MAX_COUNTER:
        return USED_UP
    request = Ask(
        asker=sim.party,
        counter=state.counter + 1,
        holder=holder,
        limit=wish.limit,
        direction=wish.direction,
        form=wish.form,
        life=wish.life,
        nonce=wish.nonce,
        seen=_seen(state, holder),
        synced=state.synced,
    )
    octets = request.seal(sim.keys.ask)
    card.keep(state.with_ask(SentAsk(octets, asked_at=now)))
    return Asked(request.counter, to_text(octets))


def again(sent: SentAsk) -> Asked:
    """Return an ask to be sent once more, octet for octet, or to be typed."""
    if sent.typed:
        digits = show(encode(PROFILES["ask"], typed_bits(sent.octets)))
        return Asked(sent.ask.counter, digits, typed=True)
    return Asked(sent.ask.counter, to_text(sent.octets), sent.sent)


def count_sending(card: Card, counter: int) -> None:
    """Count that the network took the ask with this counter once more."""
    sent = _find(card.state, counter)
    if sent is not None:
        card.keep(card.state.with_ask(evolve(sent, sent=sent.sent + 1)))


def cancel(card: Card, holder: Number) -> int:
    """Give up the asks for *holder* that wait, and return how many; their answers bring nothing."""
    state = card.state
    given_up = [sent for sent in waiting_asks(state) if sent.ask.holder == holder]
    for sent in given_up:
        state = state.with_ask(evolve(sent, outcome=AskOutcome.CANCELLED))
    card.keep(state)
    return len(given_up)


def waiting_asks(state: State) -> list[SentAsk]:
    """Return the asks that have no answer yet, oldest first."""
    return [sent for sent in state.asks if sent.outcome is AskOutcome.WAITING]


def receive(sim: SimFile, card: Card, text: str) -> Received:
    """Take in one SMS: keep the key or the refusal in it if Sam sealed it for an ask of ours.

    A message may come late, twice and out of order; one already taken in changes nothing.
    """
    try:
        answer = read_answer(text)
    except MalformedError:
        return Received("ignored", "malformed")
    sent = _find(card.state, answer.counter)
    if sent is None:
        return Received("ignored", "unknown-ask", counter=answer.counter)
    if sent.outcome is AskOutcome.CANCELLED:
        return Received("ignored", "cancelled", sent.ask.holder, answer.counter)
    asked_as = sent.ask.asker.generation
    sim = next(own for own in all_identities(sim, card.state) if own.generation == asked_as)
    opened = answer.open(sim.keys.answer, sent.octets)
    if opened is None:
        return Received("ignored", "not-authentic", counter=answer.counter)
    state = card.state.heard(sim.generation)
    if isinstance(opened, Grant):
        return _take_key(sim, card, state, sent, opened)
    return _take_refusal(card, state, sent, opened.reason.code, opened.week)


def _take_key(sim: SimFile, card: Card, state: State, sent: SentAsk, grant: Grant) -> Received:
    request = sent.ask
    context = Context(
        asker=sim.party,
        holder=Party(request.holder, grant.holder_generation),
        epoch=grant.epoch,
        n=grant.n,
        terms=grant.terms,
        nonce=None if isinstance(request, TypedAsk) else request.nonce,
    )
    key = AskedKey(context, grant.session, grant.witness, grant.derived, grant.sealed)
    if sent.outcome is AskOutcome.ANSWERED:
        return Received("ignored", "known", request.holder, request.counter)
    state = state.with_ask(evolve(sent, outcome=AskOutcome.ANSWERED, reason=""))
    state = with_new_key(state.at(grant.week, grant.epoch), request.holder, key)
    card.keep(state)
    if key not in state.asked.get(request.holder, ()):
        return Received("answered", "late", request.holder, request.counter)
    return Received("answered", "", request.holder, request.counter, key)


def _take_refusal(card: Card, state: State, sent: SentAsk, reason: str, week: int) -> Received:
    """Take in a refusal; it never takes away a key that this ask has brought."""
    request = sent.ask
    if sent.outcome is not AskOutcome.ANSWERED:
        state = state.with_ask(evolve(sent, outcome=AskOutcome.REFUSED, reason=reason))
    card.keep(state.at(week, state.epoch))
    return Received("refused", reason, request.holder, request.counter)


def with_new_key(state: State, holder: Number, key: AskedKey) -> State:
    """Return the state with a new key, unless it came too late.

    That is where a later one was confirmed, it has expired, or its holder's SIM was withdrawn.
    """
    generation = key.context.holder.generation
    if state.peers.get(holder, Peer()).revoked >= (generation, MAX_EPOCH, MAX_N):
        return state
    keys = state.asked.get(holder, ())
    confirmed = max((old.order for old in keys if old.confirmed), default=NO_ORDER)
    if key.order <= confirmed or key.context.terms.expiry <= state.week:
        return state
    return state.with_asked(holder, key)


def _find(state: State, counter: int) -> SentAsk | None:
    return next((sent for sent in state.asks if sent.ask.counter == counter), None)


def _waiting(sim: SimFile, state: State, holder: Number, wish: Wish) -> SentAsk | None:
    for sent in reversed(waiting_asks(state)):
        request = sent.ask
        if isinstance(request, TypedAsk):
            continue
        asked = Wish(request.limit, request.direction, request.form, request.life, request.nonce)
        if (request.asker, request.holder) != (sim.party, holder):
            continue
        if asked == wish and again(sent).may_be_sent:
            return sent
    return None


def _seen(state: State, holder: Number) -> Seen:
    """Return the proof of the latest key held with *holder*, for Sam to notice a loss."""
    latest = next((key for key in reversed(state.asked.get(holder, ())) if key.witness), None)
    if latest is None:
        return Seen()
    return Seen(latest.context.epoch, latest.context.n, latest.witness)

"""Asks and answers that a person types: 12 digits to Sam, 60 and parity back (sections 4 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import evolve, frozen

from dtns.codecs.columns import WIDTH
from dtns.codecs.digits import PROFILES, Reading, Status, decode
from dtns.codecs.entry import Entry
from dtns.codecs.keyed import digits_of
from dtns.sam.handset.card import Card
from dtns.sam.handset.exchanges import SELF, USED_UP, Asked, again, with_new_key
from dtns.sam.handset.guesses import price
from dtns.sam.handset.identities import all_identities
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import AskedKey, AskOutcome, Peer, SentAsk, State
from dtns.sam.protocol.ask import MAX_COUNTER
from dtns.sam.protocol.keys import MAX_EPOCH, MAX_GENERATION
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.session import Context, Party
from dtns.sam.protocol.ticket import EPOCH_BITS, GENERATION_BITS, WEEK_BITS
from dtns.sam.protocol.typedanswer import (
    HOLDER_GENERATION_BITS,
    TYPED_TAG_BITS,
    TypedAnswer,
    open_typed,
)
from dtns.sam.protocol.typedask import TypedAsk
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS, MAX_WEEK, read_low_bits

_Check: TypeAlias = Callable[[int], bool]

ANSWER: Final = PROFILES["answer"]
MOST_ASKS: Final = 8
"""The latest typed asks to which a typed answer may belong."""


@frozen
class EnteredAnswer:
    """What came of typing an answer: its reading, why it was refused, or whose key it brought.

    lock is the number of the lock that keeps this SIM from taking codes.
    """

    reading: Reading
    status: Status
    reason: str = ""
    peer: Number | None = None
    key: AskedKey | None = None
    lock: int = 0


def ask_typed(
    sim: SimFile, card: Card, holder: Number, now: float, *, anew: bool = False
) -> Asked | str:
    """Make an ask for a key with *holder* to be typed, or return the one that waits.

    anew makes another one in any case. Returns a reason instead where no ask can be made.
    """
    if holder == sim.number:
        return SELF
    state = card.state
    sim = all_identities(sim, state)[0]
    waiting = None if anew else _waiting(sim, state, holder)
    if waiting is not None:
        return again(waiting)
    if state.counter >= MAX_COUNTER:
        return USED_UP
    octets = TypedAsk(sim.party, state.counter + 1, holder).seal(sim.keys.ask)
    sent = SentAsk(octets, asked_at=now)
    card.keep(state.with_ask(sent))
    return again(sent)


def _waiting(sim: SimFile, state: State, holder: Number) -> SentAsk | None:
    for sent in reversed(state.asks):
        waits = sent.typed and sent.outcome is AskOutcome.WAITING
        if waits and (sent.ask.asker, sent.ask.holder) == (sim.party, holder):
            return sent
    return None


def enter_answer(sim: SimFile, card: Card, entry: str | Entry) -> EnteredAnswer:
    """Take in an answer that a person typed, and keep its key if Sam sealed it for an ask of ours.

    Errors that show without a key cost nothing. Comparisons are charged as those of a stranger's
    ticket are, durably, before they are made; what was not used comes back. What was typed and
    not taken is kept, to be gone on with.
    """
    if _is_half(entry):
        card.keep(_with_draft(card.state, entry, Status.MORE))
        return EnteredAnswer(Reading(Status.REFUSED), Status.REFUSED, "half")
    keyless = _read(entry, lambda _: False)
    if keyless.candidates_tried == 0:
        card.keep(_with_draft(card.state, entry, keyless.status))
        return EnteredAnswer(keyless, keyless.status, keyless.reason)
    state, open_asks = card.state, _open_asks(card.state)
    if not open_asks:
        card.keep(_with_draft(state, entry, Status.REFUSED))
        return EnteredAnswer(keyless, Status.REFUSED, "no-ask")
    charge = price(TYPED_TAG_BITS, ANSWER.candidates * len(open_asks))
    account = state.guesses.at(state.week)
    charged = account.charged(charge, stranger=True)
    if charged is None:
        account = account.run_out()
        card.keep(evolve(state, guesses=account))
        return EnteredAnswer(keyless, Status.REFUSED, "locked", lock=account.locks)
    card.keep(evolve(state, guesses=charged))
    search = _Search(sim, state, open_asks)
    reading = _read(entry, search.check)
    back = charge - price(TYPED_TAG_BITS, search.wrong)
    state = evolve(card.state, guesses=charged.refunded(back, stranger=True))
    if search.found is None:
        card.keep(_with_draft(state, entry, reading.status))
        return EnteredAnswer(reading, reading.status, reading.reason)
    return _take(card, evolve(state, answer_draft=""), reading, search.found)


def _is_half(entry: str | Entry) -> bool:
    """Tell whether so little was typed that a group or more is certainly still to come."""
    digits = digits_of(entry) if isinstance(entry, str) else None
    return bool(digits) and len((digits or "").replace(" ", "")) <= WIDTH * (ANSWER.groups - 2)


def _read(entry: str | Entry, check: _Check) -> Reading:
    if isinstance(entry, Entry):
        return entry.reading(check)
    return decode(ANSWER, entry, check=check)


def _open_asks(state: State) -> list[SentAsk]:
    """Return the asks that an answer may be for, the latest first.

    Those that have a key already are among them, so that a person is told.
    """
    given_up = AskOutcome.CANCELLED
    typed = [sent for sent in state.asks if sent.typed and sent.outcome is not given_up]
    return typed[::-1][:MOST_ASKS]


@frozen
class _Found:
    sent: SentAsk
    context: Context
    session: Key


class _Search:
    """Compares candidate answers with the asks that they may be for, and counts."""

    def __init__(self, sim: SimFile, state: State, asks: list[SentAsk]) -> None:
        self._identities = {own.generation: own for own in all_identities(sim, state)}
        self._state, self._asks = state, asks
        self.wrong = 0
        """Comparisons made for payloads that were not good."""
        self.found: _Found | None = None

    def check(self, bits: int) -> bool:
        """Tell whether these bits answer one of the asks, and remember its key."""
        answer, compared = TypedAnswer.unpack(bits), 0
        for sent in self._asks:
            context = _context(self._state, sent, answer)
            if context is None:
                continue
            compared += 1
            answer_key = self._identities[context.asker.generation].keys.answer
            session = open_typed(answer_key, sent.octets, context, answer)
            if session is not None:
                self.found = _Found(sent, context, session)
                return True
        self.wrong += compared
        return False


def _context(state: State, sent: SentAsk, answer: TypedAnswer) -> Context | None:
    """Return the one context that an answer to this ask stands for, None if there is none."""
    request, header = sent.ask, answer.header
    if header.generation_low != request.asker.generation % (1 << GENERATION_BITS):
        return None
    epoch = read_low_bits(header.epoch_low, EPOCH_BITS, max(state.epoch - 1, 0))
    expiry = read_low_bits(header.expiry_low, WEEK_BITS, state.week + 1)
    known = _known_generation(state, request.holder)
    generation = read_low_bits(answer.generation_low, HOLDER_GENERATION_BITS, known)
    if 0 in (header.n, epoch) or epoch > MAX_EPOCH:
        return None
    if expiry > MAX_WEEK or generation > MAX_GENERATION:
        return None
    holder = Party(request.holder, generation)
    return Context(request.asker, holder, epoch, header.n, header.terms(expiry))


def _known_generation(state: State, holder: Number) -> int:
    asked = [key.context.holder.generation for key in state.asked.get(holder, ())]
    return max([state.peers.get(holder, Peer()).generation, *asked])


def _take(card: Card, state: State, reading: Reading, found: _Found) -> EnteredAnswer:
    sent, context, holder = found.sent, found.context, found.sent.ask.holder
    if sent.outcome is AskOutcome.ANSWERED:
        card.keep(state)
        return EnteredAnswer(reading, Status.REFUSED, "known", holder)
    key = AskedKey(context, found.session, witness=b"")
    week = context.terms.expiry - LONGEST_LIFE_WEEKS
    state = state.heard(context.asker.generation).at(week, context.epoch)
    state = state.with_ask(evolve(sent, outcome=AskOutcome.ANSWERED, reason=""))
    state = with_new_key(state, holder, key)
    card.keep(state)
    if key not in state.asked.get(holder, ()):
        return EnteredAnswer(reading, Status.REFUSED, "late", holder)
    return EnteredAnswer(reading, reading.status, "", holder, key)


def _with_draft(state: State, entry: str | Entry, status: Status) -> State:
    """Keep what was typed, unless the code is hopeless and has to be typed anew."""
    if isinstance(entry, Entry):
        return evolve(state, answer_draft=entry.saved)
    return evolve(state, answer_draft="" if status is Status.REFUSED else entry)

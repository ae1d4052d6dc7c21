"""Typing a ticket: read the digits, pay for each comparison, apply the holder's rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import evolve, frozen

from dtns.codecs.digits import Profile, Reading, Status, decode
from dtns.codecs.entry import Entry
from dtns.sam.handset.card import Card
from dtns.sam.handset.guesses import Guesses, price
from dtns.sam.handset.identities import living_identities
from dtns.sam.handset.rule import MOST_READINGS, admit, contexts
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import Draft, HeldKey, State
from dtns.sam.handset.tickets import SEALED_TICKET, TICKET
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.payments import Payment, express_tag
from dtns.sam.protocol.primitives import same
from dtns.sam.protocol.sealed import SEALED_TAG_BITS, open_sealed, split_sealed_ticket
from dtns.sam.protocol.session import Context, Direction, session_key
from dtns.sam.protocol.ticket import TAG_BITS, split_ticket, ticket_tag

_SHORTEST_SEALED_DIGITS: Final = 4 * (TICKET.groups + SEALED_TICKET.groups) // 2


@frozen
class Entered:
    """What came of an entry: its reading, why it was refused if it was, the key if it was not.

    lock is the number of the lock that keeps this SIM from taking codes, for the operator to end.
    """

    reading: Reading
    status: Status
    reason: str = ""
    key: HeldKey | None = None
    lock: int = 0


@frozen
class Typed:
    """What a person typed: a text, or boxes that were filled one by one."""

    profile: Profile
    entry: str | Entry

    @classmethod
    def of(cls, entry: str | Entry) -> Typed:
        """Return the entry with the profile that it must be of: a long text is a sealed ticket."""
        if isinstance(entry, Entry):
            return cls(entry.profile, entry)
        long = sum(character.isdigit() for character in entry) >= _SHORTEST_SEALED_DIGITS
        return cls(SEALED_TICKET if long else TICKET, entry)

    @property
    def text(self) -> str:
        """The entry as it can be typed again."""
        return self.entry.saved if isinstance(self.entry, Entry) else self.entry

    def reading(self, check: Callable[[int], bool]) -> Reading:
        """Read the digits, *check* standing for the tag."""
        if isinstance(self.entry, Entry):
            return self.entry.reading(check)
        return decode(self.profile, self.entry, check=check)


def enter(sim: SimFile, card: Card, asker: Number, entry: str | Entry) -> Entered:
    """Take in a ticket that *asker* handed over as digits, and install its key if it is good.

    Errors that show without a key cost nothing. Every comparison with a tag is charged to the
    guess budget, durably, before it is made; what was not used comes back, and so does the price
    of the payload that was good. What was typed and not taken is kept, to be gone on with.
    """
    if asker == sim.number:
        return _refused(Reading(Status.REFUSED), "self")
    typed = Typed.of(entry)
    keyless = typed.reading(lambda _: False)
    if keyless.candidates_tried == 0:
        card.keep(_with_draft(card.state, asker, typed, keyless.status))
        return Entered(keyless, keyless.status, keyless.reason)
    return _enter_charged(sim, card, asker, typed)


def _enter_charged(sim: SimFile, card: Card, asker: Number, typed: Typed) -> Entered:
    searched = search(sim, card, asker, typed)
    reading, state = searched.reading, searched.state
    if searched.lock:
        return Entered(reading, Status.REFUSED, "locked", lock=searched.lock)
    if searched.found is None:
        card.keep(_with_draft(state, asker, typed, reading.status))
        return Entered(reading, reading.status, reading.reason)
    state, key, reason = admit(state, asker, searched.found.context, searched.found.session)
    card.keep(evolve(state, draft=None))
    return _refused(reading, reason) if key is None else Entered(reading, reading.status, "", key)


@frozen
class Found:
    """The key that a good code stands for; paid tells that it was an express code."""

    context: Context
    session: Key
    paid: bool = False


@frozen
class Searched:
    """What a search came to: reading, state to go on from, key, or the lock that is on."""

    reading: Reading
    state: State
    found: Found | None = None
    lock: int = 0


def search(
    sim: SimFile, card: Card, asker: Number, typed: Typed, payment: Payment | None = None
) -> Searched:
    """Find the key that a code of *asker* stands for, as a ticket or as this payment by express.

    All comparisons are charged durably before the first. The state that comes back, not kept yet,
    has what was not used, and the price of a good payload.
    """
    state = card.state
    tag_bits = SEALED_TAG_BITS if typed.profile is SEALED_TICKET else TAG_BITS
    stranger = asker not in state.peers
    own = living_identities(sim, state)
    readings = MOST_READINGS * (1 if payment is None else 2)
    charge = price(tag_bits, typed.profile.candidates * readings * len(own))
    account = charged_account(card, charge, stranger=stranger)
    if account is None:
        return Searched(Reading(Status.REFUSED), card.state, lock=card.state.guesses.locks)
    looking = _Search(own, state, asker, typed.profile, payment)
    reading = typed.reading(looking.check)
    back = charge - price(tag_bits, looking.wrong)
    state = evolve(card.state, guesses=account.refunded(back, stranger=stranger))
    return Searched(reading, state, looking.found)


def charged_account(card: Card, units: int, *, stranger: bool) -> Guesses | None:
    """Pay these units durably and return the account after it; None, and a lock, if it has less."""
    state = card.state
    account = state.guesses.at(state.week)
    charged = account.charged(units, stranger=stranger)
    card.keep(evolve(state, guesses=charged or account.run_out()))
    return charged


class _Search:
    """Compares candidate codes with every key that they may stand for, and counts."""

    def __init__(
        self,
        own: list[SimFile],
        state: State,
        asker: Number,
        profile: Profile,
        payment: Payment | None,
    ) -> None:
        self._own, self._state, self._asker, self._profile = own, state, asker, profile
        self._payment = payment
        self.wrong = 0
        """Comparisons made for payloads that were not good."""
        self.found: Found | None = None

    def check(self, bits: int) -> bool:
        """Tell whether these bits are a code for this SIM, and remember its key."""
        sealed = self._profile is SEALED_TICKET
        header = split_sealed_ticket(bits)[0] if sealed else split_ticket(bits)[0]
        open_ = _open_sealed if sealed else self._open_short
        compared = 0
        for sim in self._own:
            for context in contexts(sim.party, self._state, self._asker, header):
                compared += 1 if self._payment is None else 2
                self.found = open_(sim, bits, context)
                if self.found is not None:
                    return True
        self.wrong += compared
        return False

    def _open_short(self, sim: SimFile, bits: int, context: Context) -> Found | None:
        """Compare with the ticket's tag, and with that of the payment if the asker pays."""
        session, tag = session_key(sim.keys.ticket, context.octets), split_ticket(bits)[1]
        is_ticket = same(ticket_tag(session, context), tag)
        payment, pays = self._payment, context.terms.direction is Direction.ASKER_PAYS
        is_paid = payment is not None and same(express_tag(session, context, payment), tag)
        return Found(context, session, is_paid) if is_ticket or (is_paid and pays) else None


def _open_sealed(sim: SimFile, bits: int, context: Context) -> Found | None:
    session = open_sealed(sim.keys.seal, context, split_sealed_ticket(bits)[1])
    return None if session is None else Found(context, session)


def _with_draft(state: State, asker: Number, typed: Typed, status: Status) -> State:
    """Keep what was typed, unless the code is hopeless and has to be typed anew."""
    hopeless = status is Status.REFUSED and not isinstance(typed.entry, Entry)
    return evolve(state, draft=None if hopeless else Draft(asker, typed.text))


def _refused(reading: Reading, reason: str) -> Entered:
    return Entered(reading, Status.REFUSED, reason)

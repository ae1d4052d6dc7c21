"""Being paid under a key: the charge, and the codes that bring money (sam/README.md, section 17).

A payment is credited, its number marked used, the key confirmed and the log written in one write.
"""

from __future__ import annotations

from attrs import evolve, frozen

from dtns.codecs.digits import PROFILES, Reading, decode, encode, show
from dtns.sam.handset import smallsums
from dtns.sam.handset.card import Card
from dtns.sam.handset.confirmations import confirmed
from dtns.sam.handset.entering import Typed, charged_account, search
from dtns.sam.handset.guesses import price
from dtns.sam.handset.orders import Charged, Order, Received, Refused, misdirected
from dtns.sam.handset.pairs import (
    MAX_UNPAID_CHARGES,
    PairKey,
    ends,
    key_entry,
    objection,
    paid_keys,
    with_use,
)
from dtns.sam.handset.purse import KeyUse
from dtns.sam.handset.rule import admit
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import AskedKey, State
from dtns.sam.handset.tickets import TICKET
from dtns.sam.protocol import payments as codes
from dtns.sam.protocol.payments import MAX_AMOUNT, Mode, Payment
from dtns.sam.protocol.primitives import same

_CHEQUE = PROFILES["cheque"]
_LENGTHS = ((10, Mode.SMALL), (14, Mode.CHALLENGE), (18, Mode.CHEQUE))
"""Codes of fewer digits than these are of this mode, others express."""


def charge(sim: SimFile, card: Card, order: Order) -> Charged | Refused:
    """Ask to be paid: a code to read out where the mode needs one."""
    if reason := misdirected(sim, order):
        return Refused(reason)
    keys, terms, payment = paid_keys(card.state, order.other), sim.terms, order.payment
    mode = order.mode
    if mode is None and not keys and payment.amount <= terms.small_limit:
        mode = Mode.SMALL
    elif mode is None:
        large = bool(keys) and payment.amount > terms.challenge_above
        mode = Mode.CHALLENGE if large else Mode.CHEQUE if keys else Mode.EXPRESS
    if mode is Mode.SMALL:
        return smallsums.charge_small(sim, card, order)
    if mode is Mode.CHALLENGE:
        return _charge_key(sim, card, order, keys)
    return Charged(mode)


def _charge_key(sim: SimFile, card: Card, order: Order, keys: list[PairKey]) -> Charged | Refused:
    """Make the next charge under the latest key, which ends the one that is out."""
    if not keys:
        return Refused("no-key")
    state, key = card.state, keys[0]
    use = key.use
    if use.count >= codes.MAX_COUNT or use.count - use.challenges_paid >= MAX_UNPAID_CHARGES:
        return Refused("used-up")
    if reason := _objection(sim, state, key, order):
        return Refused(reason)
    count = use.count + 1
    for other in keys[1:]:
        state = with_use(state, other, evolve(other.use, open=None))
    card.keep(with_use(state, key, evolve(use, count=count, open=order.payment)))
    bits = codes.charge(key.session, key.context, count, order.payment)
    return Charged(Mode.CHALLENGE, show(encode(PROFILES["request"], bits)))


def accept(sim: SimFile, card: Card, order: Order) -> Received | Refused:
    """Take a payment code that the payer read out, and credit it if it is good and new."""
    if reason := misdirected(sim, order):
        return Refused(reason)
    if card.state.purse.log_is_full:
        return Refused("log-full")
    mode = order.mode
    if mode is None:
        typed = sum(character.isdigit() for character in order.code)
        mode = next((mode for length, mode in _LENGTHS if typed < length), Mode.EXPRESS)
    return _BY_MODE[mode](sim, card, order)


def _accept_express(sim: SimFile, card: Card, order: Order) -> Received | Refused:
    typed = Typed(TICKET, order.code)
    keyless = typed.reading(lambda _: False)
    if keyless.candidates_tried == 0:
        return Refused(keyless.reason, reading=keyless)
    searched = search(sim, card, order.other, typed, order.payment)
    if searched.lock:
        return Refused("locked", searched.lock)
    if searched.found is None:
        card.keep(searched.state)
        return Refused(searched.reading.reason, reading=searched.reading)
    found = searched.found
    state, key, reason = admit(searched.state, order.other, found.context, found.session)
    if key is None or not found.paid:
        card.keep(state)
        return Refused(reason or "ticket")
    good = _Good(key, Mode.EXPRESS, 0, searched.reading)
    return _credit(sim, card, state, order, good)


def _accept_cheque(sim: SimFile, card: Card, order: Order) -> Received | Refused:
    """Compare a cheque with every key on which the payer pays; a slip is searched by the tag."""
    keyless = decode(_CHEQUE, order.code, check=lambda _: False)
    if keyless.candidates_tried == 0:
        return Refused(keyless.reason, reading=keyless)
    keys = paid_keys(card.state, order.other)
    if not keys:
        return Refused("no-key")
    cost = price(codes.CHEQUE_TAG_BITS, _CHEQUE.candidates * len(keys))
    account = charged_account(card, cost, stranger=False)
    if account is None:
        return Refused("locked", card.state.guesses.locks)
    search_ = _ChequeSearch(keys, order.payment)
    reading = decode(_CHEQUE, order.code, check=search_.check)
    back = cost - price(codes.CHEQUE_TAG_BITS, search_.wrong)
    state = evolve(card.state, guesses=account.refunded(back, stranger=False))
    if search_.found is None:
        card.keep(state)
        return Refused(reading.reason, reading=reading)
    key, number = search_.found
    return _credit(sim, card, state, order, _Good(key, Mode.CHEQUE, number, reading))


class _ChequeSearch:
    """Compares candidate cheques with every key, and counts."""

    def __init__(self, keys: list[PairKey], payment: Payment) -> None:
        self._keys, self._payment = keys, payment
        self.wrong = 0
        """Comparisons made for payloads that were not good."""
        self.found: tuple[PairKey, int] | None = None

    def check(self, bits: int) -> bool:
        """Tell whether these bits are a cheque for this sum, and remember its key and number."""
        number, tag = codes.split_cheque(bits)
        for key in self._keys if number else ():
            expected = codes.cheque_tag(key.session, key.context, number, self._payment)
            if same(expected, tag):
                self.found = key, number
                return True
        self.wrong += len(self._keys)
        return False


def _accept_response(sim: SimFile, card: Card, order: Order) -> Received | Refused:
    """Compare a response with the charge that is open."""
    reading = decode(PROFILES["response"], order.code)
    if reading.payload is None:
        return Refused(reading.reason, reading=reading)
    keys = paid_keys(card.state, order.other)
    key = next((known for known in keys if known.use.open == order.payment), None)
    if key is None:
        return Refused("no-charge")
    cost = price(codes.RESPONSE_BITS, 1)
    account = charged_account(card, cost, stranger=False)
    if account is None:
        return Refused("locked", card.state.guesses.locks)
    count = key.use.count
    expected = codes.response(key.session, key.context, count, order.payment)
    if not same(expected, reading.payload):
        return Refused("wrong")
    state = evolve(card.state, guesses=account.refunded(cost, stranger=False))
    return _credit(sim, card, state, order, _Good(key, Mode.CHALLENGE, count, reading))


def _accept_small(sim: SimFile, card: Card, order: Order) -> Received | Refused:
    reading = decode(PROFILES["confirm"], order.code)
    if reading.payload is None:
        return Refused(reading.reason, reading=reading)
    return smallsums.take_small(sim, card, order, reading.payload)


_BY_MODE = {
    Mode.EXPRESS: _accept_express,
    Mode.CHEQUE: _accept_cheque,
    Mode.CHALLENGE: _accept_response,
    Mode.SMALL: _accept_small,
}


@frozen
class _Good:
    """A code whose tag was good: the key and the payment number that it is for."""

    key: PairKey
    mode: Mode
    number: int
    reading: Reading


def _credit(
    sim: SimFile, card: Card, state: State, order: Order, good: _Good
) -> Received | Refused:
    """Credit a payment whose tag was good, once; *state* is kept in any case."""
    key, payment = good.key, order.payment
    known = good.mode is not Mode.CHALLENGE and key.use.has(good.number)
    reason = "credited" if known else _objection(sim, state, key, order)
    if reason:
        card.keep(state)
        return Refused(reason)
    state = with_use(state, key, _used(key.use, good, payment.amount))
    receipt = codes.receipt(key.session, key.context, good.mode, good.number, payment)
    entry = key_entry(key, good.mode, good.number, payment, state.week, received=True)
    purse = state.purse.logged(entry, ends(key)[0].generation, order.at, receipt=receipt)
    purse = evolve(purse, balance=purse.balance + payment.amount)
    card.keep(_proven(evolve(state, purse=purse), order, key))
    return Received(purse.log[-1], good.reading.status, good.reading)


def _used(use: KeyUse, good: _Good, amount: int) -> KeyUse:
    if good.mode is not Mode.CHALLENGE:
        return use.with_number(good.number, amount)
    return evolve(use.with_payment(amount), open=None, challenges_paid=use.challenges_paid + 1)


def _proven(state: State, order: Order, key: PairKey) -> State:
    """Return the state after a payment showed that the payer has this key: older ones are dead."""
    if isinstance(key, AskedKey):
        (current,) = (k for k in state.asked[order.other] if k.order == key.order)
        proven = state.with_asked(order.other, evolve(current, confirmed=True))
        return proven.without_asked_below(order.other, key)
    peer = state.peers[order.other]
    current_held = peer.key(key.order)
    assert current_held is not None
    return confirmed(state, order.other, peer, evolve(current_held, confirmed=True))


def _objection(sim: SimFile, state: State, key: PairKey, order: Order) -> str:
    """Return why no such payment is taken under this key, or nothing."""
    purse, payment = state.purse, order.payment
    if reason := objection(key.use, key.context.terms.limit, payment):
        return reason
    taken = purse.received_since_filed(small=False, payer=order.other)
    if taken + payment.amount > sim.terms.peer_limit:
        return "peer-limit"
    return "purse-full" if purse.balance + payment.amount > MAX_AMOUNT else ""

"""Our own payments under the same attacks: SIMs as they are, in the modes that begin with a charge.

A challenge pays under a key of the pair, a small payment under the universal key.
"""

from __future__ import annotations

from random import Random
from typing import Final

from attrs import evolve, field, frozen

from dtns.codecs.digits import PROFILES, Profile, decode, encode, show
from dtns.sam.analysis.first import Request, Response
from dtns.sam.handset import crediting, paying, pins
from dtns.sam.handset.card import MemoryCard, fresh_state
from dtns.sam.handset.orders import Charged, Order, Paid, Received
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import AskedKey, HeldKey, Peer
from dtns.sam.protocol import payments, small
from dtns.sam.protocol.keys import MASTER_OCTETS, WITNESS_OCTETS, Enrolment, MasterKey
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import MAX_AMOUNT, Mode, Payment
from dtns.sam.protocol.primitives import BLOCK_OCTETS
from dtns.sam.protocol.session import Context, Direction, Terms, session_key
from dtns.sam.protocol.small import UniversalKey

_PIN: Final = "1234"
_WEEK: Final = 100
_LIMIT_CLASS: Final = 16


@frozen
class Codes:
    """The two codes of a mode: how they split into nonce and proof."""

    mode: Mode
    check_bits: int
    response: Profile
    nonce_bits: int
    proof_bits: int

    def request(self, digits: str) -> Request:
        """Return the count and C of a charge."""
        return Request(*divmod(_payload(PROFILES["request"], digits), 1 << self.check_bits))

    def charge(self, request: Request) -> str:
        """Return the digits of a charge."""
        bits = request.nonce << self.check_bits | request.check
        return show(encode(PROFILES["request"], bits))

    def answer(self, digits: str) -> Response:
        """Return N_A, nought where there is none, and the proof of a response."""
        return Response(*divmod(_payload(self.response, digits), 1 << self.proof_bits))

    def digits(self, response: Response) -> str:
        """Return the digits of a response; a nonce is cut to the bits that there are for it."""
        nonce = response.nonce % (1 << self.nonce_bits)
        return show(encode(self.response, nonce << self.proof_bits | response.proof))


SMALL: Final = Codes(
    mode=Mode.SMALL,
    check_bits=small.CHARGE_BITS,
    response=PROFILES["confirm"],
    nonce_bits=small.PAYER_NONCE_BITS,
    proof_bits=small.RESPONSE_BITS,
)
CHALLENGE: Final = Codes(
    mode=Mode.CHALLENGE,
    check_bits=payments.CHARGE_BITS,
    response=PROFILES["response"],
    nonce_bits=0,
    proof_bits=payments.RESPONSE_BITS,
)


def _payload(profile: Profile, digits: str) -> int:
    payload = decode(profile, digits).payload
    assert payload is not None
    return payload


@frozen
class _Phone:
    """A SIM with its card, and the codes of the mode under attack."""

    sim: SimFile
    card: MemoryCard = field(repr=False)
    codes: Codes

    @property
    def number(self) -> Number:
        """Whose SIM it is."""
        return self.sim.number

    def order(self, other: Number, amount: int, code: str = "") -> Order:
        """Return a payment in this mode; the person says that it is meant."""
        payment = Payment(self.sim.terms.currency, amount)
        return Order(other, payment, self.codes.mode, code, second=True)


class Till:
    """A payee's SIM, as the attacks see it."""

    def __init__(self, phone: _Phone) -> None:
        self.number = phone.number
        self._phone = phone
        self._open: Order | None = None

    def charge(self, payer: Number, amount: int) -> Request | None:
        """Charge, or None if the SIM makes no such charge."""
        phone, order = self._phone, self._phone.order(payer, amount)
        charged = crediting.charge(phone.sim, phone.card, order)
        if not isinstance(charged, Charged):
            return None
        self._open = order
        return phone.codes.request(charged.digits)

    def accept(self, response: Response) -> bool:
        """Type a response; whether money came in."""
        if self._open is None:
            return False
        phone = self._phone
        order = evolve(self._open, code=phone.codes.digits(response))
        return isinstance(crediting.accept(phone.sim, phone.card, order), Received)


class Wallet:
    """A payer's SIM, as the attacks see it."""

    def __init__(self, phone: _Phone) -> None:
        self.number = phone.number
        self._phone = phone
        pins.set_pin(phone.sim, phone.card, "", _PIN)

    def pay(self, payee: Number, amount: int, request: Request) -> Response | None:
        """Pay what its owner typed, or None if the SIM refuses."""
        phone = self._phone
        order = phone.order(payee, amount, phone.codes.charge(request))
        paid = paying.pay(phone.sim, phone.card, order, _PIN)
        if not isinstance(paid, Paid):
            return None
        return phone.codes.answer(paid.transaction.digits)


def sims(codes: Codes, payee: Number, payer: Number, random: Random) -> tuple[Till, Wallet]:
    """Return new SIMs of a payee, and of a payer who asked for a key and handed it over."""
    master = MasterKey(1, random.randbytes(MASTER_OCTETS))
    universal = UniversalKey(1, random.randbytes(BLOCK_OCTETS))
    holder, asker = (_phone(number, master, universal, codes) for number in (payee, payer))
    terms = Terms(_LIMIT_CLASS, Direction.ASKER_PAYS, _WEEK + 52)
    context = Context(asker.sim.party, holder.sim.party, 1, 1, terms)
    session = session_key(holder.sim.keys.ticket, context.octets)
    peer = Peer().with_key(HeldKey(context, session))
    holder.card.keep(holder.card.state.with_peer(payer, peer))
    asked = asker.card.state.with_asked(payee, AskedKey(context, session, bytes(WITNESS_OCTETS)))
    asker.card.keep(evolve(asked, purse=evolve(asked.purse, balance=MAX_AMOUNT)))
    return Till(holder), Wallet(asker)


def _phone(number: Number, master: MasterKey, universal: UniversalKey, codes: Codes) -> _Phone:
    sim = SimFile(
        number=number,
        generation=1,
        epoch=1,
        week=_WEEK,
        service_number="",
        network="",
        keys=master.party_keys(Enrolment(number, 1, 1, master.master_id)),
        universal=universal,
    )
    return _Phone(sim, MemoryCard(fresh_state(sim)), codes)

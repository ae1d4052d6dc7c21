"""DigiTally's first payment protocol, bug for bug, and its repaired form.

One universal key K in every SIM. The payee's SIM draws a nonce N_B of three digits and says N_B
and `C = MAC(K; B, A, X, N_B) mod 10^3`; the payer's checks C, draws N_A and answers N_A and a
response R of four digits. Both people typed the amount X and each other's number beforehand.
Here to be broken: nothing outside this room may use it.
"""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Final

from attrs import frozen

from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.primitives import Prf
from dtns.sam.protocol.wire import number_field

NONCES: Final = 10**3
CHECKS: Final = 10**3
PROOFS: Final = 10**4


class Edition(Enum):
    """What the response R is a MAC of. There is no default: whoever wants one names it."""

    FIRST = "first"
    """A, N_A, C, B: amount and nonce only through the three digits of C."""
    NONCE = "first-nonce"
    """A, N_A, C, N_B, B: the amount only through C."""
    REPAIRED = "repaired"
    """A, N_A, X, N_B, B."""


@frozen
class Request:
    """What the payee reads out: N_B and C."""

    nonce: int
    check: int


@frozen
class Response:
    """What the payer reads out: N_A and R."""

    nonce: int
    proof: int


class UniversalKey:
    """The key that all SIMs share, and the codes made with it in one edition of the protocol."""

    def __init__(self, key: bytes, edition: Edition) -> None:
        self._prf = Prf(key)
        self._edition = edition

    def check(self, payee: Number, payer: Number, amount: int, nonce: int) -> int:
        """Return C, 0 to 999."""
        return self._code(CHECKS, b"C", payee, payer, amount, nonce)

    def proof(self, payer: Number, payee: Number, amount: int, request: Request, nonce: int) -> int:
        """Return R, 0 to 9999, for the payer's *nonce*."""
        covered: tuple[int, ...]
        match self._edition:
            case Edition.FIRST:
                covered = (request.check,)
            case Edition.NONCE:
                covered = (request.check, request.nonce)
            case Edition.REPAIRED:
                covered = (amount, request.nonce)
        return self._code(PROOFS, b"R", payer, payee, nonce, *covered)

    def _code(self, values: int, kind: bytes, one: Number, other: Number, *fields: int) -> int:
        numbers = number_field(one) + number_field(other)
        octets = b"".join(field.to_bytes(8) for field in fields)
        return int.from_bytes(self._prf.mac(kind + numbers + octets)) % values


class Payee:
    """The SIM that is paid. Its nonces are random and it has no memory of former ones."""

    def __init__(self, key: UniversalKey, number: Number, random: Random) -> None:
        self.number = number
        self.balance = 0
        self._key = key
        self._random = random
        self._open: tuple[Number, int, Request] | None = None

    def charge(self, payer: Number, amount: int) -> Request:
        """Ask for a payment. An open one is forgotten, and nobody counts that."""
        nonce = self._random.randrange(NONCES)
        request = Request(nonce, self._key.check(self.number, payer, amount, nonce))
        self._open = payer, amount, request
        return request

    def accept(self, response: Response) -> bool:
        """Credit the open payment if the response is right for it; either way it is closed."""
        if self._open is None:
            return False
        payer, amount, request = self._open
        self._open = None
        right = self._key.proof(payer, self.number, amount, request, response.nonce)
        if response.proof != right:
            return False
        self.balance += amount
        return True


class Payer:
    """The SIM that pays; what it spent stands in *spent*."""

    def __init__(self, key: UniversalKey, number: Number, random: Random) -> None:
        self.number = number
        self.spent = 0
        self._key = key
        self._random = random

    def pay(self, payee: Number, amount: int, request: Request) -> Response | None:
        """Pay what its owner typed, or None if C does not fit it."""
        if request.check != self._key.check(payee, self.number, amount, request.nonce):
            return None
        self.spent += amount
        nonce = self._random.randrange(NONCES)
        return Response(nonce, self._key.proof(self.number, payee, amount, request, nonce))

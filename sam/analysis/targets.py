"""The protocols that the attacks are run on: DigiTally's in its editions, and our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final, Protocol

from attrs import frozen

from dtns.sam.analysis import first
from dtns.sam.analysis.first import Edition, Request, Response, UniversalKey
from dtns.sam.protocol.numbers import Number

PAYEE: Final = Number("254700000002")
PAYER: Final = Number("254700000001")


class PayeeSim(Protocol):
    """A genuine SIM in the hands of a payee who cheats."""

    number: Number

    def charge(self, payer: Number, amount: int) -> Request | None:
        """Open a payment, ending any open one; None if the SIM makes no more of them."""

    def accept(self, response: Response) -> bool:
        """Credit the open payment if the response is right for it."""


class PayerSim(Protocol):
    """A genuine SIM in honest hands."""

    number: Number

    def pay(self, payee: Number, amount: int, request: Request) -> Response | None:
        """Pay what its owner typed, or None if the request does not fit it."""


@frozen
class Target:
    """A protocol: how to make two new SIMs, and how many values its short fields have."""

    name: str
    title: str
    sims: Callable[[Random], tuple[PayeeSim, PayerSim]]
    nonces: int | None
    """Values of the payee's nonce where it is random; None where it is a count."""
    checks: int
    """Values of C."""
    proofs: int
    """Values of R."""
    amount_in_proof: bool
    """Whether R covers the amount by itself, not only through C."""
    same_nonce: bool = False
    """Whether two requests must have the same nonce too, lest R tells them apart."""


def _first_sims(edition: Edition, random: Random) -> tuple[PayeeSim, PayerSim]:
    key = UniversalKey(random.randbytes(16), edition)
    return first.Payee(key, PAYEE, random), first.Payer(key, PAYER, random)


def _edition(edition: Edition, title: str) -> Target:
    return Target(
        name=edition.value,
        title=title,
        sims=lambda random: _first_sims(edition, random),
        nonces=first.NONCES,
        checks=first.CHECKS,
        proofs=first.PROOFS,
        amount_in_proof=edition is Edition.REPAIRED,
        same_nonce=edition is Edition.NONCE,
    )


_ALL: Final = (
    _edition(Edition.FIRST, "DigiTally's first protocol"),
    _edition(Edition.NONCE, "DigiTally's first protocol with N_B in R"),
    _edition(Edition.REPAIRED, "DigiTally's repaired protocol"),
)
TARGETS: Final[Mapping[str, Target]] = MappingProxyType({t.name: t for t in _ALL})

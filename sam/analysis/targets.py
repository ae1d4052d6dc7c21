"""The protocols that the attacks are run on: DigiTally's in its editions, and our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any, Final, Protocol

from attrs import frozen

from dtns.sam.analysis import first, ours
from dtns.sam.analysis.first import Edition, Request, Response, UniversalKey
from dtns.sam.analysis.ours import CHALLENGE, SMALL, Codes
from dtns.sam.handset.pairs import MAX_UNPAID_CHARGES
from dtns.sam.handset.purse import SMALL_TRIES
from dtns.sam.handset.smallsums import MAX_UNPAID
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
    most_unpaid: int | None = None
    """The most requests that the payee's SIM makes and throws away; None: no end."""
    most_wrong: int | None = None
    """The most wrong responses that it takes; None: no end."""
    strangers: bool = True
    """Whether a payment can be opened with someone of whom the SIM has never heard."""


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


def _ours(codes: Codes, name: str, title: str, **bounds: Any) -> Target:
    return Target(
        name=name,
        title=title,
        sims=lambda random: ours.sims(codes, PAYEE, PAYER, random),
        nonces=None,
        checks=1 << codes.check_bits,
        proofs=1 << codes.proof_bits,
        amount_in_proof=True,
        **bounds,
    )


_ALL: Final = (
    _edition(Edition.FIRST, "DigiTally's first protocol"),
    _edition(Edition.NONCE, "DigiTally's first protocol with N_B in R"),
    _edition(Edition.REPAIRED, "DigiTally's repaired protocol"),
    _ours(SMALL, "ours", "Our small payments", most_unpaid=MAX_UNPAID, most_wrong=SMALL_TRIES),
    _ours(
        CHALLENGE,
        "ours-challenge",
        "Our payments by challenge",
        most_unpaid=MAX_UNPAID_CHARGES,
        strangers=False,
    ),
)
TARGETS: Final[Mapping[str, Target]] = MappingProxyType({t.name: t for t in _ALL})

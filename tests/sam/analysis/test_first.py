"""DigiTally's first protocol works as published, its faults included."""

from __future__ import annotations

from random import Random

import pytest

from dtns.sam.analysis.first import (
    CHECKS,
    NONCES,
    PROOFS,
    Edition,
    Payee,
    Payer,
    Request,
    Response,
    UniversalKey,
)
from dtns.sam.protocol.numbers import Number

ALICE, BOB, CAROL = (Number(f"25470000000{place}") for place in (1, 2, 3))


def pair(edition: Edition, seed: int = 1) -> tuple[Payee, Payer]:
    """Return Bob's SIM, who is paid, and Alice's."""
    dice = Random(seed)
    key = UniversalKey(bytes(range(16)), edition)
    return Payee(key, BOB, dice), Payer(key, ALICE, dice)


@pytest.mark.parametrize("edition", Edition)
def test_an_honest_payment(edition: Edition) -> None:
    """The payee gets what the payer spends, once; all fields are three digits, R has four."""
    bob, alice = pair(edition)
    request = bob.charge(ALICE, 450)
    response = alice.pay(BOB, 450, request)
    assert response is not None
    assert request.nonce < NONCES == 1000 == CHECKS > request.check
    assert response.nonce < NONCES
    assert response.proof < PROOFS == 10_000
    assert bob.accept(response)
    assert not bob.accept(response)
    assert bob.balance == alice.spent == 450


@pytest.mark.parametrize("edition", Edition)
def test_what_does_not_fit_is_refused(edition: Edition) -> None:
    """Another amount, payee or C, and another response, move no money."""
    bob, alice = pair(edition)
    request = bob.charge(ALICE, 450)
    assert alice.pay(BOB, 451, request) is None
    assert alice.pay(CAROL, 450, request) is None
    assert alice.pay(BOB, 450, Request(request.nonce, (request.check + 1) % CHECKS)) is None
    assert alice.spent == 0
    response = alice.pay(BOB, 450, request)
    assert response is not None
    assert not bob.accept(Response(response.nonce, (response.proof + 1) % PROOFS))
    bob.charge(CAROL, 450)
    assert not bob.accept(response)
    assert bob.balance == 0


@pytest.mark.parametrize(
    ("edition", "takes"),
    [(Edition.FIRST, True), (Edition.NONCE, False), (Edition.REPAIRED, False)],
)
def test_the_response_covers_the_amount_only_through_c(edition: Edition, takes: bool) -> None:  # noqa: FBT001
    """With equal C a response for 4.50 is good for 995.00, unless R covers nonce or amount."""
    bob, alice = pair(edition)
    cheap = {(request := bob.charge(ALICE, 450)).check: request for _ in range(200)}
    for _ in range(500):
        dear = bob.charge(ALICE, 99_500)
        if dear.check in cheap and dear.nonce != cheap[dear.check].nonce:
            break
    response = alice.pay(BOB, 450, cheap[dear.check])
    assert response is not None
    assert bob.accept(response) is takes
    assert (bob.balance, alice.spent) == (99_500 if takes else 0, 450)


@pytest.mark.parametrize("edition", Edition)
def test_a_nonce_that_recurs_takes_the_old_response(edition: Edition) -> None:
    """Recorded at one payment, a response pays another one of that price, if N_B comes again."""
    bob, alice = pair(edition)
    request = bob.charge(ALICE, 450)
    response = alice.pay(BOB, 450, request)
    assert response is not None
    assert bob.accept(response)
    for _ in range(20_000):
        if bob.charge(ALICE, 450).nonce == request.nonce:
            break
    assert bob.accept(response)
    assert (bob.balance, alice.spent) == (900, 450)

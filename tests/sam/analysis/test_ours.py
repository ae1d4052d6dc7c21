"""Our payments under the attacks: they work honestly, and fall only by guessing the response."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve
from chances import is_due_to

from dtns.sam.analysis.attacks import COLLISION, GUESS, REPLAY, Attack, run
from dtns.sam.analysis.first import Request, Response
from dtns.sam.analysis.ours import CHALLENGE, SMALL, Codes, sims
from dtns.sam.analysis.targets import PAYEE, PAYER, TARGETS
from dtns.sam.handset import guesses
from dtns.sam.protocol import payments, small

MODES = (("ours", SMALL), ("ours-challenge", CHALLENGE))
SHORT_CHECK = 8
SHORT_PROOF = 4


@pytest.mark.parametrize(("name", "codes"), MODES)
def test_an_honest_payment(name: str, codes: Codes) -> None:
    """The charge is paid and credited, once; another amount, C or response is refused."""
    till, wallet = sims(codes, PAYEE, PAYER, Random(1))
    request = till.charge(PAYER, 450)
    assert request is not None
    assert request.check < TARGETS[name].checks
    assert wallet.pay(PAYEE, 451, request) is None
    assert wallet.pay(PAYEE, 450, Request(request.nonce, request.check ^ 1)) is None
    response = wallet.pay(PAYEE, 450, request)
    assert response is not None
    assert response.proof < TARGETS[name].proofs
    assert not till.accept(Response(response.nonce, response.proof ^ 1))
    assert till.accept(response)
    assert not till.accept(response)


@pytest.mark.parametrize(("name", "codes"), MODES)
def test_nonces_are_counted(name: str, codes: Codes) -> None:
    """No two requests have the same nonce, and an end is put to those that nobody pays."""
    till, _ = sims(codes, PAYEE, PAYER, Random(1))
    most = TARGETS[name].most_unpaid
    assert most is not None
    requests = [till.charge(PAYER, 450) for _ in range(most)]
    assert len({request.nonce for request in requests if request}) == most
    assert till.charge(PAYER, 450) is None


@pytest.mark.parametrize(("name", "codes"), MODES)
def test_wrong_charges_end_with_the_tries(name: str, codes: Codes) -> None:
    """The payer's SIM compares ten wrong charges, and then not even the right one is paid."""
    for wrong, pays in ((9, True), (10, False)):
        till, wallet = sims(codes, PAYEE, PAYER, Random(1))
        request = till.charge(PAYER, 450)
        assert request is not None
        for place in range(1, wrong + 1):
            assert wallet.pay(PAYEE, 450, Request(request.nonce, request.check ^ place)) is None
        assert (wallet.pay(PAYEE, 450, request) is not None) is pays


@pytest.mark.parametrize(("name", "codes"), MODES)
def test_wrong_responses_end_with_the_tries(
    name: str, codes: Codes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten of small payments, and as many as the account pays for of those by challenge."""
    monkeypatch.setattr(guesses, "BUDGET", guesses.price(payments.RESPONSE_BITS, 10))
    for wrong, takes in ((9, True), (10, False)):
        till, wallet = sims(codes, PAYEE, PAYER, Random(1))
        request = till.charge(PAYER, 450)
        assert request is not None
        response = wallet.pay(PAYEE, 450, request)
        assert response is not None
        for place in range(1, wrong + 1):
            assert not till.accept(Response(response.nonce, response.proof ^ place))
        assert till.accept(response) is takes


@pytest.mark.parametrize("name", ["ours", "ours-challenge"])
@pytest.mark.parametrize(("attack", "size"), [(COLLISION, 50), (REPLAY, 3), (GUESS, 100)])
def test_the_attacks_fail(attack: Attack, size: int, name: str) -> None:
    """No trial succeeds, and the chance that one would is less than one in four hundred thousand.

    Collisions of C are found as often as in the first protocol; they are worth nothing.
    """
    outcome = run(attack, TARGETS[name], size, 20, random=Random(1))
    assert outcome.succeeded == 0
    assert outcome.theory < 1 / 400_000


@pytest.mark.parametrize(("name", "codes"), MODES)
@pytest.mark.parametrize(("attack", "size"), [(COLLISION, 30), (REPLAY, 2), (GUESS, 8)])
def test_short_codes_fall_as_often_as_theory_says(
    attack: Attack, size: int, name: str, codes: Codes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With C of 8 and R of 4 bits the attacks on these SIMs succeed at the bound's rate."""
    for module in (small, payments):
        monkeypatch.setattr(module, "CHARGE_BITS", SHORT_CHECK)
        monkeypatch.setattr(module, "RESPONSE_BITS", SHORT_PROOF)
    monkeypatch.setattr(guesses, "BUDGET", guesses.price(SHORT_PROOF, 1000))
    short = evolve(codes, check_bits=SHORT_CHECK, proof_bits=SHORT_PROOF)
    target = evolve(
        TARGETS[name],
        sims=lambda random: sims(short, PAYEE, PAYER, random),
        checks=1 << SHORT_CHECK,
        proofs=1 << SHORT_PROOF,
    )
    outcome = run(attack, target, size, 150, random=Random(2))
    assert outcome.succeeded > 0
    assert is_due_to(outcome.theory, outcome.succeeded, outcome.trials)

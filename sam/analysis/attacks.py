"""Three attacks of a cheating payee, run on genuine SIMs, with the rate that theory gives.

Each returns whether the payee got money that nobody paid. The payee can do with its SIM only what
the SIM offers: open payments, and type responses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from attrs import frozen

from dtns.sam.analysis.first import Request, Response
from dtns.sam.analysis.targets import PAYER, PayeeSim, Target
from dtns.sam.analysis.theory import at_least_once, shared_pair, shared_value
from dtns.sam.protocol.numbers import Number

PRICE: Final = 450
HIGH_PRICE: Final = 4_500
STEPS: Final = 100
"""How often in a run its progress is told."""


@frozen
class Attack:
    """One attack: what its size counts, one trial of it, and the rate that theory gives."""

    size: str
    trial: Callable[[Target, int, Random], bool]
    theory: Callable[[Target, int], float]


@frozen
class Outcome:
    """How often an attack succeeded."""

    trials: int
    succeeded: int
    theory: float

    @property
    def rate(self) -> float:
        """The part of the trials that succeeded."""
        return self.succeeded / self.trials


def run(
    attack: Attack,
    target: Target,
    size: int,
    trials: int,
    *,
    random: Random,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Outcome:
    """Run an attack so often, each time on new SIMs; *tell* is called with trials done and all."""
    succeeded = 0
    for done in range(1, trials + 1):
        succeeded += attack.trial(target, size, random)
        if done % -(-trials // STEPS) == 0 or done == trials:
            tell(done, trials)
    return Outcome(trials, succeeded, attack.theory(target, size))


def _requests(payee: PayeeSim, price: int, aborted: int) -> Iterator[Request]:
    """Open payments of the payer until so many with different nonces were seen."""
    seen: set[int] = set()
    while len(seen) < aborted:
        request = payee.charge(PAYER, price)
        if request is None:
            return
        if request.nonce not in seen:
            seen.add(request.nonce)
            yield request


def _collide(target: Target, aborted: int, random: Random) -> bool:
    """Search two prices whose requests look alike; show the low one, keep the high one open."""
    payee, payer = target.sims(random)
    aborted = _bearable(target, aborted)
    low = {_look(target, shown): shown for shown in _requests(payee, PRICE, aborted)}
    for high in _requests(payee, HIGH_PRICE, aborted):
        shown = low.get(_look(target, high))
        if shown is not None:
            response = payer.pay(payee.number, PRICE, shown)
            return response is not None and payee.accept(response)
    return False


def _bearable(target: Target, aborted: int) -> int:
    """Return how many requests at each price the payee's SIM makes, at most those wanted."""
    return aborted if target.most_unpaid is None else min(aborted, target.most_unpaid // 2)


def _look(target: Target, request: Request) -> Request:
    return request if target.same_nonce else Request(0, request.check)


def _collision_theory(target: Target, aborted: int) -> float:
    if target.same_nonce and target.nonces:
        return shared_pair(aborted, target.nonces, target.checks)
    found = shared_value(_bearable(target, aborted), target.checks)
    return found / target.proofs if target.amount_in_proof else found


def _replay(target: Target, recorded: int, random: Random) -> bool:
    """Record honest payments, then open one more of the same price and answer it oneself."""
    payee, payer = target.sims(random)
    responses: dict[int, Response] = {}
    for _ in range(recorded):
        request = payee.charge(PAYER, PRICE)
        response = None if request is None else payer.pay(payee.number, PRICE, request)
        if request is None or response is None or not payee.accept(response):
            break
        responses[request.nonce] = response
    request = payee.charge(PAYER, PRICE)
    if request is None or not responses:
        return False
    return payee.accept(responses.get(request.nonce, responses[max(responses)]))


def _replay_theory(target: Target, recorded: int) -> float:
    recurs = 0.0 if target.nonces is None else at_least_once(1 / target.nonces, recorded)
    return recurs + (1 - recurs) / target.proofs


def _guess(target: Target, guesses: int, random: Random) -> bool:
    """Invent customers and guess what each would answer."""
    payee, _ = target.sims(random)
    for customer in range(guesses):
        name = Number(str(254_710_000_000 + customer)) if target.strangers else PAYER
        request = payee.charge(name, PRICE)
        guess = Response(random.randrange(16), random.randrange(target.proofs))
        if request is None or payee.accept(guess):
            return request is not None
    return False


def _guess_theory(target: Target, guesses: int) -> float:
    most = guesses if target.most_wrong is None else min(guesses, target.most_wrong)
    return at_least_once(1 / target.proofs, most)


COLLISION: Final = Attack("aborted", _collide, _collision_theory)
REPLAY: Final = Attack("recorded", _replay, _replay_theory)
GUESS: Final = Attack("guesses", _guess, _guess_theory)

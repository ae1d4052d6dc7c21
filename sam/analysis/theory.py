"""What the attacks should succeed at."""

from __future__ import annotations

from math import comb, expm1, log1p


def at_least_once(chance: float, tries: float) -> float:
    """Return the probability that one of so many independent tries succeeds, exact near 0."""
    return -expm1(tries * log1p(-chance)) if chance < 1 else float(tries > 0)


def shared_value(draws: int, values: int) -> float:
    """Return the probability that two lists of uniform *draws* have a value in common."""
    different = [1.0]
    for _ in range(draws):
        grown = [0.0] * (len(different) + 1)
        for count, probability in enumerate(different):
            grown[count] += probability * count / values
            if count < values:
                grown[count + 1] += probability * (values - count) / values
        different = grown
    apart = sum(p * max(0, 1 - count / values) ** draws for count, p in enumerate(different))
    return 1 - apart


def shared_pair(draws: int, nonces: int, checks: int) -> float:
    """Return the same for pairs of nonce and check, no nonce twice in one list."""
    apart = sum(
        comb(draws, shared)
        * comb(nonces - draws, draws - shared)
        / comb(nonces, draws)
        * (1 - 1 / checks) ** shared
        for shared in range(max(0, 2 * draws - nonces), draws + 1)
    )
    return 1 - apart

"""Exact binomial bounds: whether a count of successes can be due to a given probability."""

from __future__ import annotations

from math import exp, lgamma, log, log1p

UNLIKELY = 1e-4


def probability(count: int, trials: int, chance: float) -> float:
    """Return the binomial probability of exactly *count* successes; 0 < chance < 1."""
    ways = lgamma(trials + 1) - lgamma(count + 1) - lgamma(trials - count + 1)
    return exp(ways + count * log(chance) + (trials - count) * log1p(-chance))


def is_due_to(chance: float, count: int, trials: int) -> bool:
    """Tell whether neither tail from *count* on is as small as UNLIKELY."""
    below = sum(probability(each, trials, chance) for each in range(count + 1))
    above = 1 - below + probability(count, trials, chance)
    return min(below, above) > UNLIKELY

"""The formulas agree with counting every case, where there are few of them."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from dtns.sam.analysis.theory import at_least_once, shared_pair, shared_value


@pytest.mark.parametrize(("draws", "values"), [(1, 3), (2, 3), (3, 3), (2, 5), (4, 2)])
def test_a_value_in_both_lists(draws: int, values: int) -> None:
    """All pairs of lists are counted."""
    lists = [set(drawn) for drawn in product(range(values), repeat=draws)]
    shared = sum(bool(one & other) for one in lists for other in lists)
    assert shared_value(draws, values) == pytest.approx(shared / len(lists) ** 2)


@pytest.mark.parametrize(("draws", "nonces", "checks"), [(1, 2, 3), (2, 3, 2), (2, 4, 2)])
def test_a_nonce_and_its_check_in_both_lists(draws: int, nonces: int, checks: int) -> None:
    """All lists of different nonces are counted, under all functions from nonce to check."""
    lists = list(permutations(range(nonces), draws))
    tables = list(product(range(checks), repeat=nonces))
    shared = cases = 0
    for low, high in product(lists, lists):
        for one, other in product(tables, tables):
            cases += 1
            shared += bool({(n, one[n]) for n in low} & {(n, other[n]) for n in high})
    assert shared_pair(draws, nonces, checks) == pytest.approx(shared / cases)


def test_published_rates() -> None:
    """27 aborted trials at each price give the payee 52 %, 50 give 92 %."""
    assert round(100 * shared_value(27, 1000)) == 52
    assert round(100 * shared_value(50, 1000)) == 92


def test_small_chances_are_not_lost() -> None:
    """A chance of 2^-128 is not rounded to nought, and certainty is 1."""
    assert at_least_once(2.0**-128, 3) == pytest.approx(3 * 2.0**-128)
    assert at_least_once(0.5, 2) == pytest.approx(0.75)
    assert at_least_once(1.0, 1) == 1

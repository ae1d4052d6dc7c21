"""The code as linear algebra, with galois as the judge."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import galois
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.columns import P
from dtns.codecs.digits import PROFILES, Status, decode, encode, parity_groups, show
from dtns.codecs.equations import equations_of, solutions
from dtns.codecs.parity import constants, generator

if TYPE_CHECKING:
    from dtns.codecs.profiles import Profile

FIELD = galois.GF(P)
REPAIRING = [profile for profile in PROFILES.values() if profile.repairs]


def payloads(profile: Profile) -> st.SearchStrategy[int]:
    """Return payloads of a profile."""
    return st.integers(0, 2**profile.bits - 1)


@pytest.mark.parametrize("profile", REPAIRING, ids=lambda profile: profile.name)
def test_groups_less_their_constants_are_a_codeword(profile: Profile) -> None:
    """The shown groups are an affine copy of the linear code that the generator spans."""
    rows = FIELD(np.array(generator(profile.groups)))
    added = FIELD(np.array(constants(profile.name, profile.groups + 3)))
    for payload in (0, 1, 2**profile.bits - 1, 0x5A5A5A5A % 2**profile.bits):
        word = FIELD(np.array(encode(profile, payload, parity=3))) - added
        assert np.array_equal(rows @ word[: profile.groups], word[profile.groups :])


@pytest.mark.parametrize("profile", REPAIRING, ids=lambda profile: profile.name)
def test_solutions_agree_with_the_inverse_matrix(profile: Profile) -> None:
    """For every pair of groups the corrections are those that galois computes."""
    checks = FIELD(np.array(equations_of(profile, 2).rows))
    for solution in solutions(profile, 2, (), 2):
        columns = checks[:, list(solution.places)]
        inverse = -np.linalg.inv(columns)
        assert np.array_equal(inverse, FIELD(np.array(solution.corrections)))


@pytest.mark.parametrize("parity", [1, 2, 3])
def test_any_missing_groups_can_be_solved(parity: int) -> None:
    """As many groups as there are parity groups, whichever they are, follow from the others."""
    profile = PROFILES["ticket"]
    groups = encode(profile, 0x1234567890ABCDEF0, parity=parity)
    equations = equations_of(profile, parity)
    for places in combinations(range(len(groups)), parity):
        values = [0 if place in places else group for place, group in enumerate(groups)]
        (solution,) = solutions(profile, parity, places, 0)
        assert solution.solve(equations.syndromes(values)) == [groups[place] for place in places]


@given(st.data())
def test_parity_groups_stay_when_more_are_asked_for(data: st.DataObject) -> None:
    """One more group leaves the ones already said as they are."""
    profile = data.draw(st.sampled_from(REPAIRING))
    payload = data.draw(payloads(profile))
    longest = encode(profile, payload, parity=3)
    for parity in range(4):
        assert encode(profile, payload, parity=parity) == longest[: profile.groups + parity]
        assert (
            parity_groups(profile, payload, parity, 3 - parity)
            == longest[profile.groups + parity :]
        )


def test_constants_differ_between_profiles_and_are_never_zero() -> None:
    """A request is not a confirmation with other digits only by luck."""
    all_of_them = [constants(name, 19) for name in PROFILES]
    assert all(0 < constant < P for constants_ in all_of_them for constant in constants_)
    for one, other in combinations(all_of_them, 2):
        assert all(a != b for a, b in zip(one, other, strict=True))


def test_a_code_in_the_wrong_field_is_told_apart_by_parity() -> None:
    """Of 2,000 answers with two parity groups typed as sealed tickets with one, none passes."""
    answer, sealed = PROFILES["answer"], PROFILES["sealed"]
    seen = [
        decode(sealed, show(encode(answer, payload << 180, parity=2)), parity=1).status
        for payload in range(2000)
    ]
    assert Status.ACCEPTED not in seen

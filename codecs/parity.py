"""Parity groups: a systematic generalised Reed-Solomon code whose rows are rate compatible.

Parity group ``j`` depends on the data and on ``j`` alone, so that one more group can be asked
for without changing the ones already said.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from operator import mul
from typing import TYPE_CHECKING

from attrs import frozen

from dtns.codecs.columns import MULTIPLIERS, POINTS, POLES, P

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtns.codecs.profiles import Profile

VERSION = 1


def generator(groups: int) -> tuple[tuple[int, ...], ...]:
    """Return the parity rows over the first ``groups`` data columns.

    Row 0 holds the multipliers ``m``, row ``j`` the Cauchy entries ``m / (x - pole_j)``.
    """
    columns = tuple(zip(MULTIPLIERS[:groups], POINTS[:groups], strict=True))
    cauchy = (tuple(m * pow(x - pole, -1, P) % P for m, x in columns) for pole in POLES)
    return (MULTIPLIERS[:groups], *cauchy)


def constants(name: str, groups: int) -> tuple[int, ...]:
    """Return the non-zero constants that the profile ``name`` adds to its groups, by position."""
    seeds = (f"dtns digits {VERSION} {name} {place}" for place in range(groups))
    digests = (sha256(seed.encode()).digest() for seed in seeds)
    return tuple(int.from_bytes(digest) % (P - 1) + 1 for digest in digests)


@frozen
class Code:
    """The numbers that encoding and decoding one profile need."""

    groups: int
    rows: tuple[tuple[int, ...], ...]
    """Parity rows, one multiplier a data group."""
    constants: tuple[int, ...]
    """What is added to each group, data and parity."""
    offsets: tuple[int, ...]
    """What is added to each row's sum over the *shown* data groups to give its parity group."""

    def parity(self, shown: Sequence[int], first: int, count: int) -> list[int]:
        """Return ``count`` parity groups from number ``first`` (0-based) for shown data groups."""
        rows = zip(self.rows[first : first + count], self.offsets[first:], strict=False)
        return [(sum(map(mul, row, shown)) + offset) % P for row, offset in rows]


@lru_cache(maxsize=64)
def code_of(profile: Profile) -> Code:
    """Return the profile's code."""
    rows = generator(profile.groups)[: profile.max_parity]
    added = constants(profile.name, profile.groups + len(rows))
    offsets = tuple(
        (added[profile.groups + j] - sum(map(mul, row, added))) % P for j, row in enumerate(rows)
    )
    return Code(profile.groups, rows, added, offsets)

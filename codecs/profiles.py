"""The profiles: which payload each kind of code carries and what may be done to repair it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_PARITY = 3
"""Parity groups that can follow the data groups of any profile that repairs."""


@frozen(eq=False)
class Profile:
    """A kind of code, equal to itself alone.

    Its name seeds the constants of every group, so two profiles never share a code.
    """

    name: str
    bits: int
    """Payload length; the payload is an integer in ``0 <= payload < 2**bits``."""
    groups: int
    """Data groups."""
    parity: int
    """Parity groups shown unless more are asked for."""
    repairs: bool = True
    """Whether a slip may be repaired and a group be called doubtful."""
    candidates: int = 16
    """Readings that one entry may test against the MAC."""
    neighbours: bool = False
    """Whether one slip is searched against the MAC without a parity group."""

    @property
    def max_parity(self) -> int:
        """Return the most parity groups this profile can show: none unless it repairs."""
        return MAX_PARITY if self.repairs else 0


def _by_name(*profiles: Profile) -> Mapping[str, Profile]:
    return MappingProxyType({profile.name: profile for profile in profiles})


PROFILES: Mapping[str, Profile] = _by_name(
    Profile("ticket", bits=66, groups=5, parity=0),
    Profile("key", bits=128, groups=10, parity=1),
    Profile("sealed", bits=202, groups=16, parity=1),
    Profile("answer", bits=199, groups=15, parity=1),
    Profile("cheque", bits=53, groups=4, parity=0, candidates=200, neighbours=True),
    Profile("request", bits=26, groups=2, parity=0, repairs=False, candidates=1),
    Profile("confirm", bits=26, groups=2, parity=0, repairs=False, candidates=1),
    Profile("response", bits=39, groups=3, parity=0, repairs=False, candidates=1),
    Profile("ask", bits=39, groups=3, parity=0, repairs=False, candidates=1),
)

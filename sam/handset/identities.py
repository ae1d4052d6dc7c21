"""Who this SIM is: the generation it was made as, and those that Sam has sent since."""

from __future__ import annotations

from attrs import evolve

from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import State
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS


def all_identities(sim: SimFile, state: State) -> list[SimFile]:
    """Return the SIM under every generation it has had, the present one first."""
    renewed = [evolve(sim, generation=new.generation, keys=new.keys) for new in state.renewals]
    return [sim, *renewed][::-1]


def living_identities(sim: SimFile, state: State) -> list[SimFile]:
    """Return those for which a ticket may still be good, the present one first."""
    present, *former = all_identities(sim, state)
    ended = [renewal.week for renewal in reversed(state.renewals)]
    return [present] + [
        identity
        for identity, week in zip(former, ended, strict=True)
        if state.week < week + LONGEST_LIFE_WEEKS
    ]

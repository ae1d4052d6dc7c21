"""The SIM file: who a phone is and the keys it was personalised with. Never changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import field, frozen

from dtns.sam.errors import SimFileError
from dtns.sam.handset.documents import (
    CONVERTER,
    document,
    read_document,
    structure,
    write_document,
    write_documents,
)
from dtns.sam.protocol.keys import PartyKeys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import PurseTerms
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.small import UniversalKey

KIND: Final = "dtns SIM 1"


@frozen
class SimFile:
    """A party's personalisation.

    epoch and week are Sam's at enrolment; service_number is where asks go; network is the
    endpoint that the terminal phone attaches to, such as unix:/srv/dtns/network.sock; universal is
    the key for small payments in the period of enrolment.
    """

    number: Number
    generation: int
    epoch: int
    week: int
    service_number: str
    network: str
    keys: PartyKeys = field(repr=False)
    terms: PurseTerms = field(factory=PurseTerms)
    universal: UniversalKey | None = None

    @property
    def party(self) -> Party:
        """The party that this SIM is."""
        return Party(self.number, self.generation)


def write_sim_file(path: Path, sim: SimFile) -> None:
    """Write a SIM file, mode 0600; SimFileError if one is there already."""
    _insist_absent(path)
    write_document(path, KIND, CONVERTER.unstructure(sim))


def write_sim_files(folder: Path, sims: Mapping[str, SimFile]) -> None:
    """Write SIM files by their names, as `write_sim_file` each; all durable when this returns.

    After a fault or a crash some may be there, each whole.
    """
    for name in sims:
        _insist_absent(folder / name)
    write_documents(folder, {name: sim_document(sim) for name, sim in sims.items()})


def _insist_absent(path: Path) -> None:
    if path.exists():
        raise SimFileError(f"{path} exists: a SIM file is never overwritten")


def sim_document(sim: SimFile) -> bytes:
    """Return a SIM file as it is written."""
    return document(KIND, CONVERTER.unstructure(sim))


def read_sim_file(path: Path) -> SimFile:
    """Read a SIM file; SimFileError if it is missing, damaged or readable by others."""
    content = read_document(path, KIND)
    if content is None:
        raise SimFileError(f"no SIM file at {path}: `dtns enrol` writes them")
    return structure(path, content, SimFile)

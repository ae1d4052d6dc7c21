"""SIM files for the parties that Sam enrols or rekeys: one each, mode 0600, never overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from attrs import frozen

from dtns.sam.cli.show import ask
from dtns.sam.configuration import Config
from dtns.sam.errors import SimFileError
from dtns.sam.handset.simfile import SimFile, write_sim_file, write_sim_files
from dtns.sam.protocol.numbers import Number
from dtns.sam.service.reach import Administrable
from dtns.sam.service.requests import Enrol, Enrolled, Enrolment, Personalisation, Rekey

if TYPE_CHECKING:
    from dtns.sam.handset.simbatch import SimBatch


class Standing(Enum):
    """What became of a number that was to be enrolled."""

    ENROLLED = "enrolled"
    ALREADY = "already"
    """Enrolled before, and its SIM file is here."""
    REFUSED = "refused"


class Result(NamedTuple):
    """What became of one number, its SIM file where it has one, the reason where it was refused."""

    number: Number
    standing: Standing
    sim_file: Path
    reason: str = ""


@frozen
class Personaliser:
    """Enrols and rekeys parties at *sam*, writing their SIM files into *folder*."""

    sam: Administrable
    config: Config
    folder: Path

    def enrol(self, numbers: Sequence[Number]) -> list[Result]:
        """Enrol at most 500 numbers; can be run again after a crash at any point.

        Raises SimFileError if a SIM file cannot be written, StoreError or UnreachableError if Sam
        cannot enrol; what was done until then stays done.
        """
        self.make_folder()
        there = {number: self.sim_path(number).exists() for number in numbers}
        present = tuple(number for number in numbers if there[number])
        absent = tuple(number for number in numbers if not there[number])
        known = ask(self.sam, Enrol(present, create=False)).numbers if present else ()
        fresh = ask(self.sam, Enrol(absent)).numbers if absent else ()
        given = [each.personalisation for each in fresh if each.personalisation is not None]
        sims = {self.sim_path(sim.number).name: sim for sim in _sims_of(self.config, given)}
        write_sim_files(self.folder, sims)
        return [*map(self._of_known, known), *map(self._of_fresh, fresh)]

    def look(self, numbers: Sequence[Number]) -> list[Result]:
        """Tell what `enrol` would make of at most 500 numbers, and change nothing.

        Raises what asking Sam raises.
        """
        known = ask(self.sam, Enrol(tuple(numbers), create=False)).numbers if numbers else ()
        return [self._looked_at(enrolled) for enrolled in known]

    def _looked_at(self, enrolled: Enrolled) -> Result:
        number, path = enrolled.number, self.sim_path(enrolled.number)
        if path.exists():
            return self._of_known(enrolled)
        if enrolled.status is Enrolment.ALREADY:
            return Result(number, Standing.REFUSED, path, already_enrolled(number))
        return Result(number, Standing.ENROLLED, path)

    def rekey(self, number: Number) -> Result:
        """Raise a party's generation and write the new SIM file; an old one is renamed.

        The old SIM's state, with its log, goes by the new name too, so that both stay usable.
        """
        self.make_folder()
        given = ask(self.sam, Rekey(number))
        path = self.sim_path(number)
        retired = f"{number}.generation-{given.generation - 1}.sim"
        for old in sorted(self.folder.glob(f"{path.name}*")):
            _rename(old, old.with_name(retired + old.name.removeprefix(path.name)))
        (sim,) = _sims_of(self.config, [given])
        write_sim_file(path, sim)
        return Result(number, Standing.ENROLLED, path)

    def sim_path(self, number: Number) -> Path:
        """Return where a party's SIM file stands."""
        return self.folder / f"{number}.sim"

    def make_folder(self) -> None:
        """Make the folder, for its owner alone; SimFileError if it cannot be made."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise SimFileError(f"cannot make {self.folder}: {fault.strerror}") from fault

    def _of_known(self, enrolled: Enrolled) -> Result:
        number, path = enrolled.number, self.sim_path(enrolled.number)
        if enrolled.status is not Enrolment.UNKNOWN:
            return Result(number, Standing.ALREADY, path)
        reason = f"{path} is there, of a party that is not enrolled here: move it away first"
        return Result(number, Standing.REFUSED, path, reason)

    def _of_fresh(self, enrolled: Enrolled) -> Result:
        number, path = enrolled.number, self.sim_path(enrolled.number)
        if enrolled.personalisation is None:
            return Result(number, Standing.REFUSED, path, already_enrolled(number))
        return Result(number, Standing.ENROLLED, path)


@frozen
class BatchPersonaliser:
    """Enrols parties at *sam*, adding their SIMs to *batch*, which is to be *path*."""

    sam: Administrable
    config: Config
    batch: SimBatch
    path: Path

    def enrol(self, numbers: Sequence[Number]) -> list[Result]:
        """Enrol at most 500 numbers; those never heard from yet go into the batch once more."""
        enrolled = ask(self.sam, Enrol(tuple(numbers))).numbers if numbers else ()
        given = [each.personalisation for each in enrolled if each.personalisation is not None]
        self.batch.add(_sims_of(self.config, given))
        return [self._result(each) for each in enrolled]

    def _result(self, enrolled: Enrolled) -> Result:
        number = enrolled.number
        if enrolled.personalisation is None:
            return Result(number, Standing.REFUSED, self.path, already_enrolled(number))
        return Result(number, Standing.ENROLLED, self.path)


def _sims_of(config: Config, given: Iterable[Personalisation]) -> Iterator[SimFile]:
    """Yield the SIMs that personalisations make here."""
    service_number, network, terms = (
        config.sam.service_number,
        config.loopback_endpoint,
        config.payments,
    )
    for each in given:
        yield SimFile(
            number=each.number,
            generation=each.generation,
            epoch=each.epoch,
            week=each.week,
            service_number=service_number,
            network=network,
            keys=each.keys,
            terms=terms,
            universal=each.universal,
        )


def already_enrolled(number: Number) -> str:
    """Return why a number is not enrolled again."""
    return f"already enrolled; `dtns party rekey +{number}` gives it a new SIM, a generation higher"


def _rename(old: Path, new: Path) -> None:
    if new.exists():
        raise SimFileError(f"cannot rename {old} to {new.name}: that is there already")
    try:
        old.rename(new)
    except OSError as fault:
        raise SimFileError(f"cannot rename {old}: {fault.strerror}") from fault

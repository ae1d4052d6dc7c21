"""Where a SIM keeps its state: the seam, an in-memory card, and a file beside the SIM file."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from dtns.sam.errors import SimFileError
from dtns.sam.handset.documents import CONVERTER, read_document, structure, write_document
from dtns.sam.handset.purse import Purse
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import State
from dtns.sam.protocol.log import serial_before

KIND: Final = "dtns SIM state 1"
_PATIENCE_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 0.02


class Card(Protocol):
    """Durable memory for one State."""

    @property
    def state(self) -> State:
        """The state that was last kept."""

    def keep(self, state: State) -> None:
        """Make *state* the one to go on from; durable when this returns."""


class MemoryCard:
    """A card that forgets everything with its process: for tests and simulations."""

    def __init__(self, state: State) -> None:
        self.state = state

    def keep(self, state: State) -> None:
        """Make *state* the one to go on from."""
        self.state = state


class FileCard:
    """A card in a file: after a crash it holds the old state or the new one, never a mix.

    A file can be copied back by whoever owns the device, which a SIM's memory cannot: such a
    rollback goes unnoticed here (sam/README.md, section 13).
    """

    def __init__(self, path: Path, state: State) -> None:
        self._path = path
        self.state = state

    def keep(self, state: State) -> None:
        """Write *state* through to the disk; SimFileError if that fails, the old state stands."""
        if state != self.state:
            write_document(self._path, KIND, CONVERTER.unstructure(state))
            self.state = state


def fresh_state(sim: SimFile) -> State:
    """Return the state of a SIM that has never been used."""
    purse = Purse(filed=serial_before(sim.generation))
    return State(party=sim.party, week=sim.week, epoch=sim.epoch, purse=purse)


@contextmanager
def open_card(sim_path: Path, sim: SimFile) -> Iterator[FileCard]:
    """Hold the card of the SIM file at *sim_path* for this process alone.

    Its state lives in the same folder, under the SIM file's name and `.state`. Raises
    SimFileError if another process keeps the card, or if the state is damaged.
    """
    sim_path = sim_path.resolve()
    path = sim_path.with_name(sim_path.name + ".state")
    with _locked(sim_path):
        content = read_document(path, KIND)
        state = fresh_state(sim) if content is None else structure(path, content, State)
        if state.party != sim.party:
            raise SimFileError(f"{path} belongs to another SIM than {sim_path.name}")
        yield FileCard(path, state)


@contextmanager
def _locked(sim_path: Path) -> Iterator[None]:
    """Hold the SIM file's lock; wait a while for another process to let go of it."""
    try:
        descriptor = os.open(sim_path, os.O_RDONLY)
    except OSError as fault:
        raise SimFileError(f"cannot lock {sim_path}: {fault.strerror}") from fault
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise SimFileError(f"{sim_path} is in use by another phone")
            time.sleep(_RETRY_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as fault:
        raise SimFileError(f"this file system has no locks: {fault.strerror}") from fault
    return True

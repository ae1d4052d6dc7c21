"""A file that is only ever appended to: each append durable when it returns, or undone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from dtns.sam.errors import StoreError
from dtns.sam.store.database import sync_folder

_READ_OCTETS: Final = 256 * 1024
"""Read at once: ten entries of a bulk enrolment."""


class Disk:
    """The writing calls to the operating system, in one place."""

    def write(self, descriptor: int, octets: bytes) -> int:
        """Write some of *octets* and return how many."""
        return os.write(descriptor, octets)

    def sync(self, descriptor: int) -> None:
        """Make durable what was written."""
        os.fsync(descriptor)

    def cut(self, descriptor: int, length: int) -> None:
        """Shorten a file."""
        os.ftruncate(descriptor, length)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name, durably."""
        old.rename(new)
        sync_folder(new.parent)


class JournalFile:
    """An open append-only file of *length* good octets; what stands beyond them is cut off."""

    def __init__(self, path: Path, descriptor: int, length: int, disk: Disk) -> None:
        self.path = path
        self.length = length
        self._descriptor = descriptor
        self._disk = disk
        self._cut_needed = False

    @classmethod
    def create(cls, path: Path, octets: bytes, disk: Disk | None = None) -> None:
        """Make the file, mode 0600, with its first octets; StoreError if it cannot be or exists."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise StoreError(
                f"there is a journal at {path} already: it is never overwritten; move it away if "
                "its deployment is gone"
            ) from None
        except OSError as fault:
            raise StoreError(
                f"cannot make the journal {path}: {fault.strerror}; `dtns init --journal` and "
                "`journal` in [sam] give it another place"
            ) from fault
        file = cls(path, descriptor, 0, disk or Disk())
        try:
            file.append(octets)
            sync_folder(path.parent)
        except BaseException as fault:
            with suppress(OSError):
                path.unlink()
            if isinstance(fault, OSError):
                raise StoreError(f"cannot make the journal {path}: {fault.strerror}") from fault
            raise
        finally:
            file.close()

    @classmethod
    def open(cls, path: Path, disk: Disk | None = None) -> Self:
        """Open the file with all that it holds; StoreError if it cannot be opened."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            raise StoreError(
                f"the journal {path} is missing: put it back; if it is lost, `dtns restore "
                "--in-place --new-journal` goes on without what it knew"
            ) from None
        except OSError as fault:
            raise StoreError(f"cannot open the journal {path}: {fault.strerror}") from fault
        return cls(path, descriptor, os.fstat(descriptor).st_size, disk or Disk())

    def lines(self) -> Iterator[bytes]:
        """Yield the lines up to the length, the last perhaps without an end of line."""
        try:
            with self.path.open("rb", buffering=_READ_OCTETS) as file:
                left = self.length
                while line := file.readline(left):
                    left -= len(line)
                    yield line
        except OSError as fault:
            raise StoreError(f"cannot read the journal {self.path}: {fault.strerror}") from fault

    def append(self, octets: bytes) -> None:
        """Add *octets*, durable when this returns; StoreError if they cannot be, and then are not.

        Only a crash, or a disk that does not let them be taken back, can leave them there.
        """
        self._insist_untouched()
        try:
            if self._cut_needed:
                self._cut()
            self._write(octets)
            self._disk.sync(self._descriptor)
        except OSError as fault:
            self._cut_needed = True
            with suppress(OSError):
                self._cut()
            raise StoreError(
                f"the journal {self.path} cannot be written: {fault.strerror}; nothing was changed"
            ) from fault
        self.length += len(octets)

    def cut_to(self, length: int) -> None:
        """Drop what stands beyond *length*; StoreError if that cannot be."""
        self.length = length
        try:
            self._cut()
        except OSError as fault:
            raise StoreError(
                f"the journal {self.path} cannot be mended: {fault.strerror}"
            ) from fault

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _write(self, octets: bytes) -> None:
        rest = memoryview(octets)
        while rest:
            rest = rest[self._disk.write(self._descriptor, bytes(rest)) :]

    def _cut(self) -> None:
        self._disk.cut(self._descriptor, self.length)
        self._disk.sync(self._descriptor)
        self._cut_needed = False

    def _insist_untouched(self) -> None:
        """Raise StoreError if the file was moved, replaced or written to by somebody else."""
        here = os.fstat(self._descriptor)
        try:
            there = os.stat(self.path)  # noqa: PTH116 (beside fstat)
        except OSError:
            there = None
        same = there is not None and (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
        if not same or (here.st_size != self.length and not self._cut_needed):
            raise StoreError(
                f"the journal {self.path} was moved, replaced or changed while in use: nothing can "
                "be changed until it is back and Sam starts anew"
            )

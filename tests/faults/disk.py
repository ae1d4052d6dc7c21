"""A disk whose power goes, or which fails, at a step of one's choice; for a process of its own.

A `Disk` counts each step that changes something durable in one folder: create, write, fsync,
truncate, rename, unlink. What was not synchronised is remembered, so that a power cut can take it
away. `osdisk.install` and `sqlitedisk.install` tell it what this process does.
"""

# pathlib goes through the functions of os that osdisk replaces:
# ruff: noqa: PTH100, PTH116

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any

PAGE = 4096


class Kind(Enum):
    """What happens at the step."""

    KEPT = "kept"
    """The process dies; all that it wrote is there afterwards, as after SIGKILL."""
    LOST = "lost"
    """The power goes; all that was not synchronised is gone."""
    TORN = "torn"
    """The power goes; of what was not synchronised any page may be there or not."""
    EIO = "eio"
    """For a while every fsync and write fails with EIO."""
    ENOSPC = "enospc"
    """For a while nothing can be written for want of space."""
    EROFS = "erofs"
    """For a while the file system is read-only, as after errors of its own."""

    @property
    def number(self) -> int:
        """The errno of an error."""
        return int(getattr(errno, self.name))


_FAIL = {
    Kind.EIO: {"write", "fsync"},
    Kind.ENOSPC: {"create", "write"},
    Kind.EROFS: {"create", "write", "truncate", "rename", "unlink"},
}
CUTS = (Kind.KEPT, Kind.LOST, Kind.TORN)


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the step *at*, from 1; an error lasts for *seconds*."""

    at: int
    kind: Kind
    seed: int = 0
    seconds: float = 0.0


@dataclass
class Shadow:
    """What of a file is durable: its size, and the pages changed since it was synchronised."""

    descriptor: int
    size: int
    pages: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, path: str) -> Shadow:
        """Begin with a file as it is; its descriptor stays open, for SQLite's locks hang on it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        return cls(descriptor, os.fstat(descriptor).st_size)

    def before_write(self, offset: int, length: int) -> None:
        """Remember what a write is about to change."""
        for page in range(offset // PAGE, -(-(offset + length) // PAGE)):
            if page not in self.pages:
                self.pages[page] = os.pread(self.descriptor, PAGE, page * PAGE)

    def synchronised(self) -> None:
        """Forget all this: the file is durable as it is."""
        self.size = os.fstat(self.descriptor).st_size
        self.pages.clear()

    def cut(self, dice: Random | None) -> None:
        """Take away what was not synchronised; with *dice*, any part of it."""
        now = os.fstat(self.descriptor).st_size
        dirty = self.pages | dict.fromkeys(range(-(-self.size // PAGE), -(-now // PAGE)), b"")
        gone = [page for page in sorted(dirty) if dice is None or dice.random() < 0.5]
        for page in gone:
            os.pwrite(self.descriptor, dirty[page].ljust(PAGE, b"\0"), page * PAGE)
        os.ftruncate(self.descriptor, self.size if len(gone) == len(dirty) else max(now, self.size))


class Disk:
    """The disk under one folder, as this process sees it. Counts steps; *fault* is what fails."""

    def __init__(self, folder: Path, fault: Fault | None = None) -> None:
        self.steps = 0
        self._folder = f"{folder.resolve()}{os.sep}"
        self._fault = fault
        self._fails_until: float | None = None
        self._shadows: dict[str, Shadow] = {}
        self._names: list[tuple[str, Callable[[], None]]] = []

    def covers(self, path: Any) -> bool:
        """Tell whether a path is of this disk."""
        if isinstance(path, int):
            return False
        return f"{os.path.abspath(path)}{os.sep}".startswith(self._folder)

    def step(self, what: str) -> int:
        """Count a step that is about to happen; return the errno with which it is to fail, or 0."""
        self.steps += 1
        fault = self._fault
        if fault is None or self.steps < fault.at:
            return 0
        if fault.kind in CUTS:
            self._cut(fault)
        if self._fails_until is None:
            self._fails_until = time.monotonic() + fault.seconds
        if time.monotonic() > self._fails_until and self.steps > fault.at:
            return 0
        return fault.kind.number if what in _FAIL[fault.kind] else 0

    @property
    def read_only(self) -> bool:
        """Whether files can be opened for reading alone."""
        fault = self._fault
        if fault is None or fault.kind is not Kind.EROFS or self.steps + 1 < fault.at:
            return False
        return self._fails_until is None or time.monotonic() < self._fails_until

    def opened(self, path: str) -> None:
        """Watch a file from now on, which may be another one than was there before."""
        known = self._shadows.get(path)
        if known is None or not os.path.samestat(os.stat(path), os.fstat(known.descriptor)):
            self._shadows[path] = Shadow.of(path)

    def before_write(self, path: str, offset: int, length: int) -> None:
        """Remember what a write is about to change."""
        if path in self._shadows:
            self._shadows[path].before_write(offset, length)

    def before_truncation(self, path: str, size: int) -> None:
        """Remember what cutting a file off is about to take away."""
        if path in self._shadows:
            shadow = self._shadows[path]
            now = os.fstat(shadow.descriptor).st_size
            shadow.before_write(size, max(0, now - size))

    def synchronised(self, path: str) -> None:
        """Take a file, or the names in a folder, as durable."""
        if path in self._shadows:
            self._shadows[path].synchronised()
        self._names = [(folder, undo) for folder, undo in self._names if folder != path]

    def all_synchronised(self) -> None:
        """Take all files and names as durable."""
        for shadow in self._shadows.values():
            shadow.synchronised()
        self._names.clear()

    def named(self, folder: str, undo: Callable[[], None]) -> None:
        """Remember how to take back a change of names in *folder* that is not synchronised yet."""
        self._names.append((folder, undo))

    def moved(self, source: str, target: str) -> None:
        """Go on watching a file under its new name."""
        if source in self._shadows:
            self._shadows[target] = self._shadows.pop(source)

    def removed(self, path: str) -> None:
        """Watch a file no more."""
        self._shadows.pop(path, None)

    def before_any_write(self, path: str) -> None:
        """Remember all of a file before a write of which it is not known where it goes."""
        if path not in self._shadows:
            self.opened(path)
        self.before_write(path, 0, self._shadows[path].size)

    def _cut(self, fault: Fault) -> None:
        if fault.kind is not Kind.KEPT:
            dice = Random(fault.seed) if fault.kind is Kind.TORN else None
            for shadow in self._shadows.values():
                shadow.cut(dice)
            survive = dice.randrange(len(self._names) + 1) if dice else 0
            for _, undo in reversed(self._names[survive:]):
                undo()
        os.kill(os.getpid(), signal.SIGKILL)

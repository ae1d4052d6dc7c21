"""A disk whose power goes, or which fails, at a step of one's choice; for a process of its own.

`Disk.install` takes over what this process does to the files of one folder, through `os`, `open`
and SQLite, and counts each step that changes something durable: create, write, fsync, truncate,
rename, unlink. What was not synchronised is remembered, so that a power cut can take it away.
"""

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
from typing import Any, Self

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
        dirty = self.pages | {page: b"" for page in range(-(-self.size // PAGE), -(-now // PAGE))}
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
        self._real: dict[str, Callable[..., Any]] = {
            name: getattr(os, name)
            for name in ("open", "write", "fsync", "fdatasync", "replace", "rename", "unlink")
        } | {"fdopen": os.fdopen, "pathopen": open}

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
        """Take a file as durable."""
        if path in self._shadows:
            self._shadows[path].synchronised()

    def install(self, *, sqlite: bool = True) -> None:
        """Take over this process's files, for ever; with *sqlite*, SQLite's too."""
        import builtins  # noqa: PLC0415 (only where files are taken over)
        import io  # noqa: PLC0415 (the same)

        for name in ("open", "write", "fsync", "replace", "rename", "unlink", "fdopen"):
            setattr(os, name, getattr(self, f"_{name}"))
        os.fdatasync, os.remove = self._fsync, self._unlink
        io.open = builtins.open = self._pathopen  # type: ignore[assignment]
        if sqlite:
            import sqlitedisk  # noqa: PLC0415 (the same)

            sqlitedisk.install(self)

    def _cut(self, fault: Fault) -> None:
        if fault.kind is not Kind.KEPT:
            dice = Random(fault.seed) if fault.kind is Kind.TORN else None
            for shadow in self._shadows.values():
                shadow.cut(dice)
            survive = dice.randrange(len(self._names) + 1) if dice else 0
            for _, undo in reversed(self._names[survive:]):
                undo()
        os.kill(os.getpid(), signal.SIGKILL)

    def _do(self, what: str, path: Any) -> None:
        if failure := self.step(what):
            raise OSError(failure, os.strerror(failure), os.fspath(path))

    def _open(self, path: Any, flags: int, *args: Any, **options: Any) -> int:
        new = flags & os.O_CREAT and self.covers(path) and not os.path.lexists(path)
        if not new:
            return int(self._real["open"](path, flags, *args, **options))
        self._do("create", path)
        descriptor = int(self._real["open"](path, flags, *args, **options))
        self._created(os.path.abspath(path))
        return descriptor

    def _created(self, path: str) -> None:
        self._names.append((os.path.dirname(path), lambda: self._really_unlink(path)))
        self.opened(path)

    def _path_of(self, descriptor: int) -> str | None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        return path if path.startswith(self._folder) else None

    def _write(self, descriptor: int, octets: Any) -> int:
        path = self._path_of(descriptor)
        if path is not None:
            self._do("write", path)
            self._watch(path)
        return int(self._real["write"](descriptor, octets))

    def _watch(self, path: str) -> None:
        """Remember all of a file that is about to be written to by other ways than SQLite's."""
        if path not in self._shadows:
            self.opened(path)
        self.before_write(path, 0, self._shadows[path].size)

    def _fsync(self, descriptor: int) -> None:
        path = self._path_of(descriptor) or os.readlink(f"/proc/self/fd/{descriptor}")
        inside = self.covers(path)
        if inside:
            self._do("fsync", path)
        self._real["fsync"](descriptor)
        if inside:
            self.synchronised(path)
            self._names = [(folder, undo) for folder, undo in self._names if folder != path]

    def _replace(self, source: Any, target: Any, **options: Any) -> None:
        if not self.covers(target):
            self._real["replace"](source, target, **options)
            return
        self._do("rename", target)
        source, target = os.path.abspath(source), os.path.abspath(target)
        before = Path(target).read_bytes() if os.path.lexists(target) else None
        self._real["replace"](source, target, **options)
        if source in self._shadows:
            self._shadows[target] = self._shadows.pop(source)

        def undo() -> None:
            self._real["replace"](target, source)
            if before is not None:
                _restore(self._real["open"], target, before)

        self._names.append((os.path.dirname(target), undo))

    _rename = _replace

    def _unlink(self, path: Any, **options: Any) -> None:
        path_text = os.fspath(path)
        if not self.covers(path) or not os.path.lexists(path):
            self._real["unlink"](path, **options)
            return
        self._do("unlink", path)
        path_text = os.path.abspath(path)
        before = None if Path(path).is_socket() else Path(path).read_bytes()
        self._real["unlink"](path, **options)
        self._shadows.pop(path_text, None)
        if before is not None:
            undo = lambda: _restore(self._real["open"], path_text, before)  # noqa: E731 (short)
            self._names.append((os.path.dirname(path_text), undo))

    def _really_unlink(self, path: str) -> None:
        if os.path.lexists(path):
            self._real["unlink"](path)

    def _fdopen(self, descriptor: int, mode: str = "r", *args: Any, **options: Any) -> Any:
        stream = self._real["fdopen"](descriptor, mode, *args, **options)
        path = self._path_of(descriptor)
        return stream if path is None or mode.startswith("r") else Writer(self, stream, path)

    def _pathopen(self, file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        writes = set(mode) & set("wax+") and self.covers(file)
        if not writes:
            return self._real["pathopen"](file, mode, *args, **options)
        path = os.path.abspath(file)
        new = not os.path.lexists(path)
        self._do("create" if new else "write", path)
        if not new:
            self._watch(path)
        stream = self._real["pathopen"](file, mode, *args, **options)
        if new:
            self._created(path)
        return Writer(self, stream, path)


class Writer:
    """A file object whose flushes are steps of the disk."""

    def __init__(self, disk: Disk, stream: Any, path: str) -> None:
        self._disk, self._stream, self._path = disk, stream, path
        self._dirty = False

    def write(self, content: Any) -> Any:
        """Write into the buffer."""
        self._dirty = True
        return self._stream.write(content)

    def flush(self) -> None:
        """Write the buffer out: one step."""
        if self._dirty:
            self._dirty = False
            self._disk._do("write", self._path)
            self._disk._watch(self._path)
        self._stream.flush()

    def close(self) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _restore(real_open: Callable[..., int], path: str, content: bytes) -> None:
    descriptor = real_open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    while content:
        content = content[os.pwrite(descriptor, content, os.fstat(descriptor).st_size) :]
    os.close(descriptor)

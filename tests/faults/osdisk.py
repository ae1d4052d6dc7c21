"""A process's own files on a `disk.Disk`: `os` and `open`, with all that is durable watched."""

# pathlib goes through the functions that are replaced here:
# ruff: noqa: PTH100, PTH115, PTH120

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dtns.sam.handset import documents

if TYPE_CHECKING:
    from disk import Disk

_NAMES = ("open", "write", "fsync", "replace", "unlink", "fdopen")


def install(disk: Disk) -> None:
    """Have this process's files go through *disk*, for ever."""
    files = _Files(disk)
    for name in _NAMES:
        setattr(os, name, getattr(files, name))
    documents.sync_all = files.sync_all
    os.fdatasync, os.rename, os.remove = files.fsync, files.replace, files.unlink
    io.open = builtins.open = files.open_path  # type: ignore[assignment]


class _Files:
    """What takes the place of the functions of the same names."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._real: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in _NAMES}
        self._open_path = open
        self._sync_all = documents.sync_all

    def open(self, path: Any, flags: int, *args: Any, **options: Any) -> int:
        new = flags & os.O_CREAT and self._disk.covers(path) and not os.path.lexists(path)
        if not new:
            return int(self._real["open"](path, flags, *args, **options))
        _do(self._disk, "create", path)
        descriptor = int(self._real["open"](path, flags, *args, **options))
        self._created(os.path.abspath(path))
        return descriptor

    def _created(self, path: str) -> None:
        self._disk.named(os.path.dirname(path), lambda: self._really_unlink(path))
        self._disk.opened(path)

    def _path_of(self, descriptor: int) -> str | None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        return path if self._disk.covers(path) else None

    def write(self, descriptor: int, octets: Any) -> int:
        path = self._path_of(descriptor)
        if path is not None:
            _do(self._disk, "write", path)
            self._disk.before_any_write(path)
        return int(self._real["write"](descriptor, octets))

    def fsync(self, descriptor: int) -> None:
        path = self._path_of(descriptor)
        if path is not None:
            _do(self._disk, "fsync", path)
        self._real["fsync"](descriptor)
        if path is not None:
            self._disk.synchronised(path)

    def sync_all(self, descriptor: int) -> None:
        _do(self._disk, "fsync", self._path_of(descriptor) or "")
        self._sync_all(descriptor)
        self._disk.all_synchronised()

    def replace(self, source: Any, target: Any, **options: Any) -> None:
        if not self._disk.covers(target):
            self._real["replace"](source, target, **options)
            return
        _do(self._disk, "rename", target)
        source, target = os.path.abspath(source), os.path.abspath(target)
        before = Path(target).read_bytes() if os.path.lexists(target) else None
        self._real["replace"](source, target, **options)
        self._disk.moved(source, target)

        def undo() -> None:
            self._real["replace"](target, source)
            if before is not None:
                _restore(self._real["open"], target, before)

        self._disk.named(os.path.dirname(target), undo)

    def unlink(self, path: Any, **options: Any) -> None:
        if not self._disk.covers(path) or not os.path.lexists(path):
            self._real["unlink"](path, **options)
            return
        _do(self._disk, "unlink", path)
        name = os.path.abspath(path)
        before = Path(path).read_bytes() if Path(path).is_file() else None
        self._real["unlink"](path, **options)
        self._disk.removed(name)
        if before is not None:
            self._disk.named(
                os.path.dirname(name), lambda: _restore(self._real["open"], name, before)
            )

    def _really_unlink(self, path: str) -> None:
        if os.path.lexists(path):
            self._real["unlink"](path)

    def fdopen(self, descriptor: int, mode: str = "r", *args: Any, **options: Any) -> Any:
        stream = self._real["fdopen"](descriptor, mode, *args, **options)
        path = self._path_of(descriptor)
        return stream if path is None or mode.startswith("r") else Writer(self._disk, stream, path)

    def open_path(self, file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        writes = set(mode) & set("wax+") and self._disk.covers(file)
        if not writes:
            return self._open_path(file, mode, *args, **options)
        path = os.path.abspath(file)
        new = not os.path.lexists(path)
        _do(self._disk, "create" if new else "write", path)
        if not new:
            self._disk.before_any_write(path)
        stream = self._open_path(file, mode, *args, **options)
        if new:
            self._created(path)
        return Writer(self._disk, stream, path)


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
            _do(self._disk, "write", self._path)
            self._disk.before_any_write(self._path)
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


def _do(disk: Disk, what: str, path: Any) -> None:
    if failure := disk.step(what):
        raise OSError(failure, os.strerror(failure), os.fspath(path))

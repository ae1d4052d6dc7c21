"""SQLite's files on a `disk.Disk`: its default VFS, with open, write, sync and delete watched.

Works where `_sqlite3` is linked to a shared libsqlite3; `available` tells. Only the pointers that
SQLite itself calls through are replaced, so locks, shared memory and recovery are the real ones.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import errno
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disk import Disk

_IOERR_WRITE, _IOERR_FSYNC, _IOERR_TRUNCATE, _IOERR_DELETE, _FULL = 778, 1034, 1546, 2570, 13
_READ_ONLY, _READ_WRITE_CREATE = 1, 6
_SLOTS = 19
_WRITE, _TRUNCATE, _SYNC = 3, 4, 5

_pointer, _int, _int64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_XOpen = ctypes.CFUNCTYPE(_int, _pointer, _pointer, _pointer, _int, _pointer)
_XDelete = ctypes.CFUNCTYPE(_int, _pointer, ctypes.c_char_p, _int)
_XWrite = ctypes.CFUNCTYPE(_int, _pointer, _pointer, _int, _int64)
_XTruncate = ctypes.CFUNCTYPE(_int, _pointer, _int64)
_XSync = ctypes.CFUNCTYPE(_int, _pointer, _int)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", _int),
        ("file_octets", _int),
        ("longest_path", _int),
        ("next", _pointer),
        ("name", ctypes.c_char_p),
        ("data", _pointer),
        ("open", _pointer),
        ("delete", _pointer),
    )


@functools.cache
def available() -> bool:
    """Tell whether SQLite can be watched here."""
    return hasattr(ctypes.CDLL(_sqlite3.__file__), "sqlite3_vfs_find")


def install(disk: Disk) -> None:
    """Have all of SQLite's files in this process go through *disk*, for ever."""
    assert available(), "this Python's SQLite is built in, and cannot be watched"
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    _Watched(disk, library.sqlite3_vfs_find(None).contents).install()


class _Watched:
    """The VFS and the methods of its open files, by the address of each."""

    def __init__(self, disk: Disk, vfs: _Vfs) -> None:
        self._disk, self._vfs = disk, vfs
        self._paths: dict[int, str] = {}
        self._tables: dict[int, Any] = {}
        self._kept: list[Any] = []

    def install(self) -> None:
        """Take the VFS over."""
        self._open, self._delete = _XOpen(self._vfs.open), _XDelete(self._vfs.delete)
        self._vfs.open = self._pointer_to(_XOpen(self._opening))
        self._vfs.delete = self._pointer_to(_XDelete(self._deleting))
        self._kept.append(self)
        _ALIVE.append(self)

    def _pointer_to(self, function: Any) -> int:
        self._kept.append(function)
        return ctypes.cast(function, _pointer).value or 0

    def _opening(self, vfs: int, name: int, file: int, flags: int, out_flags: int) -> int:
        path = ctypes.string_at(name).decode() if name else ""
        if path and self._disk.covers(path) and self._disk.read_only:
            flags = flags & ~_READ_WRITE_CREATE | _READ_ONLY
        code = int(self._open(vfs, name, file, flags, out_flags))
        if code == 0 and path and self._disk.covers(path):
            self._disk.opened(path)
            self._paths[file] = path
            methods = ctypes.cast(file, ctypes.POINTER(_pointer))
            methods[0] = self._table_for(methods[0])
        return code

    def _table_for(self, original: int) -> int:
        """Return the address of a copy of a table of methods, with the watched ones in it."""
        if original in {ctypes.addressof(table) for table in self._tables.values()}:
            return original
        if original not in self._tables:
            table = (_pointer * _SLOTS).from_buffer_copy(
                ctypes.string_at(original, _SLOTS * ctypes.sizeof(_pointer))
            )
            write, truncate = _XWrite(table[_WRITE]), _XTruncate(table[_TRUNCATE])
            sync = _XSync(table[_SYNC])
            table[_WRITE] = self._pointer_to(_XWrite(functools.partial(self._writing, write)))
            table[_TRUNCATE] = self._pointer_to(
                _XTruncate(functools.partial(self._truncating, truncate))
            )
            table[_SYNC] = self._pointer_to(_XSync(functools.partial(self._syncing, sync)))
            self._tables[original] = table
        return ctypes.addressof(self._tables[original])

    def _writing(self, real: Any, file: int, octets: int, length: int, offset: int) -> int:
        if failure := self._disk.step("write"):
            return _FULL if failure == errno.ENOSPC else _IOERR_WRITE
        self._disk.before_write(self._paths[file], offset, length)
        return int(real(file, octets, length, offset))

    def _truncating(self, real: Any, file: int, size: int) -> int:
        if self._disk.step("truncate"):
            return _IOERR_TRUNCATE
        self._disk.before_truncation(self._paths[file], size)
        return int(real(file, size))

    def _syncing(self, real: Any, file: int, flags: int) -> int:
        if self._disk.step("fsync"):
            return _IOERR_FSYNC
        code = int(real(file, flags))
        if code == 0:
            self._disk.synchronised(self._paths[file])
        return code

    def _deleting(self, vfs: int, name: bytes, sync_folder: int) -> int:
        if self._disk.covers(name.decode()) and self._disk.step("unlink"):
            return _IOERR_DELETE
        return int(self._delete(vfs, name, sync_folder))


_ALIVE: list[_Watched] = []

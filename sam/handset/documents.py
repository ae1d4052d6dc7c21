"""Private JSON documents on disk: old or new after a crash, never a mix; damage is noticed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import cattrs
from cattrs.cols import (
    is_namedtuple,
    namedtuple_dict_structure_factory,
    namedtuple_dict_unstructure_factory,
)

from dtns.sam.errors import SimFileError
from dtns.sam.protocol.octets import Key

_T = TypeVar("_T")
_MAX_OCTETS: Final = 16_000_000
_CHECK_DIGITS: Final = 16

CONVERTER: Final = cattrs.Converter(forbid_extra_keys=True)
"""Turns this room's values into JSON values and back; octets are written in hexadecimal."""
CONVERTER.register_unstructure_hook(bytes, bytes.hex)
CONVERTER.register_unstructure_hook(Key, bytes.hex)
CONVERTER.register_structure_hook(bytes, lambda text, _: bytes.fromhex(text))
CONVERTER.register_structure_hook(Key, lambda text, _: Key.parse(text))
CONVERTER.register_unstructure_hook_factory(
    is_namedtuple, lambda kind: namedtuple_dict_unstructure_factory(kind, CONVERTER)
)
CONVERTER.register_structure_hook_factory(
    is_namedtuple,
    lambda kind: namedtuple_dict_structure_factory(
        kind,
        CONVERTER,
        "from_converter",
        True,
    ),
)


def read_document(path: Path, kind: str) -> dict[str, Any] | None:
    """Return the document of this *kind* at *path*, or None if there is no file.

    Raises SimFileError where the file is readable by others, damaged or of another kind.
    """
    try:
        with path.open("rb") as file:
            _insist_private(path, os.fstat(file.fileno()))
            text = file.read(_MAX_OCTETS)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise SimFileError(f"cannot read {path}: {fault.strerror}") from fault
    return _checked(path, kind, text)


def document(kind: str, content: dict[str, Any]) -> bytes:
    """Return the document as it stands in a file."""
    body = json.dumps(content, separators=(",", ":"), sort_keys=True)
    check, quoted = _check(kind, body), json.dumps(kind)
    return f'{{"check":"{check}",\n"content":{body},\n"kind":{quoted}}}\n'.encode()


def write_document(path: Path, kind: str, content: dict[str, Any]) -> None:
    """Replace the document at *path* (mode 0600); durable when this returns.

    Raises SimFileError where it cannot be written, and then the old one stands.
    """
    text = document(kind, content)
    scratch = path.with_name(path.name + ".new")
    try:
        _write_through(scratch, text)
        scratch.replace(path)
        sync_folder(path.parent)
    except OSError as fault:
        raise SimFileError(f"cannot write {path}: {fault.strerror}") from fault


def write_documents(folder: Path, texts: Mapping[str, bytes]) -> None:
    """Replace documents in *folder* by their names (mode 0600); all durable when this returns.

    Raises SimFileError where they cannot be written; then each is the old one or the new one.
    """
    try:
        with durable(folder):
            for name, text in texts.items():
                scratch = folder / f"{name}.new"
                scratch.unlink(missing_ok=True)
                write_new_file(os.fspath(scratch), text)
        for name in texts:
            (folder / f"{name}.new").replace(folder / name)
        sync_folder(folder)
    except OSError as fault:
        raise SimFileError(f"cannot write {fault.filename or folder}: {fault.strerror}") from fault


@contextmanager
def durable(folder: Path) -> Iterator[int]:
    """Yield an open folder; all that is written below it inside is durable when this is left.

    One call, whatever the number of files. OSError if the disk failed on any of them.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
        sync_all(descriptor)
    finally:
        os.close(descriptor)


def sync_all(descriptor: int) -> None:
    """Make durable what was written on an open file's disk; OSError if it failed since opened.

    Where there is no syncfs, as there is in Linux, failures are not told.
    """
    import ctypes  # noqa: PLC0415 (slow to import, and wanted for many files alone)

    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        os.sync()
    elif library.syncfs(descriptor):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def write_new_file(path: str, octets: bytes, folder: int | None = None) -> None:
    """Write a file that is not there, mode 0600, below an open folder if one is given."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(path, flags, 0o600, dir_fd=folder)
    try:
        while octets:
            octets = octets[os.write(descriptor, octets) :]
    finally:
        os.close(descriptor)


def structure(path: Path, content: dict[str, Any], shape: type[_T]) -> _T:
    """Return *content* as a value of *shape*; SimFileError if it does not have that shape."""
    try:
        return CONVERTER.structure(content, shape)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError, AttributeError):
        raise SimFileError(f"{path} is whole but not of a form this version knows") from None


def _insist_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SimFileError(f"{path} is no file")
    if status.st_mode & 0o077:
        raise SimFileError(
            f"{path} holds keys and others may read it: `chmod 600 {path}`, and rekey the "
            "party if someone may have"
        )


def _checked(path: Path, kind: str, text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
        content: dict[str, Any] = document["content"]
        body = json.dumps(content, separators=(",", ":"), sort_keys=True)
        whole = document["kind"] == kind and document["check"] == _check(kind, body)
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise SimFileError(f"{path} is damaged, or no {kind}")
    return content


def _check(kind: str, body: str) -> str:
    return hashlib.sha256(f"{kind}\n{body}".encode()).hexdigest()[:_CHECK_DIGITS]


def _write_through(path: Path, text: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable; OSError if the disk does not let it be done."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

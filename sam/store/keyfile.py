"""The master key file: `id key check` on each line, readable by its owner alone."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from dtns.sam.errors import KeyFileError
from dtns.sam.protocol.keys import MASTER_OCTETS, MAX_MASTER_ID, MasterKey
from dtns.sam.protocol.octets import Key
from dtns.sam.store.database import sync_folder

_CHECK_DIGITS: Final = 8
_FOREIGN_TO_CREDENTIALS: Final = 0o037
_MAX_OCTETS: Final = 100_000
_LAYOUT: Final = (
    f"`id key check`: an id from 1 to {MAX_MASTER_ID}, {MASTER_OCTETS * 2} hexadecimal digits, "
    f"and {_CHECK_DIGITS} more that guard them"
)
_HEADER: Final = "# Sam's master keys: whoever reads this file can read every key Sam issues.\n"


@frozen
class MasterKeys:
    """The keys of a key file by their ids, and the check by which each is recognised."""

    keys: dict[int, MasterKey]
    checks: dict[int, str]

    @property
    def current(self) -> MasterKey:
        """The key for new enrolments: the one with the highest id."""
        return self.keys[max(self.keys)]

    def insist_on(self, checks: Mapping[int, str], path: Path) -> None:
        """Raise KeyFileError unless every key that *checks* tells of is here, and is the same."""
        for master_id, check in checks.items():
            if master_id not in self.checks:
                raise KeyFileError(
                    f"{path} lacks master key {master_id}, under which parties are enrolled"
                )
            if self.checks[master_id] != check:
                raise KeyFileError(
                    f"master key {master_id} in {path} is not the one under which this store's "
                    "parties are enrolled: put the right key file back"
                )


def create_key_file(path: Path, octets: bytes) -> None:
    """Write a key file, mode 0600, with the 32 random *octets* as master key 1.

    Raises KeyFileError if there is a file already or none can be made.
    """
    text = f"{_HEADER}1 {octets.hex()} {_check(1, octets)}\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise KeyFileError(f"{path} exists: a key file is never overwritten") from None
    except OSError as fault:
        raise KeyFileError(f"cannot write the key file {path}: {fault.strerror}") from fault


def add_key(path: Path, known: MasterKeys, octets: bytes) -> None:
    """Add the 32 random *octets* as the next master key, to the file and then to *known*.

    The file is replaced whole; KeyFileError if that fails, and then the old one stands.
    """
    path = path.resolve()
    master_id = known.current.master_id + 1
    check = _check(master_id, octets)
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    try:
        text = path.read_text("ascii").rstrip() + f"\n{master_id} {octets.hex()} {check}\n"
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        scratch.replace(path)
        sync_folder(path.parent)
    except OSError as fault:
        raise KeyFileError(f"cannot write the key file {path}: {fault.strerror}") from fault
    known.keys[master_id] = MasterKey(master_id, octets)
    known.checks[master_id] = check


def read_key_file(path: Path) -> MasterKeys:
    """Read a key file; KeyFileError if it is missing, damaged, or readable by others."""
    try:
        with path.open("rb") as file:
            _insist_private(path, os.fstat(file.fileno()))
            lines = file.read(_MAX_OCTETS).decode("ascii", "replace").splitlines()
    except FileNotFoundError:
        raise KeyFileError(f"there is no key file at {path}: `dtns init` makes one") from None
    except OSError as fault:
        raise KeyFileError(f"cannot read the key file {path}: {fault.strerror}") from fault
    entries = [
        _read_line(line.split(), f"{path}, line {place}")
        for place, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    ]
    keys = {key.master_id: key for key, _ in entries}
    if not keys or len(keys) < len(entries):
        raise KeyFileError(f"{path} needs at least one master key, and each id once")
    return MasterKeys(keys, {key.master_id: check for key, check in entries})


def _insist_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{path} is no file")
    if status.st_mode & (_FOREIGN_TO_CREDENTIALS if _is_credential(path) else 0o077):
        raise KeyFileError(
            f"{path} holds master keys and others may read it: `chmod 600 {path}`, and make new "
            "keys if someone may have"
        )


def _is_credential(path: Path) -> bool:
    """Tell whether systemd gave the file, with an access list for its reader as the group bits."""
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(given) and path.parent == Path(str(given))


def _read_line(fields: list[str], place: str) -> tuple[MasterKey, str]:
    try:
        master_id, octets, check = int(fields[0]), Key.parse(fields[1]), fields[2]
        key = MasterKey(master_id, octets)
        whole = len(fields) == 3 and hmac.compare_digest(_check(master_id, octets), check)  # noqa: PLR2004 (fields)
    except (ValueError, IndexError, TypeError):
        raise KeyFileError(f"{place} is not of the form {_LAYOUT}") from None
    if not whole:
        raise KeyFileError(f"{place} is damaged: its check does not fit its key")
    return key, check


def _check(master_id: int, octets: bytes) -> str:
    fields = b"dtns master key %d %b" % (master_id, octets)
    return hashlib.sha256(fields).hexdigest()[:_CHECK_DIGITS]

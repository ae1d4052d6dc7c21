"""Secrets that the operator keeps in files of their own."""

from __future__ import annotations

import stat
from pathlib import Path

from dtns.sam.errors import ConfigError

_LONGEST = 4096


def read_secret(path: Path, what: str) -> str:
    """Read *what* from a file; ConfigError if the file is missing, or others may read it."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ConfigError(f"cannot read the {what} in {path}: it is no regular file")
        with path.open(encoding="ascii") as file:
            text = file.read(_LONGEST).strip()
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or f"it is no {what}"
        raise ConfigError(f"cannot read the {what} in {path}: {reason}") from None
    if stat.S_IMODE(mode) & (stat.S_IRWXO | stat.S_IWGRP):
        raise ConfigError(f"others may read the {what} in {path}: chmod 600 {path}")
    return text

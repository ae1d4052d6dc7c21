"""Exit codes: the one place where a fault becomes a number for scripts."""

from __future__ import annotations

from enum import IntEnum

from dtns.gateway.errors import GatewayError, PermanentError
from dtns.sam.errors import (
    ClockError,
    ConfigError,
    KeyFileError,
    NumberError,
    SamError,
    SimFileError,
    StoreError,
    UnreachableError,
)


class Exit(IntEnum):
    """What a command's exit code tells a script."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    CONFIGURATION = 3
    STORE = 4
    CARRIER_TEMPORARY = 5
    CARRIER_FOR_GOOD = 6
    INTERRUPTED = 130


_EXITS: dict[type[SamError], Exit] = {
    NumberError: Exit.USAGE,
    ClockError: Exit.CONFIGURATION,
    ConfigError: Exit.CONFIGURATION,
    KeyFileError: Exit.CONFIGURATION,
    StoreError: Exit.STORE,
    SimFileError: Exit.STORE,
    UnreachableError: Exit.CARRIER_TEMPORARY,
}


def exit_for(fault: Exception) -> Exit | None:
    """Return the exit code of a fault that has one; None for a fault in the program itself."""
    if isinstance(fault, GatewayError):
        return (
            Exit.CARRIER_FOR_GOOD if isinstance(fault, PermanentError) else Exit.CARRIER_TEMPORARY
        )
    for kind, code in _EXITS.items():
        if isinstance(fault, kind):
            return code
    return Exit.REFUSED if isinstance(fault, SamError) else None

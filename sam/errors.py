"""Everything in this room that can go wrong and is not an expected answer."""

from __future__ import annotations


class SamError(Exception):
    """Root of the room's errors; never raised itself.

    The text is written for the person who reads it: it names what is wrong and what is
    allowed, and never holds a secret, a code or a full number.
    """


class NumberError(SamError, ValueError):
    """A text is no E.164 number."""


class AmountError(SamError, ValueError):
    """A text is no amount of money in the currency in use."""


class ConfigError(SamError):
    """The configuration cannot be used; the text lists every fault with its line."""


class ClockError(SamError):
    """The computer's clock cannot be right, and nothing here knows better."""


class KeyFileError(SamError):
    """The master key file is missing, damaged or readable by others."""


class StoreError(SamError):
    """The store is missing, damaged, in use, full, or of a newer version."""


class NoStoreError(StoreError):
    """There is no store at a place."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"there is no store at {path}: `dtns init` makes a new one, "
            "`dtns restore` puts a backup there"
        )


class SimFileError(SamError):
    """A SIM file, or the state beside it, is missing, damaged, in use or readable by others."""


class UnreachableError(SamError):
    """Something that should listen does not; trying later may help."""

"""What ends a connection to an SMSC, or spoils a PDU, in words for the operator."""

from __future__ import annotations

from dtns.gateway.errors import PermanentError


class PduError(PermanentError, ValueError):
    """A PDU that cannot be read, or not be written; *status* is its command_status."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class PduLengthError(PduError):
    """A length after which nothing on the connection can be read any more."""

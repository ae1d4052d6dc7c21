"""What can be wrong with what a core network sends."""

from __future__ import annotations

from dtns.gateway.errors import PermanentError


class GsupError(PermanentError, ValueError):
    """Octets that are no message of the protocol; the text says what is wrong with them."""

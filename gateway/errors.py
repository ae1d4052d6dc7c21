"""What can go wrong at a carrier, in words for the person who reads them.

Expected outcomes of one message (refused, not delivered) are values of `dtns.gateway.carrier`;
these exceptions are for faults and misuse. No message holds a text or a telephone number.
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Root of all exceptions of this room; never raised itself.

    `permanent` tells whether the same will fail again until somebody changes something.
    """

    permanent: ClassVar[bool]


class TemporaryError(GatewayError):
    """The same may succeed later, with nothing changed here."""

    permanent = False


class PermanentError(GatewayError):
    """The same will fail again until somebody changes something."""

    permanent = True


class NoSignalError(TemporaryError):
    """The network cannot be reached, or stopped answering."""


class NumberMovedError(TemporaryError):
    """Another connection attached the same number; the newest holds it."""


class SessionEndedError(TemporaryError):
    """A USSD session came to no screen, or broke off."""


class AttachError(TemporaryError):
    """The network refused the connection or the number, for want of room."""


class AddressError(PermanentError, ValueError):
    """A network address that cannot be used as it is written."""


class AddressTakenError(PermanentError):
    """The address to listen on is in use, or may not be used."""


class ConditionsError(PermanentError, ValueError):
    """Network conditions outside their ranges; the message names every fault."""


class WireError(PermanentError, ValueError):
    """A line that is not one of the wire protocol's operations."""


class ReferenceReusedError(PermanentError, ValueError):
    """Two different messages were sent under one reference."""

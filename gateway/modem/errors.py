"""What keeps a modem from serving, in words for the operator, with what to do about it."""

from __future__ import annotations

from dtns.gateway.errors import PermanentError, TemporaryError


class AbsentError(TemporaryError):
    """There is no such device, or it is gone."""


class SilentError(TemporaryError):
    """The modem, or its port, does not answer; what was under way is unknown."""


class RefusedError(TemporaryError):
    """The modem answered a command with an error; *kind* is CME, CMS or empty, *code* its number.

    Error numbers are those of 3GPP TS 27.007 section 9.2 and TS 27.005 section 3.2.5.
    """

    def __init__(self, kind: str, code: int) -> None:
        super().__init__(f"+{kind} ERROR: {code}" if kind else "ERROR")
        self.kind = kind
        self.code = code


class StartError(TemporaryError):
    """The driver cannot start this modem."""


class CardError(PermanentError):
    """The SIM card is missing or locked: somebody has to do something."""

"""How operators write USSD in SMPP: `ussd_service_op`, and what tells one session from another.

SMPP 3.4 names the operations (section 5.3.2.44) and not how they are to be used, nor where a
session has its number. An operator's document says which of these dialects is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PSSR_INDICATION: Final = 1
USSR_REQUEST: Final = 2
USSN_REQUEST: Final = 3
PSSR_RESPONSE: Final = 17
USSR_CONFIRM: Final = 18
SERVICE_TYPE: Final = "USSD"


class Numbering(Enum):
    """Where a session has its number."""

    ITS_SESSION_INFO = "its_session_info"
    """One octet with the number; one with a sequence number of seven bits, and an end bit."""
    USER_MESSAGE_REFERENCE = "user_message_reference"
    CALLER = "caller"
    """Nowhere: a caller has one session."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to write it.

    Attributes:
        opens: what a deliver_sm says that opens a session; its text is what was dialled.
        goes_on: what one says that brings what was typed. With the same operation for both, a
            text that is a code opens a session.
        more: what a submit_sm says with a screen after which something can be typed.
        last: what one says with the last screen.
    """

    opens: int
    goes_on: int
    more: int
    last: int
    numbering: Numbering


DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "standard": Dialect(
            PSSR_INDICATION,
            USSR_CONFIRM,
            USSR_REQUEST,
            PSSR_RESPONSE,
            Numbering.ITS_SESSION_INFO,
        ),
        "reference": Dialect(
            PSSR_INDICATION,
            USSR_CONFIRM,
            USSR_REQUEST,
            PSSR_RESPONSE,
            Numbering.USER_MESSAGE_REFERENCE,
        ),
        "caller": Dialect(
            PSSR_INDICATION, USSR_CONFIRM, USSR_REQUEST, PSSR_RESPONSE, Numbering.CALLER
        ),
        "notify": Dialect(
            PSSR_INDICATION, USSR_CONFIRM, USSR_REQUEST, USSN_REQUEST, Numbering.ITS_SESSION_INFO
        ),
        "indication": Dialect(
            PSSR_INDICATION, PSSR_INDICATION, USSR_REQUEST, PSSR_RESPONSE, Numbering.CALLER
        ),
    }
)
"""The dialects by the names that a configuration calls them."""

"""What a session with an SMSC tells its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.pdu import BindAnswer


@dataclass(frozen=True, slots=True)
class Bound:
    """The SMSC took the bind."""

    answer: BindAnswer


@dataclass(frozen=True, slots=True)
class Answered:
    """The SMSC answered a submission: `status`, and its own name for the message."""

    token: Any
    status: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer will be waited for; the SMSC may hold the message. `reason` says why."""

    token: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message or receipt came; it is to be acknowledged by its sequence."""

    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Heard:
    """The SMSC has read the first *acknowledgements* of what this session acknowledged."""

    acknowledgements: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over; *refusal* is the status of a refused bind."""

    reason: str
    refusal: int | None = None


Event = Bound | Answered | Unanswered | Delivered | Heard | Ended

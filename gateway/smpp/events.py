"""What a session with an SMSC tells its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.pdu import BindAnswer


@dataclass(frozen=True, slots=True)
class Bound:
    """The SMSC took the bind."""

    answer: BindAnswer


class Answered(NamedTuple):
    """The SMSC answered a submission: `status`, and its own name for the message."""

    token: Any
    status: int
    message_id: str


class Unanswered(NamedTuple):
    """No answer will be waited for; the SMSC may hold the message. `reason` says why."""

    token: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of submissions, in order."""

    outcomes: list[Answered | Unanswered]


@dataclass(frozen=True, slots=True)
class Delivered:
    """Messages and receipts came, in order; each is to be acknowledged by its sequence."""

    deliveries: list[Delivery]


@dataclass(frozen=True, slots=True)
class Heard:
    """The SMSC has read the first *acknowledgements* of what this session acknowledged."""

    acknowledgements: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over; *refusal* is the status of a refused bind."""

    reason: str
    refusal: int | None = None


Event = Bound | Outcomes | Delivered | Heard | Ended

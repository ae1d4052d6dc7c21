"""The loopback network's operations: what each line of its wire protocol may say.

gateway/README.md is the specification; `dtns.gateway.loopback.wire` puts these on lines.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Check = tuple[Callable[[Any], bool], str]

VALIDITY_SECONDS: Final = 7 * 86400
WINDOW: Final = 32
LARGEST: Final = 1e12
OUTAGES_AT_MOST: Final = 64


def _is_number(value: Any) -> bool:
    return type(value) in {int, float} and -LARGEST <= value <= LARGEST


def _is_outage(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == len(("start", "length"))
        and all(map(_is_number, value))
    )


def _is_outages(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) <= OUTAGES_AT_MOST
        and all(map(_is_outage, value))
    )


def _whole(low: int, high: int) -> Check:
    return (
        lambda value: type(value) is int and low <= value <= high,
        f"a whole number from {low} to {high}",
    )


def _matching(pattern: str, meaning: str) -> Check:
    whole = re.compile(pattern).fullmatch
    return lambda value: isinstance(value, str) and whole(value) is not None, meaning


NUMBER: Final = _matching(r"\+?[0-9]{2,15}", "2 to 15 digits, with a plus before them or without")
CODE: Final = _matching(r"\*[0-9]{2,6}(\*[0-9]{1,6}){0,4}#", "a code such as *384# or *384*7#")
DIALLED: Final = _matching(r"\*[0-9*+]{2,120}#", "a code such as *384#, with what follows before #")
TOKEN: Final = _matching(r"[!-~]{1,64}", "1 to 64 printable ASCII characters without spaces")
STATE: Final = _matching("delivered|failed|expired", "delivered, failed or expired")
TEXT: Final[Check] = (lambda value: isinstance(value, str), "a string")
FLAG: Final[Check] = (lambda value: isinstance(value, bool), "true or false")
SECONDS: Final[Check] = (lambda value: _is_number(value) and value > 0, "a number above 0")
FIGURE: Final[Check] = (_is_number, "a number")
OUTAGES: Final[Check] = (_is_outages, "up to 64 [start, length] pairs in seconds")
COUNT: Final = _whole(0, 2**53)
FRAME: Final = _whole(1, 1000)


def _wire(check: Check, *, default: Any = MISSING, name: str | None = None) -> Any:
    metadata = {"check": check, "name": name}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Attach:
    """Client: deliver this number's messages here, at most `window` unacknowledged at a time."""

    number: str = _wire(NUMBER)
    window: int = _wire(FRAME, default=WINDOW)


@dataclass(frozen=True, slots=True)
class Attached:
    """Network: done; deliveries follow."""

    number: str = _wire(NUMBER)


@dataclass(frozen=True, slots=True)
class Detach:
    """Client: deliver no more of this number's messages here."""

    number: str = _wire(NUMBER)


@dataclass(frozen=True, slots=True)
class Detached:
    """Network: the number is no longer attached here, as asked or because it moved."""

    number: str = _wire(NUMBER)
    reason: str = _wire(TEXT, default="")


@dataclass(frozen=True, slots=True)
class Submit:
    """Client: carry this message; `id` is the client's name for it."""

    id: str = _wire(TOKEN)
    sender: str = _wire(NUMBER, name="from")
    recipient: str = _wire(NUMBER, name="to")
    text: str = _wire(TEXT)
    validity: float = _wire(SECONDS, default=VALIDITY_SECONDS)
    report: bool = _wire(FLAG, default=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Network: the message is stored and will be carried."""

    id: str = _wire(TOKEN)
    network_id: str = _wire(TOKEN)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Network: the message is not taken."""

    id: str = _wire(TOKEN)
    permanent: bool = _wire(FLAG)
    reason: str = _wire(TEXT)


@dataclass(frozen=True, slots=True)
class Deliver:
    """Network: a message for an attached number."""

    network_id: str = _wire(TOKEN)
    sender: str = _wire(NUMBER, name="from")
    recipient: str = _wire(NUMBER, name="to")
    text: str = _wire(TEXT)


@dataclass(frozen=True, slots=True)
class Received:
    """Client: the message is stored; do not deliver it again."""

    network_id: str = _wire(TOKEN)


@dataclass(frozen=True, slots=True)
class Report:
    """Network: what became of a message submitted with `report`."""

    network_id: str = _wire(TOKEN)
    id: str = _wire(TOKEN)
    recipient: str = _wire(NUMBER, name="to")
    state: Literal["delivered", "failed", "expired"] = _wire(STATE)


@dataclass(frozen=True, slots=True)
class Noted:
    """Client: the report is stored; do not send it again."""

    network_id: str = _wire(TOKEN)


@dataclass(frozen=True, slots=True)
class Serve:
    """Client: USSD sessions of this code, and of all that it begins, come here."""

    code: str = _wire(CODE)


@dataclass(frozen=True, slots=True)
class Served:
    """Network: done; sessions follow."""

    code: str = _wire(CODE)


@dataclass(frozen=True, slots=True)
class Dial:
    """Client: open a USSD session for this number, which is attached here, by dialling this."""

    number: str = _wire(NUMBER)
    code: str = _wire(DIALLED)


@dataclass(frozen=True, slots=True)
class Ask:
    """Network, to who serves the code: the caller dialled `text`, or typed it later on."""

    session: str = _wire(TOKEN)
    number: str = _wire(NUMBER)
    turn: int = _wire(COUNT)
    text: str = _wire(TEXT)


@dataclass(frozen=True, slots=True)
class Show:
    """Client who serves, and network: what the caller reads; with `ends` the session is over.

    A server names the turn that this answers; another one than the latest is dropped.
    """

    session: str = _wire(TOKEN)
    text: str = _wire(TEXT)
    ends: bool = _wire(FLAG, default=False)
    turn: int = _wire(COUNT, default=0)


@dataclass(frozen=True, slots=True)
class Key:
    """Client who dialled: the caller types this, once there is a screen."""

    session: str = _wire(TOKEN)
    text: str = _wire(TEXT)


@dataclass(frozen=True, slots=True)
class Hangup:
    """Either side: the session is over. The network tells both sides, and why."""

    session: str = _wire(TOKEN)
    reason: str = _wire(TEXT, default="")


@dataclass(frozen=True, slots=True)
class Faults:
    """Client: change these conditions; network: the conditions as they are now."""

    delay: float | None = _wire(FIGURE, default=None)
    jitter: float | None = _wire(FIGURE, default=None)
    loss: float | None = _wire(FIGURE, default=None)
    duplication: float | None = _wire(FIGURE, default=None)
    reordering: float | None = _wire(FIGURE, default=None)
    hold: float | None = _wire(FIGURE, default=None)
    outages: Sequence[Sequence[float]] | None = _wire(OUTAGES, default=None)
    signal: bool | None = _wire(FLAG, default=None)
    allow_spoofing: bool | None = _wire(FLAG, default=None)

    def given(self) -> dict[str, Any]:
        """Return the fields that are set."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Status:
    """Client, with no fields: how are things? Network: counts since its start, and as of now."""

    attached: int | None = _wire(COUNT, default=None)
    waiting: int | None = _wire(COUNT, default=None)
    accepted: int | None = _wire(COUNT, default=None)
    rejected: int | None = _wire(COUNT, default=None)
    delivered: int | None = _wire(COUNT, default=None)
    lost: int | None = _wire(COUNT, default=None)
    duplicated: int | None = _wire(COUNT, default=None)
    reordered: int | None = _wire(COUNT, default=None)
    expired: int | None = _wire(COUNT, default=None)
    reports_dropped: int | None = _wire(COUNT, default=None)
    signal: bool | None = _wire(FLAG, default=None)


@dataclass(frozen=True, slots=True)
class Ping:
    """Client: answer, after everything that is due for me."""


@dataclass(frozen=True, slots=True)
class Pong:
    """Network: the answer to a ping."""


@dataclass(frozen=True, slots=True)
class Error:
    """Network: the last line, or the connection, cannot be served."""

    reason: str = _wire(TEXT)


Call = Serve | Dial | Show | Key | Hangup
"""What clients say of USSD sessions."""

FromClient = Attach | Detach | Submit | Received | Noted | Call | Faults | Status | Ping
FromNetwork = (
    Attached | Detached | Accepted | Rejected | Deliver | Report | Faults | Status | Pong | Error
) | (Served | Ask | Show | Hangup)
Operation = FromClient | FromNetwork

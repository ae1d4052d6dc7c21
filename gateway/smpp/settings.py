"""How to reach an SMSC, and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dtns.gateway.smpp.pdu import Command

if TYPE_CHECKING:
    from dtns.gateway.smpp.messages import Address

ROLES: Final = {
    "transceiver": (Command.BIND_TRANSCEIVER,),
    "pair": (Command.BIND_TRANSMITTER, Command.BIND_RECEIVER),
}
"""The binds that a gateway is made of, by the name of the kind."""
_RECEIVES: Final = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER})


@dataclass(frozen=True, slots=True)
class Account:
    """How a session binds: *role* is bind_transmitter, bind_receiver or bind_transceiver."""

    role: Command
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""

    @property
    def receives(self) -> bool:
        """Whether messages come in."""
        return self.role in _RECEIVES

    @property
    def transmits(self) -> bool:
        """Whether messages go out."""
        return self.role != Command.BIND_RECEIVER


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach an SMSC, and as whom.

    Attributes:
        endpoint: the Twisted endpoint that connects to it.
        place: where that is, for the operator.
        kind: `transceiver`, or `pair` of a transmitter and a receiver.
        binds: how many of that kind.
        window: most submissions without an answer on one bind.
        per_second: most submissions in any second over all binds; 0 for no limit.
        source: the number that messages come from.
    """

    endpoint: Any = field(repr=False)
    place: str
    system_id: str
    password: str = field(repr=False)
    source: Address
    system_type: str = ""
    kind: str = "transceiver"
    binds: int = 1
    window: int = 10
    per_second: float = 0.0

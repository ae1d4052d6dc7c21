"""How a modem is, for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dtns.gateway.modem.session import Facts, Reception

REGISTRATIONS: Final = {
    0: "not registered: it does not look for a network",
    2: "no network: it looks for one",
    3: "the network denies registration: is the SIM card active?",
    4: "no network: out of coverage",
}
WEAK_SIGNAL: Final = 6


@dataclass(slots=True)
class Condition:
    """A modem's state and counts since it was started; times are POSIX seconds.

    Attributes:
        state: starting, up, down, suspended or stopped.
        reason: why it is not up, or what it last complained of.
        signal: +CSQ's 0 to 31, None if not known.
        used, size: messages stored, and how many there is room for.
        orphans: parts given up because the rest of their message never came.
        unreadable: stored things that were no message at all.
    """

    name: str
    state: str = "stopped"
    reason: str = ""
    since: float = 0.0
    device: str = ""
    model: str = ""
    registered: bool = False
    roaming: bool = False
    network: str | None = None
    signal: int | None = None
    used: int | None = None
    size: int | None = None
    full: bool = False
    sent: int = 0
    received: int = 0
    failed: int = 0
    reports: int = 0
    starts: int = 0
    orphans: int = 0
    unreadable: int = 0
    last_received: float | None = None
    last_sent: float | None = None

    def become(self, state: str, reason: str, now: float) -> None:
        """Note a new state."""
        if state == "starting" and self.state == "down":
            return  # still down until it is up
        if state != self.state:
            self.since = now
            self.starts += state == "up"
        self.state = state
        if state != "up" or self.registered:
            self.reason = reason

    def describe(self, facts: Facts) -> None:
        """Note what the modem says of itself."""
        self.device = facts.device
        self.model = f"{facts.manufacturer} {facts.model}".strip()

    def receive(self, reception: Reception, room: tuple[int, int] | None) -> None:
        """Note how the network is received, and how full the storage is."""
        self.registered = reception.registered
        self.roaming = reception.roaming
        self.network = reception.operator
        self.signal = reception.signal
        self.used, self.size = room or (None, None)
        self.full = room is not None and room[0] >= room[1]
        if not self.registered:
            self.reason = REGISTRATIONS.get(reception.registration, "not registered")
        elif self.signal is not None and self.signal < WEAK_SIGNAL:
            self.reason = f"weak signal: {self.signal} of 31"
        elif self.full:
            self.reason = "its storage is full"
        else:
            self.reason = ""

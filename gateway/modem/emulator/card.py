"""The emulated modem's SIM card and message storage, sans-I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

SLOTS: Final = 50
PIN_TRIES: Final = 3
UNREAD: Final = 0
READ: Final = 1

CardState = Literal["absent", "pin", "puk", "ready"]


@dataclass(slots=True)
class Stored:
    """A message in a slot; *status* is +CMGL's stat."""

    status: int
    pdu: str = field(repr=False)


@dataclass(slots=True)
class Storage:
    """The slots of one memory, numbered from 1 as SIM cards do."""

    size: int = SLOTS
    slots: dict[int, Stored] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether nothing more goes in."""
        return len(self.slots) >= self.size

    def add(self, pdu: str, status: int = UNREAD) -> int | None:
        """Store a message in the first free slot and return its number; None if none is free."""
        if self.full:
            return None
        slot = next(number for number in range(1, self.size + 1) if number not in self.slots)
        self.slots[slot] = Stored(status, pdu)
        return slot


@dataclass(slots=True)
class Card:
    """A SIM card: who it is, whether it is unlocked, and its tries of the PIN."""

    iccid: str
    pin: str = field(default="1234", repr=False)
    state: CardState = "ready"
    tries: int = PIN_TRIES
    entered: int = 0
    """How often a PIN was entered at all."""

    def enter(self, pin: str) -> bool:
        """Enter a PIN; three wrong ones lock the card."""
        self.entered += 1
        if pin == self.pin:
            self.state, self.tries = "ready", PIN_TRIES
            return True
        self.tries -= 1
        if self.tries <= 0:
            self.state = "puk"
        return False

"""Phones of a world in somebody's hands: keys in, screens out, a real handset behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from world import World

from dtns.sam.handset import reports
from dtns.sam.handset.exchanges import Asked
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.keypad import Keypad
from dtns.sam.handset.screens import KEYS, Screen


class InHand:
    """A phone of the world in somebody's hand, with signal or without."""

    def __init__(self, world: World, handset: Handset, contacts: dict[str, Any]) -> None:
        self.sim = handset.sim
        self.signal = True
        self.events: list[dict[str, Any]] = []
        self.world = world
        self.real = handset
        self.keypad = Keypad(self, contacts, self._send, self.events.append)

    @contextmanager
    def handset(self) -> Iterator[Handset]:
        """Lend the handset."""
        yield self.real

    def _send(self, asked: Asked) -> str:
        return "" if self.signal else "no-signal"

    def hear(self, asked: Asked) -> None:
        """Have Sam answer an ask, and the phone take the answer in."""
        received = self.real.receive(self.world.answer(asked))
        self.keypad.take_in(received.counter, reports.of_received(received))

    def press(self, keys: str) -> Screen:
        """Press keys, in words or as digits, and return the screen."""
        for word in keys.split():
            for key in [word] if word in KEYS else word:
                self.keypad.press(key)
        return self.keypad.screen

    def asked(self) -> Asked:
        """Return the ask that waits."""
        return self.real.waiting()[-1]


def two(world: World) -> tuple[InHand, InHand]:
    """Return two phones of a world."""
    alice, bob = world.phone(), world.phone()
    contacts = {"Alice": alice.sim.number, "Bob": bob.sim.number}
    return InHand(world, alice, contacts), InHand(world, bob, contacts)

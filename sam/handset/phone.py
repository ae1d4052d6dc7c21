"""The phone while it has signal: asks go out, answers come in, both as often as it takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dtns.gateway.carrier import Accepted
from dtns.gateway.loopback.handset import Line
from dtns.sam.handset.card import open_card
from dtns.sam.handset.exchanges import Asked, Received
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.simfile import SimFile, read_sim_file

FIRST_REPEAT_SECONDS: Final = 1.5
REPEAT_GROWTH: Final = 1.5


class Phone:
    """A SIM file in a phone with a network; the card is held only while a step works on it."""

    def __init__(
        self,
        sim_path: Path,
        network: str | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.path = sim_path
        self.sim: SimFile = read_sim_file(sim_path)
        self.network = network or self.sim.network
        self._random = random

    @contextmanager
    def handset(self) -> Iterator[Handset]:
        """Hold the card and lend the handset for one step."""
        with open_card(self.path, self.sim) as card:
            yield Handset(self.sim, card, self._random)

    def line(self) -> Line:
        """Return a line to the network, to be used as a context manager."""
        return Line(self.network, f"+{self.sim.number}")

    def send(self, line: Line, asked: Asked) -> bool:
        """Hand an ask to the network; False if the network did not take it."""
        taken = isinstance(line.submit(self.sim.service_number, asked.text), Accepted)
        if taken:
            with self.handset() as handset:
                handset.count_sending(asked.counter)
        return taken

    def send_log(self, line: Line) -> None:
        """Hand the network what Sam has to be told of the log; what it does not take goes later."""
        with self.handset() as handset:
            texts = handset.log_messages()
        for text in texts:
            line.submit(self.sim.service_number, text)

    def take_in(self, line: Line, wait_seconds: float) -> Iterator[Received]:
        """Take in what is there, then what comes within the time; each is durable when yielded."""
        for message in line.messages(wait_seconds):
            with self.handset() as handset:
                received = handset.receive(message.text)
            line.acknowledge(message.network_id)
            yield received

    def wait(
        self, line: Line, wait_seconds: float, *, until: int | None = None
    ) -> Iterator[Received]:
        """Take in messages for a while and repeat waiting asks with growing pauses.

        Ends early once the ask *until*, or every ask where that is None, has its answer; where
        none waits, once something has come.
        """
        deadline = time.monotonic() + wait_seconds
        pause = FIRST_REPEAT_SECONDS if self._open_asks(until) else wait_seconds
        while True:
            left = deadline - time.monotonic()
            for received in self.take_in(line, max(0.0, min(pause, left))):
                yield received
                if not self._open_asks(until):
                    yield from self.take_in(line, 0)
                    return
            if time.monotonic() >= deadline:
                return
            for asked in self._open_asks(until):
                if asked.may_be_sent:
                    self.send(line, asked)
            pause *= REPEAT_GROWTH

    def _open_asks(self, until: int | None) -> list[Asked]:
        with self.handset() as handset:
            return [ask for ask in handset.waiting() if until in (None, ask.counter)]

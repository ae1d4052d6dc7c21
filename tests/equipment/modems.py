"""Emulated modems, each a process of its own, with a line to order their faults."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from dtns.gateway.modem.emulator.control import Orders
from dtns.gateway.modem.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BRISK = Timing(
    answer=1.0,
    prompt=1.2,
    submit=1.5,
    listing=2.0,
    check=0.5,
    sweep=0.7,
    sweep_after_send=0.3,
    look=0.05,
    first_retry=0.1,
    longest_retry=0.5,
    rest=0.05,
    unjoined=3600.0,
    busy=0.01,
)
"""Times for tests: an emulated modem answers within milliseconds."""


class EmulatorProcess:
    """A running `python -m dtns.gateway.modem.emulator`; `pty` is where a gateway finds it."""

    def __init__(self, folder: Path, name: str = "modem", *options: str) -> None:
        self.pty = folder / name
        control = folder / f"{name}.control"
        module = ("-m", "dtns.gateway.modem.emulator")
        self.process = subprocess.Popen(
            [
                *(sys.executable, *module, "--pty", str(self.pty)),
                *("--control", str(control), *options),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        said = self.process.stderr.readline()
        assert said, self.process.stderr.read()
        assert json.loads(said)["event"] == "ready"
        self._orders = Orders(control)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def order(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Give an order to the emulator."""
        return self._orders.order(op, **arguments)

    def sent(self) -> list[tuple[str, str]]:
        """List recipient and text of what the modem sent."""
        return [(to, text) for to, text, _ in self.order("sent")["messages"]]

    def stored(self) -> int:
        """Count the messages in the modem's storages."""
        return sum(self.order("status")["stored"].values())

    def stop(self) -> None:
        """End the process."""
        self._orders.close()
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stderr is not None
        self.process.stderr.close()


@contextmanager
def emulator(folder: Path, name: str = "modem", *options: str) -> Iterator[EmulatorProcess]:
    """Run an emulated modem."""
    with EmulatorProcess(folder, name, *options) as process:
        yield process

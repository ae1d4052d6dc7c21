"""Attacks run in numbers: `dtns attack` against the first protocol and against ours."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutput

from dtns.sam.simulator.orders import OrderError

TRIALS: Final = 500
TARGETS: Final = ("first", "ours")
_FACTS: Final = ("target", "trials", "succeeded", "rate", "theory")


class Trials:
    """Runs one attack at a time, on each target in turn, and tells how often it succeeded."""

    def __init__(self, tell: Callable[[dict[str, Any]], None], reactor: Any) -> None:
        self._tell = tell
        self._reactor = reactor
        self._running: Deferred[None] | None = None

    def begin(self, attack: str) -> None:
        """Begin an attack; OrderError while another one runs."""
        if self._running is not None:
            raise OrderError("another attack is still being tried")
        self._running = Deferred.fromCoroutine(self._run(attack))

    async def end(self) -> None:
        """Wait for the attack that runs, if one does: it is over in seconds."""
        if self._running is not None:
            await self._running

    async def _run(self, attack: str) -> None:
        run: Any = getProcessOutput
        try:
            for target in TARGETS:
                options = ("attack", attack, "--target", target, "--trials", str(TRIALS), "--json")
                command = ("-m", "dtns.sam", *options)
                output = await run(sys.executable, command, dict(os.environ), None, self._reactor)
                told = json.loads(output)
                self._tell({"attack": attack, **{fact: told[fact] for fact in _FACTS}})
        except (OSError, ValueError):
            self._tell({"refused": f"the attack {attack} could not be run"})
        finally:
            self._running = None

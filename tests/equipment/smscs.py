"""SMSCs that nobody here wrote, each a process of its own that takes orders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Self

from smsc_smpp34 import free_port

from dtns.gateway.smpp.timing import Timing

EQUIPMENT = Path(__file__).parent
ROOT = EQUIPMENT.parents[1]
INSTALL = "npm install --prefix build/ci/npm smpp@0.5.1"
BRISK = Timing(
    connect=2.0,
    bind=1.0,
    answer=1.0,
    quiet=0.3,
    enquire=0.5,
    unbind=0.3,
    first_retry=0.02,
    longest_retry=0.2,
    jitter=0.05,
    locked_out=0.5,
    steady=1.0,
    first_rest=0.5,
    longest_rest=0.5,
    stop=1.0,
    look=0.05,
)
"""Times for tests: these SMSCs answer within milliseconds."""


@cache
def node_modules() -> str | None:
    """Return where the npm package smpp is; None if it, or node, is not installed."""
    places = [os.environ.get("NODE_PATH", ""), str(ROOT / "build" / "ci" / "npm" / "node_modules")]
    found = (place for place in places if place and (Path(place) / "smpp").is_dir())
    return next(found, None) if shutil.which("node") else None


class SmscProcess:
    """A running SMSC of *kind*, smpp34 or npm, that listens on `port` of 127.0.0.1."""

    def __init__(self, kind: str, *options: str) -> None:
        self.kind = kind
        self.port = free_port()
        environment = dict(os.environ)
        if kind == "npm":
            environment["NODE_PATH"] = str(node_modules())
            command = ["node", str(EQUIPMENT / "smsc_npm.js")]
        else:
            command = [sys.executable, str(EQUIPMENT / "smsc_smpp34.py")]
        self.process = subprocess.Popen(
            [*command, str(self.port), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._hear() == {"event": "ready"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def order(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Give an order, and return what it says to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
        self.process.stdin.flush()
        return self._hear()

    def behave(self, **how: Any) -> None:
        """Have it behave so from now on."""
        self.order("behave", how=how)

    def messages(self) -> list[dict[str, Any]]:
        """Return what was submitted."""
        messages: list[dict[str, Any]] = self.order("submitted")["messages"]
        return messages

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the SMSC {self.kind} is gone"
        facts: dict[str, Any] = json.loads(line)
        return facts

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.process.stdout.close()

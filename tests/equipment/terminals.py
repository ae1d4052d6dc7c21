"""A program on a pseudo-terminal: what it wrote, and keys to press."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from typing import Self

from deployment import DTNS

SECONDS = 20


class Terminal:
    """A dtns command that believes in its terminal; escape sequences are left out."""

    def __init__(self, *arguments: str, columns: int = 100) -> None:
        self.screen = ""
        environment = os.environ | {"TERM": "vt100", "COLUMNS": str(columns), "LINES": "20"}
        self._own, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*DTNS, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        """Lend the terminal."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the program, if it has not ended."""
        self.close()

    def close(self) -> None:
        """End the program, if it has not ended, and the terminal."""
        self.process.kill()
        self.process.wait()
        os.close(self._own)

    def until(self, pattern: str) -> str:
        """Return what was written since the last call, up to *pattern*."""
        deadline = time.monotonic() + SECONDS
        while not (found := re.search(pattern, self.screen, re.DOTALL)):
            ready, _, _ = select.select([self._own], [], [], max(0, deadline - time.monotonic()))
            assert ready, self.screen
            written = os.read(self._own, 4096).decode()
            self.screen += re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", written)
        before, self.screen = self.screen[: found.end()], self.screen[found.end() :]
        return before

    def press(self, keys: str) -> None:
        """Press these keys."""
        os.write(self._own, keys.encode())

    def answer(self, question: str, line: str) -> str:
        """Wait for a question, type a line, and return what was written until then."""
        asked = self.until(question)
        self.press(f"{line}\n")
        return asked

    def code(self) -> int:
        """Return the exit code, once the program has ended."""
        while True:
            try:
                ready, _, _ = select.select([self._own], [], [], SECONDS)
                written = os.read(self._own, 4096).decode() if ready else ""
            except OSError:
                break
            if not written:
                break
            self.screen += written
        return self.process.wait(SECONDS)

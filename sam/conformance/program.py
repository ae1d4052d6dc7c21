"""The program behind the door: one JSON line there, one back, within a time."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from dtns.sam.conformance.player import Line
from dtns.sam.errors import SamError

MAX_LINE: Final = 1_000_000
_CHUNK: Final = 65536
_STOP_SECONDS: Final = 5.0
_SHOWN: Final = 200


class ProgramError(SamError):
    """A program cannot be driven: it did not start, ended, fell silent or said no JSON object."""


class Device(Protocol):
    """Something that plays steps: the program, or a handset of ours."""

    def play(self, step: Line) -> Line:
        """Do one step and return what came out."""


class Program:
    """A handset maker's program, for use as a context manager; *patience* is for each answer."""

    def __init__(self, command: Sequence[str], patience: float = 20.0) -> None:
        self._command = list(command)
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def begin(self, sims: list[Line]) -> None:
        """Begin a story with these SIMs; a program that has ended is started again."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        self.play({"do": "story", "sims": sims})

    def power_cycle(self) -> None:
        """Have every phone switched off and on."""
        self.play({"do": "power-cycle"})

    def play(self, step: Line) -> Line:
        """Do one step and return what came out; ProgramError if nothing usable came."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(step).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._failed("has ended") from None
        text = self._line()
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._failed(f"said no JSON object but {_shown(text)}")
        return answer

    def _line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + self._patience
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, left))
            if not ready:
                raise self._failed(f"said nothing for {self._patience:.0f} seconds")
            more = os.read(self._process.stdout.fileno(), _CHUNK)
            if not more:
                raise self._failed("has ended")
            self._unread += more
            if len(self._unread) > MAX_LINE:
                raise self._failed(f"said a line of more than {MAX_LINE} octets")
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _failed(self, what: str) -> ProgramError:
        """Stop the program, so that the next story has a fresh one."""
        self._stop()
        return ProgramError(f"the program {what}")

    def _start(self) -> None:
        self._unread = b""
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the program that the user named)
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as fault:
            raise ProgramError(f"cannot start {self._command[0]}: {fault.strerror}") from fault

    def _stop(self) -> None:
        process = self._process
        if process is None:
            return
        self._process = None
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _shown(text: bytes) -> str:
    return repr(text[:_SHOWN].decode(errors="replace"))

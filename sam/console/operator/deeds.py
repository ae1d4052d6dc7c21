"""What operators did at the console: a line before and a line after each deed, never changed."""

from __future__ import annotations

import json
import os
import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from dtns.sam.errors import StoreError
from dtns.sam.protocol.numbers import masked

FILE: Final = "console.log"
_SHOWN: Final = 200
_TAIL_OCTETS: Final = 128 * 1024


@frozen
class Deed:
    """Who did what to what, when (POSIX time), and what came of it, '' while nobody knows."""

    at: float
    who: str
    deed: str
    target: str
    outcome: str = ""

    @property
    def shown(self) -> str:
        """The target as pages show it: a number is masked."""
        return masked(self.target[1:]) if self.target.startswith("+") else self.target


class Deeds:
    """The file beside the configuration, mode 0600; full numbers are in it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    @contextmanager
    def doing(self, deed: Deed) -> Iterator[list[str]]:
        """Write down that it is going to be done; what is put into the list is its outcome.

        Raises StoreError where it cannot be written: then nothing may be done.
        """
        key, outcome = secrets.token_hex(6), ["a fault"]
        self._append({"id": key, "at": deed.at, "who": deed.who} | _what(deed))
        try:
            yield outcome
        finally:
            self._append({"id": key, "outcome": outcome[-1]})

    def latest(self) -> list[Deed]:
        """Return the latest deeds, newest first."""
        deeds: dict[str, Deed] = {}
        for line in self._tail():
            try:
                facts: dict[str, Any] = json.loads(line)
                key = facts.pop("id")
                if "at" in facts:
                    deeds[key] = Deed(**facts)
                elif key in deeds:
                    begun = deeds[key]
                    deeds[key] = Deed(
                        begun.at, begun.who, begun.deed, begun.target, facts["outcome"]
                    )
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
        return list(deque(reversed(deeds.values()), _SHOWN))[:_SHOWN]

    def _tail(self) -> list[str]:
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_OCTETS))
                return file.read().decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as fault:
            raise StoreError(f"cannot read {self.path}: {fault.strerror}") from fault

    def _append(self, facts: dict[str, Any]) -> None:
        line = json.dumps(facts).encode() + b"\n"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as fault:
            raise StoreError(f"cannot write {self.path}: {fault.strerror}") from fault


def _what(deed: Deed) -> dict[str, str]:
    return {"deed": deed.deed, "target": deed.target}

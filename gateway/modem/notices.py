"""What a modem says unasked, as far as it matters: new messages and status reports; sans-I/O."""

from __future__ import annotations

import re
from typing import Final

_STORED: Final = re.compile(r'\+C(?:MT|DS)I: *"([A-Z]+)"')
_REPORT: Final = re.compile(r"\+CDS: *\d+")
_FULL: Final = re.compile(r"FULL", re.IGNORECASE)
_PDU: Final = re.compile(r"[0-9A-Fa-f]{20,}")


class Notices:
    """Collects notifications until they are looked at."""

    def __init__(self) -> None:
        self._memories: dict[str, None] = {}
        self._reports: list[str] = []
        self._report_follows = False

    def take(self, lines: list[str]) -> None:
        """Take in lines in the order they were said; a report's PDU may come with the next."""
        for line in lines:
            text = line.strip()
            if self._report_follows and _PDU.fullmatch(text):
                self._reports.append(text)
            elif match := _STORED.match(text):
                self._memories[match[1]] = None
            elif _FULL.search(text):
                self._memories[""] = None
            self._report_follows = _REPORT.match(text) is not None

    def memories(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return the memories to look into, of those that are *known*, and forget them."""
        named, self._memories = self._memories, {}
        if not named:
            return ()
        if set(named) <= set(known):
            return tuple(name for name in known if name in named)
        return known

    def reports(self) -> list[str]:
        """Return the PDUs of reports that were handed over, and forget them."""
        reports, self._reports = self._reports, []
        return reports

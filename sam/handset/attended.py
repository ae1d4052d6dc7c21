"""A phone somebody holds: keys come in and screens go out as JSON lines, messages when they come.

One object a line. In: `{"press": KEY}`, `{"signal": true or false}`. Out: `{"screen": ...}`
whenever it changed, `{"event": ...}` for what happened, `{"refused": why}` for a bad line.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dtns.gateway.errors import GatewayError
from dtns.sam.handset import reports
from dtns.sam.handset.exchanges import Asked
from dtns.sam.handset.keypad import Keypad
from dtns.sam.handset.payreports import of_balance as balance_report
from dtns.sam.handset.phone import Phone
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.weeks import start_of

LINE_OCTETS: Final = 4096
FIRST_REPEAT_SECONDS: Final = 6.0
REPEAT_GROWTH: Final = 2.0
_SEARCH_SECONDS: Final = 0.5


class AttendedPhone:
    """Serves one person from the file descriptor *source*, until it ends; *write* takes lines."""

    def __init__(
        self,
        phone: Phone,
        contacts: Mapping[str, Number],
        source: int,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._phone = phone
        self._source = source
        self._write = write
        self._clock = clock
        self._line = phone.line()
        self._attached = False
        self._wanted = True
        self._search_at = 0.0
        self._repeat_at = 0.0
        self._pause = FIRST_REPEAT_SECONDS
        self._unread = b""
        self._logged = -1
        self._shown: dict[str, Any] = {}
        self._keypad = Keypad(phone, contacts, self._send, self._say)

    def serve(self) -> None:
        """Serve until the source ends."""
        try:
            while True:
                self._search()
                self._send_log()
                self._show()
                if not self._wait():
                    return
                self._repeat()
        finally:
            self._line.close()

    def _wait(self) -> bool:
        """Do what comes next: a line from the person or a message; False at the end of all."""
        sources = [self._source, self._line.fileno()] if self._attached else [self._source]
        ready, _, _ = select.select(sources, [], [], self._patience())
        if self._attached and len(ready) > (self._source in ready):
            self._take_in()
        return self._source not in ready or self._read()

    def _patience(self) -> float | None:
        now = self._clock()
        if self._wanted and not self._attached:
            return max(0.0, self._search_at - now)
        return max(0.0, self._repeat_at - now) if self._repeat_at and self._attached else None

    def _read(self) -> bool:
        octets = os.read(self._source, LINE_OCTETS)
        *lines, self._unread = (self._unread + octets).split(b"\n")
        for line in lines:
            self._obey(line)
            self._show()
        if len(self._unread) > LINE_OCTETS:
            self._unread = b""
            self._say({"refused": f"a line has at most {LINE_OCTETS} octets"})
        return bool(octets)

    def _obey(self, line: bytes) -> None:
        try:
            match json.loads(line):
                case {"press": str(key)}:
                    self._keypad.press(key)
                case {"signal": bool(wanted)}:
                    self._wanted = wanted
                    if not wanted:
                        self._lose()
                    self._search_at = 0.0
                case _:
                    raise ValueError("not an order")  # noqa: TRY301 (refused below like the others)
        except (ValueError, RecursionError):
            self._say({"refused": 'a line is {"press": KEY} or {"signal": true or false}'})

    def _search(self) -> None:
        """Attach to the network if there should be signal and is none yet."""
        if not self._wanted or self._attached or self._clock() < self._search_at:
            return
        try:
            self._line.open()
        except GatewayError:
            self._search_at = self._clock() + _SEARCH_SECONDS
            return
        self._attached = True
        self._logged = -1
        self._take_in()
        self._begin_repeating(0.0)

    def _lose(self) -> None:
        self._line.close()
        self._attached = False

    def _take_in(self) -> None:
        try:
            for received in self._phone.take_in(self._line, 0):
                self._keypad.take_in(received.counter, reports.of_received(received))
        except GatewayError:
            self._lose()

    def _send(self, asked: Asked) -> str:
        if not self._attached:
            return "no-signal"
        taken = self._phone.send(self._line, asked)
        self._begin_repeating(FIRST_REPEAT_SECONDS)
        return "" if taken else "not-taken"

    def _send_log(self) -> None:
        """Tell Sam of payments, with signal: once one was made, and when signal comes."""
        if not self._attached:
            return
        with self._phone.handset() as handset:
            logged, waiting = (
                handset.purse.last_serial,
                any(line.is_payment for line in handset.purse.unfiled),
            )
        if waiting and logged != self._logged:
            self._phone.send_log(self._line)
            with self._phone.handset() as handset:
                logged = handset.purse.last_serial
        self._logged = logged

    def _begin_repeating(self, seconds: float) -> None:
        self._pause = FIRST_REPEAT_SECONDS
        self._repeat_at = self._clock() + seconds

    def _repeat(self) -> None:
        """Send asks that have no answer once more, with pauses that grow."""
        if not self._attached or not self._repeat_at or self._clock() < self._repeat_at:
            return
        with self._phone.handset() as handset:
            waiting = [asked for asked in handset.waiting() if asked.may_be_sent]
        for asked in waiting:
            self._phone.send(self._line, asked)
        self._repeat_at = self._clock() + self._pause if waiting else 0.0
        self._pause *= REPEAT_GROWTH

    def _show(self) -> None:
        with self._phone.handset() as handset:
            week = handset.card.state.week
            waiting = len(handset.waiting())
            balance = balance_report(self._phone.sim, handset.purse).text
        shown = self._keypad.screen.facts | {
            "signal": self._attached,
            "news": self._keypad.news,
            "waiting": waiting,
            "balance": balance,
            "today": datetime.fromtimestamp(start_of(week), UTC).date().isoformat(),
        }
        if shown != self._shown:
            self._shown = shown
            self._say({"screen": shown})

    def _say(self, told: dict[str, Any]) -> None:
        self._write(json.dumps(told) + "\n")

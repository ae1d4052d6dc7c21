"""python-gsmmodem-new made trustworthy: every command goes through one `write` of ours.

A driver is used from one thread, serves one connection and is thrown away with it. The library's
own reader thread reads; what the modem says unasked, between answers or inside them, is handed on
in order. gateway/README.md lists the library's defects that this keeps away.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any, Final

from gsmmodem.exceptions import (  # type: ignore[import-untyped]  # it has no types
    CmeError,
    CmsError,
    CommandError,
)
from gsmmodem.modem import GsmModem  # type: ignore[import-untyped]  # the same
from gsmmodem.serial_comms import SerialComms  # type: ignore[import-untyped]  # the same
from serial import SerialException

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY_TRIES: Final = 20
WRITE_SECONDS: Final = 10.0
CTRL_Z: Final = "\x1a"
ESCAPE: Final = b"\x1b"
NOTIFY_STORED: Final = "2,1,0,2"
_RETURN: Final = "\r"
_ERROR: Final = re.compile(r"(?:\+(CM[ES]) ERROR: *(\d+)|ERROR|COMMAND NOT SUPPORT|.* ERROR:.*)$")
_BUSY: Final = {("CME", 14), ("CMS", 314), ("CMS", 515)}
_UNASKED: Final = re.compile(
    r"(\+CMTI|\+CDSI|\+CDS|\+CUSD|\+C(?:E|G)?REG|\+CIEV|\+CRING|RING|\+CLIP|\*PSUTTZ|DST|"
    r"\^[A-Z]+|\+Z[A-Z]+|\+QIND|\+QUSIM|\+CTZV|RDY|Call Ready|SMS Ready|UNDER-VOLTAGE|"
    r"NO CARRIER)\b"
)
_NEEDED: Final = {"AT+WIND?": "+WIND:", "AT+CFUN?": "+CFUN:", "AT+CPMS=?": "+CPMS:"}
_SPACED: Final = {"AT+CPIN?": "+CPIN:", "AT+CPMS=?": "+CPMS:", "AT+CFUN?": "+CFUN:"}

for _name in ("gsmmodem.modem.GsmModem", "gsmmodem.serial_comms.SerialComms"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)  # they log numbers, texts and the PIN


class _OpenOnce(SerialComms):  # type: ignore[misc]  # the library has no types
    """A port that is opened before the driver connects, so that the PIN is ours to enter."""

    def connect(self) -> None:
        if not self.alive:
            super().connect()


class Driver(GsmModem, _OpenOnce):  # type: ignore[misc]  # the library has no types
    """The driver of one connection to the modem at *device*.

    *heard* is called, from the library's reader thread or the caller's, with the lines that the
    modem said unasked; *lost*, from the reader thread, when the port is gone.
    """

    def __init__(
        self,
        device: str,
        baud: int,
        heard: Callable[[list[str]], None],
        lost: Callable[[], None],
        busy_pause: float,
        *,
        reports: bool = True,
    ) -> None:
        super().__init__(
            device,
            baud,
            requestDelivery=reports,
            AT_CNMI=NOTIFY_STORED if reports else "2,1,0,0",
            fatalErrorCallbackFunc=self._port_lost,
            write_timeout=WRITE_SECONDS,
            exclusive=True,
        )
        self.notifyCallback = lambda lines: heard(list(lines))
        self._heard = heard
        self._lost = lost
        self._busy_pause = busy_pause
        self.gone = False

    def open(self) -> None:
        """Open the port and begin to read; nothing is written."""
        _OpenOnce.connect(self)

    def escape(self) -> None:
        """End a prompt that an earlier connection may have left; sends no message."""
        self.serial.write(ESCAPE)

    def close(self) -> None:
        """Close the port, at once; may be called whatever happened before."""
        self.alive = False
        port = getattr(self, "serial", None)
        if port is None:
            return
        if port.is_open:
            port.cancel_read()
        super().close()

    def _port_lost(self, _fault: Exception) -> None:
        """Release who waits for an answer that cannot come any more, and tell."""
        self.gone = True
        waiting = self._responseEvent
        if waiting is not None:
            waiting.set()
        self._lost()

    def write(  # noqa: PLR0917 (the library's signature)
        self,
        data: str,
        waitForResponse: bool = True,  # noqa: ARG002, FBT001, FBT002, N803 (the same)
        timeout: float = 10,
        parseError: bool = True,  # noqa: FBT001, FBT002, N803 (the same)
        writeTerm: str = _RETURN,  # noqa: N803 (the same)
        expectedResponseTermSeq: str | None = None,  # noqa: N803 (the same)
    ) -> list[str]:
        """Write a command and return its answer's lines, the final one included.

        Raises CommandError, CmeError or CmsError where *parseError*, and TimeoutException.
        """
        for _ in range(BUSY_TRIES):
            lines = self._exchange(data, writeTerm, timeout, expectedResponseTermSeq)
            error = error_of(lines)
            if error not in _BUSY or writeTerm != _RETURN:
                break
            time.sleep(self._busy_pause)
        if error is not None and parseError and data != "AT+CMEE=1":
            _raise(data, *error)
        return _as_the_library_expects(data, lines)

    def _exchange(self, data: str, end: str, timeout: float, prompt: str | None) -> list[str]:
        lines: list[str] = SerialComms.write(
            self, data + end, timeout=timeout, expectedResponseTermSeq=prompt
        )
        if self.gone or not lines:
            raise SerialException("the port is gone")
        answer, unasked = sift(data, lines)
        if unasked:
            self._heard(unasked)
        return answer


def error_of(lines: list[str]) -> tuple[str, int] | None:
    """Return kind and number of the error that an answer ends with, or None if it is none."""
    match = _ERROR.match(lines[-1])
    return None if match is None else (match[1] or "", int(match[2] or 0))


def sift(command: str, lines: list[str]) -> tuple[list[str], list[str]]:
    """Part what answers *command* from what the modem said unasked; echoes are dropped."""
    answer: list[str] = []
    unasked: list[str] = []
    report_follows = False
    for line in lines:
        text = line.strip()
        match = _UNASKED.match(text)
        asked = match is not None and match[1] in command
        if report_follows or (match is not None and not asked):
            unasked.append(text)
            report_follows = not report_follows and text.startswith("+CDS:")
        elif text != command.strip() and text:
            answer.append(text)
    return answer or [""], unasked


def _as_the_library_expects(command: str, lines: list[str]) -> list[str]:
    """Mend answers on which the library's `connect` would fall over."""
    needed = _NEEDED.get(command)
    if needed and not any(line.startswith(needed) for line in lines):
        raise CommandError(command)
    if prefix := _SPACED.get(command):
        pattern = re.compile(rf"^{re.escape(prefix)}\s*")
        return [pattern.sub(f"{prefix} ", line) for line in lines]
    return lines


def _raise(command: str, kind: str, code: int) -> Any:
    if kind == "CME":
        raise CmeError(command, code)
    if kind == "CMS":
        raise CmsError(command, code)
    raise CommandError(command)

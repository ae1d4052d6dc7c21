"""What a gateway does with a modem, blocking: used from the modem's worker thread alone."""

from __future__ import annotations

import glob
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gsmmodem.exceptions import (  # type: ignore[import-untyped]  # it has no types
    CmeError,
    CmsError,
    CommandError,
    TimeoutException,
)
from gsmmodem.pdu import encodeSmsSubmitPdu  # type: ignore[import-untyped]  # the same
from serial import SerialException

from dtns.gateway.modem.driver import CTRL_Z, Driver, error_of
from dtns.gateway.modem.errors import AbsentError, RefusedError, SilentError, StartError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtns.gateway.modem.timing import Timing

_SYNC_TRIES: Final = 3
_SYNC_SECONDS: Final = 2.0
_ESCAPED_SECONDS: Final = 0.1
_PROMPT: Final = "> "
_ROAMING: Final = 5
_REGISTERED: Final = {1, _ROAMING}
_UNKNOWN_SIGNAL: Final = 99
_INBOXES: Final = ("SM", "ME", "SR")
_LISTED: Final = re.compile(r"\+CMGL: *(\d+) *, *(\d+)")
_CREG: Final = re.compile(r"\+C(?:E|G)?REG: *\d+ *, *(\d+) *(?:,|$)")
_CSQ: Final = re.compile(r"\+CSQ: *(\d+)")
_COPS: Final = re.compile(r'\+COPS: *\d+ *, *\d+ *, *"([^"]*)"')
_CSCA: Final = re.compile(r'\+CSCA: *"([^"]*)"')
_CMGS: Final = re.compile(r"\+CMGS: *(\d+)")
_CPMS: Final = re.compile(r'\+CPMS: *"([^"]*)" *, *(\d+) *, *(\d+)')
_RECEIVED: Final = {0, 1}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a modem is and how it is used; *device* may be a pattern, as of a shell."""

    device: str
    baud: int = 115200
    pin: str | None = field(default=None, repr=False)
    reports: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a message is stored."""

    memory: str
    index: int


@dataclass(frozen=True, slots=True)
class StoredPdu:
    """A message stored in the modem, as its PDU in hexadecimal."""

    slot: Slot
    pdu: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a modem says of itself."""

    device: str
    manufacturer: str
    model: str
    revision: str
    imei: str
    smsc: str | None


@dataclass(frozen=True, slots=True)
class Reception:
    """The network as the modem sees it; *signal* is +CSQ's 0 to 31, None if not known."""

    registration: int
    signal: int | None
    operator: str | None

    @property
    def registered(self) -> bool:
        """Whether messages can be sent."""
        return self.registration in _REGISTERED

    @property
    def roaming(self) -> bool:
        """Whether the network is another than the SIM card's own."""
        return self.registration == _ROAMING


class Session:
    """One connection to a modem.

    Raises, all methods but `close`: AbsentError if the port is gone, SilentError if the modem
    does not answer (the connection is of no use then), RefusedError if it answers with an error.
    """

    def __init__(
        self,
        settings: Settings,
        timing: Timing,
        heard: Callable[[list[str]], None],
        lost: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._timing = timing
        self.device = find_device(settings.device)
        self._driver = Driver(
            self.device, settings.baud, heard, lost, timing.busy, reports=settings.reports
        )
        self._memory: str | None = None
        self.memories: tuple[str, ...] = ()

    def open(self) -> None:
        """Open the port and bring the modem to answer; the SIM card may still be locked."""
        try:
            self._driver.open()
            self._driver.escape()
        except (SerialException, OSError) as fault:
            raise AbsentError(f"{self.device} cannot be opened: {_reason(fault)}") from None
        time.sleep(_ESCAPED_SECONDS)
        for left in reversed(range(_SYNC_TRIES)):
            try:
                self.ask("AT", min(_SYNC_SECONDS, self._timing.answer))
                break
            except SilentError:
                if not left:
                    raise
        self.ask("ATE0")
        with suppress(RefusedError):  # its errors have no numbers then
            self.ask("AT+CMEE=1")

    def begin(self) -> Facts:
        """Have the driver set the modem up for messages; the SIM card must be unlocked."""
        try:
            self._driver.connect()
        except TimeoutException:
            raise SilentError("the modem stopped answering while it was set up") from None
        except (SerialException, OSError) as fault:
            raise AbsentError(f"{self.device} is gone: {_reason(fault)}") from None
        except (CommandError, TypeError, ValueError, LookupError, AttributeError) as fault:
            kind = type(fault).__name__
            raise StartError(f"the driver cannot set this modem up ({kind})") from None
        offered = " ".join(self.ask("AT+CPMS=?"))
        self.memories = tuple(name for name in _INBOXES if f'"{name}"' in offered)
        smsc = _CSCA.search("\n".join(self.ask_if_known("AT+CSCA?")))
        return Facts(
            device=self.device,
            manufacturer=self._first("AT+CGMI"),
            model=self._first("AT+CGMM"),
            revision=self._first("AT+CGMR"),
            imei=self._first("AT+CGSN"),
            smsc=smsc[1] if smsc else None,
        )

    def close(self) -> None:
        """Close the port; nothing else can be done with the session."""
        with suppress(SerialException, OSError, RuntimeError):  # it is gone already
            self._driver.close()

    def ask(self, command: str, timeout: float | None = None) -> list[str]:
        """Give a command and return its answer's lines, without the final OK."""
        return self._guarded(
            lambda: self._driver.write(command, timeout=timeout or self._timing.answer)
        )[:-1]

    def ask_if_known(self, command: str) -> list[str]:
        """Return the answer's lines; none if the modem refuses the command."""
        try:
            return self.ask(command)
        except RefusedError:
            return []

    def reception(self) -> Reception:
        """Tell registration, signal and operator."""
        registration = self._registration("AT+CREG?")
        if registration not in _REGISTERED:
            lte = self._registration("AT+CEREG?")
            registration = lte if lte in _REGISTERED else registration
        signal = _CSQ.search("\n".join(self.ask("AT+CSQ")))
        strength = int(signal[1]) if signal else _UNKNOWN_SIGNAL
        operator = _COPS.search("\n".join(self.ask_if_known("AT+COPS?")))
        return Reception(
            registration,
            None if strength == _UNKNOWN_SIGNAL else strength,
            operator[1] if operator else None,
        )

    def stored(self, memory: str) -> list[StoredPdu]:
        """List what came in and is stored in *memory*, sound or not; drafts are left out."""
        self._select(memory)
        found = []
        place: re.Match[str] | None = None
        for line in self.ask("AT+CMGL=4", self._timing.listing):
            if head := _LISTED.match(line):
                place = head
            elif place is not None and int(place[2]) in _RECEIVED:
                found.append(StoredPdu(Slot(memory, int(place[1])), line))
                place = None
        return found

    def room(self, memory: str) -> tuple[int, int] | None:
        """Return how many messages *memory* holds and can hold, if the modem tells."""
        self._select(memory)
        match = _CPMS.search("\n".join(self.ask_if_known("AT+CPMS?")))
        return (int(match[2]), int(match[3])) if match else None

    def erase(self, slot: Slot) -> None:
        """Delete a stored message."""
        self._select(slot.memory)
        self.ask(f"AT+CMGD={slot.index}")

    def submit(self, recipient: str, text: str, validity_seconds: int) -> int | None:
        """Send a message, once, and return its message reference, if the modem tells one.

        Raises:
            RefusedError: the network did not take it.
            SilentError, AbsentError: before the message had left: it was surely not sent.
            UnknownFateError: after that: it may have been.
        """
        (pdu,) = encodeSmsSubmitPdu(
            recipient,
            text,
            validity=timedelta(seconds=max(300, validity_seconds)),
            requestStatusReport=self._settings.reports,
        )
        prompted = self._guarded(
            lambda: self._driver.write(
                f"AT+CMGS={pdu.tpduLength}",
                timeout=self._timing.prompt,
                expectedResponseTermSeq=_PROMPT,
            )
        )
        if not prompted[-1].endswith(">"):
            raise SilentError("the modem did not ask for the message")
        try:
            answer = self._driver.write(
                str(pdu), timeout=self._timing.submit, writeTerm=CTRL_Z, parseError=False
            )
        except (TimeoutException, SerialException, OSError, TypeError):
            raise UnknownFateError("nothing was heard after the message had left") from None
        if error := error_of(answer):
            raise RefusedError(*error)
        match = _CMGS.search("\n".join(answer))
        return int(match[1]) if match else None

    def _registration(self, command: str) -> int:
        for line in reversed(self.ask_if_known(command)):
            if match := _CREG.match(line):
                return int(match[1])
        return 0

    def _first(self, command: str) -> str:
        return next(iter(self.ask_if_known(command)), "")

    def _select(self, memory: str) -> None:
        if memory != self._memory:
            self._memory = None
            self.ask(f'AT+CPMS="{memory}"')
            self._memory = memory

    def _guarded(self, write: Callable[[], list[str]]) -> list[str]:
        try:
            return write()
        except TimeoutException:
            raise SilentError("the modem does not answer") from None
        except (CmeError, CmsError) as fault:
            raise RefusedError(fault.type, fault.code) from None
        except CommandError:
            raise RefusedError("", 0) from None
        except (SerialException, OSError, TypeError) as fault:
            raise AbsentError(f"{self.device} is gone: {_reason(fault)}") from None


class UnknownFateError(SilentError):
    """Nothing was heard after a message had left: the network may hold it."""


def find_device(pattern: str) -> str:
    """Return the device that *pattern* matches, the first of several in order.

    Raises:
        AbsentError: none does.
    """
    found = sorted(glob.glob(pattern))  # noqa: PTH207 (an absolute pattern)
    if not found:
        raise AbsentError(f"no device {pattern}: is the modem plugged in?")
    return found[0]


def _reason(fault: Exception) -> str:
    return str(getattr(fault, "strerror", None) or type(fault).__name__)

"""AT commands in, answers and notifications out, sans-I/O: 3GPP TS 27.005 and 27.007."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from dtns.gateway.modem.emulator.card import Card, Storage
from dtns.gateway.modem.emulator.commands import COMMANDS, AtError
from dtns.gateway.modem.emulator.faults import Faults
from dtns.gateway.modem.emulator.pdu import read_submit, tpdu_length
from dtns.gateway.modem.pdu import PduError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtns.gateway.modem.emulator.dialects import Dialect
    from dtns.gateway.modem.emulator.pdu import Submit

_COMMAND: Final = re.compile(r"AT([+^*&$%]?[A-Z]+)(=\?|\?|=)?(.*)", re.DOTALL)
_CTRL_Z: Final = 0x1A
_ESCAPE: Final = 0x1B
_REFERENCES: Final = 256


class Radio(Protocol):
    """The network as the modem sees it."""

    registration: int
    """+CREG's stat: 1 home, 5 roaming, 2 searching, 3 denied, 0 off."""
    signal: int
    """+CSQ's rssi: 0 to 31, 99 unknown."""

    def submit(self, submit: Submit, reference: int, done: Callable[[int | None], None]) -> None:
        """Send a message; *done* is told a +CMS ERROR code, or None once it is taken."""

    def room(self) -> None:
        """The storage has room again for what waits."""


class Interpreter:
    """One modem: its settings, SIM card, storages and dialogue.

    *write* takes octets for the port; *later* calls a function after so many seconds.
    """

    dialect: Dialect
    radio: Radio

    def __init__(
        self,
        dialect: Dialect,
        card: Card,
        radio: Radio,
        write: Callable[[bytes], None],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self.dialect = dialect
        self.card = card
        self.radio = radio
        self.faults = Faults()
        self.storages = {name: Storage() for name in dialect.memories}
        self.references = 0
        self.seen: deque[str] = deque(maxlen=200)
        self._write = write
        self._later = later
        self._held: list[str] = []
        self._inside: list[str] = []
        self.power_on()

    def power_on(self) -> None:
        """Start as after a power cycle: defaults in force, storages kept."""
        self.echo = True
        self.detailed_errors = False
        self.indications = (0, 0)
        self.memory = self.dialect.memories[0]
        self._input = bytearray()
        self._prompted: int | None = None
        self._working = False
        self._turn = object()
        self._held.clear()
        self._inside.clear()

    def say(self, *lines: str) -> None:
        """Write lines of the modem's own, unless it is silent."""
        if not self.faults.silent:
            self._write("".join(f"\r\n{line}\r\n" for line in lines).encode())

    def notify(self, line: str) -> None:
        """Write a notification, now or where the faults in force put it."""
        if self.faults.hold:
            self._held.append(line)
        elif self.faults.strikes("inside"):
            self._inside.append(line)
        else:
            self.say(line)

    def release(self) -> None:
        """Write all the notifications that were held, in one burst."""
        self.faults.hold = False
        held, self._held = self._held, []
        self.say(*held)

    def store(self, pdu: str) -> bool:
        """Store a message that came in and notify; False if there is no room, as is then said."""
        storage = self.storages[self.dialect.memories[0]]
        slot = storage.add(pdu)
        if slot is None:
            self.say(self.dialect.full)
            return False
        if self.indications[0]:
            self.notify(f'+CMTI: "{self.dialect.memories[0]}",{slot}')
        return True

    def report(self, pdu: str) -> None:
        """Hand over a status report as +CNMI says: at once, or stored."""
        if self.indications[1] == 1:
            self.notify(f"+CDS: {tpdu_length(pdu)}\r\n{pdu}")
        elif self.indications[1] and (slot := self.storages["SR"].add(pdu)) is not None:
            self.notify(f'+CDSI: "SR",{slot}')

    def feed(self, octets: bytes) -> None:
        """Take in what was typed."""
        if self.faults.silent:
            return
        self._input += octets
        if not self._working:
            self._read()

    def _read(self) -> None:
        """Work off what was typed, until a command takes its time."""
        while self._input and not self._working:
            ends = b"\x1a\x1b" if self._prompted is not None else b"\r\x1b"
            places = [at for at in map(self._input.find, (ends[:1], ends[1:])) if at >= 0]
            if not places:
                return
            end = min(places)
            typed, last = bytes(self._input[:end]), self._input[end]
            del self._input[: end + 1]
            if self.faults.echo or (self.echo and self._prompted is None):
                self._write(typed + bytes((last,)))
            self._take(typed.decode("ascii", "replace").strip(), last)

    def _take(self, typed: str, last: int) -> None:
        if self._prompted is not None:
            length, self._prompted = self._prompted, None
            if last == _CTRL_Z:
                self._send(typed, length)
            else:
                self.say("OK")
        elif last != _ESCAPE and typed:
            self.seen.append(typed)
            self._work(self.faults.answer_delay, lambda: self._obey(typed))

    def _work(self, seconds: float, act: Callable[[], None]) -> None:
        """Act now or later; nothing else is read until then, unless the power goes."""
        if not seconds:
            act()
            return
        self._working, turn = True, self._turn

        def done() -> None:
            if self._turn is turn:
                self._working = False
                act()
                self._read()

        self._later(seconds, done)

    def _obey(self, typed: str) -> None:
        match = _COMMAND.fullmatch(typed)
        if match is None:
            if typed.upper() == "AT":
                self._answer([], "OK")
            else:
                self._answer([], "ERROR")
            return
        name, form, argument = match[1], match[2] or "", match[3]
        if name == "+CMGS" and form == "=":
            self._prompt(argument)
            return
        try:
            if name not in {"Z", "E", "+CMEE"} and self.faults.strikes("busy"):
                raise AtError("CME", 14)  # noqa: TRY301 (one way to spell errors)
            command = COMMANDS.get(name) or self.dialect_command(name, form)
            self._answer(command(self, form, argument), "OK")
        except AtError as error:
            self._answer([], self._spelled(error))

    def dialect_command(self, name: str, form: str) -> Callable[..., list[str]]:
        """Return the command that only this dialect has; AtError if it has none such."""
        if f"{name}{form}" == self.dialect.iccid[0]:
            return lambda *_: [f"{self.dialect.iccid[1]}{self.card.iccid}"]
        if self.dialect.commands and name in self.dialect.commands:
            return lambda *_: []
        raise AtError("unknown", 0)

    def _spelled(self, error: AtError) -> str:
        if error.kind == "unknown":
            return self.dialect.unknown
        if error.kind == "CMS" or self.detailed_errors:
            return f"+{error.kind} ERROR: {error.code}"
        return "ERROR"

    def _answer(self, lines: list[str], final: str) -> None:
        inside, self._inside = self._inside, []
        if self.faults.chatter:
            inside += self.dialect.chatter
        said = [line.replace(": ", f":{self.dialect.space}", 1) for line in lines]
        at = len(said) // 2 if len(said) > 1 and not said[0].startswith("+CMG") else 0
        self.say(*said[:at], *inside, *said[at:], final)

    def _prompt(self, argument: str) -> None:
        try:
            if self.faults.strikes("busy"):
                raise AtError("CMS", 515)  # noqa: TRY301 (the same)
            self.need_card("CMS")
            self._prompted = int(argument)
        except (AtError, ValueError) as fault:
            error = fault if isinstance(fault, AtError) else AtError("CMS", 304)
            self._answer([], self._spelled(error))
            return

        def prompt() -> None:
            if not self.faults.silent:
                self._write(b"\r\n> ")

        self._work(self.faults.prompt_delay, prompt)

    def _send(self, typed: str, length: int) -> None:
        try:
            submit = read_submit(typed, length)
            if self.faults.submit_errors:
                raise AtError("CMS", self.faults.submit_errors.pop(0))  # noqa: TRY301 (the same)
            if self.radio.registration not in {1, 5}:
                raise AtError("CMS", 331)  # noqa: TRY301 (the same)
        except (PduError, AtError) as fault:
            error = fault if isinstance(fault, AtError) else AtError("CMS", 304)
            self._work(self.faults.submit_delay, lambda: self._answer([], self._spelled(error)))
            return
        if self.faults.next_reference is not None:
            self.references, self.faults.next_reference = self.faults.next_reference, None
        reference, self.references = self.references, (self.references + 1) % _REFERENCES
        lost, turn, self._working = self.faults.strikes("lost_answers"), self._turn, True

        def done(error: int | None) -> None:
            if self._turn is not turn:
                return
            self._working = False
            if error is not None:
                self._answer([], f"+CMS ERROR: {error}")
            elif not lost:
                self._work(
                    self.faults.submit_delay, lambda: self._answer([f"+CMGS: {reference}"], "OK")
                )
            self._read()

        self.radio.submit(submit, reference, done)

    def after_answer(self, lines: list[str]) -> None:
        """Say *lines* once the command at hand is answered."""
        for line in lines:
            self._later(0.01, lambda line=line: self.say(line))  # type: ignore[misc]  # bound now

    def need_card(self, kind: str) -> None:
        """Refuse what needs an unlocked SIM card."""
        codes = {"absent": (10, 310), "pin": (11, 311), "puk": (12, 316)}
        if self.card.state in codes:
            raise AtError(kind, codes[self.card.state][kind == "CMS"])

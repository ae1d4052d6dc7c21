"""An emulated modem whole: its dialogue, port, radio and the operations that order its faults."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from dtns.gateway.modem.emulator.card import PIN_TRIES, SLOTS, Card, CardState, Storage
from dtns.gateway.modem.emulator.faults import Faults
from dtns.gateway.modem.emulator.interpreter import Interpreter
from dtns.gateway.modem.emulator.pdu import parts_of, write_deliver
from dtns.gateway.modem.emulator.port import PtyPort
from dtns.gateway.modem.emulator.radio import LoneRadio, LoopbackRadio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dtns.gateway.loopback.address import Address
    from dtns.gateway.modem.emulator.dialects import Dialect

ICCID: Final = "8925402123456789012"


class EmulatedModem:
    """A modem on the pseudo-terminal that *path* leads to.

    With an *address* it is a phone of the loopback network there, under *number*; without one it
    takes every message, and `deliver` puts messages into it.
    """

    def __init__(
        self,
        reactor: Any,
        path: Path,
        dialect: Dialect,
        *,
        address: Address | None = None,
        number: str = "",
        iccid: str = ICCID,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._path = path
        self._first_path = path.name
        self._clock = clock
        self._port: PtyPort | None = None
        store, report = self._store, self._report
        self.radio = (
            LoneRadio(clock, store, report)
            if address is None
            else LoopbackRadio(
                clock, store, report, reactor=reactor, address=address, number=number
            )
        )
        self.modem = Interpreter(dialect, Card(iccid), self.radio, self._write, self._later)
        self.replug()

    def _store(self, pdu: str) -> bool:
        return self.modem.store(pdu)

    def _report(self, pdu: str) -> None:
        self.modem.report(pdu)

    def _write(self, octets: bytes) -> None:
        if self._port is not None:
            self._port.write(octets)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._reactor.callLater(seconds, act)

    def faults(self, **changes: Any) -> None:
        """Change the faults in force."""
        self.modem.faults.change(changes)

    def card(self, state: CardState | None = None, **values: Any) -> None:
        """Change the SIM card: its state, pin, tries, iccid."""
        if state is not None:
            self.modem.card.state = state
        for name, value in values.items():
            setattr(self.modem.card, name, value)

    def network(self, registration: int | None = None, signal: int | None = None) -> None:
        """Change the registration (+CREG's stat) and the signal (+CSQ's rssi)."""
        if registration is not None:
            self.radio.registration = registration
        if signal is not None:
            self.radio.signal = signal

    def slots(self, size: int, memory: str | None = None) -> None:
        """Change how many messages a storage holds."""
        self._storage(memory).size = size
        self.radio.room()

    def store(self, pdu: str, status: int = 0, memory: str | None = None) -> None:
        """Put a PDU into a storage without a word, sound or not."""
        self._storage(memory).add(pdu, status)

    def deliver(
        self,
        sender: str,
        text: str,
        sent_at: float | None = None,
        reference: int = 1,
        order: list[int] | None = None,
    ) -> None:
        """Deliver a message; of a long one the parts named in *order*, counted from 1."""
        at = self._clock() if sent_at is None else sent_at
        parts = parts_of(text)
        if order is None and len(parts) == 1:
            self.radio.deliver(write_deliver(sender, text, at))
            return
        for number in order or range(1, len(parts) + 1):
            place = (reference, len(parts), number)
            self.radio.deliver(write_deliver(sender, parts[number - 1], at, place))

    def settle(self, number: int, status: int = 0) -> None:
        """Report on the message sent as the *number*th, from 0; status is TP-ST."""
        self.radio.settle(number, status)

    def release(self) -> None:
        """Write the notifications that are held, in one burst."""
        self.modem.release()

    def say(self, line: str) -> None:
        """Say a line, unasked."""
        self.modem.say(line)

    def noise(self, octets: str) -> None:
        """Write octets, given in hexadecimal, as a bad cable would."""
        self._write(bytes.fromhex(octets))

    def hang_up(self) -> None:
        """Close the port and open another at once, as a USB bus reset does; the power stays."""
        self._close(gone=False)
        self._port = PtyPort(self._reactor, self._path, self.modem.feed)

    def unplug(self) -> None:
        """Pull the modem out: no device, no power, no network."""
        self._close(gone=True)
        self.radio.power(on=False)

    def replug(self, pin_wanted: bool = False, path: str | None = None) -> None:  # noqa: FBT001, FBT002 (comes as JSON)
        """Plug the modem in again, at another *path* if one is given."""
        if path is not None:
            self._close(gone=True)
            self._path = self._path.with_name(path)
        self._close(gone=True)
        self.modem.power_on()
        if pin_wanted and self.modem.card.state == "ready":
            self.modem.card.state = "pin"
        self._port = PtyPort(self._reactor, self._path, self.modem.feed)
        self.radio.power(on=True)
        self.modem.say(*self.modem.dialect.boot)

    def _close(self, *, gone: bool) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.unplug(gone=gone)

    def reset(self) -> None:
        """Begin anew: no faults, nothing stored or sent, an unlocked card, plugged in."""
        self.modem.faults.change(asdict(Faults()))
        for storage in self.modem.storages.values():
            storage.slots.clear()
            storage.size = SLOTS
        self.modem.seen.clear()
        self.modem.references = 0
        self.radio.clear()
        self.network(registration=1, signal=17)
        self.card("ready", pin="1234", tries=PIN_TRIES, entered=0, iccid=ICCID)
        self.replug(path=self._first_path)

    def stop(self) -> None:
        """Switch everything off."""
        self.unplug()

    def status(self) -> dict[str, Any]:
        """Tell how things are, JSON-able."""
        modem, card = self.modem, self.modem.card
        return {
            "path": str(self._path),
            "device": None if self._port is None else self._port.device,
            "stored": {name: len(each.slots) for name, each in modem.storages.items()},
            "waiting": self.radio.waiting,
            "sent": len(self.radio.sent),
            "card": {"state": card.state, "tries": card.tries, "entered": card.entered},
        }

    def sent(self, after: int = 0) -> dict[str, Any]:
        """List the messages sent, after the first so many: recipient, text and reference."""
        return {
            "messages": [
                [submit.recipient, submit.text, reference]
                for submit, reference in self.radio.sent[after:]
            ]
        }

    def typed(self) -> dict[str, Any]:
        """List the latest commands that were typed."""
        return {"commands": list(self.modem.seen)}

    def _storage(self, memory: str | None) -> Storage:
        return self.modem.storages[memory or self.modem.dialect.memories[0]]

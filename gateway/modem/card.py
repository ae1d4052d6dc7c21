"""The SIM card: its PIN is entered once, and never again after it was refused."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from dtns.gateway.modem.errors import CardError, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from dtns.gateway.modem.session import Session

_ICCID: Final = re.compile(r"(?<!\d)(89\d{16,18})(?!\d)")
_FILE: Final = re.compile(r'\+CRSM: *144 *, *\d+ *, *"([0-9A-Fa-f]{20})"')
_TRIES: Final = re.compile(r"\+CPINR: *SIM PIN *, *(\d+)")
_ASK_ICCID: Final = ("AT+CCID", "AT+QCCID", "AT^ICCID?", "AT+ZGETICCID")
_READ_ICCID: Final = "AT+CRSM=176,12258,0,0,10"
_FEWEST_TRIES: Final = 2
_PIN_TEXT: Final = re.compile(r"[0-9]{4,8}")
_NO_CARD: Final = {10, 13, 15}
_NOT_TELLING: Final = "unknown"


def card_number(session: Session) -> str:
    """Return the SIM card's number (ICCID), or "unknown" where the modem does not tell it."""
    for command in _ASK_ICCID:
        if match := _ICCID.search("\n".join(session.ask_if_known(command))):
            return match[1]
    if match := _FILE.search("\n".join(session.ask_if_known(_READ_ICCID))):
        digits = match[1]
        return "".join(digits[at + 1] + digits[at] for at in range(0, 20, 2)).rstrip("Ff")
    return _NOT_TELLING


def card_state(session: Session) -> str:
    """Return what +CPIN says: READY, SIM PIN, SIM PUK…; "absent" without a card."""
    try:
        lines = session.ask("AT+CPIN?")
    except RefusedError as fault:
        if fault.code in _NO_CARD or not fault.kind:
            return "absent"
        raise
    states = [line.partition(":")[2].strip() for line in lines if line.startswith("+CPIN")]
    return states[-1] if states else _NOT_TELLING


class RefusedPins:
    """Which SIM cards refused a PIN, kept in a file: one ICCID a line.

    A card is written down before its PIN is entered and struck out once it was right, so that a
    crash in between costs no second try.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def holds(self, card: str) -> bool:
        """Tell whether *card* refused, or may have refused, a PIN."""
        return card in self._cards()

    def add(self, card: str) -> None:
        """Write *card* down, durably."""
        self._write([*self._cards(), card])

    def discard(self, card: str) -> None:
        """Strike *card* out."""
        self._write([each for each in self._cards() if each != card])

    def _cards(self) -> list[str]:
        return self.path.read_text().split() if self.path.exists() else []

    def _write(self, cards: list[str]) -> None:
        if not cards:
            self.path.unlink(missing_ok=True)
            return
        with self.path.open("w") as file:
            file.write("".join(f"{card}\n" for card in cards))
            file.flush()
            os.fsync(file.fileno())


def unlock(session: Session, pin: str | None, refused: RefusedPins) -> None:
    """Bring the SIM card to READY, with the PIN if it wants one and has not refused one yet.

    Raises:
        CardError: it is missing, wants a PIN or PUK that is not ours to enter, or refused.
    """
    state = card_state(session)
    if state == "absent":
        raise CardError("there is no SIM card in the modem: put one in")
    if state == "READY":
        return
    if state != "SIM PIN":
        raise CardError(f"the SIM card wants {state}: enter it in a phone, then try again")
    if pin is None:
        raise CardError("the SIM card wants its PIN: name a pin_file or pin_credential")
    if _PIN_TEXT.fullmatch(pin) is None:
        raise CardError("the configured PIN is not 4 to 8 digits: it was not tried")
    card = card_number(session)
    if refused.holds(card):
        raise CardError(
            "this SIM card refused the PIN: it is not tried again; put the right one into its "
            f"file and remove {refused.path}"
        )
    tries = _TRIES.search("\n".join(session.ask_if_known('AT+CPINR="SIM PIN"')))
    if tries and int(tries[1]) < _FEWEST_TRIES:
        raise CardError("the SIM card has one try of its PIN left: enter it in a phone")
    _enter(session, pin, card, refused)


def _enter(session: Session, pin: str, card: str, refused: RefusedPins) -> None:
    refused.add(card)
    try:
        session.ask(f'AT+CPIN="{pin}"')
    except RefusedError:
        raise CardError(
            "the SIM card refused the PIN; it will not be tried again: put the right one into "
            f"its file and remove {refused.path}"
        ) from None
    refused.discard(card)

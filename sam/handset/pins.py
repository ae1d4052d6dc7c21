"""The PIN, asked for before money leaves; a try is counted durably before it is judged."""

from __future__ import annotations

import hmac
import re
from typing import Final

from attrs import evolve

from dtns.sam.handset.card import Card
from dtns.sam.handset.purse import PIN_TRIES, Pin
from dtns.sam.handset.simfile import SimFile
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.primitives import cmac, derive

_PIN: Final = re.compile("[0-9]{4,8}", re.ASCII)


def is_pin(text: str) -> bool:
    """Tell whether *text* can be a PIN: 4 to 8 digits."""
    return _PIN.fullmatch(text) is not None


def check_pin(sim: SimFile, card: Card, pin: str) -> str:
    """Return nothing if this is the PIN, else why money stays where it is.

    The reasons are no-pin, pin-locked and wrong-pin. A try is counted durably before it is judged.
    """
    known = card.state.purse.pin
    if known.verifier is None:
        return "no-pin"
    if known.locked:
        return "pin-locked"
    failures = known.failures + 1
    locks = known.locks + (failures == PIN_TRIES)
    _keep(card, evolve(known, failures=failures, locks=locks))
    if not hmac.compare_digest(_verifier(sim, pin), known.verifier):
        return "pin-locked" if failures == PIN_TRIES else "wrong-pin"
    _keep(card, evolve(known, failures=0))
    return ""


def set_pin(sim: SimFile, card: Card, old: str, new: str) -> str:
    """Set the PIN, the first one without an old one; return nothing, or why it was not set.

    The reasons are those of check_pin, and malformed.
    """
    if not is_pin(new):
        return "malformed"
    if card.state.purse.pin.verifier is not None and (reason := check_pin(sim, card, old)):
        return reason
    pin = card.state.purse.pin
    _keep(card, evolve(pin, verifier=_verifier(sim, new), failures=0))
    return ""


def _verifier(sim: SimFile, pin: str) -> bytes:
    """Return what the card keeps of a PIN; below the keys the SIM was made with, which stay."""
    key = derive(sim.keys.ask, Label.PIN, b"")
    return cmac(key, pin.encode())


def _keep(card: Card, pin: Pin) -> None:
    card.keep(evolve(card.state, purse=evolve(card.state.purse, pin=pin)))

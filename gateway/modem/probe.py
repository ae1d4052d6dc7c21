"""Look a modem over, blocking: what it is, what it has, what is missing and what to do."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dtns.gateway.modem.card import card_number, card_state
from dtns.gateway.modem.condition import REGISTRATIONS, WEAK_SIGNAL
from dtns.gateway.modem.errors import RefusedError
from dtns.gateway.modem.session import Session
from dtns.gateway.modem.timing import USUAL
from dtns.gateway.modem.ussd import read_ussd

if TYPE_CHECKING:
    from dtns.gateway.modem.session import Settings
    from dtns.gateway.modem.timing import Timing

_USSD_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.05
_WHAT_TO_DO: Final = {
    "absent": "no SIM card: put one in",
    "SIM PIN": "the SIM card wants its PIN: name a pin_file in the configuration",
    "SIM PUK": "the SIM card is locked and wants its PUK: enter it in a phone",
}


@dataclass(slots=True)
class Probed:
    """What a modem told; None is what it did not tell. `missing` says what to do."""

    device: str
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    imei: str = ""
    sim: str = ""
    iccid: str = ""
    network: str | None = None
    registered: bool = False
    roaming: bool = False
    signal: int | None = None
    sms_centre: str | None = None
    storage: dict[str, str] = field(default_factory=dict)
    ussd: bool = False
    ussd_answer: dict[str, Any] | None = None
    missing: list[str] = field(default_factory=list)


def probe(settings: Settings, ussd: str | None = None, timing: Timing = USUAL) -> Probed:
    """Look a modem over; no PIN is entered, nothing is sent but the *ussd* code, if any.

    Raises:
        AbsentError, SilentError: the port cannot be used, or nothing answers there.
    """
    heard: list[str] = []
    session = Session(settings, timing, heard.extend, lambda: None)
    try:
        session.open()
        found = Probed(session.device)
        _look_at_card(session, found)
        if found.sim == "READY":
            _look_at_service(session, found)
            if ussd is not None:
                found.ussd_answer = _dial(session, ussd, heard)
        return found
    finally:
        session.close()


def _look_at_card(session: Session, found: Probed) -> None:
    found.manufacturer, found.model, found.firmware, found.imei = (
        next(iter(session.ask_if_known(f"AT+CG{name}")), "") for name in ("MI", "MM", "MR", "SN")
    )
    found.sim = card_state(session)
    found.iccid = card_number(session)
    if found.sim != "READY":
        found.missing.append(_WHAT_TO_DO.get(found.sim, f"the SIM card wants {found.sim}"))


def _look_at_service(session: Session, found: Probed) -> None:
    facts, reception = session.begin(), session.reception()
    found.sms_centre = facts.smsc
    found.network, found.signal = reception.operator, reception.signal
    found.registered, found.roaming = reception.registered, reception.roaming
    for memory in session.memories:
        if room := session.room(memory):
            found.storage[memory] = f"{room[0]} of {room[1]}"
            if room[0] >= room[1]:
                found.missing.append(f"storage {memory} is full: Sam will empty it")
    try:
        session.ask("AT+CUSD=?")
        found.ussd = True
    except RefusedError:
        found.missing.append("no USSD: the credit cannot be asked for by this modem")
    if not found.registered:
        found.missing.append(REGISTRATIONS.get(reception.registration, "not registered"))
    if not found.sms_centre:
        found.missing.append("no SMS centre on the SIM card: set it in a phone")
    if not session.memories:
        found.missing.append("no message storage: this modem cannot receive messages")
    if found.registered and found.signal is not None and found.signal < WEAK_SIGNAL:
        found.missing.append(f"weak signal ({found.signal} of 31): move the antenna")


def _dial(session: Session, code: str, heard: list[str]) -> dict[str, Any] | None:
    heard.clear()
    try:
        said = session.ask(f'AT+CUSD=1,"{code}",15')
    except RefusedError as fault:
        return {"form": None, "meaning": str(fault), "text": None}
    deadline = time.monotonic() + _USSD_SECONDS
    while (answer := read_ussd([*said, *heard])) is None or not answer.text:
        if (answer and answer.form not in {0, 1, 2}) or time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    return asdict(answer) if answer else None

"""USSD on the terminal phone: dial a code, read screens, type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dtns.gateway.errors import TemporaryError, WireError
from dtns.gateway.loopback.handset import Line, Screen
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.reports import Report


def dial(
    phone: Phone, code: str, typed: Iterable[str], show: Callable[[str], None] = lambda _: None
) -> Report:
    """Hold a USSD session: dial *code*, then type what *typed* gives until it ends.

    Each screen is handed to *show* when it comes. A session that still stands is hung up.
    """
    screens: list[str] = []

    def shown(screen: Screen) -> Screen:
        screens.append(screen.text)
        show(screen.text)
        return screen

    facts: dict[str, Any] = {"status": "ended", "reason": "", "screens": screens}
    try:
        with phone.line() as line:
            _hold(line, code, typed, shown)
    except WireError as fault:
        facts |= {"status": "refused", "reason": "not-a-code", "message": str(fault)}
        return Report(facts, f"That cannot be dialled: {fault}.", refused=True)
    except TemporaryError as fault:
        facts |= {"status": "broken-off", "reason": "no-session", "message": str(fault)}
        return Report(facts, "\n".join([*screens, str(fault)]), unsent=True)
    return Report(facts, "\n".join(screens))


def _hold(line: Line, code: str, typed: Iterable[str], shown: Callable[[Screen], Screen]) -> None:
    screen = shown(line.dial(code))
    for text in () if screen.ends else typed:
        screen = shown(line.key(screen.session, text))
        if screen.ends:
            return
    if not screen.ends:
        line.hang_up(screen.session)

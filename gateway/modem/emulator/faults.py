"""What can be made to go wrong in an emulated modem."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Faults:
    """The faults in force; counts go down as they strike.

    Attributes:
        silent: nothing is answered, nothing said; the port stays open.
        echo: what is typed is echoed, whatever ATE0 says.
        chatter: the dialect's unasked lines come inside every answer.
        prompt_delay, submit_delay, answer_delay: seconds before the prompt, before the answer
            to a message, before any other answer.
        submit_errors: +CMS ERROR codes that the next messages get, which are not sent.
        lost_answers: so many messages are sent and never answered.
        delete_errors: so many +CMGD fail.
        busy: so many commands get "SIM busy" (+CME ERROR: 14), messages +CMS ERROR: 515.
        hold: notifications wait until they are released, all at once.
        inside: so many notifications come inside the answer to the next command.
        bare_wind: AT+WIND? is answered by OK alone.
        cmee_refused: AT+CMEE=1 is answered by ERROR.
        bare_charsets: AT+CSCS=? lists its values without parentheses.
        tight_cpms: AT+CPMS=? has no space after its colon.
        pin_spelling: AT+CPIN? has no space after its colon.
        ussd: forms of the next answers to USSD: 0, 1, 2, 4, 5, "release", "none", "lines".
        next_reference: message reference of the next message sent.
    """

    silent: bool = False
    echo: bool = False
    chatter: bool = False
    prompt_delay: float = 0.0
    submit_delay: float = 0.0
    answer_delay: float = 0.0
    submit_errors: list[int] = field(default_factory=list)
    lost_answers: int = 0
    delete_errors: int = 0
    busy: int = 0
    hold: bool = False
    inside: int = 0
    bare_wind: bool = False
    cmee_refused: bool = False
    bare_charsets: bool = False
    tight_cpms: bool = False
    pin_spelling: bool = False
    ussd: list[str] = field(default_factory=list)
    next_reference: int | None = None

    def change(self, changes: dict[str, Any]) -> None:
        """Change the faults named; ValueError if one is unknown or of another type."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown fault {name}; known are {', '.join(known)}")
            setattr(self, name, value)

    def strikes(self, name: str) -> bool:
        """Tell whether the counted fault *name* strikes now, and count it down."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

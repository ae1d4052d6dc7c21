"""How long a modem is given, and how often it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timing:
    """All times in seconds.

    Attributes:
        answer: for a command's answer.
        prompt: for the prompt that asks for a message.
        submit: for the network's answer to a message.
        listing: for a list of stored messages.
        check: between looks at the registration and signal; silence shows within one of these
            and one `answer`.
        sweep: between sweeps of everything stored, whatever was notified.
        sweep_after_send: at the least between two sweeps that follow messages sent.
        look: between looks for a device that is absent.
        first_retry, longest_retry: pauses before a modem is tried again, doubled and jittered.
        rest: first pause after the network refused a message for now, doubled while it goes on.
        unjoined: how long parts wait for the rest of their message.
        busy: between tries of a command that the modem was too busy for.
    """

    answer: float = 10.0
    prompt: float = 20.0
    submit: float = 60.0
    listing: float = 60.0
    check: float = 15.0
    sweep: float = 60.0
    sweep_after_send: float = 2.0
    look: float = 0.5
    first_retry: float = 1.0
    longest_retry: float = 60.0
    rest: float = 5.0
    unjoined: float = 86400.0
    busy: float = 0.3


USUAL: Final = Timing()

"""How long an SMSC is given, and how often it is asked whether it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timing:
    """All times in seconds.

    Attributes:
        connect: for the TCP connection, and TLS.
        bind: for the answer to a bind.
        answer: for the answer to a submit_sm.
        quiet: without any whole PDU, after which the SMSC is asked whether it is there.
        enquire: for the answer to that.
        unbind: for the answer to an unbind.
        first_retry, longest_retry: pauses before the next connection, growing, with at most
            `jitter` more.
        locked_out: pause after a bind was refused for what somebody has to change.
        steady: a connection that held for so long makes the next pause short again.
        first_rest, longest_rest: pauses after the SMSC refused a message for now, doubled.
        stop: for the answers that are awaited when everything stops.
        look: between looks at what is overdue.
    """

    connect: float = 10.0
    bind: float = 10.0
    answer: float = 30.0
    quiet: float = 30.0
    enquire: float = 10.0
    unbind: float = 2.0
    first_retry: float = 0.25
    longest_retry: float = 10.0
    jitter: float = 1.0
    locked_out: float = 60.0
    steady: float = 2.0
    first_rest: float = 0.5
    longest_rest: float = 30.0
    stop: float = 5.0
    look: float = 0.5


USUAL: Final = Timing()

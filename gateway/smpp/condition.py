"""How the binds to an SMSC are, for the operator."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Condition:
    """State and counts since the start; times are POSIX seconds.

    Attributes:
        state: starting, up, down, suspended or stopped; up once anything can be sent.
        reason: why it is not wholly up, or what the SMSC last complained of.
        smsc: what the SMSC calls itself.
        counts: what came of the SMSC that should not, or that tells nothing: `unreadable`,
            `wrong-length`, `answer-to-nothing` and more.
    """

    state: str = "stopped"
    reason: str = ""
    smsc: str = ""
    sent: int = 0
    received: int = 0
    failed: int = 0
    reports: int = 0
    last_received: float | None = None
    last_sent: float | None = None
    counts: Counter[str] = field(default_factory=Counter)

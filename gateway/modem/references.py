"""Which message a status report is on: message references are 0 to 255 and come round; sans-I/O."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

from dtns.gateway.carrier import Report

REMEMBERED: Final = 10_000
_STILL_TRYING: Final = range(0x20, 0x40)
_DELIVERED: Final = range(0x03)
_EXPIRED: Final = 0x46


class References:
    """Messages sent by one modem, by message reference and recipient.

    A reference that comes round while an older message to the same party is unreported stands
    for the newer one. `carrier_id` is the same after a restart, so that a report finds its
    message then too.
    """

    def __init__(self, modem: str) -> None:
        self._modem = modem
        self._sent: OrderedDict[str, str] = OrderedDict()

    def add(self, reference: int, recipient: str, own: str) -> str:
        """Note that the message *own* left under *reference*; return its carrier_id."""
        carrier_id = self.carrier_id(reference, recipient)
        self._sent[carrier_id] = own
        self._sent.move_to_end(carrier_id)
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        return carrier_id

    def carrier_id(self, reference: int, recipient: str) -> str:
        """Return the network's name for a message: modem, reference and a digest of the party."""
        party = hashlib.sha256(recipient.lstrip("+").encode()).hexdigest()[:8]
        return f"{self._modem}-{party}-{reference}"

    def report(self, reference: int, recipient: str, status: int) -> Report | None:
        """Return what a status report tells, None while the network still tries.

        *status* is TP-ST, 3GPP TS 23.040 section 9.2.3.15.
        """
        if status in _STILL_TRYING:
            return None
        carrier_id = self.carrier_id(reference, recipient)
        own = self._sent.get(carrier_id)
        if status in _DELIVERED:
            return Report(carrier_id, own, "delivered")
        state = "expired" if status == _EXPIRED else "failed"
        return Report(carrier_id, own, state, reason=f"the network reports status {status}")  # type: ignore[arg-type]  # one of the states

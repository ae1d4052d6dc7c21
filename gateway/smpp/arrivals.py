"""Whether a message is a redelivery, or a phone that says the same again; sans-I/O.

SMPP gives a delivery no name that lasts: all there is is what it says. An SMSC delivers again
what was not acknowledged, or whose acknowledgement broke off with the connection.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable

    from dtns.gateway.smpp.messages import Delivery

REMEMBERED: Final = 10_000
_HOUR_SECONDS: Final = 3600


@dataclass(slots=True)
class _Arrival:
    identity: str
    repeats: int
    settled: bool = False


class Arrivals:
    """Gives deliveries their identities.

    A delivery that says what an earlier one said has that one's identity, until that was
    acknowledged; and once more if the connection broke before the SMSC surely read so. After
    that it is another message. The identity holds what was said, the hour and a count, so it
    is the same if the process dies within the hour.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Arrival] = OrderedDict()
        self._unheard: dict[Hashable, deque[tuple[int, bytes]]] = {}

    def identify(self, delivery: Delivery, now: float) -> str:
        """Return the identity of a delivery that comes at POSIX time *now*."""
        said = digest(delivery)
        known = self._known.get(said)
        if known is None or known.settled:
            repeats = known.repeats + 1 if known else 0
            identity = f"{said.hex()}-{int(now // _HOUR_SECONDS):x}-{repeats}"
            known = self._known[said] = _Arrival(identity, repeats)
        self._known.move_to_end(said)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return known.identity

    def acknowledged(self, delivery: Delivery, link: Hashable, count: int) -> None:
        """Note that a delivery was acknowledged on *link*, as the *count*th there."""
        said = digest(delivery)
        if said in self._known:
            self._known[said].settled = True
        unheard = self._unheard.setdefault(link, deque(maxlen=REMEMBERED))
        unheard.append((count, said))

    def heard(self, link: Hashable, count: int) -> None:
        """Note that the SMSC has read the first *count* acknowledgements on *link*."""
        unheard = self._unheard.get(link, deque())
        while unheard and unheard[0][0] <= count:
            unheard.popleft()

    def lost(self, link: Hashable) -> None:
        """Note that *link* is gone: what it did not surely read may come again."""
        for _, said in self._unheard.pop(link, ()):
            if said in self._known:
                self._known[said].settled = False


def digest(delivery: Delivery) -> bytes:
    """Return a digest of all that a delivery says, its sequence apart."""
    said = (
        delivery.service_type,
        *delivery.source,
        *delivery.destination,
        delivery.esm_class,
        delivery.protocol_id,
        delivery.data_coding,
        delivery.content,
        delivery.tlvs,
    )
    return hashlib.sha256(repr(said).encode()).digest()[:16]

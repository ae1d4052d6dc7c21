"""Whether a message is a redelivery, or a phone that says the same again; sans-I/O.

SMPP gives a delivery no name that lasts: all there is is what it says. An SMSC delivers again
what was not acknowledged, or whose acknowledgement broke off with the connection.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

REMEMBERED: Final = 10_000
_HOUR_SECONDS: Final = 3600
_DIGEST_OCTETS: Final = 16
_SETTLED: Final = 1
"""Acknowledged, and the SMSC has read so for all that is known."""
_REPEAT: Final = 2
_HOUR_BIT: Final = 40
_REPEATS: Final = (1 << _HOUR_BIT) - _REPEAT


class Arrivals:
    """Gives deliveries their identities.

    A delivery that says what an earlier one said has that one's identity, until that was
    acknowledged; and once more if the connection broke before the SMSC surely read so. After
    that it is another message. The identity holds what was said, the hour and a count, so it
    is the same if the process dies within the hour.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, int] = OrderedDict()
        self._unheard: dict[Hashable, deque[tuple[int, bytes]]] = {}

    def identify(self, said: Sequence[bytes], now: float) -> list[str]:
        """Return the identities of deliveries that come at POSIX time *now*, by their digests.

        What is known of each is one number: the hour, how often it was said before, `_SETTLED`.
        """
        all_known, hour, identities = self._known, int(now // _HOUR_SECONDS) << _HOUR_BIT, []
        for each in said:
            known = all_known.get(each)
            if known is None:
                known = all_known[each] = hour
                if len(all_known) > REMEMBERED:
                    all_known.popitem(last=False)
            else:
                if known & _SETTLED:
                    known = all_known[each] = hour | (known & _REPEATS) + _REPEAT
                all_known.move_to_end(each)
            repeats = (known & _REPEATS) // _REPEAT
            identities.append(f"{each.hex()}-{known >> _HOUR_BIT:x}-{repeats}")
        return identities

    def acknowledged(self, said: Sequence[bytes], link: Hashable, count: int) -> None:
        """Note that deliveries were acknowledged on *link*, the last as the *count*th there."""
        known = self._known
        for each in said:
            if each in known:
                known[each] |= _SETTLED
        unheard = self._unheard.get(link)
        if unheard is None:
            unheard = self._unheard[link] = deque(maxlen=REMEMBERED)
        unheard.extend(zip(range(count - len(said) + 1, count + 1), said, strict=True))

    def heard(self, link: Hashable, count: int) -> None:
        """Note that the SMSC has read the first *count* acknowledgements on *link*."""
        unheard = self._unheard.get(link, ())
        while unheard and unheard[0][0] <= count:
            unheard.popleft()

    def lost(self, link: Hashable) -> None:
        """Note that *link* is gone: what it did not surely read may come again."""
        for _, said in self._unheard.pop(link, ()):
            if said in self._known:
                self._known[said] &= ~_SETTLED


def digest(body: bytes) -> bytes:
    """Return a digest of all that a delivery says: of its PDU without the header."""
    return sha256(body).digest()[:_DIGEST_OCTETS]

"""Which message a receipt is on, whatever an SMSC makes of its message ids; sans-I/O."""

from __future__ import annotations

from collections import deque
from string import hexdigits
from typing import TYPE_CHECKING, Final

from dtns.gateway.carrier import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dtns.gateway.smpp.receipts import Receipt

REMEMBERED: Final = 10_000
_ID_CHARACTERS: Final = 64
_USER_REFERENCES: Final = 0xFFFF


_Submitted = tuple[str, str, str, bool]
"""Of a message that left: its reference, its recipient, what the network calls it (empty until the
SMSC has answered), and whether a receipt came. No class: there are many, and they stay."""


class Submissions:
    """The latest messages that left for one SMSC, called *name*.

    A receipt finds its message by the user_message_reference that it returns, else by its id, in
    decimal or hexadecimal. Where two answers in a row have the same id, or none, ids mean
    nothing: there a receipt is on the oldest message to its party that has none yet.

    Messages are numbered as they leave, and kept in a ring by their numbers. Indexes by id and by
    party are made once a receipt needs them.
    """

    def __init__(self, name: str) -> None:
        self._prefix = f"{name}-"
        self._next = 0
        self._ring: list[_Submitted | None] = [None] * REMEMBERED
        self._by_id: dict[str, int] | None = None
        self._by_party: dict[str, deque[int]] | None = None
        self._last_id: str | None = None
        self.ids_mean_nothing = False

    def __len__(self) -> int:
        return sum(submitted is not None for submitted in self._ring)

    def begin(self, reference: str, recipient: str) -> int:
        """Note that a message leaves; return its number."""
        number = self._next
        if self._by_id is not None or self._by_party is not None:
            self._leave_indexes(number - REMEMBERED)
        self._next = number + 1
        self._ring[number % REMEMBERED] = reference, recipient, "", False
        if self._by_party is not None:
            self._by_party.setdefault(recipient.lstrip("+"), deque()).append(number)
        return number

    def accepted(self, number: int, reference: str, message_id: str) -> str:
        """Note the SMSC's name for a message; return a name that no other message has."""
        message_id = message_id[:_ID_CHARACTERS]
        self.ids_mean_nothing = message_id in ("", self._last_id)
        self._last_id = message_id
        carrier_id = self._prefix + (reference if self.ids_mean_nothing else message_id)
        submitted = self._get(number)
        if submitted is not None:
            _, recipient, _, reported = submitted
            self._ring[number % REMEMBERED] = reference, recipient, carrier_id, reported
            means_nothing = self.ids_mean_nothing or message_id == reference
            if self._by_id is not None and not means_nothing:
                self._by_id[_plain(message_id)] = number
        return carrier_id

    def forget(self, number: int) -> None:
        """Forget a message that was not taken."""
        if self._get(number) is not None:
            self._leave_indexes(number)
            self._ring[number % REMEMBERED] = None

    def report(self, receipt: Receipt, party: str) -> Report | None:
        """Return what a receipt on a message to *party* tells; None where nobody can know."""
        if receipt.state is None:
            return None
        reason = f"the network reports error {receipt.error}" if receipt.error.strip("0") else ""
        if receipt.state == "delivered":
            reason = ""
        given_id = self._prefix + receipt.message_id[:_ID_CHARACTERS]
        number = self._find(receipt, party.lstrip("+"))
        if number is None:
            if self.ids_mean_nothing or not receipt.message_id:
                return None
            return Report(given_id, None, receipt.state, reason)
        reference, carrier_id = self._note_report(number)
        return Report(carrier_id or given_id, reference, receipt.state, reason)

    def _note_report(self, number: int) -> tuple[str, str]:
        submitted = self._ring[number % REMEMBERED]
        assert submitted is not None
        reference, recipient, carrier_id, reported = submitted
        if not reported:
            self._leave_party(number, recipient)
            self._ring[number % REMEMBERED] = reference, recipient, carrier_id, True
        return reference, carrier_id

    def _get(self, number: int) -> _Submitted | None:
        known = 0 < self._next - number <= REMEMBERED and number >= 0
        return self._ring[number % REMEMBERED] if known else None

    def _find(self, receipt: Receipt, party: str) -> int | None:
        """Return the number of the message that a receipt is on."""
        if receipt.user_reference is not None:
            number = self._numbered(receipt.user_reference)
            if self._is_to(number, party):
                return number
        elif self.ids_mean_nothing:
            waiting = self._index_by_party().get(party)
            return waiting[0] if waiting else None
        by_id = self._index_by_id()
        known = by_id.get(_plain(receipt.message_id))
        if known is not None:
            return known
        others = (by_id.get(each, -1) for each in _other_spellings(receipt.message_id))
        return next((each for each in others if self._is_to(each, party)), None)

    def _numbered(self, wanted: int) -> int:
        """Return the latest number with this user_message_reference, below 0 if there is none."""
        number = self._next - 1 - (self._next - wanted) % _USER_REFERENCES
        return number if 0 < wanted <= _USER_REFERENCES else -1

    def _is_to(self, number: int, party: str) -> bool:
        submitted = self._get(number)
        return submitted is not None and submitted[1].lstrip("+") == party

    def _all(self) -> Iterator[tuple[int, _Submitted]]:
        for number in range(max(0, self._next - REMEMBERED), self._next):
            submitted = self._ring[number % REMEMBERED]
            if submitted is not None:
                yield number, submitted

    def _index_by_id(self) -> dict[str, int]:
        if self._by_id is None:
            ids = ((number, self._message_id(submitted)) for number, submitted in self._all())
            self._by_id = {_plain(message_id): number for number, message_id in ids if message_id}
        return self._by_id

    def _message_id(self, submitted: _Submitted) -> str:
        """Return the SMSC's name for a message, empty if that means nothing, or is not there."""
        reference, _, carrier_id, _ = submitted
        message_id = carrier_id.removeprefix(self._prefix)
        return "" if message_id == reference else message_id

    def _index_by_party(self) -> dict[str, deque[int]]:
        if self._by_party is None:
            self._by_party = {}
            for number, (_, recipient, _, reported) in self._all():
                if not reported:
                    self._by_party.setdefault(recipient.lstrip("+"), deque()).append(number)
        return self._by_party

    def _leave_indexes(self, number: int) -> None:
        """Take a message that is forgotten out of what leads to it."""
        submitted = self._get(number)
        if submitted is None:
            return
        _, recipient, _, reported = submitted
        if not reported:
            self._leave_party(number, recipient)
        plain = _plain(self._message_id(submitted))
        if self._by_id is not None and self._by_id.get(plain) == number:
            del self._by_id[plain]

    def _leave_party(self, number: int, recipient: str) -> None:
        if self._by_party is None:
            return
        party = recipient.lstrip("+")
        waiting = self._by_party[party]
        waiting.remove(number)
        if not waiting:
            del self._by_party[party]


def user_reference(number: int) -> bytes:
    """Return the user_message_reference of a message by its number, two octets."""
    return (number % _USER_REFERENCES + 1).to_bytes(2, "big")


def _plain(message_id: str) -> str:
    """Return an id without leading zeros, in lower case."""
    return message_id.lower().lstrip("0") or message_id


def _other_spellings(message_id: str) -> Iterator[str]:
    """Yield what an id is if one of two places writes it in hexadecimal."""
    if not message_id.isalnum() or not message_id.isascii():
        return
    if message_id.isdecimal():
        yield f"{int(message_id):x}"
    if not set(message_id) - set(hexdigits):
        yield str(int(message_id, 16))

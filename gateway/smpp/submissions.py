"""Which message a receipt is on, whatever an SMSC makes of its message ids; sans-I/O."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from string import hexdigits
from typing import TYPE_CHECKING, Final

from dtns.gateway.carrier import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dtns.gateway.smpp.receipts import Receipt

REMEMBERED: Final = 10_000
_ID_CHARACTERS: Final = 64


@dataclass(slots=True, eq=False)
class Submitted:
    """A message that left; `message_id` is None until the SMSC has answered."""

    reference: str
    party: str = field(repr=False)
    user_reference: int
    message_id: str | None = None
    carrier_id: str = ""
    reported: bool = False


class Submissions:
    """The latest messages that left for one SMSC, called *name*.

    A receipt finds its message by the user_message_reference that it returns, else by its id, in
    decimal or hexadecimal. Where two answers in a row have the same id, or none, ids mean
    nothing: there a receipt is on the oldest message to its party that has none yet.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._latest: OrderedDict[str, Submitted] = OrderedDict()
        self._by_id: dict[str, Submitted] = {}
        self._by_party: dict[str, deque[Submitted]] = {}
        self._user_reference = 0
        self._last_id: str | None = None
        self.ids_mean_nothing = False

    def __len__(self) -> int:
        return len(self._latest)

    def begin(self, reference: str, party: str) -> Submitted:
        """Note that a message leaves."""
        self._user_reference = self._user_reference % 0xFFFF + 1
        self.forget(reference)
        submitted = Submitted(reference, party.lstrip("+"), self._user_reference)
        self._latest[reference] = submitted
        self._by_party.setdefault(submitted.party, deque()).append(submitted)
        while len(self._latest) > REMEMBERED:
            self.forget(next(iter(self._latest)))
        return submitted

    def accepted(self, submitted: Submitted, message_id: str) -> str:
        """Note the SMSC's name for a message; return a name that no other message has."""
        message_id = message_id[:_ID_CHARACTERS]
        self.ids_mean_nothing = message_id in ("", self._last_id)
        self._last_id = message_id
        submitted.message_id = message_id
        if self.ids_mean_nothing:
            submitted.carrier_id = f"{self._name}-{submitted.reference}"
        else:
            submitted.carrier_id = self._carrier_id(message_id)
            self._by_id[_plain(message_id)] = submitted
        return submitted.carrier_id

    def forget(self, reference: str) -> None:
        """Forget a message that was not taken."""
        submitted = self._latest.pop(reference, None)
        if submitted is None:
            return
        waiting = self._by_party[submitted.party]
        waiting.remove(submitted)
        if not waiting:
            del self._by_party[submitted.party]
        plain = _plain(submitted.message_id or "")
        if self._by_id.get(plain) is submitted:
            del self._by_id[plain]

    def report(self, receipt: Receipt, party: str) -> Report | None:
        """Return what a receipt on a message to *party* tells; None where nobody can know."""
        if receipt.state is None:
            return None
        reason = f"the network reports error {receipt.error}" if receipt.error.strip("0") else ""
        if receipt.state == "delivered":
            reason = ""
        submitted = self._find(receipt, party.lstrip("+"))
        if submitted is None:
            if self.ids_mean_nothing or not receipt.message_id:
                return None
            return Report(self._carrier_id(receipt.message_id), None, receipt.state, reason)
        submitted.reported = True
        carrier_id = submitted.carrier_id or self._carrier_id(receipt.message_id)
        return Report(carrier_id, submitted.reference, receipt.state, reason)

    def _find(self, receipt: Receipt, party: str) -> Submitted | None:
        to_party = self._by_party.get(party, ())
        if receipt.user_reference is not None:
            for submitted in to_party:
                if submitted.user_reference == receipt.user_reference:
                    return submitted
        elif self.ids_mean_nothing:
            return next((each for each in to_party if not each.reported), None)
        known = self._by_id.get(_plain(receipt.message_id))
        if known is not None:
            return known
        others = (self._by_id.get(each) for each in _other_spellings(receipt.message_id))
        return next((each for each in others if each and each.party == party), None)

    def _carrier_id(self, message_id: str) -> str:
        return f"{self._name}-{message_id[:_ID_CHARACTERS]}"


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

"""Delivery receipts, by optional parameters or by text; dates in them are never read.

Appendix B of the specification has the text; every field of it may be missing or junk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dtns.gateway.smpp.content import read_text
from dtns.gateway.smpp.pdu import Tag, first, printable, whole

if TYPE_CHECKING:
    from dtns.gateway.carrier import State
    from dtns.gateway.smpp.messages import Delivery

_LONGEST_ID: Final = 64
_TYPE: Final = 0x3C
_RECEIPT: Final = 0x04
_INTERMEDIATE: Final = 0x20
_ID: Final = re.compile(r"\bid:\s*([\x21-\x7e]{1,64})", re.IGNORECASE)
_STATE: Final = re.compile(r"\bstat:\s*([a-z]{1,16})", re.IGNORECASE)
_ERROR: Final = re.compile(r"\berr:\s*([0-9a-z]{1,8})", re.IGNORECASE)
_BY_TEXT: Final[dict[str, int]] = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "DELIVERED": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "UNDELIVERABLE": 5,
    "ACCEPTD": 6,
    "ACCEPTED": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
    "REJECTED": 8,
}
"""States by their names, as numbers of the message_state parameter; section 5.2.28."""
_FINAL: Final[dict[int, State]] = {
    2: "delivered",
    3: "expired",
    4: "failed",
    5: "failed",
    7: "failed",
    8: "failed",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an SMSC says became of a message; `state` is None while it still tries.

    `message_id` is empty where the SMSC names none; `user_reference` is None where it does not
    return what the submission had.
    """

    message_id: str
    state: State | None
    error: str
    user_reference: int | None


def is_receipt(delivery: Delivery) -> bool:
    """Tell whether a delivery is a receipt, or a notice on the way to one."""
    kind = delivery.esm_class & _TYPE
    if kind == 0:
        return bool(delivery.tlvs) and first(delivery.tlvs, Tag.MESSAGE_STATE) is not None
    return kind in (_RECEIPT, _INTERMEDIATE)


def read_receipt(delivery: Delivery) -> Receipt | None:
    """Read a receipt; None where it tells no state."""
    tlvs = delivery.tlvs
    text = read_text(delivery.content, delivery.data_coding)
    state = whole(tlvs, Tag.MESSAGE_STATE)
    if state is None and (word := _STATE.search(text)):
        state = _BY_TEXT.get(word[1].upper())
    if state is None:
        return None
    given = first(tlvs, Tag.RECEIPTED_MESSAGE_ID)
    named = _ID.search(text)
    message_id = named[1] if named else ""
    if given:
        message_id = printable(given.rstrip(b"\0")[:_LONGEST_ID])
    error = _ERROR.search(text)
    intermediate = delivery.esm_class & _TYPE == _INTERMEDIATE
    return Receipt(
        message_id,
        None if intermediate else _FINAL.get(state),
        error[1] if error else "",
        whole(tlvs, Tag.USER_MESSAGE_REFERENCE),
    )

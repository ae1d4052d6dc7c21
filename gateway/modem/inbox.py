"""What a modem has stored, made into messages and reports: parts joined, orphans found; sans-I/O.

Everything stays in the modem until it is joined and stored, so a crash loses nothing: each sweep
begins with all of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dtns.gateway.modem.pdu import Deliver, PduError, StatusReport, read_incoming

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dtns.gateway.modem.session import Slot, StoredPdu

    _Group = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message and the slots it lies in."""

    identity: str
    sender: str = field(repr=False)
    text: str = field(repr=False)
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found.

    `unjoined` are parts whose message is not whole, a group a message, by the SMSC's time of the
    oldest; `unreadable` are slots that hold nothing a phone can read.
    """

    messages: tuple[Message, ...]
    reports: tuple[tuple[Slot, StatusReport], ...]
    unjoined: tuple[tuple[float, tuple[Slot, ...]], ...]
    unreadable: tuple[Slot, ...]


def sort_out(stored: Iterable[StoredPdu]) -> Swept:
    """Make messages and reports of what is stored; copies of one message become one."""
    whole: dict[str, list[tuple[Slot, Deliver]]] = {}
    parts: dict[_Group, list[tuple[Slot, Deliver]]] = {}
    reports, unreadable = [], []
    for each in stored:
        try:
            read = read_incoming(each.pdu)
        except PduError:
            unreadable.append(each.slot)
            continue
        if isinstance(read, StatusReport):
            reports.append((each.slot, read))
        elif read.part is None:
            whole.setdefault(identity_of([read]), []).append((each.slot, read))
        else:
            group = (read.sender, read.part.reference, read.part.total)
            parts.setdefault(group, []).append((each.slot, read))
    messages = [
        Message(identity, copies[0][1].sender, copies[0][1].text, _slots(copies))
        for identity, copies in whole.items()
    ]
    joined, unjoined = _join(parts)
    return Swept((*messages, *joined), tuple(reports), tuple(unjoined), tuple(unreadable))


def identity_of(parts: list[Deliver]) -> str:
    """Return the identity of a message: the same each time it is delivered, of no other one."""
    digest = hashlib.sha256()
    for part in parts:
        head = (part.sender, repr(part.sent_at), repr(part.part), part.text)
        for value in head:
            octets = value.encode("utf-8", "surrogatepass")
            digest.update(len(octets).to_bytes(4, "big") + octets)
    return digest.hexdigest()[:32]


def _join(
    groups: dict[_Group, list[tuple[Slot, Deliver]]],
) -> tuple[list[Message], list[tuple[float, tuple[Slot, ...]]]]:
    joined, unjoined = [], []
    for (sender, _, total), found in groups.items():
        by_number = {read.part.number: read for _, read in reversed(found) if read.part}
        if len(by_number) < total:
            unjoined.append((min(read.sent_at for _, read in found), _slots(found)))
            continue
        parts = [by_number[number] for number in range(1, total + 1)]
        text = "".join(part.text for part in parts)
        joined.append(Message(identity_of(parts), sender, text, _slots(found)))
    return joined, unjoined


def _slots(found: list[tuple[Slot, Deliver]]) -> tuple[Slot, ...]:
    return tuple(slot for slot, _ in found)

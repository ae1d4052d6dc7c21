"""Entries of the journal, and the JSON lines that they are written as."""

from __future__ import annotations

import json
from typing import Any

from attrs import field, frozen

from dtns.sam.protocol.keys import Enrolment
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.audit import Head


@frozen
class Enrolled:
    """A party joined, or got a new generation. enrolled_at is a POSIX time."""

    enrolment: Enrolment
    enrolled_at: float


@frozen
class RenewalOffered:
    """A party's SIM was offered a new generation over the air, which it may take or not."""

    enrolment: Enrolment


@frozen
class StandingSet:
    """A party was suspended or resumed."""

    number: Number
    suspended: bool


@frozen
class EpochRaised:
    """Sam began a new epoch."""

    epoch: int


@frozen
class NoticeAdded:
    """There is something to tell a party; item is in the form that Sam's messages carry."""

    number: Number
    item: bytes


@frozen
class RefundNoted:
    """A load gives back the payment under this serial of the party's log."""

    number: Number
    load: int
    refund_of: int


Change = Enrolled | RenewalOffered | StandingSet | EpochRaised | NoticeAdded | RefundNoted


@frozen
class Place:
    """An entry of the journal as a store remembers it."""

    seq: int
    mac: bytes


@frozen
class Entry:
    """What one transaction of the store changed, written before it was committed.

    seq counts the entries from 0. base is the entry up to which the store had come: one that no
    later entry names, itself or through others, was never committed. head is where the log of
    decisions ended before. restored is given where the store was put back to what it was at an
    earlier entry, and names that (-1: one of another journal). mac is the entry's own, over it and
    all before it; master_id names its key. instance is given in entry 0.
    """

    seq: int
    base: int
    at: float
    head: Head
    changes: tuple[Change, ...] = ()
    restored: int | None = None
    instance: str | None = None
    master_id: int = 0
    mac: bytes = field(default=b"", repr=False)

    @property
    def place(self) -> Place:
        """The entry as a store remembers it."""
        return Place(self.seq, self.mac)


def write_body(entry: Entry) -> bytes:
    """Return the entry as a JSON object, without its MAC."""
    values: dict[str, Any] = {
        "key": entry.master_id,
        "seq": entry.seq,
        "base": entry.base,
        "at": entry.at,
        "count": entry.head.count,
        "head": entry.head.digest.hex(),
        "do": [_written(change) for change in entry.changes],
    }
    if entry.restored is not None:
        values["restored"] = entry.restored
    if entry.instance is not None:
        values["instance"] = entry.instance
    return json.dumps(values, separators=(",", ":")).encode()


def read_body(body: bytes, mac: bytes) -> Entry:
    """Return the entry that write_body wrote; ValueError where it is none that we know."""
    try:
        values = json.loads(body)
        return Entry(
            seq=values["seq"],
            base=values["base"],
            at=values["at"],
            head=Head(values["count"], bytes.fromhex(values["head"])),
            changes=tuple(_read(*change) for change in values["do"]),
            restored=values.get("restored"),
            instance=values.get("instance"),
            master_id=values["key"],
            mac=mac,
        )
    except (KeyError, TypeError) as fault:
        raise ValueError(f"unknown entry: {fault}") from None


def _written(change: Change) -> list[Any]:
    match change:
        case Enrolled(enrolment, at):
            return ["enrol", *enrolment, at]
        case RenewalOffered(enrolment):
            return ["renew", *enrolment]
        case StandingSet(number, suspended):
            return ["suspend" if suspended else "resume", number]
        case EpochRaised(epoch):
            return ["epoch", epoch]
        case NoticeAdded(number, item):
            return ["tell", number, item.hex()]
        case RefundNoted(number, load, refund_of):
            return ["refund", number, load, refund_of]


def _read(kind: str, *values: Any) -> Change:
    match kind, values:
        case "enrol", (number, generation, epoch, master_id, at):
            return Enrolled(Enrolment(Number(number), generation, epoch, master_id), at)
        case "renew", (number, generation, epoch, master_id):
            return RenewalOffered(Enrolment(Number(number), generation, epoch, master_id))
        case "suspend" | "resume", (number,):
            return StandingSet(Number(number), kind == "suspend")
        case "epoch", (epoch,):
            return EpochRaised(epoch)
        case "tell", (number, item):
            return NoticeAdded(Number(number), bytes.fromhex(item))
        case "refund", (number, load, refund_of):
            return RefundNoted(Number(number), load, refund_of)
    raise ValueError(f"unknown change {kind}")

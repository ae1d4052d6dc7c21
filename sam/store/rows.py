"""Rows of the store as the values that the issuer works with, and back."""

from __future__ import annotations

from typing import Any, Final

from dtns.sam.issuing.records import Decision, Granted, Registration, Share
from dtns.sam.issuing.window import Window
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.keys import Enrolment
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Direction, Party, Terms

PARTY_COLUMNS: Final = (
    "number, generation, epoch, master_id, enrolled_at, suspended,"
    " window_highest, window_bits, share_day, share_asks, share_repeats,"
    " renewal_generation, renewal_epoch, renewal_master_id, told"
)
DECISION_COLUMNS: Final = (
    "asker, asker_generation, counter, ask_mac, holder, week, decided_at, carrier, reason,"
    " holder_generation, epoch, n, limit_class, direction, expiry, form, answer, repeats"
)
SEALED_COLUMNS: Final = DECISION_COLUMNS.removesuffix(", repeats")
"""Those that never change: what the audit chain seals."""
_SIGN: Final = 1 << 63
_MASK: Final = (1 << 64) - 1
_NO_RENEWAL: Final = (None, 0, 0, 0)
_NO_GRANT: Final = (None,) * 7


def to_text(octets: bytes) -> str:
    """Return a text that SQLite holds; one that another hand wrote may be no UTF-8."""
    return octets.decode("utf-8", "surrogateescape")


def to_number(column: int) -> Number:
    """Return the number that an integer column holds."""
    return Number(str(column))


def to_registration(row: tuple[Any, ...]) -> Registration:
    """Return the party that a row of PARTY_COLUMNS tells of."""
    # fmt: off
    (column, generation, epoch, master_id, enrolled_at, suspended, highest, bits, day, asks,
     repeats, new_generation, new_epoch, new_master_id, told) = row
    # fmt: on
    number, renewal = to_number(column), None
    if new_generation:
        renewal = Enrolment(number, new_generation, new_epoch, new_master_id)
    return Registration(
        Enrolment(number, generation, epoch, master_id),
        enrolled_at,
        bool(suspended),
        Window(highest, bits & _MASK),
        Share(day, asks, repeats),
        renewal,
        told,
    )


def party_row(registration: Registration) -> tuple[Any, ...]:
    """Return the values of PARTY_COLUMNS."""
    enrolment, enrolled_at, suspended, window, share, renewal, told = registration
    number, generation, epoch, master_id = enrolment
    highest, bits = window
    signed = (bits ^ _SIGN) - _SIGN
    day, asks, repeats = share
    _, new_generation, new_epoch, new_master_id = renewal or _NO_RENEWAL
    # fmt: off
    return (
        int(number), generation, epoch, master_id, enrolled_at, suspended, highest, signed, day,
        asks, repeats, new_generation, new_epoch, new_master_id, told,
    )
    # fmt: on


def to_decision(row: tuple[Any, ...]) -> Decision:
    """Return the decision that a row of DECISION_COLUMNS tells of."""
    asker, asker_generation, counter, mac, holder, week, decided_at, carrier, reason, *rest = row
    *grant, answer, repeats = rest
    return Decision(
        asker=Party(to_number(asker), asker_generation),
        counter=counter,
        ask_mac=mac,
        holder=to_number(holder),
        week=week,
        decided_at=decided_at,
        carrier=carrier,
        granted=_to_granted(grant) if reason is None else None,
        reason=None if reason is None else Reason(reason),
        answer=answer,
        repeats=repeats,
    )


def decision_row(decision: Decision) -> tuple[Any, ...]:
    """Return the values of DECISION_COLUMNS."""
    asker, counter, mac, holder, week, at, carrier, granted, reason, answer, repeats = decision
    asked = int(asker.number), asker.generation, counter, mac, int(holder)
    decided = week, float(at), carrier, reason
    if granted is None:
        return (*asked, *decided, *_NO_GRANT, answer, repeats)
    generation, epoch, n, terms, form = granted
    limit, direction, expiry = terms
    key = generation, epoch, n, limit, int(direction), expiry, int(form)
    return (*asked, *decided, *key, answer, repeats)


def _to_granted(columns: list[Any]) -> Granted:
    generation, epoch, n, limit, direction, expiry, form = columns
    terms = Terms(limit, Direction(direction), expiry)
    return Granted(generation, epoch, n, terms, Form(form))

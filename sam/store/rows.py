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


def to_number(column: int) -> Number:
    """Return the number that an integer column holds."""
    return Number(str(column))


def to_registration(row: tuple[Any, ...]) -> Registration:
    """Return the party that a row of PARTY_COLUMNS tells of."""
    number, generation, epoch, master_id, enrolled_at, suspended, highest, bits, *rest = row
    *share, new_generation, new_epoch, new_master_id, told = rest
    renewal = None
    if new_generation is not None:
        renewal = Enrolment(to_number(number), new_generation, new_epoch, new_master_id)
    return Registration(
        enrolment=Enrolment(to_number(number), generation, epoch, master_id),
        enrolled_at=enrolled_at,
        suspended=bool(suspended),
        window=Window(highest, bits & _MASK),
        share=Share(*share),
        renewal=renewal,
        told=told,
    )


def party_row(registration: Registration) -> tuple[Any, ...]:
    """Return the values of PARTY_COLUMNS."""
    enrolment, window, share = registration.enrolment, registration.window, registration.share
    return (
        int(enrolment.number),
        enrolment.generation,
        enrolment.epoch,
        enrolment.master_id,
        registration.enrolled_at,
        registration.suspended,
        window.highest,
        (window.bits ^ _SIGN) - _SIGN,
        share.day,
        share.asks,
        share.repeats,
        *_renewal_row(registration.renewal),
        registration.told,
    )


def _renewal_row(renewal: Enrolment | None) -> tuple[int | None, ...]:
    if renewal is None:
        return (None,) * 3
    return (renewal.generation, renewal.epoch, renewal.master_id)


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
    return (
        int(decision.asker.number),
        decision.asker.generation,
        decision.counter,
        decision.ask_mac,
        int(decision.holder),
        decision.week,
        float(decision.decided_at),
        decision.carrier,
        decision.reason,
        *_granted_row(decision.granted),
        decision.answer,
        decision.repeats,
    )


def _to_granted(columns: list[Any]) -> Granted:
    generation, epoch, n, limit, direction, expiry, form = columns
    terms = Terms(limit, Direction(direction), expiry)
    return Granted(generation, epoch, n, terms, Form(form))


def _granted_row(granted: Granted | None) -> tuple[Any, ...]:
    if granted is None:
        return (None,) * 7
    terms = granted.terms
    return (
        granted.holder_generation,
        granted.epoch,
        granted.n,
        terms.limit,
        terms.direction.value,
        terms.expiry,
        granted.form,
    )

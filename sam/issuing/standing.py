"""Whether two parties may have a key: checked at the first ask and again at every repeat."""

from __future__ import annotations

from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.records import Decision, Records, Registration
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import Ask


def objection(
    records: Records,
    policy: Policy,
    registration: Registration,
    holder: Registration | None,
    ask: Ask,
) -> Reason | None:
    """Return why no key can be issued for this new ask, or None if the pair may have another.

    *holder* is whom it wants one with, None where that is nobody known.
    """
    if records.behind:
        return Reason.BEHIND
    if registration.suspended:
        return Reason.SUSPENDED
    if ask.holder == ask.asker.number:
        return Reason.SELF
    if registration.share.asks >= policy.asks_per_day:
        return Reason.QUOTA
    if holder is None:
        return Reason.UNKNOWN
    return Reason.PEER_SUSPENDED if holder.suspended else None


def change_since(records: Records, registration: Registration, decision: Decision) -> Reason | None:
    """Return why a key that was issued must not be told again, or None if it may."""
    if decision.granted is None:
        return None
    if registration.suspended:
        return Reason.SUSPENDED
    holder = records.registration(decision.holder)
    if holder is None or holder.enrolment.generation != decision.granted.holder_generation:
        return Reason.CHANGED
    return Reason.PEER_SUSPENDED if holder.suspended else None

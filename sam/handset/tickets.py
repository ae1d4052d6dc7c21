"""Tickets that a phone shows for the keys it asked for."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.handset.card import Card
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Context
from dtns.sam.protocol.ticket import ticket

TICKET: Final = PROFILES["ticket"]
SEALED_TICKET: Final = PROFILES["sealed"]


@frozen
class Shown:
    """A ticket in digits; form is derived or sealed."""

    digits: str = field(repr=False)
    form: str
    context: Context


def show_ticket(
    card: Card, holder: Number, *, sealed: bool = False, parity: int | None = None
) -> Shown | str:
    """Return the ticket of the newest key asked for with *holder*, or a reason why there is none.

    Random keys have the sealed ticket alone. ValueError if the code has no such parity groups.
    """
    keys = card.state.asked.get(holder)
    if not keys:
        return "no-key"
    key = keys[-1]
    if sealed or not key.derived:
        if key.sealed is None:
            return "not-sealed"
        groups = encode(SEALED_TICKET, key.sealed.ticket(key.context), parity=parity)
        return Shown(show(groups), "sealed", key.context)
    groups = encode(TICKET, ticket(key.session, key.context), parity=parity)
    return Shown(show(groups), "derived", key.context)

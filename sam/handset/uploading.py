"""Sending the log to Sam, as long as it takes until Sam has it (sam/README.md, section 18)."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from dtns.sam.handset.card import Card
from dtns.sam.handset.identities import all_identities
from dtns.sam.handset.purse import Purse, Transaction, own_entry
from dtns.sam.handset.simfile import SimFile
from dtns.sam.protocol.log import MAX_OLDER, Entry, Kind, LogMessage, fitting
from dtns.sam.protocol.wire import to_text

MAX_MESSAGES: Final = 16
"""Messages sent at a time."""


def log_messages(sim: SimFile, card: Card) -> list[str]:
    """Return the texts that tell Sam what it has not acknowledged, the oldest entries first.

    A statement of the balance is added, durably, where the last entry is none of this week.
    """
    card.keep(evolve(card.state, purse=_stated(sim, card.state.purse, card.state.week)))
    present = all_identities(sim, card.state)[0]
    lines = list(card.state.purse.unfiled)
    texts: list[str] = []
    while lines and len(texts) < MAX_MESSAGES:
        entries = [_as_told(line, present.generation) for line in lines]
        count = fitting(sim.number, entries)
        message = LogMessage(
            present.party, lines[0].serial, sim.terms.currency, tuple(entries[:count])
        )
        texts.append(to_text(message.seal(present.keys.ask)))
        lines = lines[count:]
    return texts


def _stated(sim: SimFile, purse: Purse, week: int) -> Purse:
    last = purse.log[-1].entry if purse.log else None
    if last is not None and (last.kind, last.week) == (Kind.STATEMENT, week):
        return purse
    if not purse.has_serials or (not purse.log and not purse.small.locked):
        return purse
    return purse.logged(own_entry(Kind.STATEMENT, sim.party, purse.balance, week), 0, 0.0)


def _as_told(line: Transaction, generation: int) -> Entry:
    older = min(generation - line.generation, MAX_OLDER) if line.generation else 0
    return evolve(line.entry, older=older)

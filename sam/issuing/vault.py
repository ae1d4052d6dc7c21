"""The master keys at work: checking asks, making keys, sealing answers. Decides nothing."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Final

from dtns.sam.issuing.records import Granted, Registration
from dtns.sam.protocol.answer import Grant, Refusal, seal_answer
from dtns.sam.protocol.ask import Ask, Form, ReceivedAsk
from dtns.sam.protocol.keys import MAX_GENERATION, Enrolment, MasterKey, PartyKeys, party_of
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.primitives import BLOCK_OCTETS
from dtns.sam.protocol.sealed import seal
from dtns.sam.protocol.session import Context, Party, context_octets, session_key
from dtns.sam.protocol.small import UniversalKey

_LOST_GENERATIONS: Final = 3


class Vault:
    """Holds the master keys by their ids; *random* returns as many random octets as asked for."""

    def __init__(
        self, master_keys: Mapping[int, MasterKey], random: Callable[[int], bytes]
    ) -> None:
        self._master_keys = master_keys
        self._random = random

    @property
    def current(self) -> int:
        """The id of the master key under which parties are enrolled now: the highest.

        A running Sam may be given another one.
        """
        return max(self._master_keys)

    def party_keys(self, enrolment: Enrolment) -> PartyKeys:
        """Return all sub-keys of a party."""
        return self._master_keys[enrolment.master_id].party_keys(enrolment)

    def universal_key(self, period: int) -> UniversalKey:
        """Return the key of a period for small payments: the period is a master key's id."""
        return self._master_keys[period].universal_key()

    def is_authentic(self, enrolment: Enrolment, received: ReceivedAsk) -> bool:
        """Tell whether the SIM of this enrolment made the ask."""
        master = self._master_keys[enrolment.master_id]
        return received.is_authentic(master.ask_key(enrolment.octets))

    def proves_more(
        self, asker: Registration, holder: Registration, ask: Ask, known: tuple[int, int]
    ) -> bool:
        """Tell whether the ask proves a key of the pair later than *known*, an (epoch, n).

        A key with a later SIM of the holder than Sam knows proves as much, whatever its n.
        """
        seen, present = ask.seen, holder.enrolment.generation
        if not seen.n:
            return False
        if self._is_witnessed(asker, ask, present):
            return (seen.epoch, seen.n) > known
        lost = range(present + 1, min(present + _LOST_GENERATIONS, MAX_GENERATION) + 1)
        return any(self._is_witnessed(asker, ask, generation) for generation in lost)

    def grant(
        self, asker: Registration, holder: Registration, ask: Ask, granted: Granted, week: int
    ) -> Grant:
        """Make the key that was granted; the same each time, but for random keys."""
        generation, epoch, n, terms, form = granted
        asked_by, held_by = asker.enrolment.octets, holder.enrolment.octets
        party, derived = party_of(held_by), form is not Form.RANDOM
        master = self._master(holder)
        if derived:
            context = context_octets(party_of(asked_by), party, epoch, n, terms, nonce=ask.nonce)
            session = session_key(master.ticket_key(held_by), context)
        else:
            session = Key(self._random(BLOCK_OCTETS))
        sealed = None
        if form is not Form.DERIVED:
            bound = Context(ask.asker, holder.party, epoch, n, terms, ask.nonce)
            sealed = seal(master.seal_key(held_by), bound, session)
        witness = self._master(asker).witness(asked_by, party, epoch, n)
        return Grant(generation, epoch, n, terms, week, witness, session, sealed, derived)

    def seal(
        self, registration: Registration, received: ReceivedAsk, answer: Grant | Refusal
    ) -> bytes:
        """Seal an answer to an ask for the party that asked."""
        key = self._master(registration).answer_key(registration.enrolment.octets)
        return seal_answer(key, received.octets, received.ask.counter, answer)

    def _is_witnessed(self, asker: Registration, ask: Ask, generation: int) -> bool:
        """Tell whether the ask has Sam's witness of a key with this SIM of the holder."""
        seen, holder = ask.seen, Party(ask.holder, generation).octets
        witness = self._master(asker).witness(asker.enrolment.octets, holder, seen.epoch, seen.n)
        return hmac.compare_digest(seen.witness, witness)

    def _master(self, registration: Registration) -> MasterKey:
        return self._master_keys[registration.enrolment.master_id]

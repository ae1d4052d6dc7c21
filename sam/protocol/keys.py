"""The key tree: one master key, the sub-keys of each party straight below it."""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from attrs import field, frozen

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.primitives import Prf
from dtns.sam.protocol.small import UniversalKey
from dtns.sam.protocol.wire import number_field

MASTER_OCTETS: Final = 32
MAX_GENERATION: Final = 0xFFFF
MAX_EPOCH: Final = 0xFFFF
MAX_MASTER_ID: Final = 0xFF
WITNESS_OCTETS: Final = 6
_WITNESS: Final = Label.WITNESS.prefix
_ENROLMENT: Final = Struct(">HHB")
_JOINED_OCTETS: Final = 3
"""What an enrolment adds to its party: epoch, master id."""
_ISSUED: Final = Struct(">HB")


class Enrolment(NamedTuple):
    """What fixes a party's keys: who it is, and when and under which master key it joined.

    generation and epoch are 1 to 65535, master_id 1 to 255.
    """

    number: Number
    generation: int
    epoch: int
    master_id: int

    @property
    def octets(self) -> bytes:
        """The derivation context: number field, generation 2, epoch 2, master id 1."""
        number, generation, epoch, master_id = self
        return number_field(number) + _ENROLMENT.pack(generation, epoch, master_id)


def party_of(enrolment: bytes) -> bytes:
    """Return the octets of the party whose enrolment has these."""
    return enrolment[:-_JOINED_OCTETS]


@frozen
class PartyKeys:
    """The sub-keys of one party, all that its SIM holds: 16 octets each, answer and sync 32."""

    ask: Key = field(converter=Key)
    answer: Key = field(converter=Key)
    ticket: Key = field(converter=Key)
    seal: Key = field(converter=Key)
    sync: Key = field(converter=Key)


class MasterKey:
    """Sam's one secret: 32 octets from which every party's keys are derived, never stored.

    A party is told by the octets of its enrolment, for several keys may be derived from the same.
    """

    __slots__ = ("_prf", "master_id")

    def __init__(self, master_id: int, octets: bytes) -> None:
        if len(octets) != MASTER_OCTETS:
            raise ValueError(f"a master key is {MASTER_OCTETS} octets")
        if not 1 <= master_id <= MAX_MASTER_ID:
            raise ValueError(f"a master key's id is 1 to {MAX_MASTER_ID}")
        self.master_id = master_id
        self._prf = Prf(octets)

    def ask_key(self, enrolment: bytes) -> Key:
        """Return the key that authenticates the party's asks."""
        return self._prf.derive(Label.PARTY_ASK, enrolment)

    def answer_key(self, enrolment: bytes) -> Key:
        """Return the 32-octet key that seals Sam's answers to the party."""
        return self._prf.derive(Label.PARTY_ANSWER, enrolment, 32)

    def ticket_key(self, enrolment: bytes) -> Key:
        """Return the key from which session keys for the party as holder are derived."""
        return self._prf.derive(Label.PARTY_TICKET, enrolment)

    def seal_key(self, enrolment: bytes) -> Key:
        """Return the key below which sealed tickets for the party are made."""
        return self._prf.derive(Label.PARTY_SEAL, enrolment)

    def party_keys(self, enrolment: Enrolment) -> PartyKeys:
        """Return all sub-keys of a party, as its SIM file needs them."""
        derive, context = self._prf.derive, enrolment.octets
        return PartyKeys(
            ask=derive(Label.PARTY_ASK, context),
            answer=derive(Label.PARTY_ANSWER, context, 32),
            ticket=derive(Label.PARTY_TICKET, context),
            seal=derive(Label.PARTY_SEAL, context),
            sync=derive(Label.PARTY_SYNC, context, 32),
        )

    def universal_key(self) -> UniversalKey:
        """Return the key that all SIMs share for small payments in this master key's period."""
        key = self._prf.derive(Label.UNIVERSAL, self.master_id.to_bytes(1))
        return UniversalKey(self.master_id, key)

    def witness(self, asker: bytes, holder: bytes, epoch: int, n: int) -> bytes:
        """Return the 6 octets by which a later ask proves that Sam issued this epoch and n.

        Opaque to the phone: MAC over the octets of the asker's enrolment and of the holder, epoch
        and n.
        """
        message = _WITNESS + asker + holder + _ISSUED.pack(epoch, n)
        return self._prf.mac(message)[:WITNESS_OCTETS]

    def journal_key(self) -> Key:
        """Return the key that chains Sam's journal."""
        return self._prf.derive(Label.JOURNAL, b"")

    def audit_key(self) -> Key:
        """Return the key that chains the log of decisions."""
        return self._prf.derive(Label.AUDIT, b"")

    def backup_key(self) -> Key:
        """Return the key that tells Sam's own backups from others."""
        return self._prf.derive(Label.BACKUP, b"")

    def __repr__(self) -> str:
        return f"<master key {self.master_id}>"

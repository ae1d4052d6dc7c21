"""Small payments under the universal key: DigiTally's protocol as repaired (section 17)."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.payments import RECEIPT_BITS, RECEIPTS, Payment
from dtns.sam.protocol.primitives import cmac, derive, top_bits
from dtns.sam.protocol.wire import number_field

COUNT_BITS: Final = 16
MAX_COUNT: Final = (1 << COUNT_BITS) - 1
CHARGE_BITS: Final = 10
PAYER_NONCE_BITS: Final = 4
RESPONSE_BITS: Final = 22


@frozen
class UniversalKey:
    """The key that all SIMs share in a period (1 to 255, the id of Sam's master key then)."""

    period: int
    key: Key = field(converter=Key)


@frozen
class Deal:
    """A small payment in the making: *count* (1 to 65535) is the payee's, once in a period."""

    payer: Number
    payee: Number
    payment: Payment
    count: int

    def charge(self, universal: UniversalKey) -> int:
        """Return the payee's request: count and 10 bits of proof, 26 in all."""
        return self.count << CHARGE_BITS | self.charge_proof(universal)

    def charge_proof(self, universal: UniversalKey) -> int:
        """Return C, the 10 bits by which the payee shows that it is in the period."""
        return self._tag(universal, Label.SMALL_CHARGE, CHARGE_BITS)

    def response(self, universal: UniversalKey, payer_nonce: int) -> int:
        """Return the payer's answer: N_A (4 bits) and R (22 bits), 26 in all."""
        extra = payer_nonce.to_bytes(1)
        tag = self._tag(universal, Label.SMALL_RESPONSE, RESPONSE_BITS, extra)
        return payer_nonce << RESPONSE_BITS | tag

    def receipt(self, universal: UniversalKey) -> int:
        """Return the receipt that both phones show, 0 to 9999."""
        return self._tag(universal, Label.SMALL_RECEIPT, RECEIPT_BITS) % RECEIPTS

    def _tag(self, universal: UniversalKey, label: Label, bits: int, extra: bytes = b"") -> int:
        deal = b"%b%b%b%b%b" % (
            number_field(self.payer),
            number_field(self.payee),
            universal.period.to_bytes(1),
            self.payment.octets,
            self.count.to_bytes(2),
        )
        key = derive(universal.key, label, b"")
        return top_bits(cmac(key, label.prefix + deal + extra), bits)


def split_charge(bits: int) -> tuple[int, int]:
    """Return the count and the proof of a small charge's 26 bits."""
    return bits >> CHARGE_BITS, bits & ((1 << CHARGE_BITS) - 1)


def payer_nonce(bits: int) -> int:
    """Return N_A of a small response's 26 bits."""
    return bits >> RESPONSE_BITS

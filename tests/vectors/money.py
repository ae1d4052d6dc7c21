"""Payments and the log (sections 17 and 18 of sam/README.md), as octets and bits."""

from __future__ import annotations

from dataclasses import dataclass

from blocks import cmac_bits, kdf, siv_seal
from reference import Context, number_field, pack, text_of

MODES = {"express": 0, "cheque": 1, "challenge": 2, "small": 3}
STATEMENT, LOAD = 7, 15
ROOM = 100


@dataclass(frozen=True)
class Pay:
    """What is paid: a currency, and an amount of its minor units."""

    amount: int
    currency: str = "KES"

    def octets(self) -> bytes:
        """Give the payment field."""
        return self.currency.encode("ascii") + self.amount.to_bytes(5, "big")


@dataclass(frozen=True)
class Codes:
    """The codes of payments under one session key."""

    context: Context
    key: bytes

    def express(self, pay: Pay) -> int:
        """Give the 66 bits of payment 0, the ticket inside."""
        tag = self.context.code(self.key, 0x33, pay.octets(), 40)
        return pack((self.context.header(), 26), (tag, 40))

    def cheque(self, pay: Pay, number: int) -> int:
        """Give the 53 bits of a later payment."""
        tag = self.context.code(self.key, 0x34, bytes([number]) + pay.octets(), 47)
        return pack((number, 6), (tag, 47))

    def charge(self, pay: Pay, count: int) -> int:
        """Give the 26 bits with which a payee asks."""
        proof = self.context.code(self.key, 0x35, count.to_bytes(2, "big") + pay.octets(), 16)
        return pack((count, 10), (proof, 16))

    def response(self, pay: Pay, count: int) -> int:
        """Give the 39 bits that answer a charge."""
        return self.context.code(self.key, 0x36, count.to_bytes(2, "big") + pay.octets(), 39)

    def receipt(self, pay: Pay, mode: str, number: int) -> str:
        """Give the four digits that both phones show."""
        told = bytes([MODES[mode]]) + number.to_bytes(2, "big") + pay.octets()
        return f"{self.context.code(self.key, 0x37, told, 32) % 10000:04d}"


def universal_key(master: bytes, period: int) -> bytes:
    """Derive the key that all SIMs of a period hold."""
    return kdf(master, 0x40, bytes([period]))


@dataclass(frozen=True)
class Deal:
    """One small payment: who pays whom what, and under which count."""

    payer: str
    payee: str
    period: int
    pay: Pay
    count: int

    def is_like(self, other: Deal) -> bool:
        """Tell whether both are of one payee's count, whatever the sum."""
        return (self.payee, self.period, self.count) == (other.payee, other.period, other.count)

    def octets(self) -> bytes:
        """Give the deal as it enters every MAC of it."""
        parties = number_field(self.payer) + number_field(self.payee)
        told = bytes([self.period]) + self.pay.octets()
        return parties + told + self.count.to_bytes(2, "big")

    def _mac(self, key: bytes, kind: int, extra: bytes, bits: int) -> int:
        message = bytes([1, kind]) + self.octets() + extra
        return cmac_bits(kdf(key, kind, b""), message, bits)

    def charge(self, key: bytes) -> int:
        """Give the 26 bits with which the payee asks."""
        return pack((self.count, 16), (self._mac(key, 0x41, b"", 10), 10))

    def response(self, key: bytes, nonce: int) -> int:
        """Give the 26 bits with which the payer answers."""
        return pack((nonce, 4), (self._mac(key, 0x42, bytes([nonce]), 22), 22))

    def receipt(self, key: bytes) -> str:
        """Give the four digits that both phones show."""
        return f"{self._mac(key, 0x43, b'', 32) % 10000:04d}"


@dataclass(frozen=True)
class Entry:
    """One entry of a SIM's log."""

    kind: int
    other: str
    other_generation: int
    epoch: int
    n: int
    number: int
    amount: int
    week: int
    older: int = 0

    def octets(self) -> bytes:
        """Give the entry as it is sent."""
        return (
            bytes([pack((self.kind, 4), (self.older, 4))])
            + number_field(self.other)
            + self.other_generation.to_bytes(2, "big")
            + self.epoch.to_bytes(2, "big")
            + bytes([self.n])
            + self.number.to_bytes(2, "big")
            + self.amount.to_bytes(5, "big")
            + self.week.to_bytes(2, "big")
        )


def log_head(number: str, generation: int, first: int) -> bytes:
    """Give what stands before the sealed part of a log's message."""
    party = number_field(number) + generation.to_bytes(2, "big")
    return b"\x01\x06" + party + first.to_bytes(4, "big")


def log_octets(ask_key: bytes, head: bytes, body: bytes) -> bytes:
    """Seal a message of the log: currency and entries after their head."""
    return head + siv_seal(kdf(ask_key, 0x45, b"", 32), [head], body)


@dataclass(frozen=True)
class Logger:
    """A SIM that sends its log, under one generation."""

    number: str
    generation: int
    ask_key: bytes
    currency: str = "KES"

    def texts(self, first: int, entries: list[Entry]) -> list[str]:
        """Write entries that follow each other, three to a message, or what one SMS holds."""
        texts, at = [], 0
        while at < len(entries):
            head = log_head(self.number, self.generation, first + at)
            count = 3
            while len(head) + 19 + sum(len(e.octets()) for e in entries[at : at + count]) > ROOM:
                count -= 1
            told = b"".join(entry.octets() for entry in entries[at : at + count])
            body = self.currency.encode("ascii") + told
            texts.append(text_of(log_octets(self.ask_key, head, body)))
            at += count
        return texts

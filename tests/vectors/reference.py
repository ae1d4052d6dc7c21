"""The protocol a second time, written from sam/README.md alone, no line shared with the package.

Everything above the block cipher is done by hand and as plainly as possible.
"""

from __future__ import annotations

from dataclasses import dataclass

from blocks import aes, cmac, cmac_bits, kdf, siv_seal

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
PARTY_TYPES = {"ask": 0x10, "answer": 0x11, "ticket": 0x12, "seal": 0x13, "sync": 0x14}


def text_of(octets: bytes) -> str:
    """Write octets as the text of an SMS (section 2)."""
    bits = "".join(f"{octet:08b}" for octet in octets)
    bits += "0" * (-len(bits) % 5)
    return "".join(BASE32[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))


def number_field(digits: str) -> bytes:
    """Pack an E.164 number (section 2)."""
    nibbles = digits + "f" * (len(digits) % 2)
    return bytes([len(digits)]) + bytes.fromhex(nibbles)


def nonce_field(nonce: int | None) -> bytes:
    """Write J or its absence (section 2)."""
    return b"\x00" if nonce is None else b"\x04" + nonce.to_bytes(4, "big")


def pack(*fields: tuple[int, int]) -> int:
    """Put (value, bits) fields into one integer, the first the highest."""
    whole = 0
    for value, bits in fields:
        whole = whole << bits | value % (1 << bits)
    return whole


@dataclass(frozen=True)
class Party:
    """A number under one generation, as enrolled, with its five keys (section 3)."""

    number: str
    generation: int
    epoch: int
    master: bytes
    master_id: int

    @property
    def enrolment(self) -> bytes:
        """What the party's keys are derived from."""
        return (
            number_field(self.number)
            + self.generation.to_bytes(2, "big")
            + self.epoch.to_bytes(2, "big")
            + bytes([self.master_id])
        )

    def key(self, use: str) -> bytes:
        """Derive one of the five party keys."""
        length = 32 if use in {"answer", "sync"} else 16
        return kdf(self.master, PARTY_TYPES[use], self.enrolment, length)

    def witness(self, holder: str, holder_generation: int, epoch: int, n: int) -> bytes:
        """Give the witness of the key (epoch, n) that Sam issued for a holder (section 6)."""
        told = number_field(holder) + holder_generation.to_bytes(2, "big")
        told += epoch.to_bytes(2, "big") + bytes([n])
        return cmac(self.master, b"\x01\x18" + self.enrolment + told)[:6]


@dataclass(frozen=True)
class Ask:
    """M1 (section 4)."""

    asker: str
    asker_generation: int
    counter: int
    holder: str
    limit_class: int = 0
    direction: int = 0
    form: int = 0
    life: int = 0
    nonce: int | None = None
    seen_epoch: int = 0
    seen_n: int = 0
    seen_witness: bytes = bytes(6)
    synced: int = 0

    def body(self) -> bytes:
        """Give all octets before the MAC."""
        return (
            b"\x01\x01"
            + number_field(self.asker)
            + self.asker_generation.to_bytes(2, "big")
            + self.counter.to_bytes(4, "big")
            + number_field(self.holder)
            + bytes([pack((self.limit_class, 5), (self.direction, 1), (self.form, 2)), self.life])
            + nonce_field(self.nonce)
            + self.seen_epoch.to_bytes(2, "big")
            + bytes([self.seen_n])
            + self.seen_witness
            + self.synced.to_bytes(4, "big")
        )

    def octets(self, ask_key: bytes) -> bytes:
        """Give the whole ask."""
        return with_mac(self.body(), ask_key)


def typed_ask(ask_key: bytes, body: bytes) -> bytes:
    """Add the MAC of an ask to be typed, 33 bits in 5 octets (section 4)."""
    return body + cmac_bits(ask_key, body, 33).to_bytes(5, "big")


def typed_ask_body(asker: str, asker_generation: int, counter: int, holder: str) -> bytes:
    """Give all octets of an ask to be typed before the MAC."""
    party = number_field(asker) + asker_generation.to_bytes(2, "big")
    return b"\x01\x04" + party + counter.to_bytes(4, "big") + number_field(holder)


def with_mac(body: bytes, ask_key: bytes) -> bytes:
    """Add the MAC to an ask, whatever its body."""
    return body + cmac(ask_key, body)[:8]


@dataclass(frozen=True)
class Context:
    """All that a key is bound to (section 5)."""

    asker: str
    asker_generation: int
    holder: str
    holder_generation: int
    epoch: int
    n: int
    expiry: int
    limit_class: int = 0
    direction: int = 0
    nonce: int | None = None

    @property
    def place(self) -> tuple[int, int, int]:
        """Give what keys of a pair are ordered by."""
        return self.asker_generation, self.epoch, self.n

    def octets(self) -> bytes:
        """Give the context as it enters every derivation and MAC."""
        return (
            number_field(self.asker)
            + self.asker_generation.to_bytes(2, "big")
            + number_field(self.holder)
            + self.holder_generation.to_bytes(2, "big")
            + self.epoch.to_bytes(2, "big")
            + bytes([self.n])
            + self.expiry.to_bytes(2, "big")
            + bytes([self.limit_class, self.direction])
            + nonce_field(self.nonce)
        )

    def session_key(self, ticket_key: bytes) -> bytes:
        """Derive the session key from the holder's ticket key."""
        return kdf(ticket_key, 0x20, self.octets())

    def header(self) -> int:
        """Give the 26 bits that head either ticket (section 7)."""
        return pack(
            (self.asker_generation, 2),
            (self.epoch, 2),
            (self.n, 8),
            (self.expiry, 8),
            (self.limit_class, 5),
            (self.direction, 1),
        )

    def code(self, key: bytes, kind: int, extra: bytes, bits: int) -> int:
        """Give a digit code's MAC under a session key (section 5)."""
        return cmac_bits(kdf(key, kind, b""), bytes([1, kind]) + self.octets() + extra, bits)

    def ticket(self, key: bytes) -> int:
        """Give the 66 bits of M3."""
        return pack((self.header(), 26), (self.code(key, 0x30, b"", 40), 40))

    def sealed_block(self, key: bytes, seal_key: bytes) -> bytes:
        """Encrypt the session key for the holder (section 8)."""
        return aes(kdf(seal_key, 0x21, self.octets()), key)

    def sealed_tag(self, block: bytes, seal_key: bytes) -> int:
        """Give the 48 bits that prove a block."""
        message = b"\x01\x22" + self.octets() + block
        return cmac_bits(kdf(seal_key, 0x22, self.octets()), message, 48)

    def sealed(self, key: bytes, seal_key: bytes) -> int:
        """Give the 202 bits of the sealed ticket."""
        block = self.sealed_block(key, seal_key)
        body = (int.from_bytes(block, "big"), 128)
        return pack((self.header(), 26), body, (self.sealed_tag(block, seal_key), 48))

    def challenge(self, key: bytes, count: int) -> int:
        """Give the 26 bits of M4 (section 9)."""
        return pack((count, 10), (self.code(key, 0x31, count.to_bytes(2, "big"), 16), 16))

    def confirmation(self, key: bytes, count: int) -> int:
        """Give the 26 bits of M5 (section 9)."""
        return self.code(key, 0x32, count.to_bytes(2, "big"), 26)


def kcv(key: bytes) -> str:
    """Give the key check value (section 3)."""
    return cmac(key, bytes(16)).hex()[:6]


def grant(
    context: Context, week: int, witness: bytes, key: bytes, *, derived: bool, sealed: bytes = b""
) -> bytes:
    """Give the plaintext of a grant (section 6); `sealed` is the block and its tag, or nothing."""
    return (
        b"\x00"
        + context.holder_generation.to_bytes(2, "big")
        + context.epoch.to_bytes(2, "big")
        + bytes([context.n])
        + context.expiry.to_bytes(2, "big")
        + bytes(
            [
                pack(
                    (context.limit_class, 5),
                    (context.direction, 1),
                    (derived, 1),
                    (sealed != b"", 1),
                )
            ]
        )
        + week.to_bytes(2, "big")
        + witness
        + key
        + sealed
    )


def typed_answer(answer_key: bytes, ask: bytes, context: Context, key: bytes) -> int:
    """Give the 199 bits of an answer to be typed (section 6)."""
    binding = ask + context.octets()
    block = aes(kdf(answer_key, 0x15, binding), key)
    tag = cmac_bits(kdf(answer_key, 0x16, binding), b"\x01\x16" + binding + block, 40)
    return pack(
        (context.header(), 26),
        (context.holder_generation, 5),
        (int.from_bytes(block, "big"), 128),
        (tag, 40),
    )


def answer(answer_key: bytes, counter: int, ask: bytes, plaintext: bytes) -> bytes:
    """Give M2 (section 6)."""
    head = b"\x01\x02" + counter.to_bytes(4, "big")
    return head + siv_seal(answer_key, [head, ask], plaintext)

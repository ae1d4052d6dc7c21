"""The sealed ticket: the key itself, as the textbook has it, in 202 bits (section 8)."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.primitives import (
    BLOCK_OCTETS,
    Prf,
    cmac,
    decrypt_block,
    encrypt_block,
    same,
    top_bits,
)
from dtns.sam.protocol.session import Context
from dtns.sam.protocol.ticket import Header

SEALED_TAG_BITS: Final = 48
SEALED_OCTETS: Final = BLOCK_OCTETS + SEALED_TAG_BITS // 8


@frozen
class Sealed:
    """A session key sealed for the holder: one AES block and a 48-bit tag over it."""

    block: bytes
    tag: int

    @classmethod
    def unpack(cls, octets: bytes) -> Sealed:
        """Read 22 octets: the block, then the tag."""
        return cls(octets[:BLOCK_OCTETS], int.from_bytes(octets[BLOCK_OCTETS:]))

    def pack(self) -> bytes:
        """Return the 22 octets, as an answer carries them."""
        return self.block + self.tag.to_bytes(SEALED_TAG_BITS // 8)

    def ticket(self, context: Context) -> int:
        """Return the 202 bits that are typed: header 26, block 128, tag 48."""
        body = int.from_bytes(self.block) << SEALED_TAG_BITS | self.tag
        return Header.of(context).pack() << 128 + SEALED_TAG_BITS | body


def split_sealed_ticket(bits: int) -> tuple[Header, Sealed]:
    """Return the header and the sealed key of a sealed ticket's 202 bits."""
    body = bits & ((1 << 128 + SEALED_TAG_BITS) - 1)
    sealed = Sealed.unpack(body.to_bytes(SEALED_OCTETS))
    return Header.unpack(bits >> 128 + SEALED_TAG_BITS), sealed


def seal(seal_key: bytes, context: Context, session: bytes) -> Sealed:
    """Seal a session key for the holder of *seal_key* under this context and no other."""
    prf = Prf(seal_key)
    block = encrypt_block(prf.derive(Label.SEAL_CIPHER, context.octets), session)
    return Sealed(block, _tag(prf, context, block))


def open_sealed(seal_key: bytes, context: Context, sealed: Sealed) -> Key | None:
    """Return the session key, or None unless Sam sealed it for this very context."""
    prf = Prf(seal_key)
    if not same(_tag(prf, context, sealed.block), sealed.tag):
        return None
    return Key(decrypt_block(prf.derive(Label.SEAL_CIPHER, context.octets), sealed.block))


def _tag(prf: Prf, context: Context, block: bytes) -> int:
    key = prf.derive(Label.SEAL_TAG, context.octets)
    return top_bits(cmac(key, Label.SEAL_TAG.prefix + context.octets + block), SEALED_TAG_BITS)

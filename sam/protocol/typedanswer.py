"""M2 typed: Sam's answer in digits, for a phone whose applet reads no SMS (section 6)."""

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

HOLDER_GENERATION_BITS: Final = 5
TYPED_TAG_BITS: Final = 40
_BLOCK_BITS: Final = 8 * BLOCK_OCTETS


@frozen
class TypedAnswer:
    """The 199 bits that are typed: header 26, holder's generation low 5, block 128, tag 40."""

    header: Header
    generation_low: int
    block: bytes
    tag: int

    @classmethod
    def unpack(cls, bits: int) -> TypedAnswer:
        """Read 199 bits."""
        bits, tag = divmod(bits, 1 << TYPED_TAG_BITS)
        bits, block = divmod(bits, 1 << _BLOCK_BITS)
        header, generation = divmod(bits, 1 << HOLDER_GENERATION_BITS)
        return cls(Header.unpack(header), generation, block.to_bytes(BLOCK_OCTETS), tag)

    def pack(self) -> int:
        """Return the answer as an integer of 199 bits."""
        bits = self.header.pack() << HOLDER_GENERATION_BITS | self.generation_low
        bits = bits << _BLOCK_BITS | int.from_bytes(self.block)
        return bits << TYPED_TAG_BITS | self.tag


def seal_typed(answer_key: bytes, asked: bytes, context: Context, session: bytes) -> TypedAnswer:
    """Seal a derived session key for the asker who made the whole ask *asked*.

    The cipher key is bound to the ask and to the whole context, which fixes a derived key: it
    encrypts one block ever. Never to be used for a random key.
    """
    binding, prf = asked + context.octets, Prf(answer_key)
    block = encrypt_block(prf.derive(Label.TYPED_CIPHER, binding), session)
    low = context.holder.generation % (1 << HOLDER_GENERATION_BITS)
    return TypedAnswer(Header.of(context), low, block, _tag(prf, binding, block))


def open_typed(
    answer_key: bytes, asked: bytes, context: Context, answer: TypedAnswer
) -> Key | None:
    """Return the session key, or None unless Sam sealed it for this ask and this context."""
    binding, prf = asked + context.octets, Prf(answer_key)
    if not same(_tag(prf, binding, answer.block), answer.tag):
        return None
    return Key(decrypt_block(prf.derive(Label.TYPED_CIPHER, binding), answer.block))


def _tag(prf: Prf, binding: bytes, block: bytes) -> int:
    key = prf.derive(Label.TYPED_TAG, binding)
    return top_bits(cmac(key, Label.TYPED_TAG.prefix + binding + block), TYPED_TAG_BITS)

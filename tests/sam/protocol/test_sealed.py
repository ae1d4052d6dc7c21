"""The sealed ticket: the key itself, for one holder and one context."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.sealed import (
    SEALED_OCTETS,
    Sealed,
    open_sealed,
    seal,
    split_sealed_ticket,
)
from dtns.sam.protocol.session import Context
from dtns.sam.protocol.ticket import Header

CONTEXTS = st.from_type(Context)
KEYS = st.from_type(Key)


@given(st.from_type(Sealed))
def test_packing_goes_both_ways(sealed: Sealed) -> None:
    """22 octets: the block, then the tag."""
    octets = sealed.pack()
    assert len(octets) == SEALED_OCTETS == 22
    assert octets[:16] == sealed.block
    assert Sealed.unpack(octets) == sealed


@given(KEYS, CONTEXTS, KEYS)
def test_what_is_sealed_opens(seal_key: Key, context: Context, session: Key) -> None:
    """Any key, derived or random, comes back from the 202 bits that are typed."""
    bits = seal(seal_key, context, session).ticket(context)
    header, sealed = split_sealed_ticket(bits)
    assert header == Header.of(context)
    opened = open_sealed(seal_key, context, sealed)
    assert opened == session
    assert isinstance(opened, Key)
    assert len(show(encode(PROFILES["sealed"], bits)).replace(" ", "")) == 68


@given(KEYS, CONTEXTS, KEYS, st.data())
def test_nothing_else_opens(
    seal_key: Key, context: Context, session: Key, data: st.DataObject
) -> None:
    """Not one bit of block or tag, not the key, not the context can be another."""
    sealed = seal(seal_key, context, session)
    bit = data.draw(st.integers(0, SEALED_OCTETS * 8 - 1))
    changed = (int.from_bytes(sealed.pack()) ^ 1 << bit).to_bytes(SEALED_OCTETS)
    assert open_sealed(seal_key, context, Sealed.unpack(changed)) is None
    assert open_sealed(bytes(octet ^ 1 for octet in seal_key), context, sealed) is None
    other = data.draw(CONTEXTS.filter(lambda other: other != context))
    assert open_sealed(seal_key, other, sealed) is None


@given(KEYS, CONTEXTS, CONTEXTS, KEYS)
def test_one_cipher_key_a_context(
    seal_key: Key, one: Context, other: Context, session: Key
) -> None:
    """The same session key is another block in another context."""
    blocks = seal(seal_key, one, session).block, seal(seal_key, other, session).block
    assert (blocks[0] == blocks[1]) is (one == other)
    assert session not in blocks

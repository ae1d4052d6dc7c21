"""M3: 66 bits that prove a key to its holder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, encode
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.session import Context
from dtns.sam.protocol.ticket import Header, split_ticket, ticket, ticket_tag

CONTEXTS = st.from_type(Context)
KEYS = st.from_type(Key)


@given(st.integers(0, 2**26 - 1))
def test_every_26_bits_are_a_header(bits: int) -> None:
    """Unpacking and packing give back the bits."""
    assert Header.unpack(bits).pack() == bits


@given(CONTEXTS)
def test_a_header_has_the_low_bits(context: Context) -> None:
    """Each field has the place and the width of sam/README.md, section 7."""
    bits = f"{Header.of(context).pack():026b}"
    fields = bits[:2], bits[2:4], bits[4:12], bits[12:20], bits[20:25], bits[25]
    assert [int(field, 2) for field in fields] == [
        context.asker.generation % 4,
        context.epoch % 4,
        context.n,
        context.terms.expiry % 256,
        context.terms.limit,
        context.terms.direction.value,
    ]
    assert Header.of(context).terms(context.terms.expiry) == context.terms


@given(CONTEXTS, KEYS)
def test_a_ticket_is_header_and_tag(context: Context, session: Key) -> None:
    """It splits into what it was made of, fits its digits, and is the same each time."""
    bits = ticket(session, context)
    assert split_ticket(bits) == (Header.of(context), ticket_tag(session, context))
    assert bits == ticket(session, context)
    assert len(encode(PROFILES["ticket"], bits)) == 5


@given(CONTEXTS, CONTEXTS, KEYS)
def test_a_tag_is_for_one_context(one: Context, other: Context, session: Key) -> None:
    """Even under one key, two contexts have two tags."""
    assert (ticket_tag(session, one) == ticket_tag(session, other)) is (one == other)


@given(CONTEXTS, KEYS)
def test_what_the_header_leaves_out_is_in_the_tag(context: Context, session: Key) -> None:
    """The high bits of generation, epoch and expiry, the holder and J change the tag alone."""
    asker = context.asker
    for other in (
        context._replace(asker=asker._replace(generation=asker.generation ^ 4)),
        context._replace(epoch=context.epoch ^ 4),
        context._replace(terms=context.terms._replace(expiry=context.terms.expiry ^ 256)),
        context._replace(holder=context.holder._replace(generation=context.holder.generation ^ 1)),
        context._replace(nonce=None if context.nonce is not None else 0),
    ):
        assert Header.of(other) == Header.of(context)
        assert ticket_tag(session, other) != ticket_tag(session, context)

"""The session key and its context: all that a key is bound to, in one way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.session import (
    Context,
    Direction,
    Party,
    Terms,
    code,
    key_check_value,
    session_key,
)
from dtns.sam.protocol.wire import Reader

CONTEXTS = st.from_type(Context)
KEYS = st.from_type(Key)


@given(CONTEXTS)
def test_contexts_are_read_in_one_way(context: Context) -> None:
    """All ten fields come back from the octets, so no two contexts share them."""
    reader = Reader(context.octets)
    asker = Party(reader.number(), reader.integer(2))
    holder = Party(reader.number(), reader.integer(2))
    epoch, n, expiry = reader.integer(2), reader.integer(1), reader.integer(2)
    terms = Terms(reader.integer(1), Direction(reader.integer(1)), expiry)
    nonce = reader.integer(4) if reader.integer(1) else None
    reader.end()
    assert Context(asker, holder, epoch, n, terms, nonce) == context


@given(CONTEXTS, CONTEXTS, KEYS)
def test_every_context_has_its_own_key(one: Context, other: Context, ticket_key: Key) -> None:
    """Two contexts have two session keys, and neither is the ticket key."""
    ours, theirs = session_key(ticket_key, one.octets), session_key(ticket_key, other.octets)
    assert (ours == theirs) is (one == other)
    assert ours != ticket_key
    assert len(ours) == 16


@given(CONTEXTS, KEYS)
def test_every_code_has_its_own_mac(context: Context, session: Key) -> None:
    """The same key, context and extra give unlike codes of unlike kinds."""
    kinds = (Label.TICKET, Label.CHALLENGE, Label.CONFIRMATION)
    codes = {code(session, kind, context, 64, b"\0\1") for kind in kinds}
    assert len(codes) == 3
    assert all(0 <= value < 1 << 64 for value in codes)


@given(CONTEXTS, KEYS, st.integers(1, 128))
def test_a_shorter_code_begins_a_longer_one(context: Context, session: Key, bits: int) -> None:
    """The first bits, and no others."""
    whole = code(session, Label.TICKET, context, 128)
    assert code(session, Label.TICKET, context, bits) == whole >> (128 - bits)


def test_keys_are_ordered_by_generation_epoch_and_n() -> None:
    """A new SIM of either is above every epoch, an epoch above every n; the holder's first."""
    places = [(1, 1, 1, 1), (1, 1, 1, 255), (1, 1, 2, 1), (1, 2, 1, 1), (2, 1, 1, 1)]
    terms, number = Terms(0, Direction.ASKER_PAYS, 0), Number("25670012345")
    orders = [
        Context(Party(number, asker), Party(number, holder), epoch, n, terms).order
        for holder, asker, epoch, n in places
    ]
    assert orders == places == sorted(orders)


@given(KEYS)
def test_a_check_value_is_six_digits(key: Key) -> None:
    """Six lower-case hex digits, the same for the same key, on every phone."""
    shown = key_check_value(key)
    assert len(shown) == 6
    assert set(shown) <= set("0123456789abcdef")
    assert shown == key_check_value(bytes(key))

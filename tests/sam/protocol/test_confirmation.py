"""M4 and M5: each of its own key, count and context, and neither told by the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.confirmation import (
    MAX_COUNT,
    challenge,
    challenge_proof,
    confirmation,
    split_challenge,
)
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.session import Context, Direction, Party, Terms

CONTEXTS = st.from_type(Context)
KEYS = st.from_type(Key)
COUNTS = st.integers(1, MAX_COUNT)
ALICE, BOB = Party(Number("254700123456"), 1), Party(Number("25670012345"), 1)
TERMS = Terms(13, Direction.ASKER_PAYS, 200)


@given(KEYS, CONTEXTS, COUNTS)
def test_a_challenge_is_count_and_proof(session: Key, context: Context, count: int) -> None:
    """26 bits that split into what they were made of."""
    bits = challenge(session, context, count)
    assert 0 <= bits < 1 << 26
    assert split_challenge(bits) == (count, challenge_proof(session, context, count))


@given(KEYS, CONTEXTS, COUNTS)
def test_a_confirmation_is_26_bits(session: Key, context: Context, count: int) -> None:
    """It fits its digits, and is the same each time."""
    bits = confirmation(session, context, count)
    assert 0 <= bits < 1 << 26
    assert bits == confirmation(session, context, count)


def test_counts_have_codes_of_their_own() -> None:
    """Of all 1023 counts, no more share a code than chance has it."""
    session, context = Key(bytes(range(16))), Context(ALICE, BOB, 1, 1, TERMS)
    counts = range(1, MAX_COUNT + 1)
    assert len({challenge(session, context, count) for count in counts}) == 1023
    assert len({challenge_proof(session, context, count) for count in counts}) > 1000
    assert len({confirmation(session, context, count) for count in counts}) > 1020


def test_the_parties_cannot_be_exchanged() -> None:
    """A code of A's for B is none of B's for A under the same key."""
    session = Key(bytes(range(16)))
    there, back = Context(ALICE, BOB, 1, 1, TERMS), Context(BOB, ALICE, 1, 1, TERMS)
    assert challenge(session, there, 1) != challenge(session, back, 1)
    assert confirmation(session, there, 1) != confirmation(session, back, 1)

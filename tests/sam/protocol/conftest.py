"""How Hypothesis makes the protocol's values: all of their range, and nothing beyond it."""

from __future__ import annotations

from hypothesis import strategies as st

from dtns.sam.protocol.answer import Grant, Reason, Refusal
from dtns.sam.protocol.ask import Ask, Form, Seen
from dtns.sam.protocol.keys import Enrolment
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.sealed import Sealed
from dtns.sam.protocol.session import Context, Direction, Party, Terms

OCTET, WORD = st.integers(1, 0xFF), st.integers(1, 0xFFFF)
WEEK, LIMIT = st.integers(0, 0xFFFF), st.integers(0, 31)
NONCE = st.none() | st.integers(0, 2**26 - 1)
DIRECTION = st.sampled_from(Direction)
NUMBER = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True).map(Number)
KEY = st.binary(min_size=16, max_size=16).map(Key)
PARTY = st.builds(Party, NUMBER, WORD)
TERMS = st.builds(Terms, LIMIT, DIRECTION, WEEK)
WITNESS = st.binary(min_size=6, max_size=6)
SEALED = st.builds(Sealed, st.binary(min_size=16, max_size=16), st.integers(0, 2**48 - 1))

st.register_type_strategy(Key, KEY)
st.register_type_strategy(Party, PARTY)
st.register_type_strategy(Sealed, SEALED)
st.register_type_strategy(Enrolment, st.builds(Enrolment, NUMBER, WORD, WORD, OCTET))
st.register_type_strategy(Context, st.builds(Context, PARTY, PARTY, WORD, OCTET, TERMS, NONCE))
st.register_type_strategy(
    Ask,
    st.builds(
        Ask,
        asker=PARTY,
        counter=st.integers(1, 2**32 - 1),
        holder=NUMBER,
        limit=LIMIT,
        direction=DIRECTION,
        form=st.sampled_from(Form),
        life=st.integers(0, 0xFF),
        nonce=NONCE,
        seen=st.just(Seen()) | st.builds(Seen, WORD, OCTET, WITNESS),
        synced=st.integers(0, 0xFFFFFFFF),
    ),
)
st.register_type_strategy(
    Grant,
    st.builds(
        Grant,
        holder_generation=WORD,
        epoch=WORD,
        n=OCTET,
        terms=TERMS,
        week=WEEK,
        witness=WITNESS,
        session=KEY,
        sealed=st.none() | SEALED,
        derived=st.booleans(),
    ),
)
st.register_type_strategy(Refusal, st.builds(Refusal, st.sampled_from(Reason), WEEK))

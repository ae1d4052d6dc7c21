"""Child processes that end in the middle of things, and states of every shape."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from dtns.sam.handset.guesses import BUDGET, Guesses
from dtns.sam.handset.state import (
    AskedKey,
    AskOutcome,
    Draft,
    HeldKey,
    Peer,
    SentAsk,
    State,
)
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.sealed import Sealed
from dtns.sam.protocol.session import Context, Direction, Party, Terms

FAILED = 78


def _run(work: Callable[[], None]) -> int:
    """Do *work* in a child process; return its exit code: 0, or FAILED if it raised."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 (a child never returns into the test)
            traceback.print_exc()
            os._exit(FAILED)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def in_child() -> Callable[[Callable[[], None]], int]:
    """Do work in a child process, which may well end there."""
    return _run


_week = st.integers(0, 0xFFFF)
_count = st.integers(0, 1023)
_number = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True).map(Number)
_party = st.builds(Party, _number, st.integers(1, 0xFFFF))
_nonce = st.none() | st.integers(0, (1 << 26) - 1)
_context = st.builds(
    Context,
    asker=_party,
    holder=_party,
    epoch=st.integers(1, 0xFFFF),
    n=st.integers(1, 255),
    terms=st.builds(Terms, st.integers(0, 31), st.sampled_from(Direction), _week),
    nonce=_nonce,
)
_session = st.binary(min_size=16, max_size=16).map(Key)
_sealed = st.builds(Sealed, st.binary(min_size=16, max_size=16), st.integers(0, (1 << 48) - 1))
_asked = st.builds(
    AskedKey,
    _context,
    _session,
    witness=st.binary(min_size=6, max_size=6),
    derived=st.booleans(),
    sealed=st.none() | _sealed,
    answered=_count,
    failures=st.integers(0, 10),
    confirmed=st.booleans(),
)
_held = st.builds(
    HeldKey,
    _context,
    _session,
    challenged=_count,
    pending=_count,
    failures=st.integers(0, 10),
    confirmed=st.booleans(),
)
_places = st.tuples(
    st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 255)
)
_peer = st.builds(
    Peer,
    generation=st.integers(1, 0xFFFF),
    mark=_places,
    dropped=_places,
    held=st.lists(_held, max_size=4).map(tuple),
    nonce=_nonce,
    until=st.integers(0, 0x1FFFF),
)
_sent = st.builds(
    SentAsk,
    octets=st.binary(min_size=30, max_size=60),
    asked_at=st.floats(allow_nan=False, allow_infinity=False),
    sent=st.integers(0, 1000),
    outcome=st.sampled_from(AskOutcome),
    reason=st.sampled_from(["", "quota", "peer-suspended"]),
)
_guesses = st.builds(
    Guesses, since=_week, spent=st.integers(0, BUDGET), strangers=st.integers(0, BUDGET)
)


@pytest.fixture(scope="session")
def states() -> Callable[[Party], st.SearchStrategy[State]]:
    """Return every state that a SIM of a party could come to have, and many more."""

    def of(party: Party) -> st.SearchStrategy[State]:
        return st.builds(
            State,
            party=st.just(party),
            week=_week,
            epoch=st.integers(1, 0xFFFF),
            counter=st.integers(0, 0xFFFFFFFF),
            floor=st.integers(0, 0xFFFF),
            guesses=_guesses,
            asks=st.lists(_sent, max_size=3).map(tuple),
            asked=st.dictionaries(_number, st.lists(_asked, max_size=4).map(tuple), max_size=3),
            peers=st.dictionaries(_number, _peer, max_size=3),
            draft=st.none() | st.builds(Draft, _number, st.text(max_size=99)),
        )

    return of

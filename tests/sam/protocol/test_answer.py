"""M2: sealed for one SIM and one ask, and never taken for anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.answer import Grant, Reason, Refusal, read_answer, seal_answer
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.primitives import siv_seal
from dtns.sam.protocol.sealed import Sealed
from dtns.sam.protocol.session import Direction, Terms
from dtns.sam.protocol.wire import MAX_TEXT, MalformedError, from_text, to_text

KEY = bytes(range(32))
ANSWERS = st.from_type(Grant) | st.from_type(Refusal)
COUNTERS = st.integers(1, 2**32 - 1)
ASKED = st.binary(min_size=30, max_size=50)
GRANT = Grant(
    holder_generation=1,
    epoch=1,
    n=1,
    terms=Terms(13, Direction.ASKER_PAYS, 200),
    week=150,
    witness=b"witnes",
    session=Key(b"session key octs"),
    sealed=Sealed(b"sixteen octets..", 0x0102030405),
)


@given(ANSWERS, COUNTERS, ASKED)
def test_what_is_sealed_opens(answer: Grant | Refusal, counter: int, asked: bytes) -> None:
    """Every answer comes back under its key and ask, in one SMS."""
    text = to_text(seal_answer(KEY, asked, counter, answer))
    received = read_answer(text)
    assert received.counter == counter
    assert received.open(KEY, asked) == answer
    assert len(text) <= MAX_TEXT


@given(ANSWERS, COUNTERS, ASKED)
def test_sealing_twice_is_the_same(answer: Grant | Refusal, counter: int, asked: bytes) -> None:
    """The same answer is made again octet for octet: Sam need not store it."""
    assert seal_answer(KEY, asked, counter, answer) == seal_answer(KEY, asked, counter, answer)


@given(ANSWERS, COUNTERS, ASKED, st.data())
def test_nothing_else_opens(
    answer: Grant | Refusal, counter: int, asked: bytes, data: st.DataObject
) -> None:
    """Not one bit of the answer after its type, its key or the ask can be another."""
    octets = seal_answer(KEY, asked, counter, answer)
    bit = data.draw(st.integers(0, len(octets) * 8 - 17))
    changed = (int.from_bytes(octets) ^ 1 << bit).to_bytes(len(octets))
    assert read_answer(to_text(changed)).open(KEY, asked) is None
    bit = data.draw(st.integers(0, len(asked) * 8 - 1))
    other = (int.from_bytes(asked) ^ 1 << bit).to_bytes(len(asked))
    received = read_answer(to_text(octets))
    assert received.open(KEY, other) is None
    assert received.open(KEY[::-1], asked) is None


@given(st.text() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", max_size=160))
def test_any_text_is_an_answer_or_malformed(text: str) -> None:
    """No text makes anything but MalformedError happen, and none opens."""
    for prefix in ("", "AEBA"):
        try:
            received = read_answer(prefix + text)
        except MalformedError:
            continue
        assert received.open(KEY, b"ask") is None


@given(st.binary(max_size=70))
def test_any_body_opens_or_does_not(body: bytes) -> None:
    """A body that Sam sealed in some later form is no answer; one that is has one form."""
    header = b"\1\2" + bytes(4)
    received = read_answer(to_text(header + siv_seal(KEY, body + b"\0", [header, b"ask"])))
    answer = received.open(KEY, b"ask")
    if answer is not None:
        assert seal_answer(KEY, b"ask", 0, answer) == received.octets


@pytest.mark.parametrize("length", range(1, 60))
def test_a_sealed_grant_is_55_octets(length: int) -> None:
    """Well sealed and too short or too long, a grant is not opened, nor does anything happen."""
    header = b"\1\2" + bytes(4)
    body = (b"\0\0\1\0\1\1\0\xc8\x03" + bytes(80))[:length]
    received = read_answer(to_text(header + siv_seal(KEY, body, [header, b"ask"])))
    assert (received.open(KEY, b"ask") is not None) is (length == 55)


def test_reasons_are_the_protocol_s() -> None:
    """The nine numbers of sam/README.md, section 6, and how they are spelt."""
    codes = [
        "unknown",
        "suspended",
        "peer-suspended",
        "self",
        "quota",
        "exhausted",
        "counter-reused",
        "changed",
        "behind",
    ]
    assert {reason.value: reason.code for reason in Reason} == dict(enumerate(codes, 1))


def test_an_answer_hides_the_key() -> None:
    """The session key is neither in a grant's repr nor anywhere in the answer."""
    shown = f"{GRANT!r} {GRANT}"
    assert "session key octs" not in shown
    assert bytes(GRANT.session).hex() not in shown
    octets = seal_answer(KEY, b"ask", 7, GRANT)
    assert GRANT.session not in octets
    assert from_text(to_text(octets)) == octets
    assert seal_answer(KEY, b"ask", 7, GRANT._replace(week=151))[6:22] != octets[6:22]

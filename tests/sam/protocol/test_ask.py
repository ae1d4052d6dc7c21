"""M1: what is written is read, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.ask import (
    MAC_OCTETS,
    Ask,
    Form,
    ReceivedAsk,
    Seen,
    ask_mac,
    parse_ask,
    read_ask,
)
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Direction, Party
from dtns.sam.protocol.wire import MalformedError, to_text

KEY = bytes(range(16))
ASKS = st.from_type(Ask)
PLAIN = Ask(
    asker=Party(Number("254700123456"), 1),
    counter=7,
    holder=Number("25670012345"),
    limit=13,
    direction=Direction.ASKER_PAYS,
    form=Form.BOTH,
    life=52,
    nonce=5,
    seen=Seen(1, 2, b"witnes"),
)


@given(ASKS)
def test_what_is_written_is_read(ask: Ask) -> None:
    """Every ask comes back from its text, authentic under its key alone, in one SMS."""
    text = to_text(ask.seal(KEY))
    received = read_ask(text)
    assert received.ask == ask
    assert received.is_authentic(KEY)
    assert not received.is_authentic(KEY[::-1])
    assert len(text) <= 87


@given(ASKS, ASKS)
def test_no_two_asks_share_octets(one: Ask, other: Ask) -> None:
    """The layout is injective."""
    assert (one == other) is (one.body == other.body)


@given(ASKS, st.data())
def test_every_bit_counts(ask: Ask, data: st.DataObject) -> None:
    """An ask with one bit changed is malformed or not authentic."""
    octets = ask.seal(KEY)
    bit = data.draw(st.integers(0, len(octets) * 8 - 1))
    changed = (int.from_bytes(octets) ^ 1 << bit).to_bytes(len(octets))
    try:
        received = read_ask(to_text(changed))
    except MalformedError:
        return
    assert not received.is_authentic(KEY)


@given(ASKS, st.data())
def test_the_length_counts(ask: Ask, data: st.DataObject) -> None:
    """An ask cut short or with octets left over is malformed."""
    octets = ask.seal(KEY)
    cut = data.draw(st.integers(0, len(octets) - 1))
    for other in (octets[:cut], octets + data.draw(st.binary(min_size=1, max_size=9))):
        with pytest.raises(MalformedError):
            parse_ask(other)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: b"\1\1" + rest))
def test_any_octets_are_an_ask_or_malformed(octets: bytes) -> None:
    """No octets make anything but MalformedError happen, and an ask has one form."""
    try:
        ask = parse_ask(octets)
    except MalformedError:
        return
    assert ask.body == octets[:-MAC_OCTETS]


@given(st.text() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", max_size=90))
def test_any_text_is_an_ask_or_malformed(text: str) -> None:
    """No text makes anything but MalformedError happen."""
    for prefix in ("", "AEAQ"):
        try:
            received = read_ask(prefix + text)
        except MalformedError:
            continue
        assert not received.is_authentic(KEY)


@pytest.mark.parametrize(
    "fields",
    [{"counter": 0}, {"asker": Party(Number("254700123456"), 0)}, {"nonce": 1 << 26}],
)
def test_what_never_was_is_malformed(fields: dict[str, Any]) -> None:
    """Counter 0, generation 0 and a nonce of 27 bits, under a good MAC though they be."""
    with pytest.raises(MalformedError):
        parse_ask(PLAIN._replace(**fields).seal(KEY))


@pytest.mark.parametrize(("at", "octet"), [(0, 0), (0, 2), (1, 2), (22, 0x6B)])
def test_other_versions_types_and_forms_are_malformed(at: int, octet: int) -> None:
    """An octet that this version does not know, under a good MAC though it be."""
    body = bytearray(PLAIN.body)
    body[at] = octet
    with pytest.raises(MalformedError):
        parse_ask(bytes(body) + ask_mac(KEY, bytes(body)))


def test_the_mac_is_the_last_eight_octets() -> None:
    """The MAC that a message carries is what is_authentic looks at."""
    octets = PLAIN.seal(KEY)
    received = ReceivedAsk(PLAIN, octets)
    assert received.mac == octets[-8:] == ask_mac(KEY, PLAIN.body)
    assert not ReceivedAsk(PLAIN, octets[:-1] + bytes([octets[-1] ^ 1])).is_authentic(KEY)

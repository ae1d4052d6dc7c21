"""Lines of the wire protocol: whatever comes, an operation or a clear error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.gateway.errors import WireError
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.wire import (
    LINE_OCTETS,
    Lines,
    decode_from_client,
    decode_from_network,
    encode,
)

NUMBERS = st.from_regex(r"\+?[0-9]{2,15}", fullmatch=True)
TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
TEXTS = st.text(max_size=160)
CODES = st.from_regex(r"\*[0-9]{2,6}(\*[0-9]{1,6}){0,4}#", fullmatch=True)
RATES = st.none() | st.floats(-1e12, 1e12)
FLAGS = st.none() | st.booleans()
CLIENT_OPERATIONS = st.one_of(
    st.builds(op.Attach, NUMBERS, st.integers(1, 1000)),
    st.builds(op.Detach, NUMBERS),
    st.builds(op.Submit, TOKENS, NUMBERS, NUMBERS, TEXTS, st.integers(1, 10**6), st.booleans()),
    st.builds(op.Received, TOKENS),
    st.builds(op.Noted, TOKENS),
    st.builds(op.Faults, loss=RATES, delay=RATES, signal=FLAGS),
    st.builds(op.Status),
    st.builds(op.Ping),
    st.builds(op.Serve, CODES),
    st.builds(op.Dial, NUMBERS, CODES),
    st.builds(op.Show, TOKENS, TEXTS, st.booleans(), st.integers(0, 99)),
    st.builds(op.Key, TOKENS, TEXTS),
    st.builds(op.Hangup, TOKENS, TEXTS),
)
NETWORK_OPERATIONS = st.one_of(
    st.builds(op.Attached, NUMBERS),
    st.builds(op.Accepted, TOKENS, TOKENS),
    st.builds(op.Rejected, TOKENS, st.booleans(), TEXTS),
    st.builds(op.Deliver, TOKENS, NUMBERS, NUMBERS, TEXTS),
    st.builds(op.Report, TOKENS, TOKENS, NUMBERS, st.sampled_from(["delivered", "expired"])),
    st.builds(op.Error, TEXTS),
    st.builds(op.Served, CODES),
    st.builds(op.Ask, TOKENS, NUMBERS, st.integers(0, 99), TEXTS),
    st.builds(op.Show, TOKENS, TEXTS, st.booleans()),
    st.builds(op.Hangup, TOKENS, TEXTS),
)


@given(CLIENT_OPERATIONS)
def test_client_operations_survive(operation: op.FromClient) -> None:
    """What a client writes, the network reads back, on one line."""
    line = encode(operation)
    assert line.count(b"\n") == 1
    assert decode_from_client(line[:-1]) == operation


@given(NETWORK_OPERATIONS)
def test_network_operations_survive(operation: op.FromNetwork) -> None:
    """What the network writes, a client reads back, on one line."""
    line = encode(operation)
    assert line.count(b"\n") == 1
    assert decode_from_network(line[:-1]) == operation


@given(st.lists(CLIENT_OPERATIONS), st.lists(st.integers(1, 50)))
def test_lines_are_cut_however_they_come(operations: list[op.FromClient], sizes: list[int]) -> None:
    """Any cutting of the stream, empty lines between, gives the same lines."""
    stream = b"\r\n".join(map(encode, operations)) + b"\n"
    lines, got = Lines(), []
    for size in [*sizes, len(stream)]:
        got += [decode_from_client(line) for line in lines.feed(stream[:size])]
        stream = stream[size:]
    assert got == operations


def test_one_character_lines_are_not_swallowed() -> None:
    """A line of one octet is a line."""
    assert list(Lines().feed(b"x\nx")) == [b"x"]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_line_limit(end: bytes) -> None:
    """4,096 octets with the newline pass; one more ends the stream, finished or not."""
    assert list(Lines().feed(b"x" * (LINE_OCTETS - 1) + end)) == [b"x" * 4095] * len(end)
    lines = Lines()
    with pytest.raises(WireError, match="4096"):
        list(lines.feed(b"x" * LINE_OCTETS + end))


@given(st.binary(max_size=200))
def test_junk_is_an_error(junk: bytes) -> None:
    """Binary junk is refused as a value error of ours, never anything else."""
    with pytest.raises(WireError):
        decode_from_client(junk)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    st.sampled_from(["attach", "submit", "faults", "received", "status", "nonsense"]),
    st.dictionaries(
        st.sampled_from(["number", "window", "id", "from", "to", "text", "loss", "outages", "x"]),
        JSON,
    ),
)
def test_wrong_fields_are_an_error(name: str, fields: dict[str, Any]) -> None:
    """JSON with the wrong fields is an operation that can be written again, or our error."""
    try:
        operation = decode_from_client(json.dumps({"op": name, **fields}).encode())
    except WireError:
        return
    assert decode_from_client(encode(operation)[:-1]) == operation


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[" * 4000, "not one JSON object"),
        (b"[]", "not one JSON object"),
        (b"\xff", "not one JSON object"),
        (b'{"op":"faults","loss":NaN}', "not one JSON object"),
        (b'{"op":"faults","loss":1e999}', "loss must be a number"),
        (b'{"op":"faults","loss":' + b"9" * 4000 + b"}", "loss must be a number"),
        (b'{"op":"faults","loss":true}', "loss must be a number"),
        (b'{"op":"faults","outages":[[1]]}', "outages must be"),
        (b'{"op":"faults","outages":[' + b"[0,1]," * 64 + b"[0,1]]}", "up to 64"),
        (b'{"op":["attach"]}', "unknown op"),
        (b'{"op":"deliver"}', "unknown op 'deliver'"),
        (b'{"number":"700"}', "unknown op None"),
        (b'{"op":"attach"}', "number is missing"),
        (b'{"op":"attach","number":"700","extra":1}', "unknown field 'extra'"),
        (b'{"op":"attach","number":700}', "number must be"),
        (b'{"op":"attach","number":"7\\n"}', "number must be"),
        (b'{"op":"attach","number":"\\u0667\\u0660"}', "number must be"),
        (b'{"op":"attach","number":"700","window":0}', "window must be"),
        (b'{"op":"attach","number":"700","window":true}', "window must be"),
        (b'{"op":"submit","id":"","from":"700","to":"701","text":""}', "id must be"),
        (b'{"op":"submit","id":"1","from":"700","to":"701","text":"","validity":0}', "validity"),
    ],
)
def test_errors_say_what_is_wrong(line: bytes, reason: str) -> None:
    """The error names the field and what is allowed."""
    with pytest.raises(WireError, match=reason.replace("[", r"\[")):
        decode_from_client(line)


def test_encode_refuses_what_decode_would() -> None:
    """A value outside its range, and a line too long, are refused before they are sent."""
    with pytest.raises(WireError, match="number must be"):
        encode(op.Attach("no number"))
    with pytest.raises(WireError, match="at most 4096"):
        encode(op.Submit("1", "700", "701", "é" * 700))


def test_the_longest_answer_fits() -> None:
    """The network can always write the conditions it accepted."""
    longest = -123456789012.12345
    encode(
        op.Faults(
            *(longest,) * 6, outages=[[longest, longest]] * 64, signal=False, allow_spoofing=False
        )
    )

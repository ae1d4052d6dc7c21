"""IPA, GSUP and MAP as octets: what we write is read again, and junk is refused in words."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.gateway import gsm7
from dtns.gateway.gsup import ipa
from dtns.gateway.gsup.component import (
    INVOKE,
    RESULT,
    Component,
    Operation,
    pack,
    read_component,
    unpack,
)
from dtns.gateway.gsup.errors import GsupError
from dtns.gateway.gsup.message import Kind, Message, State, read_message

narrow = st.text(st.sampled_from(sorted(gsm7.BASIC - {"\r"} | gsm7.EXTENSION)), max_size=80)
wide = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
components = st.builds(
    Component,
    st.sampled_from([INVOKE, RESULT]),
    st.integers(0, 127),
    st.sampled_from(Operation),
    narrow | wide.filter(lambda text: gsm7.septets(text) is None),
)
messages = st.builds(
    Message,
    st.sampled_from(Kind),
    st.from_regex(r"[0-9]{6,15}", fullmatch=True),
    st.integers(0, 2**32 - 1),
    st.sampled_from(State),
    st.binary(max_size=255),
)


@given(text=narrow)
def test_septets_come_back(text: str) -> None:
    """Whatever the count, with a carriage return where seven bits would be left over."""
    septets = gsm7.encode(text)
    assert unpack(pack(septets)) == septets


@pytest.mark.parametrize(
    ("text", "octets"),
    [("hello", "e8329bfd06"), ("hellohello", "e8329bfd4697d9ec37"), ("*#100#", "aa510c061b01"),
     ("", ""), ("1234567", "31d98c56b3dd1a")],
)  # fmt: skip
def test_septets_as_others_pack_them(text: str, octets: str) -> None:
    """Known strings of 3GPP TS 23.038."""
    assert pack(gsm7.encode(text)).hex() == octets


def test_a_component_octet_by_octet() -> None:
    """What a phone sends that dialled *#100#."""
    octets = bytes.fromhex("a11302010102013b300b04010f0406aa510c061b01")
    read = read_component(octets)
    assert read is not None
    assert (read.kind, read.invoke, read.operation) == (INVOKE, 1, Operation.PROCESS_REQUEST)
    assert read.text == "*#100#"
    assert Component(INVOKE, 1, Operation.PROCESS_REQUEST, "*#100#").encode() == octets


@given(component=components)
def test_components_come_back(component: Component) -> None:
    """In both alphabets."""
    assert read_component(component.encode()) == component


@given(message=messages)
def test_messages_come_back(message: Message) -> None:
    """Every field of them."""
    assert read_message(message.encode()) == message


@given(octets=st.binary(max_size=200))
def test_junk_is_refused_in_words(octets: bytes) -> None:
    """Nothing is raised but the room's own error."""
    for read in (read_message, read_component):
        with suppress(GsupError):
            read(octets)
    with suppress(GsupError):
        list(ipa.Frames().feed(octets))


@given(message=messages, data=st.data())
def test_what_is_cut_or_changed(message: Message, data: st.DataObject) -> None:
    """A message cut short, or with an octet changed, is read as something or refused."""
    octets = bytearray(message.encode())
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    del octets[data.draw(st.integers(0, len(octets))) :]
    with suppress(GsupError):
        read_message(bytes(octets))


@given(payloads=st.lists(st.binary(max_size=60), max_size=5), cut=st.integers(1, 20))
def test_frames_come_whole(payloads: list[bytes], cut: int) -> None:
    """However the stream is cut."""
    stream = b"".join(ipa.frame(ipa.OSMO, payload) for payload in payloads)
    frames, found = ipa.Frames(), []
    for at in range(0, len(stream), cut):
        found += [payload for _, payload in frames.feed(stream[at : at + cut])]
    assert found == payloads


def test_a_frame_too_long() -> None:
    """It ends the connection before it is collected."""
    with pytest.raises(GsupError, match="at most 1200"):
        list(ipa.Frames().feed(b"\xff\xff\xee"))


def test_names() -> None:
    """An HLR that asks is told the entity's name, a ping gets its pong, the rest no answer."""
    told = ipa.answer(bytes([ipa.ID_GET, 1, 8]), "EUSE-dtns")
    assert told is not None
    assert b"\x00EUSE-dtns\0" in told
    assert ipa.answer(bytes([ipa.PING]), "x") == b"\0\1\xfe\1"
    assert ipa.answer(b"", "x") is None
    assert ipa.answer(b"\x05", "x") is None

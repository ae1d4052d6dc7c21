"""Typed asks that a person sends by SMS."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, decode, encode, show
from dtns.sam.handset.exchanges import Asked
from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.typed import BAD_A_DAY, TypedAsks
from dtns.sam.service.typedtext import read_typed_text


@pytest.fixture
def typing_bench(bench: Any) -> Any:
    """A service that takes typed asks by SMS, too."""
    world = bench.world
    bench.start(typed=TypedAsks(world.issuer, world.issuer._vault, world.policy))
    return bench


def code(asker: Handset, holder: Handset) -> str:
    """Return the digits of a new typed ask."""
    asked = asker.ask_typed(holder.sim.number, 0.0, anew=True)
    assert isinstance(asked, Asked)
    return asked.text


def text(holder: Handset, digits: str) -> str:
    """Return what a person writes."""
    return f"+{holder.sim.number} {digits}"


def test_a_typed_ask_by_sms(typing_bench: Any, alice: Handset, bob: Handset) -> None:
    """It is answered to the enrolled number; a redelivery changes nothing."""
    bench = typing_bench
    sender = f"+{alice.sim.number}"
    for _ in range(2):
        bench.deliver(text(bob, code(alice, bob)), "one", sender)
        bench.turn()
    (message,) = bench.carrier.submitted
    assert message.recipient == sender
    assert alice.receive(message.text).key is not None
    assert bench.counters["redelivered"] == 1


def test_bad_ones_meet_silence(typing_bench: Any, alice: Handset, bob: Handset) -> None:
    """From another sender, for another holder, or of another code; ten of them lock the form."""
    bench = typing_bench
    sender, good = f"+{alice.sim.number}", code(alice, bob)
    bits = decode(PROFILES["ask"], good).payload
    assert bits is not None
    bad = show(encode(PROFILES["ask"], bits ^ 1))
    bench.deliver(text(bob, good), sender=f"+{bob.sim.number}")
    for _ in range(BAD_A_DAY):
        bench.deliver(text(bob, bad), sender=sender)
    bench.deliver(text(bob, good), sender=sender)
    bench.deliver(text(bob, good), sender="7267")
    bench.turn()
    assert bench.carrier.submitted == []
    assert bench.counters["forged"] == BAD_A_DAY + 1
    assert bench.counters["locked"] == 1
    assert bench.counters["malformed"] == 1
    assert bench.unacknowledged == set()


@pytest.mark.parametrize(
    "written",
    [
        "+254712000002 8734 2929 6269",
        "+254712000002873429296269",
        "  +254-712-000-002: 8734.2929.6269\n",
    ],
)
def test_how_it_may_be_written(written: str) -> None:
    """With separators as one likes."""
    typing = read_typed_text("+254712000001", written)
    assert typing is not None
    assert (typing.asker, typing.holder) == ("254712000001", "254712000002")


@given(written=st.text(max_size=80) | st.text("+0123456789 ", max_size=40), sender=st.text())
def test_anything_else_is_no_typed_ask(written: str, sender: str) -> None:
    """Whatever is written, by whomever, nothing is raised."""
    typing = read_typed_text(sender, written)
    assert typing is None or written.strip().startswith("+")

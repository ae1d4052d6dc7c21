"""Orders to the stage: what is one, and what is refused with its bounds."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.simulator.orders import (
    Again,
    Attack,
    Battery,
    OrderError,
    Pass,
    Press,
    Signal,
    Weather,
    read_order,
)

PHONES = {"alice", "bob"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


@pytest.mark.parametrize(
    ("order", "meant"),
    [
        ({"phone": "alice", "press": "5"}, Press("alice", "5")),
        ({"phone": "bob", "signal": False}, Signal("bob", on=False)),
        ({"network": {"delay": 3, "loss": 0.5}}, Weather({"delay": 3.0, "loss": 0.5})),
        ({"phone": "bob", "battery": "out"}, Battery("bob")),
        ({"days": 30}, Pass(30)),
        ({"attack": "collision"}, Attack("collision")),
        ({"again": "abc-1", "altered": True}, Again("abc-1", altered=True)),
    ],
)
def test_orders_are_read(order: dict[str, Any], meant: object) -> None:
    """Each form is understood."""
    assert read_order(json.dumps(order), PHONES) == meant


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "one JSON object"),
        ("[" * 5000, "one JSON object"),
        ("{}", "an order has"),
        ('{"phone": "alice", "press": "5", "x": 1}', "an order has"),
        ('{"phone": "eve", "press": "5"}', "a phone is one of alice, bob"),
        ('{"phone": "bob", "press": "power"}', "a key is one of"),
        ('{"attack": "--help"}', "one of collision, replay"),
        ('{"days": 0}', "1 to 366"),
        ('{"days": true}', "an order has"),
        ('{"days": 1e300}', "an order has"),
        ('{"network": {"delay": NaN}}', "from 0 to 20"),
        ('{"network": {"loss": 2}}', "from 0 to 1"),
        ('{"network": {"loss": true}}', "from 0 to 1"),
        ('{"network": {"allow_spoofing": 1}}', "the network has delay, loss, duplication"),
        ('{"again": "' + "x" * 65 + '", "altered": false}', "no message"),
    ],
)
def test_what_is_no_order_is_refused(line: str, why: str) -> None:
    """The refusal says what is allowed."""
    with pytest.raises(OrderError, match=why):
        read_order(line, PHONES)


@given(st.binary(max_size=99) | json_values.map(lambda value: json.dumps(value).encode()))
def test_anything_is_an_order_or_refused(line: bytes) -> None:
    """No line brings the stage down."""
    with suppress(OrderError):
        read_order(line, PHONES)

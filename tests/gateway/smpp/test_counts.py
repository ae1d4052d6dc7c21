"""What an exchange over SMPP costs, in counts that no busy machine can change."""

from __future__ import annotations

import gc
import sys
from typing import Any

from smpp_exchange import Exchange

READ = 32
MOST_CALLS = 145
MOST_BLOCKS = 10
MOST_OBJECTS = 0.1


def test_calls_of_an_exchange() -> None:
    """The calls that Python makes for a delivery, its answer, a submission and its answer."""
    exchange, calls = Exchange(READ), 0
    exchange.run()

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    octets, messages = exchange.next_read()
    sys.setprofile(count)
    exchange.protocol.dataReceived(octets)
    exchange.carrier.send_all(messages, exchange.outcomes.extend)
    sys.setprofile(None)
    octets = exchange.answers()
    sys.setprofile(count)
    exchange.protocol.dataReceived(octets)
    sys.setprofile(None)
    assert len(exchange.outcomes) == READ
    assert calls / READ <= MOST_CALLS


def test_a_read_is_acknowledged_in_one_write() -> None:
    """So are all messages of one call submitted in one."""
    exchange = Exchange(READ)
    octets, messages = exchange.next_read()
    start = exchange.transport.writes
    exchange.protocol.dataReceived(octets)
    assert exchange.transport.writes == start + 1
    acknowledged = exchange.said()
    assert [pdu.sequence for pdu in acknowledged] == list(range(1, READ + 1))
    exchange.carrier.send_all(messages, exchange.outcomes.extend)
    assert exchange.transport.writes == start + 2
    assert len(exchange.said()) == READ


def test_memory_of_an_exchange() -> None:
    """What is remembered of one is a few strings and tuples, none that garbage collection sees."""
    exchange = Exchange(READ)
    exchange.run()
    gc.collect()
    objects, blocks = len(gc.get_objects()), sys.getallocatedblocks()
    for _ in range(50):
        exchange.run()
    gc.collect()
    assert (len(gc.get_objects()) - objects) / (50 * READ) <= MOST_OBJECTS
    assert (sys.getallocatedblocks() - blocks) / (50 * READ) <= MOST_BLOCKS

"""Asks made by hand, with every field at the test's will."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field

from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.issuer import Answer, Silence
from dtns.sam.issuing.policy import Policy
from dtns.sam.protocol.answer import Grant, Refusal, read_answer
from dtns.sam.protocol.ask import Ask, Form
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.wire import to_text


@define
class Asker:
    """A party whose asks are made straight from its keys."""

    world: Any
    phone: Handset
    counter: int = field(default=0, init=False)

    @property
    def number(self) -> Number:
        """The party's number."""
        return self.phone.sim.number

    def make(self, holder: Number, **fields: Any) -> bytes:
        """Return a sealed ask under the next counter, or with any fields given instead."""
        self.counter += 1
        values = {
            "asker": self.phone.sim.party,
            "counter": self.counter,
            "holder": holder,
            "limit": 5,
            "direction": Direction.ASKER_PAYS,
            "form": Form.DERIVED,
            "life": 0,
        }
        return Ask(**values | fields).seal(self.phone.sim.keys.ask)

    def send(self, octets: bytes) -> Answer | Silence:
        """Bring Sam an ask."""
        answer: Answer | Silence = self.world.tell(to_text(octets))
        return answer

    def open(self, octets: bytes) -> Grant | Refusal:
        """Bring Sam an ask and return what its answer says."""
        answer = self.send(octets)
        assert isinstance(answer, Answer), answer
        assert answer.recipient == self.number
        told = read_answer(answer.text).open(self.phone.sim.keys.answer, octets)
        assert told is not None
        return told


@pytest.fixture
def asker(world: Any, alice: Handset) -> Asker:
    """Alice, asking by hand."""
    return Asker(world, alice)


@pytest.fixture
def holder(bob: Handset) -> Number:
    """The number of Bob, with whom keys are wanted."""
    return bob.sim.number


@pytest.fixture
def make_pair(make_world: Callable[..., Any]) -> Callable[[Policy], tuple[Any, Asker, Number]]:
    """Make a world of another policy, an asker in it, and the number of a holder."""

    def make(policy: Policy) -> tuple[Any, Asker, Number]:
        world = make_world(policy)
        alice, bob = world.phone(), world.phone()
        return world, Asker(world, alice), bob.sim.number

    return make

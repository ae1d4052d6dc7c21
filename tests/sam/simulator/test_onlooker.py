"""What a listener without keys makes of the messages."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from world import World

from dtns.sam.protocol.wire import from_text
from dtns.sam.simulator.onlooker import altered, overheard


def test_an_ask_is_in_the_clear_and_an_answer_sealed(make_world: Callable[..., World]) -> None:
    """Who asks for whom is open to all; the key is not in what is shown of the answer."""
    world = make_world()
    alice, bob = world.phone(), world.phone()
    asked = world.ask(alice, bob)
    answer = world.answer(asked)
    seen = overheard(asked.text)
    assert (seen["kind"], seen["counter"]) == ("ask", 1)
    assert ["asker", f"+{alice.sim.number}"] in seen["fields"]
    assert ["wants a key with", f"+{bob.sim.number}"] in seen["fields"]
    seen = overheard(answer)
    assert (seen["kind"], seen["counter"], len(seen["fields"])) == ("answer", 1, 2)
    key = alice.receive(answer).key
    assert key is not None
    assert bytes(key.session).hex() not in seen["fields"][1][1].replace(" ", "")


def test_a_log_is_sealed_but_for_whose_it_is(make_world: Callable[..., World]) -> None:
    """A listener sees that a phone reports money, not how much."""
    world = make_world()
    alice = world.phone()
    world.load(alice, 77)
    (text,) = alice.log_messages()
    seen = overheard(text)
    assert seen["kind"] == "log"
    assert [name for name, _ in seen["fields"]][:2] == ["phone", "entries from"]


def test_an_altered_message_keeps_its_form_and_is_worth_nothing(
    make_world: Callable[..., World],
) -> None:
    """One octet differs; the phone finds that Sam did not make it."""
    world = make_world()
    alice, bob = world.phone(), world.phone()
    answer = world.answer(world.ask(alice, bob))
    forged = altered(answer)
    differing = [a != b for a, b in zip(from_text(answer), from_text(forged), strict=True)]
    assert 1 <= sum(differing) <= 2
    assert overheard(forged)["kind"] == "answer"
    assert alice.receive(forged).reason == "not-authentic"


@given(st.text(max_size=160))
def test_any_text_is_something(text: str) -> None:
    """What is no message of ours is shown as the text that it is."""
    assert overheard(text)["kind"] in {"ask", "answer", "news", "log", "other"}

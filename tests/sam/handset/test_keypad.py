"""The feature phone by its keys: a real handset and a real Sam behind every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inhand import InHand, two
from world import World

from dtns.sam.handset.screens import KEYS, Tone


@pytest.fixture
def pair(make_world: Callable[..., World]) -> tuple[InHand, InHand]:
    """Return two phones that know each other by name."""
    return two(make_world())


def with_key(alice: InHand) -> None:
    """Let Alice ask for a key with Bob and have it."""
    alice.press("1 1")
    alice.hear(alice.asked())
    alice.press("end")


def test_a_key_is_asked_for_by_two_keys(pair: tuple[InHand, InHand]) -> None:
    """The answer takes the screen of who waits for it, and names the other by name."""
    alice, _ = pair
    assert alice.press("1").items == ("Bob", "Another")
    assert alice.press("1").title == "Asked"
    alice.hear(alice.asked())
    screen = alice.keypad.screen
    assert (screen.title, screen.tone) == ("Message from Sam", Tone.GOOD)
    assert screen.text.startswith("Key 1 with Bob is here")
    assert alice.events[-1]["event"] == "received"


def test_without_signal_the_request_is_kept(pair: tuple[InHand, InHand]) -> None:
    """The screen says that there is no signal, and the ask waits."""
    alice, _ = pair
    alice.signal = False
    screen = alice.press("1 1")
    assert (screen.title, screen.tone) == ("Kept", Tone.BAD)
    assert screen.text.startswith("No signal")
    assert alice.asked().counter == 1


def test_an_answer_that_is_not_waited_for_is_news(pair: tuple[InHand, InHand]) -> None:
    """Somebody who is in the middle of something is not interrupted; the next key ends the news."""
    alice, _ = pair
    alice.press("1 1")
    asked = alice.asked()
    alice.hear(asked)
    alice.press("end 3 1 47")
    alice.hear(asked)
    assert alice.keypad.news.startswith("An answer that had come before")
    assert alice.keypad.screen.boxes[0].digits == "47"
    alice.press("6")
    assert not alice.keypad.news


def test_digits_are_carried_and_both_are_proved(pair: tuple[InHand, InHand]) -> None:
    """Twenty digits there, eight back and eight there: the phones hold one key and know it."""
    alice, bob = pair
    with_key(alice)
    code = alice.press("2 1").code
    assert [len(group) for group in code] == [4] * 5
    held = bob.press("3 1 " + "".join(code))
    assert (held.title, held.tone, held.code) == ("Key held", Tone.GOOD, code)
    challenge = bob.press("end 4 1").code
    response = alice.press("end 5 1 " + "".join(challenge)).code
    assert bob.press("ok " + "".join(response)).title == "Proved"
    assert [e["what"] for e in bob.events if e["event"] == "typed"] == ["ticket", "response"]
    assert "confirmed" in bob.press("end 9 1").text


def test_a_slip_is_repaired_with_one_more_group(pair: tuple[InHand, InHand]) -> None:
    """The phone asks for one more group; the other shows it; the repaired group is marked."""
    alice, bob = pair
    with_key(alice)
    code = alice.press("2 1").code
    slipped = "".join(code[:2]) + str((int(code[2][0]) + 1) % 10) + code[2][1:] + "".join(code[3:])
    asking = bob.press("3 1 " + slipped)
    assert (asking.tone, len(asking.boxes)) == (Tone.ASKING, 6)
    more = alice.press("ok").code
    assert more[:5] == code
    repaired = bob.press(more[5])
    assert (repaired.title, repaired.repaired) == ("Key held", (3,))
    assert repaired.code[2] == code[2]


def test_a_half_typed_ticket_is_gone_on_with(pair: tuple[InHand, InHand]) -> None:
    """What was typed with a slip and not taken is there again after the red key."""
    alice, bob = pair
    with_key(alice)
    code = "".join(alice.press("2 1").code)
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    bob.press("3 1 " + wrong)
    assert [box.digits for box in bob.press("end 3 1").boxes][:4] == [
        code[place : place + 4] for place in range(0, 16, 4)
    ]


def test_a_number_can_be_dialled(pair: tuple[InHand, InHand]) -> None:
    """Somebody who is in no phone book is dialled, and a number that is none is refused."""
    alice, _ = pair
    assert alice.press("1 2 254712345678 ok").title == "Asked"
    assert alice.press("end 1 2 12 ok").tone is Tone.BAD


def test_own_wrong_keys_are_no_faults(pair: tuple[InHand, InHand]) -> None:
    """A key that is none is refused; every other works on every screen."""
    alice, _ = pair
    with pytest.raises(ValueError, match="no such key"):
        alice.keypad.press("x")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(KEYS)), max_size=80))
def test_any_keys_lead_somewhere(keys: list[str]) -> None:
    """Whatever is pressed, a screen is shown and the red key leads home."""
    alice, _ = two(_world())
    for key in keys:
        alice.keypad.press(key)
        assert alice.keypad.screen.title
    assert alice.press("end").title == "Menu"


_worlds: list[World] = []


def _world() -> World:
    """Return one world for all examples; each has phones of its own."""
    return _worlds[0]


@pytest.fixture(autouse=True)
def _one_world(make_world: Callable[..., World]) -> Iterator[None]:
    _worlds[:] = [make_world()]
    yield
    _worlds.clear()

"""Money by a feature phone's keys, between two real handsets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from inhand import InHand, two
from world import PIN, World

from dtns.sam.handset.screens import Screen, Tone

MONEY = 1_000_000


@pytest.fixture
def pair(make_world: Callable[..., World]) -> tuple[InHand, InHand]:
    """Return two phones with a key that the first asked for, which has money and a PIN."""
    alice, bob = two(make_world())
    alice.world.load(alice.real, MONEY)
    alice.world.key(alice.real, bob.real)
    return alice, bob


def paid(alice: InHand, amount: str) -> str:
    """Let Alice pay Bob, and return the digits of her code."""
    screen = alice.press(f"end 6 1 {amount} ok 1 {PIN} ok")
    assert screen.code, screen
    return "".join(screen.code)


def took(bob: InHand, amount: str, code: str, way: str = "2") -> Screen:
    """Let Bob take a code of Alice's, and return his screen."""
    enough = " ok" if len(code) == 16 else ""
    return bob.press(f"end 7 1 {amount} ok {way} {code}{enough}")


def test_express_then_cheque(pair: tuple[InHand, InHand]) -> None:
    """Twenty digits bring key and money, sixteen more money; each brings it once."""
    alice, bob = pair
    express = paid(alice, "4*50")
    assert len(express) == 20
    received = took(bob, "4*50", express)
    assert (received.title, received.tone) == ("Received", Tone.GOOD)
    assert "KES 4.50 from Alice" in received.text
    cheque = paid(alice, "7")
    assert len(cheque) == 16
    assert took(bob, "7", cheque).title == "Received"
    for amount, code in (("4*50", express), ("7", cheque)):
        again = took(bob, amount, code)
        assert (again.title, again.tone) == ("Not taken", Tone.BAD)
        assert "counts once" in again.text
    assert bob.press("end 8 1").text == "KES 11.50"
    assert alice.press("end 8 3 1").code == bob.press("end 8 3 1").code
    assert [event["what"] for event in bob.events if event["event"] == "typed"] == [
        *("express code", "cheque", "payment code", "payment code"),
    ]


def test_another_amount_brings_nothing(pair: tuple[InHand, InHand]) -> None:
    """The amount is in the tag: the same digits for more money are no code."""
    alice, bob = pair
    express = paid(alice, "4*50")
    screen = took(bob, "450", express)
    assert screen.tone is Tone.ASKING
    assert bob.real.purse.balance == 0


def test_a_slip_in_an_express_code_is_repaired(pair: tuple[InHand, InHand]) -> None:
    """The payer's phone shows one more group, and the payee's repairs the slip."""
    alice, bob = pair
    code = paid(alice, "4*50")
    slipped = code[:5] + str((int(code[5]) + 1) % 10) + code[6:]
    assert took(bob, "4*50", slipped).tone is Tone.ASKING
    more = alice.press("ok").code
    assert len(more) == 6
    repaired = bob.press(more[5])
    assert (repaired.title, repaired.repaired) == ("Received", (2,))


def test_slips_in_a_cheque_are_repaired(pair: tuple[InHand, InHand]) -> None:
    """One slip at once, against the tag; with two the phone asks for one more group of four."""
    alice, bob = pair
    took(bob, "1", paid(alice, "1"))
    for slips in ((5,), (5, 9)):
        code = paid(alice, f"{len(slips)}0")
        typed = list(code)
        for place in slips:
            typed[place] = str((int(typed[place]) + 1) % 10)
        screen = took(bob, f"{len(slips)}0", "".join(typed))
        if screen.tone is Tone.ASKING:
            assert len(screen.boxes) == 5
            screen = bob.press(alice.press("ok").code[4])
        if len(slips) == 1:
            assert (screen.title, screen.repaired) == ("Received", (2,))
    assert "more group" in screen.text or screen.title == "Received"


def test_challenge(pair: tuple[InHand, InHand]) -> None:
    """The payee's charge, eight digits; the payer's answer, twelve; both bound to the sum."""
    alice, bob = pair
    took(bob, "1", paid(alice, "1"))
    request = "".join(bob.press("end 7 1 20 ok 3").code)
    assert len(request) == 8
    wrong = alice.press(f"end 6 1 21 ok 2 {request} {PIN} ok")
    assert (wrong.title, wrong.tone) == ("Not paid", Tone.BAD)
    answer = alice.press(f"end 6 1 20 ok 2 {request} {PIN} ok")
    assert sum(map(len, answer.code)) == 12
    assert bob.press("ok " + "".join(answer.code)).title == "Received"


def test_small_sums_between_strangers(make_world: Callable[..., World]) -> None:
    """Without any key of the pair: eight digits there, eight back."""
    alice, bob = two(make_world())
    alice.world.load(alice.real, MONEY)
    request = "".join(bob.press("7 1 5 ok 1").code)
    answer = alice.press(f"6 1 5 ok 2 {request} {PIN} ok")
    assert sum(map(len, answer.code)) == 8
    assert bob.press("ok " + "".join(answer.code)).title == "Received"
    assert alice.press(f"end 6 1 500 ok 1 {PIN} ok").text.startswith("There is no key")


def test_the_same_sum_twice_is_asked_about(pair: tuple[InHand, InHand]) -> None:
    """The same code is shown again, or on the person's word there is a second payment."""
    alice, bob = pair
    first = paid(alice, "4")
    question = alice.press(f"end 6 1 4 ok 1 {PIN} ok")
    assert (question.title, "to Bob on" in question.text) == ("Paid before", True)
    assert "".join(alice.press("1").code) == first
    second = alice.press(f"end 6 1 4 ok 1 {PIN} ok 2").code
    assert len("".join(second)) == 16
    assert took(bob, "4", first).title == "Received"


def test_the_pin_is_covered_and_tries_are_counted(pair: tuple[InHand, InHand]) -> None:
    """A PIN is never on the screen; three wrong ones lock money, and the phone says so."""
    alice, _ = pair
    assert alice.press("6 1 4 ok 1 99").typed == "••"
    assert alice.press("99 ok").text == "That is not the PIN."
    for _ in range(2):
        locked = alice.press("end 6 1 4 ok 1 9999 ok")
    assert "Lock 1" in locked.text
    assert alice.real.purse.balance == MONEY


def test_amounts_are_read_with_care(pair: tuple[InHand, InHand]) -> None:
    """What is no amount is refused with what is one."""
    alice, _ = pair
    assert "4.50" in alice.press("6 1 1**5 ok").text
    assert alice.press("end 6 1 0 ok").tone is Tone.BAD

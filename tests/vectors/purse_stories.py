"""Stories of the purse: loads, the PIN, the log."""

from __future__ import annotations

import sync_lines
from money_telling import MoneyStory
from sync_lines import end_of_pin_lock, load
from telling import ALICE, BOB, issued, tale


@tale
def loads(story: MoneyStory) -> None:
    """Each load counts once, whatever comes again or late."""
    alice = story.purse("alice", ALICE)
    story.count(alice, 0)
    first = story.sync(alice, load(1, 1_000))
    story.ignore(alice, first)
    story.count(alice, 1_000)
    story.sync(alice, load(1, 1_000), load(2, 500))
    story.sync(alice, load(2, 77), load(1, 77))
    story.count(alice, 1_500)
    story.sync(alice, load(3, 10, "USD"))
    story.sync(alice, load(70_000, 2_000), load(70_001, 3_000))
    story.count(alice, 6_500)
    story.log(alice)


@tale
def pin(story: MoneyStory) -> None:
    """Three tries; then the PIN is locked until Sam ends that lock by its number."""
    alice = story.purse("alice", ALICE, 1_000)
    story.key(alice, issued(ALICE, BOB, 1))
    for new in ("123", "123456789", "12a4", "", "\u0661\u0662\u0663\u0664"):
        story.pin(alice, "1234", new, "malformed")
    story.pin(alice, "4321", "5678", "wrong-pin")
    story.pay(alice, BOB, 10, None, pin="4321")
    story.pin(alice, "1234", "56781234", "set")
    story.pay(alice, BOB, 10, None, pin="1234")
    story.pay(alice, BOB, 10, "express", pin="56781234")
    for _ in range(3):
        story.pay(alice, BOB, 11, None, pin="0000")
    story.pay(alice, BOB, 11, None, pin="56781234")
    story.pin(alice, "56781234", "1111", "pin-locked")
    story.sync(alice, end_of_pin_lock(2))
    story.pay(alice, BOB, 11, None, pin="56781234")
    ended = story.sync(alice, end_of_pin_lock(1))
    story.pay(alice, BOB, 11, "cheque", pin="56781234")
    for _ in range(3):
        story.pay(alice, BOB, 12, None, pin="0000")
    story.ignore(alice, ended)
    story.sync(alice, end_of_pin_lock(1))
    story.pay(alice, BOB, 12, None, pin="56781234")
    story.sync(alice, end_of_pin_lock(2, forget=True))
    story.pay(alice, BOB, 12, None, pin="56781234")
    story.pin(alice, None, "2222", "set")
    story.pay(alice, BOB, 12, "cheque", pin="2222")
    story.count(alice, 967)


@tale
def no_pin(story: MoneyStory) -> None:
    """Nothing is paid before there is a PIN, and nothing is read for that."""
    alice, bob = story.purse("alice", ALICE), story.purse("bob", BOB)
    story.sync(alice, load(1, 1_000))
    story.key(alice, issued(ALICE, BOB, 1))
    story.pay(alice, BOB, 10, None, pin="1234")
    story.pin(alice, None, "1234", "set")
    story.accept(bob, ALICE, 10, story.pay(alice, BOB, 10, "express"), "credited")


@tale
def log(story: MoneyStory) -> None:
    """The log: the same entries make the same messages; a statement a week; filed, and back."""
    alice, bob = story.purse("alice", ALICE, 9_000), story.purse("bob", BOB)
    story.log(bob)
    story.key(alice, issued(ALICE, BOB, 1))
    for amount in (100, 101, 102, 103):
        came = "express" if amount == 100 else "cheque"
        digits = story.pay(alice, BOB, amount, came)
        story.accept(bob, ALICE, amount, digits, "credited")
    texts = story.log(alice)
    assert len(texts) == 2
    assert story.log(alice) == texts
    story.log(bob)
    story.count(alice, 8_594)
    story.sync(alice, sync_lines.filed(1 << 16 | 3))
    assert len(story.log(alice)) == 1
    story.sync(alice, sync_lines.filed(1 << 16 | 6))
    story.count(alice, 8_594)
    assert not story.log(alice)
    story.sync(alice, sync_lines.filed(1 << 16 | 3))
    story.count(alice, 8_594)
    assert len(story.log(alice)) == 1
    story.sync(alice, sync_lines.filed(1 << 16 | 6), week=151)
    story.log(alice)
    digits = story.pay(alice, BOB, 104, "cheque")
    story.accept(bob, ALICE, 104, digits, "credited")
    story.log(alice)
    story.log(bob)

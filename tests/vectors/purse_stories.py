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
    story.sync(alice, load(70_002, 10**12), load(70_003, 10**12 - 6_500))
    story.sync(alice, load(70_004, 1))
    story.count(alice, 10**12)
    story.log(alice)


@tale
def full_purse(story: MoneyStory) -> None:
    """A purse holds no more than the largest amount."""
    alice, bob = story.purse("alice", ALICE, 900), story.purse("bob", BOB)
    story.sync(bob, load(1, 10**12 - 500))
    story.key(alice, issued(ALICE, BOB, 1))
    story.charge(bob, ALICE, 501, comes=None)
    large, fits = story.pay(alice, BOB, 501, "express"), story.pay(alice, BOB, 300, "cheque")
    story.accept(bob, ALICE, 501, large, "refused")
    story.accept(bob, ALICE, 300, fits, "credited")
    story.count(bob, 10**12 - 200)
    story.log(bob)


@tale
def full_log(story: MoneyStory) -> None:
    """With 512 entries that Sam has not acknowledged money stays where it is; loads go on."""
    alice, bob = story.purse("alice", ALICE), story.purse("bob", BOB, 9_000)
    story.pin(alice, None, "1234", "set")
    for first in range(1, 510, 5):
        story.sync(alice, *(load(number, 100) for number in range(first, first + 5)))
    story.sync(alice, load(511, 100))
    story.key(alice, issued(ALICE, BOB, 1))
    digits = story.pay(alice, BOB, 10, "express")
    story.pay(alice, BOB, 11, None)
    charge = story.charge(alice, BOB, 12, comes="small")
    small = story.pay(bob, ALICE, 12, "small", digits=charge)
    story.accept(alice, BOB, 12, small, "refused")
    story.sync(alice, load(512, 100))
    story.count(alice, 51_190)
    story.sync(alice, sync_lines.filed(1 << 16 | 1))
    story.pay(alice, BOB, 11, None)
    story.sync(alice, sync_lines.filed(1 << 16 | 2))
    story.accept(alice, BOB, 12, small, "credited")
    story.accept(bob, ALICE, 10, digits, "credited")
    story.count(alice, 51_202)


@tale
def pin(story: MoneyStory) -> None:
    """Nothing is paid without a PIN; after three tries it is locked until Sam ends that lock."""
    alice = story.purse("alice", ALICE)
    story.sync(alice, load(1, 1_000))
    story.key(alice, issued(ALICE, BOB, 1))
    story.pay(alice, BOB, 10, None, pin="1234")
    story.pin(alice, None, "1234", "set")
    for new in ("123", "123456789", "12a4", "", "\u0661\u0662\u0663\u0664"):
        story.pin(alice, "1234", new, "malformed")
    story.pin(alice, "4321", "5678", "wrong-pin")
    story.pin(alice, "4321", "567", "malformed")
    story.pin(alice, None, "5678", "wrong-pin")
    story.pin(alice, "1234", "1234", "set")
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
    story.sync(alice, end_of_pin_lock(2, forget=True))
    story.pay(alice, BOB, 12, None, pin="56781234")
    story.pin(alice, None, "2222", "set")
    story.pay(alice, BOB, 12, "cheque", pin="2222")
    story.count(alice, 967)
    story.pin(alice, "2223", "2224", "wrong-pin")
    story.pin(alice, "2223", "2224", "wrong-pin")
    story.pin(alice, "2223", "2224", "pin-locked")
    story.sync(alice, end_of_pin_lock(3))
    story.pin(alice, "2222", "2224", "set")


@tale
def log_of_generations(story: MoneyStory) -> None:
    """A SIM renewed over the air tells of payments on keys that it asked for before."""
    alice, bob = story.purse("alice", ALICE, 9_000), story.purse("bob", BOB)
    story.key(alice, issued(ALICE, BOB, 1))
    story.accept(bob, ALICE, 10, story.pay(alice, BOB, 10, "express"), "credited")
    story.log(alice)
    story.rekey(alice)
    story.log(alice)
    story.accept(bob, ALICE, 11, story.pay(alice, BOB, 11, "cheque"), "credited")
    story.count(alice, 8_979)
    story.log(alice)
    story.sync(alice, sync_lines.filed(1 << 16 | 3))
    story.count(alice, 8_979)


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
    story.sync(alice, sync_lines.filed(1 << 16 | 7))
    story.sync(alice, sync_lines.filed(2 << 16 | 1))
    story.count(alice, 8_594)
    story.sync(alice, sync_lines.filed(1 << 16 | 3))
    story.count(alice, 8_594)
    assert len(story.log(alice)) == 1
    story.sync(alice, sync_lines.filed(1 << 16 | 6), week=151)
    story.log(alice)
    digits = story.pay(alice, BOB, 104, "cheque")
    story.accept(bob, ALICE, 104, digits, "credited")
    story.log(alice)
    story.log(bob)

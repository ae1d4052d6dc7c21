"""Stories of what bounds payments: limits, numbers, expiry, later keys, the peer limit."""

from __future__ import annotations

import sync_lines
from money import Codes, Pay
from money_telling import MoneyStory
from spoken import digits_of
from telling import ALICE, BOB, CAROL, issued, tale


@tale
def limits(story: MoneyStory) -> None:
    """A key carries no more than its class allows, one payment and all together."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    context = issued(ALICE, BOB, 1, limit_class=7)
    key = story.key(alice, context)
    codes = Codes(context, key.octets)
    story.pay(alice, BOB, 10_001, None)
    first = story.pay(alice, BOB, 6_000, "express")
    story.pay(alice, BOB, 4_001, None)
    last = story.pay(alice, BOB, 4_000, "cheque")
    story.pay(alice, BOB, 1, None)
    story.count(alice, 90_000)
    large = digits_of("cheque", codes.cheque(Pay(10_001), 9))
    story.accept(bob, ALICE, 6_000, first, "credited")
    story.accept(bob, ALICE, 10_001, large, "refused")
    over = digits_of("cheque", codes.cheque(Pay(4_001), 8))
    story.accept(bob, ALICE, 4_001, over, "refused")
    story.accept(bob, ALICE, 4_000, last, "credited")
    story.charge(bob, ALICE, 1, "challenge", comes=None)
    over = digits_of("cheque", codes.cheque(Pay(1), 7))
    story.accept(bob, ALICE, 1, over, "refused")
    story.count(bob, 10_000)
    story.key(alice, issued(ALICE, BOB, 2, limit_class=0))
    story.pay(alice, BOB, 1, None)
    carol = story.purse("carol", CAROL)
    small = issued(ALICE, CAROL, 1, limit_class=1)
    forged = Codes(small, small.session_key(CAROL.key("ticket"))).express(Pay(101))
    story.accept(carol, ALICE, 101, digits_of("ticket", forged), "refused")
    story.look(carol, ALICE)
    story.count(carol, 0)


@tale
def older_key_pays(story: MoneyStory) -> None:
    """Where the latest key does not bear a sum an older one pays, but none below one paid on."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    story.key(alice, issued(ALICE, BOB, 1))
    story.key(alice, issued(ALICE, BOB, 2, limit_class=4))
    first = story.pay(alice, BOB, 1_001, "express")
    second = story.pay(alice, BOB, 600, "express")
    story.pay(alice, BOB, 401, None)
    story.pay(alice, BOB, 1_002, None)
    story.accept(bob, ALICE, 1_001, first, "credited")
    story.accept(bob, ALICE, 600, second, "credited")
    last = story.pay(alice, BOB, 400, "cheque")
    story.accept(bob, ALICE, 400, last, "credited")
    story.pay(alice, BOB, 1, None)
    story.count(alice, 97_999)
    story.count(bob, 2_001)


@tale
def sixty_four(story: MoneyStory) -> None:
    """A key carries sixty-four payments, in any order, and no more."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    context = issued(ALICE, BOB, 1)
    key = story.key(alice, context)
    express = story.pay(alice, BOB, 100, "express")
    told = [story.pay(alice, BOB, 100 + n, "cheque") for n in range(1, 64)]
    story.pay(alice, BOB, 200, None)
    story.accept(bob, ALICE, 100, express, "credited")
    for n in (63, 1, 62):
        story.accept(bob, ALICE, 100 + n, told[n - 1], "credited")
        story.accept(bob, ALICE, 100 + n, told[n - 1], "again")
    charge = digits_of("request", Codes(context, key.octets).charge(Pay(6_000), 1))
    story.pay(alice, BOB, 6_000, None, digits=charge)
    assert len(story.log(alice)) == 16
    story.count(bob, 526)


@tale
def unpaid_charges(story: MoneyStory) -> None:
    """Of a key no more than a hundred charges are open or given up."""
    bob = story.purse("bob", BOB)
    context = issued(ALICE, BOB, 1)
    codes = Codes(context, context.session_key(BOB.key("ticket")))
    story.ticket(bob, ALICE, context, "taken")
    for _ in range(100):
        story.charge(bob, ALICE, 700, "challenge", comes="challenge")
    story.charge(bob, ALICE, 700, "challenge", comes=None)
    response = digits_of("response", codes.response(Pay(700), 100))
    story.accept(bob, ALICE, 700, response, "credited")
    story.charge(bob, ALICE, 700, "challenge", comes="challenge")
    story.charge(bob, ALICE, 700, "challenge", comes=None)


@tale
def no_money(story: MoneyStory) -> None:
    """Nobody pays what the purse does not hold, or without a key."""
    alice = story.purse("alice", ALICE, 1_000)
    story.pay(alice, BOB, 500, None)
    story.pay(alice, BOB, 500, None, mode="express")
    story.key(alice, issued(ALICE, BOB, 1))
    story.pay(alice, BOB, 1_001, None)
    story.pay(alice, BOB, 1_000, "express")
    story.pay(alice, BOB, 1, None)
    story.count(alice, 0)


@tale
def superseded(story: MoneyStory) -> None:
    """A payment under a later key ends those before it."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    story.key(alice, issued(ALICE, BOB, 1))
    express = story.pay(alice, BOB, 300, "express")
    cheque = story.pay(alice, BOB, 301, "cheque")
    story.key(alice, issued(ALICE, BOB, 2))
    later = story.pay(alice, BOB, 302, "express")
    story.accept(bob, ALICE, 302, later, "credited")
    story.accept(bob, ALICE, 300, express, "refused")
    story.accept(bob, ALICE, 301, cheque, "unproven")
    story.look(bob, ALICE)
    story.look(alice, BOB, asking=True)
    story.count(bob, 302)


@tale
def beside(story: MoneyStory) -> None:
    """A later key comes beside the first: codes under both are good until one of it is credited."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    story.key(alice, issued(ALICE, BOB, 1))
    first = story.pay(alice, BOB, 400, "express")
    cheque = story.pay(alice, BOB, 401, "cheque")
    story.accept(bob, ALICE, 400, first, "credited")
    second = story.key(alice, issued(ALICE, BOB, 2))
    story.enter(bob, ALICE, story.show(alice, second), "taken")
    story.accept(bob, ALICE, 401, cheque, "credited")
    story.look(bob, ALICE)
    charge = story.charge(bob, ALICE, 402, "challenge", comes="challenge")
    digits = story.pay(alice, BOB, 402, "challenge", digits=charge)
    story.look(alice, BOB, asking=True)
    story.accept(bob, ALICE, 402, digits, "credited")
    story.look(bob, ALICE)
    story.count(bob, 1_203)


@tale
def expiry(story: MoneyStory) -> None:
    """Nobody pays or is paid on a key that has expired."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    story.key(alice, issued(ALICE, BOB, 1, expiry=152))
    express, cheque = story.pay(alice, BOB, 500, "express"), story.pay(alice, BOB, 501, "cheque")
    late = story.pay(alice, BOB, 502, "cheque")
    story.sync(bob, week=151)
    story.accept(bob, ALICE, 500, express, "credited")
    story.accept(bob, ALICE, 501, cheque, "credited")
    story.sync(bob, week=152)
    story.accept(bob, ALICE, 502, late, "refused")
    story.accept(bob, ALICE, 500, express, "refused")
    story.sync(alice, week=152)
    story.pay(alice, BOB, 503, None)
    story.count(alice, 98_497)
    story.count(bob, 1_001)
    story.receipt(bob, ALICE)


@tale
def peer_limit(story: MoneyStory) -> None:
    """From one payer no more is taken than the peer limit, until Sam has the log."""
    alice, bob = story.purse("alice", ALICE, 900_000), story.purse("bob", BOB, peer_limit=10_000)
    carol = story.purse("carol", CAROL, 15_000)
    story.key(alice, issued(ALICE, BOB, 1))
    first = story.pay(alice, BOB, 7_000, "express")
    second = story.pay(alice, BOB, 3_001, "cheque")
    story.accept(bob, ALICE, 7_000, first, "credited")
    story.accept(bob, ALICE, 3_001, second, "refused")
    story.key(carol, issued(CAROL, BOB, 1))
    story.accept(bob, CAROL, 10_000, story.pay(carol, BOB, 10_000, "express"), "credited")
    story.log(bob)
    story.sync(bob, sync_lines.filed(1 << 16))
    story.accept(bob, ALICE, 3_001, second, "refused")
    story.charge(bob, ALICE, 3_001, "challenge", comes=None)
    story.sync(bob, sync_lines.filed(1 << 16 | 1))
    story.charge(bob, CAROL, 1, "challenge", comes=None)
    small = story.charge(bob, CAROL, 5_000, "small", comes="small")
    digits = story.pay(carol, BOB, 5_000, "small", digits=small, mode="small")
    story.accept(bob, CAROL, 5_000, digits, "credited")
    story.accept(bob, ALICE, 3_001, second, "credited")
    story.count(bob, 25_001)

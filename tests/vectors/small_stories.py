"""Stories of small payments under the universal key."""

from __future__ import annotations

from dataclasses import replace

import sync_lines
from money import Deal, Pay, universal_key
from money_telling import MoneyStory
from spoken import digits_of
from telling import ALICE, BOB, CAROL, MASTER, issued, party, tale

U = universal_key(MASTER, 1)
FIRST = 16384 + 1


def filed(count: int) -> sync_lines.Item:
    """Give the item that acknowledges so many entries of a SIM of generation 1."""
    return sync_lines.filed(1 << 16 | count)


def periodic(period: int) -> sync_lines.Item:
    """Give the item that brings the universal key of a period."""
    return sync_lines.universal(period, universal_key(MASTER, period))


@tale
def small(story: MoneyStory) -> None:
    """Eight digits and eight back between strangers, once each."""
    alice, bob = story.purse("alice", ALICE, 20_000), story.purse("bob", BOB)
    carol = story.purse("carol", CAROL, 20_000)
    charge = story.charge(bob, ALICE, 900, comes="small")
    digits = story.pay(alice, BOB, 900, "small", digits=charge)
    assert story.pay(alice, BOB, 900, "small", digits=charge) == digits
    story.count(alice, 19_100)
    story.pay(alice, BOB, 901, None, digits=charge)
    story.pay(alice, CAROL, 900, None, digits=charge)
    story.pay(carol, BOB, 900, None, digits=charge)
    story.accept(bob, ALICE, 900, digits, "credited")
    story.accept(bob, ALICE, 900, digits, "refused")
    story.count(bob, 900)
    story.receipts(alice, bob)
    again = story.charge(bob, ALICE, 900, comes="small")
    digits = story.pay(alice, BOB, 900, "small", digits=again)
    story.accept(bob, ALICE, 900, digits, "credited")
    story.receipts(alice, bob)
    story.count(bob, 1_800)
    story.count(alice, 18_200)


@tale
def small_overtaken(story: MoneyStory) -> None:
    """A charge that is open is ended by the next one."""
    alice, bob = story.purse("alice", ALICE, 20_000), story.purse("bob", BOB)
    carol = story.purse("carol", CAROL, 20_000)
    first = story.charge(bob, ALICE, 800, comes="small")
    second = story.charge(bob, ALICE, 800, comes="small")
    late = story.pay(alice, BOB, 800, "small", digits=first)
    story.accept(bob, ALICE, 800, late, "unproven")
    good = story.pay(alice, BOB, 800, "small", digits=second)
    third = story.charge(bob, CAROL, 700, comes="small")
    story.accept(bob, ALICE, 800, good, "refused")
    other = story.pay(carol, BOB, 700, "small", digits=third)
    story.accept(bob, CAROL, 701, other, "refused")
    story.accept(bob, ALICE, 700, other, "refused")
    story.accept(bob, CAROL, 700, other, "credited")
    story.count(bob, 700)


@tale
def small_total(story: MoneyStory) -> None:
    """No more than the small limit each, nor the small total from all until Sam has the log."""
    alice, bob = story.purse("alice", ALICE, 50_000), story.purse("bob", BOB, small_total=6_000)
    carol = story.purse("carol", CAROL, 50_000)
    story.charge(bob, ALICE, 5_001, "small", comes=None)
    deal = Deal(ALICE.number, BOB.number, 1, Pay(5_001), FIRST)
    story.pay(alice, BOB, 5_001, None, digits=digits_of("request", deal.charge(U)))
    story.pay(alice, BOB, 5_001, None, digits=digits_of("request", deal.charge(U)), mode="small")
    for payer, amount in ((alice, 3_000), (carol, 2_500), (alice, 500)):
        charge = story.charge(bob, payer.party, amount, comes="small")
        digits = story.pay(payer, BOB, amount, "small", digits=charge)
        story.accept(bob, payer.party, amount, digits, "credited")
    story.charge(bob, CAROL, 1, comes=None)
    story.log(bob)
    story.sync(bob, filed(1))
    story.charge(bob, CAROL, 3_001, comes=None)
    story.sync(bob, filed(3))
    charge = story.charge(bob, CAROL, 4_000, comes="small")
    digits = story.pay(carol, BOB, 4_000, "small", digits=charge)
    story.accept(bob, CAROL, 4_000, digits, "credited")
    story.count(bob, 10_000)


@tale
def ten_wrong_responses(story: MoneyStory) -> None:
    """Ten wrong small responses end small payments, until Sam has the log."""
    bob = story.purse("bob", BOB)
    charge = story.charge(bob, ALICE, 900, comes="small")
    deal = Deal(ALICE.number, BOB.number, 1, Pay(900), FIRST)
    assert charge == digits_of("request", deal.charge(U))
    good = deal.response(U, 7)
    for bit in range(10):
        story.accept(bob, ALICE, 900, digits_of("confirm", good ^ 1 << bit), "unproven")
    story.accept(bob, ALICE, 900, digits_of("confirm", good), "refused")
    story.charge(bob, ALICE, 900, "small", comes=None)
    assert len(story.log(bob)) == 1
    story.sync(bob, filed(2))
    story.charge(bob, ALICE, 900, comes=None)
    story.sync(bob, filed(1))
    story.charge(bob, ALICE, 900, comes="small")
    deal = Deal(ALICE.number, BOB.number, 1, Pay(900), FIRST + 1)
    story.accept(bob, ALICE, 900, digits_of("confirm", deal.response(U, 7)), "credited")


@tale
def ten_wrong_small_charges(story: MoneyStory) -> None:
    """Ten wrong small charges end small payments of the payer, until Sam has the log."""
    alice = story.purse("alice", ALICE, 20_000)
    good = Deal(ALICE.number, BOB.number, 1, Pay(900), FIRST).charge(U)
    for bit in range(10):
        story.pay(alice, BOB, 900, None, digits=digits_of("request", good ^ 1 << bit))
    story.pay(alice, BOB, 900, None, digits=digits_of("request", good))
    story.log(alice)
    story.sync(alice, filed(2))
    story.pay(alice, BOB, 900, "small", digits=digits_of("request", good))
    story.count(alice, 19_100)


@tale
def periods(story: MoneyStory) -> None:
    """A new universal key: the payee charges under the latest, the payer takes the two latest."""
    alice, bob = story.purse("alice", ALICE, 20_000), story.purse("bob", BOB)
    carol = story.purse("carol", CAROL)
    old = story.charge(bob, ALICE, 100, comes="small")
    story.accept(bob, ALICE, 100, story.pay(alice, BOB, 100, "small", digits=old), "credited")
    story.sync(bob, periodic(2))
    new = story.charge(bob, ALICE, 101, comes="small")
    deal = Deal(ALICE.number, BOB.number, 2, Pay(101), FIRST)
    assert new == digits_of("request", deal.charge(universal_key(MASTER, 2)))
    story.pay(alice, BOB, 101, None, digits=new)
    story.sync(alice, periodic(2))
    story.accept(bob, ALICE, 101, story.pay(alice, BOB, 101, "small", digits=new), "credited")
    story.receipts(alice, bob)
    story.sync(alice, periodic(3))
    story.pay(alice, CAROL, 9, None, digits=story.charge(carol, ALICE, 9, comes="small"))
    newer = story.charge(bob, ALICE, 102, comes="small")
    story.sync(bob, periodic(3))
    story.accept(bob, ALICE, 102, story.pay(alice, BOB, 102, "small", digits=newer), "credited")
    story.sync(alice, periodic(4), periodic(5))
    last = story.charge(bob, ALICE, 103, comes="small")
    story.pay(alice, BOB, 103, None, digits=last)
    story.sync(bob, periodic(1))
    story.charge(bob, ALICE, 103, comes="small")
    story.count(alice, 19_697)
    story.log(alice)


@tale
def over_periods(story: MoneyStory) -> None:
    """A new period begins the counts of charges anew, and neither N_A nor wrong codes."""
    alice, bob = story.purse("alice", ALICE, 900), story.purse("bob", BOB, 900)
    charge = story.charge(alice, BOB, 20, comes="small")
    story.pay(bob, ALICE, 20, "small", digits=charge)
    story.charge(bob, ALICE, 30, comes="small")
    good = Deal(ALICE.number, BOB.number, 1, Pay(30), FIRST).response(U, 0)
    for bit in range(9):
        story.accept(bob, ALICE, 30, digits_of("confirm", good ^ 1 << bit), "unproven")
    for wallet in (alice, bob):
        story.sync(wallet, periodic(2))
    story.charge(bob, ALICE, 40, comes="small")
    charge = story.charge(alice, BOB, 21, comes="small")
    digits = story.pay(bob, ALICE, 21, "small", digits=charge)
    story.accept(alice, BOB, 21, digits, "credited")
    story.accept(bob, ALICE, 40, digits_of("confirm", good), "unproven")
    story.charge(bob, ALICE, 40, comes=None)


@tale
def same_count(story: MoneyStory) -> None:
    """A charge that fits two sums, by its ten bits, is paid for one alone."""
    alice, bob = story.purse("alice", ALICE, 9_000), story.purse("bob", BOB)
    deal = Deal(ALICE.number, BOB.number, 1, Pay(900), FIRST)
    twins = (replace(deal, pay=Pay(amount)) for amount in range(901, 5_001))
    twin = next(each for each in twins if each.charge(U) == deal.charge(U))
    charge = story.charge(bob, ALICE, 900, comes="small")
    story.pay(alice, BOB, twin.pay.amount, "small", digits=charge)
    story.pay(alice, BOB, 900, None, digits=charge)
    story.count(alice, 9_000 - twin.pay.amount)


@tale
def later_generations(story: MoneyStory) -> None:
    """Counts of small charges of a number's later SIMs, which no earlier one can have made."""
    alice, bob = story.purse("alice", ALICE, 900), story.purse("bob", party(BOB.number, 4))
    charge = story.charge(bob, ALICE, 10, comes="small")
    story.accept(bob, ALICE, 10, story.pay(alice, BOB, 10, "small", digits=charge), "credited")
    story.count(bob, 10)
    carol = story.purse("carol", party(CAROL.number, 5))
    story.charge(carol, ALICE, 10, comes=None)
    story.sync(carol, periodic(2))
    story.sync(alice, periodic(2))
    charge = story.charge(carol, ALICE, 10, comes="small")
    digits = story.pay(alice, CAROL, 10, "small", digits=charge)
    story.accept(carol, ALICE, 10, digits, "credited")
    story.receipts(alice, carol)


@tale
def small_is_no_wrong_charge(story: MoneyStory) -> None:
    """Small charges do not count as wrong ones of a key that is there as well."""
    alice, bob = story.purse("alice", ALICE, 90_000), story.purse("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1))
    for amount in range(1, 12):
        charge = story.charge(bob, ALICE, amount, comes="small")
        digits = story.pay(alice, BOB, amount, "small", digits=charge)
        story.accept(bob, ALICE, amount, digits, "credited")
    charge = story.charge(bob, ALICE, 300, comes="small")
    story.pay(alice, BOB, 300, None, digits=charge, mode="challenge")
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    charge = story.charge(bob, ALICE, 60_000, comes="challenge")
    digits = story.pay(alice, BOB, 60_000, "challenge", digits=charge)
    story.accept(bob, ALICE, 60_000, digits, "credited")
    story.charge(bob, ALICE, 302, comes="cheque")

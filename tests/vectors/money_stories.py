"""Stories of payments under a key of the pair: express, cheque, challenge."""

from __future__ import annotations

from money import Codes, Pay
from money_telling import MoneyStory
from spoken import digits_of
from telling import ALICE, BOB, CAROL, issued, tale
from ticket_stories import spaced, turned


@tale
def express(story: MoneyStory) -> None:
    """Key and payment in twenty digits, one way; again, another sum, another payee."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    carol = story.purse("carol", CAROL)
    key = story.key(alice, issued(ALICE, BOB, 1))
    story.charge(bob, ALICE, 25_000, comes="express")
    story.charge(bob, ALICE, 60_000, comes="express")
    story.charge(bob, ALICE, 25_000, "challenge", comes=None)
    story.charge(bob, BOB, 25_000, comes=None)
    story.pay(alice, ALICE, 25_000, None)
    digits = story.pay(alice, BOB, 25_000, "express")
    assert story.pay(alice, BOB, 25_000, "express") == digits
    story.count(alice, 75_000)
    story.receipt(bob, ALICE)
    for amount in (25_001, 250_000, 2_500):
        story.accept(bob, ALICE, amount, digits, "unproven")
    story.accept(carol, ALICE, 25_000, digits, "unproven")
    story.accept(bob, CAROL, 25_000, digits, "unproven")
    story.look(bob, ALICE)
    story.accept(bob, ALICE, 25_000, digits, "credited")
    story.accept(bob, ALICE, 25_000, digits, "again")
    story.count(bob, 25_000)
    story.receipts(alice, bob)
    story.look(bob, ALICE)
    story.enter(bob, ALICE, key.context.ticket(key.octets), "resumed")
    story.accept(bob, ALICE, 25_000, digits, "again")
    story.count(bob, 25_000)
    story.receipt(carol, ALICE)


@tale
def ticket_as_payment(story: MoneyStory) -> None:
    """A ticket in the field of payments brings its key, and an express code is no ticket."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1))
    ticket = digits_of("ticket", story.show(alice, key))
    story.accept(bob, ALICE, 25_000, ticket, "ticket")
    story.accept(bob, ALICE, 25_000, ticket, "ticket")
    story.look(bob, ALICE)
    story.count(bob, 0)
    digits = story.pay(alice, BOB, 25_000, "express")
    story.hear(bob, ALICE, digits, "unproven")
    story.accept(bob, ALICE, 25_000, spaced(digits), "credited", meant=digits)
    story.count(bob, 25_000)


@tale
def cheques(story: MoneyStory) -> None:
    """Cheques in any order, with slips, and each credited once."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    story.key(alice, issued(ALICE, BOB, 1))
    first = story.pay(alice, BOB, 1_000, "express")
    told = [story.pay(alice, BOB, 1_000 + n, "cheque") for n in range(1, 5)]
    story.accept(bob, ALICE, 1_001, told[0], "refused")
    story.accept(bob, ALICE, 1_000, first, "credited")
    story.charge(bob, ALICE, 1_003, comes="cheque")
    story.accept(bob, ALICE, 1_003, told[2], "credited")
    story.accept(bob, ALICE, 1_001, told[0], "credited")
    story.accept(bob, ALICE, 1_001, told[0], "again")
    story.accept(bob, ALICE, 1_004, turned(told[3], 6), "credited", meant=told[3])
    story.accept(bob, ALICE, 1_003, told[1], "unproven")
    story.accept(bob, ALICE, 1_002, told[1], "credited")
    story.accept(bob, ALICE, 1_000, first, "again")
    story.count(bob, 5_010)
    again = story.pay(alice, BOB, 1_001, "cheque", second=True)
    assert again != told[0]
    story.accept(bob, ALICE, 1_001, again, "credited")
    story.receipts(alice, bob)
    story.told(bob, ALICE, 1_001, "7" * 100, "unproven")
    story.told(bob, ALICE, 1_001, "no digits", "unproven")
    story.told(bob, ALICE, 1_001, "", "unproven")


@tale
def challenge(story: MoneyStory) -> None:
    """A charge and its response; charges anew, responses late, and twice."""
    alice, bob = story.purse("alice", ALICE, 300_000), story.purse("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    story.pay(alice, BOB, 60_000, None)
    old = story.charge(bob, ALICE, 60_000, comes="challenge")
    new = story.charge(bob, ALICE, 60_000, comes="challenge")
    late = story.pay(alice, BOB, 60_000, "challenge", digits=old)
    story.accept(bob, ALICE, 60_000, late, "unproven")
    digits = story.pay(alice, BOB, 60_000, "challenge", digits=new)
    assert story.pay(alice, BOB, 60_000, "challenge", digits=new) == digits
    story.pay(alice, BOB, 60_000, None, digits=old)
    story.pay(alice, BOB, 60_001, None, digits=new)
    story.count(alice, 180_000)
    story.accept(bob, ALICE, 60_001, digits, "refused")
    story.accept(bob, ALICE, 60_000, digits, "credited")
    story.accept(bob, ALICE, 60_000, digits, "refused")
    story.receipts(alice, bob)
    story.count(bob, 60_000)
    small = story.charge(bob, ALICE, 70, "challenge", comes="challenge")
    story.accept(bob, ALICE, 70, story.pay(alice, BOB, 70, "challenge", digits=small), "credited")
    story.count(bob, 60_070)
    unused = story.charge(bob, ALICE, 60_000, comes="challenge")
    story.accept(bob, ALICE, 900, story.pay(alice, BOB, 900, "cheque"), "credited")
    digits = story.pay(alice, BOB, 60_000, "challenge", digits=unused)
    story.accept(bob, ALICE, 60_000, digits, "credited")
    story.count(bob, 120_970)
    story.charge(bob, ALICE, 50_000, comes="cheque")
    open_ = story.charge(bob, ALICE, 50_001, comes="challenge")
    digits = story.pay(alice, BOB, 50_001, "challenge", digits=open_)
    later = story.key(alice, issued(ALICE, BOB, 2))
    story.enter(bob, ALICE, story.show(alice, later), "taken")
    story.charge(bob, ALICE, 50_002, comes="challenge")
    story.accept(bob, ALICE, 50_001, digits, "refused")


@tale
def random_key(story: MoneyStory) -> None:
    """A key that is not derived has no express code: the first payment is a cheque."""
    alice, bob = story.purse("alice", ALICE, 100_000), story.purse("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1), derived=False)
    story.pay(alice, BOB, 500, None, mode="express")
    digits = story.pay(alice, BOB, 500, "cheque")
    story.enter(bob, ALICE, story.show(alice, key, sealed=True), "taken", sealed=True)
    story.accept(bob, ALICE, 500, digits, "credited")
    story.receipts(alice, bob)


@tale
def wrong_charges(story: MoneyStory) -> None:
    """Ten wrong charges end a key for challenges; cheques go on."""
    alice, bob = story.purse("alice", ALICE, 300_000), story.purse("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    charge = Codes(key.context, key.octets).charge(Pay(60_000), 1)
    good = story.charge(bob, ALICE, 60_000, comes="challenge")
    assert good == digits_of("request", charge)
    for wrong in range(10):
        digits = digits_of("request", charge ^ 1 << wrong)
        story.pay(alice, BOB, 60_000, None, digits=digits, mode="challenge")
    story.pay(alice, BOB, 60_000, None, digits=good, mode="challenge")
    story.count(alice, 300_000)
    story.accept(bob, ALICE, 6_000, story.pay(alice, BOB, 6_000, "express"), "credited")


@tale
def wrong_codes(story: MoneyStory) -> None:
    """Codes with a wrong bit, of another key, and by the party that does not pay."""
    bob = story.purse("bob", BOB)
    context = issued(ALICE, BOB, 1)
    codes = Codes(context, context.session_key(BOB.key("ticket")))
    pay = Pay(700)
    good = codes.express(pay)
    for bit in (0, 39, 46, 54, 62, 65):
        story.accept(bob, ALICE, 700, digits_of("ticket", good ^ 1 << bit), "unproven")
    other = Codes(context, bytes(16))
    story.accept(bob, ALICE, 700, digits_of("ticket", other.express(pay)), "unproven")
    currency = codes.express(Pay(700, "USD"))
    story.accept(bob, ALICE, 700, digits_of("ticket", currency), "unproven")
    back = issued(ALICE, BOB, 2, direction=1)
    wrong = Codes(back, back.session_key(BOB.key("ticket"))).express(pay)
    story.accept(bob, ALICE, 700, digits_of("ticket", wrong), "unproven")
    story.accept(bob, ALICE, 700, digits_of("ticket", good), "credited")
    for number in (0, 2):
        cheque = codes.cheque(pay, 1) ^ (1 ^ number) << 47
        story.accept(bob, ALICE, 700, digits_of("cheque", cheque), "unproven")
    story.accept(bob, ALICE, 700, digits_of("cheque", codes.cheque(pay, 0)), "unproven")
    story.accept(bob, ALICE, 700, digits_of("cheque", codes.cheque(pay, 63)), "credited")
    story.accept(bob, ALICE, 700, digits_of("response", codes.response(pay, 1)), "refused")
    story.count(bob, 1_400)


@tale
def holder_pays(story: MoneyStory) -> None:
    """On a key with direction 1 the holder pays, by cheque and challenge."""
    alice, bob = story.purse("alice", ALICE), story.purse("bob", BOB, 100_000)
    first = story.key(alice, issued(ALICE, BOB, 1, direction=1))
    story.pay(alice, BOB, 600, None)
    story.enter(bob, ALICE, story.show(alice, first), "taken")
    story.charge(alice, BOB, 600, comes="cheque")
    story.pay(bob, ALICE, 600, None, mode="express")
    cheque = story.pay(bob, ALICE, 600, "cheque")
    story.accept(bob, ALICE, 600, cheque, "refused")
    story.accept(alice, BOB, 600, cheque, "credited")
    story.receipts(alice, bob)
    second = story.key(alice, issued(ALICE, BOB, 2, direction=1))
    story.enter(bob, ALICE, story.show(alice, second), "taken")
    charge = story.charge(alice, BOB, 60_000, comes="challenge")
    response = story.pay(bob, ALICE, 60_000, "challenge", digits=charge)
    story.look(bob, ALICE)
    story.accept(alice, BOB, 60_000, response, "credited")
    story.look(alice, BOB, asking=True)
    story.count(alice, 60_600)
    story.count(bob, 39_400)


@tale
def both_ways(story: MoneyStory) -> None:
    """Two keys of a pair, one for each way."""
    alice, bob = story.purse("alice", ALICE, 5_000), story.purse("bob", BOB, 5_000)
    story.key(alice, issued(ALICE, BOB, 1))
    story.key(bob, issued(BOB, ALICE, 1))
    there, back = story.pay(alice, BOB, 700, "express"), story.pay(bob, ALICE, 700, "express")
    assert there != back
    story.accept(alice, BOB, 700, there, "unproven")
    story.accept(bob, ALICE, 700, there, "credited")
    story.accept(alice, BOB, 700, back, "credited")
    story.count(alice, 5_000)
    story.count(bob, 5_000)

"""Stories of tickets as the holder takes them."""

from __future__ import annotations

from spoken import digits_of
from telling import ALICE, BOB, CAROL, Story, issued, party, tale, ticket


@tale
def out_of_order(story: Story) -> None:
    """Tickets come out of order, and a confirmed key ends those before it."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    for n in (3, 1, 2):
        story.enter(bob, CAROL, ticket(CAROL, BOB, n), "taken")
    story.look(bob, CAROL)
    first, second, third = (story.key(alice, issued(ALICE, BOB, n)) for n in (1, 2, 3))
    story.enter(bob, ALICE, second.context.ticket(second.octets), "taken")
    story.enter(bob, ALICE, first.context.ticket(first.octets), "taken")
    story.look(bob, ALICE)
    story.confirmed(alice, bob, second.context)
    story.look(bob, ALICE)
    story.enter(bob, ALICE, first.context.ticket(first.octets), "superseded")
    story.enter(bob, ALICE, second.context.ticket(second.octets), "resumed")
    story.enter(bob, ALICE, story.show(alice, third), "taken")
    story.enter(bob, ALICE, second.context.ticket(second.octets), "resumed")
    story.confirmed(alice, bob, third.context)
    story.enter(bob, ALICE, second.context.ticket(second.octets), "superseded")
    story.enter(bob, ALICE, third.context.ticket(third.octets), "resumed")
    story.look(bob, ALICE)
    story.look(bob, CAROL)


@tale
def wrong_parties(story: Story) -> None:
    """Tickets of the wrong party, by the wrong party, for the wrong party."""
    bob, carol = story.sim("bob", BOB), story.sim("carol", CAROL)
    told = ticket(ALICE, BOB, 1)
    story.enter(bob, CAROL, told, "unproven")
    story.enter(carol, ALICE, told, "unproven")
    story.enter(bob, ALICE, ticket(BOB, ALICE, 1), "unproven")
    story.enter(bob, party("254700123457"), told, "unproven")
    story.enter(bob, ALICE, told, "taken")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1), "taken")


@tale
def forged_tickets(story: Story) -> None:
    """Forged tickets: every field of the header, and the tag."""
    bob = story.sim("bob", BOB)
    told = ticket(ALICE, BOB, 1)
    for bit in (0, 20, 39, 40, 41, 46, 53, 55, 61, 62, 63, 64, 65):
        story.enter(bob, ALICE, told ^ 1 << bit, "unproven")
    story.enter(bob, ALICE, told & ~(255 << 54), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 0), "unproven")
    story.enter(bob, ALICE, 0, "unproven")
    story.enter(bob, ALICE, told, "taken")


@tale
def wrong_digits(story: Story) -> None:
    """Digits misheard: too far off, one slip, a group lost; and no digits at all."""
    bob = story.sim("bob", BOB)
    told = ticket(ALICE, BOB, 1)
    bare, one = (digits_of("ticket", told, parity) for parity in (0, 1))
    story.hear(bob, ALICE, f"{turned(bare, 1)[:12]}00000000", "unproven")
    story.hear(bob, ALICE, bare[:-4], "unproven")
    story.hear(bob, ALICE, "", "unproven")
    story.hear(bob, ALICE, "7" * 100, "unproven")
    story.hear(bob, ALICE, "not a number", "unproven")
    story.hear(bob, CAROL, one, "unproven")
    story.enter(bob, ALICE, told, "taken", digits=turned(one, 6))
    story.enter(bob, ALICE, told, "resumed", digits=spaced(bare))
    other = ticket(ALICE, BOB, 2)
    two = digits_of("ticket", other, 2)
    garbled = two[:8] + turned(turned(two[8:12], 0), 3) + two[12:]
    story.enter(bob, ALICE, other, "taken", digits=garbled)


def turned(digits: str, at: int) -> str:
    """Mishear one digit, in a way that leaves its group a possible one."""
    other = (int(digits[at]) + 4) % 9
    return digits[:at] + str(other if str(other) != digits[at] else 0) + digits[at + 1 :]


def spaced(digits: str) -> str:
    """Write digits in groups."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


@tale
def expired(story: Story) -> None:
    """Expired tickets, and the last week of one."""
    bob = story.sim("bob", BOB)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=150), "expired")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 2, expiry=149), "expired")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 3, expiry=60), "expired")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 4, expiry=151), "taken")
    story.look(bob, ALICE)


@tale
def weeks(story: Story) -> None:
    """A good ticket tells the week, and so does Sam."""
    bob = story.sim("bob", BOB)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=254), "taken")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 2, expiry=260), "taken")
    story.look(bob, ALICE)
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1, expiry=156), "expired")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 2, expiry=157), "taken")
    story.refuse(bob, story.ask(bob, CAROL), 5, week=200)
    story.enter(bob, CAROL, ticket(CAROL, BOB, 2, expiry=157), "expired")
    story.refuse(bob, story.ask(bob, CAROL), 5, week=190)
    story.look(bob, CAROL)


@tale
def silence(story: Story) -> None:
    """Three years of silence, until Sam tells the week."""
    bob = story.sim("bob", BOB, week=10)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=267), "unproven")
    story.refuse(bob, story.ask(bob, CAROL), 5, week=170)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=267), "taken")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1, expiry=5), "expired")


@tale
def readable_weeks(story: Story) -> None:
    """The last week that eight bits can tell, and the one after."""
    bob, carol = story.sim("bob", BOB, week=10), story.sim("carol", CAROL, week=10)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=267), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 2, expiry=266), "taken")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=267), "taken")
    story.look(bob, ALICE)
    story.enter(carol, ALICE, ticket(ALICE, CAROL, 1, expiry=10), "expired")
    story.enter(carol, ALICE, ticket(ALICE, CAROL, 1, expiry=0), "expired")


@tale
def generations(story: Story) -> None:
    """The asker has a new SIM."""
    bob = story.sim("bob", BOB)
    by = {g: party(ALICE.number, g) for g in range(1, 9)}
    story.enter(bob, ALICE, ticket(by[1], BOB, 9), "taken")
    story.enter(bob, ALICE, ticket(by[5], BOB, 1), "unproven")
    story.enter(bob, ALICE, ticket(by[2], BOB, 1), "taken")
    story.look(bob, ALICE)
    story.enter(bob, ALICE, ticket(by[1], BOB, 10), "unproven")
    story.enter(bob, ALICE, ticket(by[5], BOB, 1), "taken")
    story.enter(bob, ALICE, ticket(by[8], BOB, 1), "taken")
    story.look(bob, ALICE)
    story.enter(bob, CAROL, ticket(party(CAROL.number, 4), BOB, 1), "taken")
    story.enter(bob, CAROL, ticket(party(CAROL.number, 8), BOB, 1), "unproven")
    dave = "2348012"
    for generation in (17, 20):
        story.enter(bob, party(dave), ticket(party(dave, generation), BOB, 1), "unproven")
    story.enter(bob, party(dave), ticket(party(dave, 14), BOB, 1), "taken")
    story.enter(bob, party(dave), ticket(party(dave, 17), BOB, 1), "taken")
    story.enter(bob, party("2348013"), ticket(party("2348013", 16), BOB, 1), "taken")


@tale
def new_sim(story: Story) -> None:
    """A key of a new SIM, once confirmed, ends those of the old one."""
    new = party(ALICE.number, 2)
    old, alice, bob = story.sim("old", ALICE), story.sim("alice", new), story.sim("bob", BOB)
    first = story.key(old, issued(ALICE, BOB, 7))
    second = story.key(alice, issued(new, BOB, 1))
    story.enter(bob, ALICE, story.show(old, first), "taken")
    story.confirmed(old, bob, first.context)
    story.enter(bob, ALICE, story.show(alice, second), "taken")
    story.look(bob, ALICE)
    story.confirmed(alice, bob, second.context)
    story.look(bob, ALICE)
    story.enter(bob, ALICE, first.context.ticket(first.octets), "unproven")


@tale
def epochs(story: Story) -> None:
    """Sam's epoch rises by one, by two, and too far."""
    bob = story.sim("bob", BOB)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 9), "taken")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, epoch=4), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, epoch=2), "taken")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 10), "taken")
    story.look(bob, ALICE)
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1, epoch=4), "taken")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1, epoch=2), "unproven")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1, epoch=3), "taken")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1, epoch=7), "unproven")
    story.look(bob, CAROL)
    ask = story.ask(bob, ALICE)
    grant = story.grant(bob, ask, issued(BOB, ALICE, 1, epoch=6))
    story.receive(bob, ask.counter, grant, "kept")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1, epoch=7), "taken")
    story.look(bob, CAROL)


@tale
def epoch_and_n(story: Story) -> None:
    """In a new epoch n goes on from 1, above every n of the old one."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    old = story.key(alice, issued(ALICE, BOB, 255))
    story.enter(bob, ALICE, story.show(alice, old), "taken")
    story.confirmed(alice, bob, old.context)
    new = story.key(alice, issued(ALICE, BOB, 1, epoch=2))
    story.enter(bob, ALICE, story.show(alice, new), "taken")
    story.confirmed(alice, bob, new.context)
    story.enter(bob, ALICE, old.context.ticket(old.octets), "superseded")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 254), "superseded")
    story.look(bob, ALICE)
    story.look(alice, BOB, asking=True)


@tale
def floor(story: Story) -> None:
    """An epoch below the floor."""
    bob = story.sim("bob", BOB, epoch=3, floor=3)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, epoch=2), "floor")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, epoch=2, expiry=140), "expired")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, epoch=3), "taken")


@tale
def conflict(story: Story) -> None:
    """Sam issued one n twice."""
    bob = story.sim("bob", BOB)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1), "taken")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, limit_class=14), "conflict")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=201), "conflict")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, direction=1), "conflict")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1), "resumed")
    story.look(bob, ALICE)

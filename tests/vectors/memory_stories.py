"""Stories of what the holder has room for, and what it forgets."""

from __future__ import annotations

from reference import Party
from telling import ALICE, BOB, CAROL, Story, issued, party, tale, ticket


@tale
def four_of_the_holder(story: Story) -> None:
    """The holder keeps four keys of a peer, the confirmed one among them."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    first = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, first), "taken")
    story.confirmed(alice, bob, first.context)
    for n in range(2, 7):
        story.enter(bob, ALICE, ticket(ALICE, BOB, n), "taken")
    story.look(bob, ALICE)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1), "resumed")
    for n in range(2, 6):
        story.enter(bob, CAROL, ticket(CAROL, BOB, n), "taken")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1), "crowded")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 7), "taken")
    story.look(bob, CAROL)
    story.enter(bob, CAROL, ticket(CAROL, BOB, 2), "superseded")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1), "superseded")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 3), "resumed")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 6), "taken")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 3), "superseded")
    story.look(bob, CAROL)


@tale
def full_table(story: Story) -> None:
    """256 peers, the next stranger, and room again when their keys have expired."""
    bob = story.sim("bob", BOB)
    for number in range(256):
        expiry = 200 if number == 0 else 160
        known = ticket(stranger(number), BOB, 1, expiry=expiry)
        story.enter(bob, stranger(number), known, "taken")
    story.enter(bob, stranger(256), ticket(stranger(256), BOB, 1), "full")
    story.enter(bob, stranger(255), ticket(stranger(255), BOB, 2, expiry=160), "taken")
    story.enter(bob, stranger(0), ticket(stranger(0), BOB, 1), "resumed")
    story.refuse(bob, story.ask(bob, CAROL), 5, week=160)
    story.enter(bob, stranger(256), ticket(stranger(256), BOB, 1), "taken")
    story.enter(bob, stranger(0), ticket(stranger(0), BOB, 1), "resumed")


@tale
def forgotten(story: Story) -> None:
    """A mark is kept until 104 weeks after the last expiry."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 2))
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    story.confirmed(alice, bob, key.context)
    story.refuse(bob, story.ask(bob, CAROL), 5, week=303)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=330), "superseded")
    story.refuse(bob, story.ask(bob, CAROL), 5, week=304)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1, expiry=330), "taken")


def stranger(number: int) -> Party:
    """Give somebody."""
    return party(str(254711000000 + number))

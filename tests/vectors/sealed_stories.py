"""Stories of J and of sealed tickets."""

from __future__ import annotations

from telling import ALICE, BOB, CAROL, Story, issued, tale, ticket


@tale
def with_nonce(story: Story) -> None:
    """J: only tickets made with it, and those of keys held already."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    nonce = 0x2ABCDEF
    old = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, old), "taken")
    story.offer(bob, ALICE, nonce)
    early = story.key(alice, issued(ALICE, BOB, 2))
    story.enter(bob, ALICE, story.show(alice, early), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1), "resumed")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1), "taken")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 2, nonce=nonce), "unproven")
    fresh = story.key(alice, issued(ALICE, BOB, 3, nonce=nonce))
    shown = story.show(alice, fresh)
    story.enter(bob, ALICE, shown, "taken")
    story.enter(bob, ALICE, shown, "resumed")
    story.confirmed(alice, bob, fresh.context)
    story.enter(bob, ALICE, shown, "resumed")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 4, nonce=nonce), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 5), "taken")
    story.offer(bob, ALICE, 1)
    story.enter(bob, ALICE, shown, "resumed")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 6, nonce=nonce), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 7, nonce=1), "taken")
    story.look(bob, ALICE)


@tale
def withdrawn(story: Story) -> None:
    """J is taken back."""
    bob = story.sim("bob", BOB)
    story.offer(bob, ALICE, 0)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1), "unproven")
    story.withdraw(bob, ALICE)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 2, nonce=0), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 1), "taken")
    story.offer(bob, ALICE, 2**26 - 1)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 2), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 3, nonce=2**26 - 1), "taken")


@tale
def sealed_only(story: Story) -> None:
    """A random key in a sealed ticket."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1), derived=False)
    shown = story.show(alice, key, sealed=True)
    for bit in (0, 47, 48, 100, 175, 176, 180, 190, 201):
        story.enter(bob, ALICE, shown ^ 1 << bit, "unproven", sealed=True)
    story.enter(bob, CAROL, shown, "unproven", sealed=True)
    story.enter(bob, ALICE, shown, "taken", sealed=True)
    story.enter(bob, ALICE, shown, "resumed", sealed=True)
    story.confirmed(alice, bob, key.context)
    story.look(bob, ALICE)


@tale
def both_ways(story: Story) -> None:
    """A key that comes both ways."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    for n in (1, 2):
        key = story.key(alice, issued(ALICE, BOB, n), sealed=True)
        long, short = story.show(alice, key, sealed=True), story.show(alice, key)
        if n == 1:
            story.enter(bob, ALICE, long, "taken", sealed=True)
            story.enter(bob, ALICE, short, "resumed")
        else:
            story.enter(bob, ALICE, short, "taken")
            story.enter(bob, ALICE, long, "resumed", sealed=True)
        story.confirmed(alice, bob, key.context)
        story.enter(bob, ALICE, long, "resumed", sealed=True)


@tale
def sealed_rules(story: Story) -> None:
    """A sealed ticket that expired, came late, or has J."""
    alice, bob = story.sim("alice", ALICE, week=140), story.sim("bob", BOB)
    first = story.key(alice, issued(ALICE, BOB, 1), derived=False, week=140)
    late = story.show(alice, first, sealed=True)
    gone = story.key(alice, issued(ALICE, BOB, 2, expiry=150), derived=False, week=140)
    story.enter(bob, ALICE, story.show(alice, gone, sealed=True), "expired", sealed=True)
    last = story.key(alice, issued(ALICE, BOB, 3, nonce=77), derived=False, week=140)
    shown = story.show(alice, last, sealed=True)
    story.enter(bob, ALICE, shown, "unproven", sealed=True)
    story.offer(bob, ALICE, 77)
    story.enter(bob, ALICE, late, "unproven", sealed=True)
    story.enter(bob, ALICE, shown, "taken", sealed=True)
    story.confirmed(alice, bob, last.context)
    story.enter(bob, ALICE, late, "superseded", sealed=True)

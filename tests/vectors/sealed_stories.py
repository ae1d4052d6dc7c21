"""Stories of J and of sealed tickets."""

from __future__ import annotations

from telling import ALICE, BOB, CAROL, Story, issued, tale, ticket


@tale
def with_nonce(story: Story) -> None:
    """J: only tickets made with it, and those of keys held already."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    nonce = 0x2ABCDEF
    old = story.key(alice, issued(ALICE, BOB, 1))
    early = story.key(alice, issued(ALICE, BOB, 2))
    story.enter(bob, ALICE, story.show(alice, old), "taken")
    story.offer(bob, ALICE, nonce)
    story.enter(bob, ALICE, story.show(alice, early), "unproven")
    story.enter(bob, ALICE, old.context.ticket(old.octets), "resumed")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 1), "taken")
    story.enter(bob, CAROL, ticket(CAROL, BOB, 2, nonce=nonce), "unproven")
    fresh = story.key(alice, issued(ALICE, BOB, 3, nonce=nonce))
    shown = story.show(alice, fresh)
    story.enter(bob, ALICE, shown, "taken")
    story.enter(bob, ALICE, shown, "resumed")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 4, nonce=nonce), "unproven")
    story.enter(bob, ALICE, ticket(ALICE, BOB, 5), "taken")
    story.confirmed(alice, bob, fresh.context)
    story.enter(bob, ALICE, shown, "resumed")
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
    keys = [story.key(alice, issued(ALICE, BOB, n), sealed=True) for n in (1, 2)]
    story.enter(bob, ALICE, story.show(alice, keys[0], sealed=True), "taken", sealed=True)
    story.enter(bob, ALICE, story.show(alice, keys[0]), "resumed")
    story.enter(bob, ALICE, story.show(alice, keys[1]), "taken")
    story.enter(bob, ALICE, story.show(alice, keys[1], sealed=True), "resumed", sealed=True)
    story.confirmed(alice, bob, keys[1].context)
    story.enter(bob, ALICE, story.show(alice, keys[1], sealed=True), "resumed", sealed=True)


@tale
def sealed_rules(story: Story) -> None:
    """A sealed ticket that expired, came late, or has J."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    first = story.key(alice, issued(ALICE, BOB, 1), derived=False)
    gone = story.key(alice, issued(ALICE, BOB, 2, expiry=150), derived=False)
    last = story.key(alice, issued(ALICE, BOB, 3, nonce=77), derived=False)
    story.enter(bob, ALICE, story.show(alice, gone, sealed=True), "expired", sealed=True)
    story.enter(bob, ALICE, story.show(alice, last, sealed=True), "unproven", sealed=True)
    story.offer(bob, ALICE, 77)
    story.enter(bob, ALICE, story.show(alice, first, sealed=True), "unproven", sealed=True)
    story.enter(bob, ALICE, story.show(alice, last, sealed=True), "taken", sealed=True)
    story.confirmed(alice, bob, last.context)
    whole = first.context.header() << 176 | int.from_bytes(first.sealed, "big")
    story.enter(bob, ALICE, whole, "superseded", sealed=True)

"""Stories of challenges and confirmations."""

from __future__ import annotations

from telling import ALICE, BOB, CAROL, Story, issued, tale


@tale
def stale_challenges(story: Story) -> None:
    """Challenges come again, and late."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    first, second = story.challenge(bob, key.context), story.challenge(bob, key.context)
    early = story.respond(alice, BOB, first)
    story.confirm(bob, key.context, early, "wrong")
    confirmation = story.respond(alice, BOB, second)
    story.respond(alice, BOB, first, good=False)
    assert story.respond(alice, BOB, second) == confirmation
    story.confirm(bob, key.context, confirmation, "confirmed")
    story.confirm(bob, key.context, confirmation, "refused")


@tale
def wrong_challenges(story: Story) -> None:
    """Challenges made for others."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1))
    story.key(alice, issued(ALICE, CAROL, 1))
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    challenge = story.challenge(bob, key.context)
    story.respond(alice, CAROL, challenge, good=False)
    story.respond(alice, BOB, challenge ^ 1, good=False)
    story.respond(alice, BOB, challenge ^ 1 << 16, good=False)
    story.respond(alice, BOB, challenge & 0xFFFF, good=False)
    story.respond(alice, BOB, key.context.challenge(key.octets, 0), good=False)
    other = key.context.challenge(bytes(16), 1)
    story.respond(alice, BOB, other, good=False)
    confirmation = story.respond(alice, BOB, challenge)
    for bit in (0, 13, 25):
        story.confirm(bob, key.context, confirmation ^ 1 << bit, "wrong")
    story.confirm(bob, key.context, confirmation, "confirmed")


@tale
def ten_confirmations(story: Story) -> None:
    """Ten wrong confirmations end a key, and a good one between does not forgive the others."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    first = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, first), "taken")
    challenge = story.challenge(bob, first.context)
    good = story.respond(alice, BOB, challenge)
    for wrong in range(9):
        story.confirm(bob, first.context, good ^ 1 << wrong, "wrong")
    story.confirm(bob, first.context, good, "confirmed")
    challenge = story.challenge(bob, first.context)
    good = story.respond(alice, BOB, challenge)
    story.confirm(bob, first.context, good ^ 1, "wrong")
    story.confirm(bob, first.context, good, "refused")
    story.challenge(bob, first.context, good=False)
    story.enter(bob, ALICE, first.context.ticket(first.octets), "resumed")
    story.challenge(bob, first.context, good=False)
    second = story.key(alice, issued(ALICE, BOB, 2))
    story.enter(bob, ALICE, story.show(alice, second), "taken")
    story.confirmed(alice, bob, second.context)


@tale
def ten_challenges(story: Story) -> None:
    """Ten wrong challenges end a key for the asker."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    key = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    for wrong in range(9):
        challenge = story.challenge(bob, key.context)
        story.respond(alice, BOB, challenge ^ 1 << wrong, good=False)
    story.respond(alice, BOB, challenge)
    challenge = story.challenge(bob, key.context)
    story.respond(alice, BOB, challenge ^ 1, good=False)
    story.respond(alice, BOB, challenge, good=False)
    later = story.key(alice, issued(ALICE, BOB, 2))
    story.enter(bob, ALICE, story.show(alice, later), "taken")
    story.confirmed(alice, bob, later.context)

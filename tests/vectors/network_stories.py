"""Stories of asks and answers, and of keys as the asker holds them."""

from __future__ import annotations

from dataclasses import replace

import reference as ref
from telling import ALICE, BOB, CAROL, Story, issued, party, tale, ticket


@tale
def plain(story: Story) -> None:
    """From the ask to the confirmation."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB, week=140)
    key = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    story.confirmed(alice, bob, key.context)
    story.look(alice, BOB, asking=True)
    story.look(bob, ALICE)


@tale
def crossed(story: Story) -> None:
    """Both are askers, and both are holders."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    there, back = issued(ALICE, BOB, 1), issued(BOB, ALICE, 1, direction=1)
    one, other = story.key(alice, there), story.key(bob, back)
    story.enter(bob, ALICE, story.show(alice, one), "taken")
    story.enter(alice, BOB, story.show(bob, other), "taken")
    story.confirmed(alice, bob, there)
    story.confirmed(bob, alice, back)


@tale
def twice(story: Story) -> None:
    """Everything comes twice."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    ask = story.ask(alice, BOB)
    answer = story.grant(alice, ask, issued(ALICE, BOB, 1))
    story.receive(alice, ask.counter, answer, "kept")
    story.receive(alice, ask.counter, answer, "nothing")
    context = answer[1].context
    shown = story.show(alice, answer[1])
    assert story.show(alice, answer[1]) == shown
    story.enter(bob, ALICE, shown, "taken")
    story.enter(bob, ALICE, shown, "resumed")
    challenge = story.challenge(bob, context)
    confirmation = story.respond(alice, BOB, challenge)
    assert story.respond(alice, BOB, challenge) == confirmation
    story.confirm(bob, context, confirmation, "confirmed")
    story.confirm(bob, context, confirmation, "refused")
    story.enter(bob, ALICE, shown, "resumed")
    assert story.challenge(bob, context) >> 16 == 2, "no count is reset"
    story.look(bob, ALICE)


@tale
def late_answers(story: Story) -> None:
    """Answers come late, out of order, and after a refusal."""
    alice = story.sim("alice", ALICE)
    asks = [story.ask(alice, BOB) for _ in range(3)]
    answers = [
        story.grant(alice, ask, issued(ALICE, BOB, n), week=150 + n)
        for n, ask in enumerate(asks, 1)
    ]
    for n in (3, 1, 2):
        story.receive(alice, asks[n - 1].counter, answers[n - 1], "kept")
    story.look(alice, BOB, asking=True)
    story.ask(alice, BOB)
    last = story.ask(alice, BOB)
    story.refuse(alice, last, 5, week=154)
    story.receive(alice, last.counter, story.grant(alice, last, issued(ALICE, BOB, 4)), "kept")
    story.refuse(alice, last, 3, week=155)
    story.look(alice, BOB, asking=True)


@tale
def overtaken(story: Story) -> None:
    """An answer comes after a later key was confirmed."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    first = story.ask(alice, BOB)
    second = story.key(alice, issued(ALICE, BOB, 2))
    story.enter(bob, ALICE, story.show(alice, second), "taken")
    story.confirmed(alice, bob, second.context)
    answer = story.grant(alice, first, issued(ALICE, BOB, 1))
    story.receive(alice, first.counter, answer, "dropped")
    story.look(alice, BOB, asking=True)


@tale
def useless_answers(story: Story) -> None:
    """An answer comes after its key has expired, or when four later keys are there."""
    alice = story.sim("alice", ALICE)
    asks = [story.ask(alice, BOB) for _ in range(2)]
    for n in range(3, 7):
        story.key(alice, issued(ALICE, BOB, n))
    lowest = story.grant(alice, asks[1], issued(ALICE, BOB, 2))
    story.receive(alice, asks[1].counter, lowest, "dropped")
    story.look(alice, BOB, asking=True)
    expired = story.grant(alice, asks[0], issued(ALICE, BOB, 7, expiry=160), week=160)
    story.receive(alice, asks[0].counter, expired, "dropped")
    story.key(alice, issued(ALICE, CAROL, 1, expiry=161))
    story.refuse(alice, story.ask(alice, BOB), 5, week=161)
    story.look(alice, BOB, asking=True)
    story.look(alice, CAROL, asking=True)


@tale
def refusals(story: Story) -> None:
    """Every reason to refuse."""
    alice = story.sim("alice", ALICE)
    for reason in range(1, 10):
        story.refuse(alice, story.ask(alice, BOB), reason, week=150 + reason)
    story.ask(alice, BOB)


@tale
def forged_answers(story: Story) -> None:
    """Answers that do not open change nothing."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    first, second = story.ask(alice, BOB), story.ask(alice, CAROL)
    text, key, week = story.grant(alice, first, issued(ALICE, BOB, 1), week=170)
    story.ignore(bob, text)
    story.ignore(alice, text[:-1])
    story.ignore(alice, ("B" if text[20] == "A" else "A").join((text[:20], text[21:])))
    plaintext = bytes([5, 0, 200])
    unknown = replace(first, counter=77)
    story.ignore(alice, story.answer(alice, unknown, plaintext))
    whole = second.octets(ALICE.key("ask"))
    exchanged = ref.answer(ALICE.key("answer"), first.counter, whole, plaintext)
    story.ignore(alice, ref.text_of(exchanged))
    wrong_key = ref.answer(
        BOB.key("answer"), first.counter, first.octets(ALICE.key("ask")), plaintext
    )
    story.ignore(alice, ref.text_of(wrong_key))
    story.ignore(alice, "HELLO, THIS IS YOUR BANK")
    story.ignore(alice, "")
    story.look(alice, BOB, asking=True)
    story.receive(alice, first.counter, (text, key, week), "kept")


@tale
def four_of_the_asker(story: Story) -> None:
    """The asker keeps four keys, and drops those before a confirmed one."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    keys = [story.key(alice, issued(ALICE, BOB, n)) for n in range(1, 6)]
    story.look(alice, BOB, asking=True)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 2), "taken")
    old = story.challenge(bob, keys[1].context)
    story.enter(bob, ALICE, ticket(ALICE, BOB, 4), "taken")
    new = story.challenge(bob, keys[3].context)
    confirmation = story.respond(alice, BOB, new)
    story.look(alice, BOB, asking=True)
    story.respond(alice, BOB, old, good=False)
    story.confirm(bob, keys[3].context, confirmation, "confirmed")
    story.look(bob, ALICE)


@tale
def older_key(story: Story) -> None:
    """An older key is still good until a later one is confirmed."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    first = story.key(alice, issued(ALICE, BOB, 1))
    story.enter(bob, ALICE, story.show(alice, first), "taken")
    second = story.key(alice, issued(ALICE, BOB, 2))
    story.confirmed(alice, bob, first.context)
    story.look(alice, BOB, asking=True)
    story.enter(bob, ALICE, story.show(alice, second), "taken")
    story.look(bob, ALICE)
    story.confirmed(alice, bob, second.context)
    story.look(bob, ALICE)
    story.look(alice, BOB, asking=True)


@tale
def new_holder(story: Story) -> None:
    """The holder has a new SIM, and its n begins again."""
    again = party(BOB.number, 2)
    alice, bob = story.sim("alice", ALICE), story.sim("bob", again)
    for n in (1, 2):
        story.key(alice, issued(ALICE, BOB, n))
    key = story.key(alice, issued(ALICE, again, 1))
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    story.confirmed(alice, bob, key.context)
    story.ask(alice, BOB)

"""Stories of asks and answers that a person types."""

from __future__ import annotations

from dataclasses import replace

import reference as ref
from model import Key
from spoken import digits_of
from telling import ALICE, BOB, CAROL, Story, issued, party, tale


@tale
def typed(story: Story) -> None:
    """Typed to Sam, typed back, and from there as any other key."""
    alice, bob = story.sim("alice", ALICE), story.sim("bob", BOB)
    whole = story.type_ask(alice, BOB)
    context = issued(ALICE, BOB, 1)
    key = story.type_answer(alice, story.typed_grant(alice, whole, context), "kept")
    assert key is not None
    story.enter(bob, ALICE, story.show(alice, key), "taken")
    story.confirmed(alice, bob, context)
    story.look(alice, BOB, asking=True)


@tale
def both(story: Story) -> None:
    """A typed ask is answered by SMS and in digits: whichever comes first brings the key."""
    alice = story.sim("alice", ALICE)
    for n, first in ((1, "sms"), (2, "digits")):
        whole, context = story.type_ask(alice, BOB), issued(ALICE, BOB, n)
        octets = context.session_key(BOB.key("ticket"))
        witness = ALICE.witness(BOB.number, 1, 1, n)
        plaintext = ref.grant(context, 150, witness, octets, derived=True)
        text = ref.text_of(ref.answer(ALICE.key("answer"), alice.counter, whole, plaintext))
        answer = text, Key(context, octets, witness), 150
        digits = story.typed_grant(alice, whole, context)
        if first == "sms":
            story.receive(alice, alice.counter, answer, "kept")
            story.type_answer(alice, digits, "nothing")
        else:
            story.type_answer(alice, digits, "kept")
            story.receive(alice, alice.counter, answer, "nothing")
    story.look(alice, BOB, asking=True)


@tale
def counted(story: Story) -> None:
    """Typed asks and asks by SMS have one count; a typed key is not told of in what was seen."""
    alice = story.sim("alice", ALICE)
    story.key(alice, issued(ALICE, BOB, 1))
    whole = story.type_ask(alice, BOB)
    story.type_answer(alice, story.typed_grant(alice, whole, issued(ALICE, BOB, 2)), "kept")
    assert story.ask(alice, BOB).seen_n == 1
    for _ in range(61):
        story.type_ask(alice, CAROL)
    assert alice.counter == 64


@tale
def astray(story: Story) -> None:
    """Answers to another ask, of another party, for another context or with another bit."""
    alice, carol = story.sim("alice", ALICE), story.sim("carol", CAROL)
    whole, context = story.type_ask(alice, BOB), issued(ALICE, BOB, 1)
    other = story.type_ask(carol, BOB)
    good = story.typed_grant(alice, whole, context)
    story.type_answer(carol, good, "unproven")
    theirs = story.typed_grant(carol, other, issued(CAROL, BOB, 1))
    story.type_answer(alice, theirs, "unproven")
    for bit in (0, 39, 40, 167, 172, 173, 198):
        story.type_answer(alice, good ^ 1 << bit, "unproven")
    for changed in (
        replace(context, holder_generation=33),
        replace(context, epoch=5),
        replace(context, expiry=456),
    ):
        story.type_answer(alice, story.typed_grant(alice, whole, changed), "unproven")
    story.type_answer(alice, good, "kept")


@tale
def far(story: Story) -> None:
    """The holder's generation is read upwards from the highest known, as far as 31 above."""
    alice = story.sim("alice", ALICE)
    for n, generation in ((1, 32), (2, 63)):
        context = issued(ALICE, party(BOB.number, generation), n)
        whole = story.type_ask(alice, BOB)
        story.type_answer(alice, story.typed_grant(alice, whole, context), "kept")
    story.look(alice, BOB, asking=True)


@tale
def time(story: Story) -> None:
    """A good answer brings the time with it: a week that its longest life is before its end."""
    alice = story.sim("alice", ALICE)
    first, second = story.type_ask(alice, BOB), story.type_ask(alice, CAROL)
    late = story.typed_grant(alice, first, issued(ALICE, BOB, 1, expiry=160))
    story.type_answer(
        alice, story.typed_grant(alice, second, issued(ALICE, CAROL, 1, expiry=300)), "kept"
    )
    story.look(alice, CAROL, asking=True)
    story.type_answer(alice, late, "unproven")


@tale
def slip(story: Story) -> None:
    """One wrong digit is repaired by the parity group."""
    alice = story.sim("alice", ALICE)
    whole = story.type_ask(alice, BOB)
    answer = story.typed_grant(alice, whole, issued(ALICE, BOB, 1))
    digits = digits_of("answer", answer)
    groups = [digits[at : at + 4] for at in range(0, len(digits), 4)]
    wrong = str((int(groups[5][1]) + 1) % 10)
    groups[5] = groups[5][0] + wrong + groups[5][2:]
    story.type_answer(alice, answer, "kept", " ".join(groups))


@tale
def eight(story: Story) -> None:
    """Of more than eight typed asks the latest eight have their answers taken."""
    alice = story.sim("alice", ALICE)
    asks = [story.type_ask(alice, BOB) for _ in range(9)]
    contexts = [issued(ALICE, BOB, n) for n in (1, 2)]
    story.type_answer(alice, story.typed_grant(alice, asks[0], contexts[0]), "unproven")
    story.type_answer(alice, story.typed_grant(alice, asks[1], contexts[1]), "kept")

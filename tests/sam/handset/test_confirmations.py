"""M4 and M5: each side learns that the other has the key, and neither learns it from a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from dtns.codecs.digits import PROFILES, Status, encode, show
from dtns.sam.handset import reports
from dtns.sam.handset.confirmations import MAX_FAILURES, Code, Verdict
from dtns.sam.protocol import confirmation as codes
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import NO_ORDER

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset
    from dtns.sam.handset.state import AskedKey, HeldKey


def _asked(alice: Handset, bob: Handset) -> AskedKey:
    return alice.card.state.asked[bob.sim.number][-1]


def _held(bob: Handset, alice: Handset) -> HeldKey:
    return bob.card.state.peers[alice.sim.number].held[-1]


def _off(profile: str, digits: str) -> str:
    """Return another code of the profile, as well formed as this one."""
    groups = [int(group) for group in digits.split()]
    other = encode(PROFILES[profile], 12345)
    return show(other if list(other) != groups else encode(PROFILES[profile], 54321))


def _refused(verdict: Verdict | Code, reason: str) -> None:
    assert isinstance(verdict, Verdict)
    assert (verdict.status, verdict.reason, verdict.key) == (Status.REFUSED, reason, None)
    report = reports.of_verdict(Number("254700000001"), verdict)
    assert report.refused
    assert not report.text.startswith("Refused:")


def test_both_confirm(world: World, alice: Handset, bob: Handset) -> None:
    """Eight digits there and eight back confirm the key on both phones and move the mark."""
    world.hand_over(alice, bob)
    challenge = world.challenge(alice, bob)
    response = world.response(alice, bob, challenge)
    assert len(challenge.replace(" ", "")) == len(response.replace(" ", "")) == 8
    verdict = bob.check(alice.sim.number, response)
    assert (verdict.status, verdict.key) == (Status.ACCEPTED, _held(bob, alice))
    assert _asked(alice, bob).confirmed
    assert _held(bob, alice).confirmed
    assert bob.card.state.peers[alice.sim.number].mark == (1, 1, 1, 1)


def test_the_mark_moves_with_the_confirmation_alone(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Neither the ticket nor the challenge moves the mark."""
    world.hand_over(alice, bob)
    world.response(alice, bob, world.challenge(alice, bob))
    assert bob.card.state.peers[alice.sim.number].mark == NO_ORDER


def test_a_confirmed_key_ends_the_older_ones(world: World, alice: Handset, bob: Handset) -> None:
    """On both phones the keys before a confirmed one are gone."""
    world.hand_over(alice, bob)
    world.hand_over(alice, bob)
    world.confirm(alice, bob)
    assert [key.context.n for key in alice.card.state.asked[bob.sim.number]] == [2]
    assert [key.context.n for key in bob.card.state.peers[alice.sim.number].held] == [2]


def test_an_older_key_confirms_while_a_newer_one_waits(
    world: World, alice: Handset, bob: Handset
) -> None:
    """The holder may still have only an older key; the asker finds it and keeps the newer."""
    world.hand_over(alice, bob)
    world.key(alice, bob)
    assert world.confirm(alice, bob).status is Status.ACCEPTED
    assert [key.context.n for key in alice.card.state.asked[bob.sim.number]] == [1, 2]


def test_no_key_no_challenge(alice: Handset, bob: Handset) -> None:
    """Without a key there is nothing to challenge, to answer or to check."""
    code = show(encode(PROFILES["request"], 1 << 16))
    assert bob.challenge(alice.sim.number) == "no-key"
    _refused(alice.respond(bob.sim.number, code), "no-key")
    _refused(bob.check(alice.sim.number, show(encode(PROFILES["confirm"], 1))), "no-challenge")


def test_a_code_that_is_none_is_told_without_a_count(
    world: World, alice: Handset, bob: Handset
) -> None:
    """What is no code at all is not counted as a failure on either side."""
    world.hand_over(alice, bob)
    world.challenge(alice, bob)
    for entry in ("", "12", "9999 0000", "abcd efgh"):
        verdict = alice.respond(bob.sim.number, entry)
        assert isinstance(verdict, Verdict)
        assert reports.of_verdict(bob.sim.number, verdict).text
        assert bob.check(alice.sim.number, entry).status is Status.REFUSED
    assert (_asked(alice, bob).failures, _held(bob, alice).failures) == (0, 0)


def test_a_wrong_challenge_is_not_answered(world: World, alice: Handset, bob: Handset) -> None:
    """A challenge by someone without the key gets no response, and is counted."""
    world.hand_over(alice, bob)
    challenge = world.challenge(alice, bob)
    _refused(alice.respond(bob.sim.number, _off("request", challenge)), "wrong")
    assert _asked(alice, bob).failures == 1


def test_ten_wrong_challenges_end_a_key(world: World, alice: Handset, bob: Handset) -> None:
    """After ten failures the asker answers no challenge under the key, not even a good one."""
    world.hand_over(alice, bob)
    challenge = world.challenge(alice, bob)
    for _ in range(MAX_FAILURES):
        _refused(alice.respond(bob.sim.number, _off("request", challenge)), "wrong")
    _refused(alice.respond(bob.sim.number, challenge), "locked")


def test_ten_wrong_challenges_leave_a_newer_key_alone(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A key asked for after the failures is challenged and answered as ever."""
    world.hand_over(alice, bob)
    wrong = _off("request", world.challenge(alice, bob))
    for _ in range(MAX_FAILURES):
        alice.respond(bob.sim.number, wrong)
    world.hand_over(alice, bob)
    assert world.confirm(alice, bob).status is Status.ACCEPTED


def test_a_good_challenge_takes_back_its_own_count_alone(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Failures before a success stay: they cannot be washed off by the peer's good codes."""
    world.hand_over(alice, bob)
    challenge = world.challenge(alice, bob)
    for _ in range(3):
        alice.respond(bob.sim.number, _off("request", challenge))
    world.response(alice, bob, challenge)
    assert _asked(alice, bob).failures == 3


def test_the_latest_challenge_gets_the_same_response_again(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A response that was misheard is given again, the same digits."""
    world.hand_over(alice, bob)
    challenge = world.challenge(alice, bob)
    assert world.response(alice, bob, challenge) == world.response(alice, bob, challenge)


def test_an_older_challenge_is_not_answered(world: World, alice: Handset, bob: Handset) -> None:
    """Once a later challenge was answered an older one is refused, and costs the key nothing."""
    world.hand_over(alice, bob)
    old = world.challenge(alice, bob)
    world.response(alice, bob, world.challenge(alice, bob))
    before = _asked(alice, bob)
    _refused(alice.respond(bob.sim.number, old), "old")
    assert _asked(alice, bob) == before


def test_challenges_never_repeat_under_a_key(world: World, alice: Handset, bob: Handset) -> None:
    """The count goes up to 1023, whatever happens between, and then the key is used up."""
    world.hand_over(alice, bob)
    seen = {world.challenge(alice, bob) for _ in range(5)}
    world.confirm(alice, bob)
    peer = bob.card.state.peers[alice.sim.number]
    key = evolve(peer.held[-1], challenged=codes.MAX_COUNT - 1)
    bob.card.keep(bob.card.state.with_peer(alice.sim.number, peer.with_key(key)))
    seen.add(world.challenge(alice, bob))
    assert len(seen) == 6
    assert bob.challenge(alice.sim.number) == "used-up"
    assert "new key" in reports.of_code(alice.sim.number, "used-up").text


def test_a_challenge_is_counted_before_it_is_shown(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A challenge that cannot be kept is not shown: its count would be used twice."""
    world.hand_over(alice, bob)
    bob.card.keeps_left = 0
    with pytest.raises(Exception, match="power"):
        bob.challenge(alice.sim.number)
    bob.card.keeps_left = None
    world.challenge(alice, bob)
    assert bob.card.history[-1].peers[alice.sim.number].held[-1].challenged == 1


def test_a_wrong_response_is_refused_and_counted(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A wrong response leaves the challenge open for the right one, and leaves its count."""
    world.hand_over(alice, bob)
    response = world.response(alice, bob, world.challenge(alice, bob))
    _refused(bob.check(alice.sim.number, _off("confirm", response)), "wrong")
    assert bob.check(alice.sim.number, response).status is Status.ACCEPTED
    assert _held(bob, alice).failures == 1


def test_ten_wrong_responses_end_a_key(world: World, alice: Handset, bob: Handset) -> None:
    """After ten failures the holder takes no response under the key, and makes no challenge."""
    world.hand_over(alice, bob)
    response = world.response(alice, bob, world.challenge(alice, bob))
    for _ in range(MAX_FAILURES):
        _refused(bob.check(alice.sim.number, _off("confirm", response)), "wrong")
    _refused(bob.check(alice.sim.number, response), "locked")
    assert bob.challenge(alice.sim.number) == "locked"


def test_failures_are_counted_over_all_challenges(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Neither a new challenge nor the ticket typed again gives the ten tries back."""
    world.hand_over(alice, bob)
    for _ in range(MAX_FAILURES):
        response = world.response(alice, bob, world.challenge(alice, bob))
        bob.check(alice.sim.number, _off("confirm", response))
        bob.enter(alice.sim.number, world.ticket(alice, bob))
    assert bob.challenge(alice.sim.number) == "locked"


def test_a_response_counts_once(world: World, alice: Handset, bob: Handset) -> None:
    """A response typed a second time finds no open challenge."""
    world.hand_over(alice, bob)
    response = world.response(alice, bob, world.challenge(alice, bob))
    bob.check(alice.sim.number, response)
    _refused(bob.check(alice.sim.number, response), "no-challenge")


def test_a_response_to_an_earlier_challenge_is_wrong(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A new challenge ends the one before it, and the response to that."""
    world.hand_over(alice, bob)
    old = world.response(alice, bob, world.challenge(alice, bob))
    world.challenge(alice, bob)
    _refused(bob.check(alice.sim.number, old), "wrong")


def test_a_challenge_under_a_newer_key_ends_that_under_an_older(
    world: World, alice: Handset, bob: Handset
) -> None:
    """One challenge to a peer is open at a time, whatever its keys."""
    world.hand_over(alice, bob)
    old = world.response(alice, bob, world.challenge(alice, bob))
    world.hand_over(alice, bob)
    world.challenge(alice, bob)
    assert [key.pending for key in bob.card.state.peers[alice.sim.number].held] == [0, 1]
    _refused(bob.check(alice.sim.number, old), "wrong")


def test_a_response_may_come_after_a_newer_ticket(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A newer ticket typed in between does not end the open challenge."""
    world.hand_over(alice, bob)
    response = world.response(alice, bob, world.challenge(alice, bob))
    world.hand_over(alice, bob)
    assert bob.check(alice.sim.number, response).status is Status.ACCEPTED
    assert [key.context.n for key in bob.card.state.peers[alice.sim.number].held] == [1, 2]


def test_an_old_key_is_never_confirmed_after_a_newer(
    world: World, alice: Handset, bob: Handset
) -> None:
    """The response under an older key, kept back until a newer was confirmed, proves nothing."""
    world.hand_over(alice, bob)
    old = world.response(alice, bob, world.challenge(alice, bob))
    world.hand_over(alice, bob)
    world.confirm(alice, bob)
    _refused(bob.check(alice.sim.number, old), "no-challenge")
    assert bob.card.state.peers[alice.sim.number].mark == (1, 1, 1, 2)


def test_codes_are_the_pairs_own(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """A challenge meant for one asker is not answered by another who has a key too."""
    world.hand_over(alice, bob)
    world.hand_over(carol, bob)
    challenge = world.challenge(alice, bob)
    _refused(carol.respond(bob.sim.number, challenge), "wrong")


def test_both_ways_are_two_keys(world: World, alice: Handset, bob: Handset) -> None:
    """Where both asked for a key with the other, each direction confirms on its own."""
    world.hand_over(alice, bob)
    world.hand_over(bob, alice)
    assert world.confirm(alice, bob).status is Status.ACCEPTED
    assert not _asked(bob, alice).confirmed
    assert world.confirm(bob, alice).status is Status.ACCEPTED

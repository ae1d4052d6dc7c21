"""Sam's decision on each ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.issuer import DAY_SECONDS, Answer, Outcome, Silence
from dtns.sam.issuing.policy import Policy
from dtns.sam.protocol.answer import Grant, Reason, Refusal
from dtns.sam.protocol.ask import Form, Seen
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.wire import to_text

STRANGER = Number("15550199")


def granted(told: Grant | Refusal) -> Grant:
    """Insist on a key."""
    assert isinstance(told, Grant), told
    return told


def refused(told: Grant | Refusal) -> Reason:
    """Insist on a refusal and return its reason."""
    assert isinstance(told, Refusal), told
    return told.reason


def footprint(world: Any) -> tuple[int, bytes, bytes]:
    """Return everything a write would change: the change count and the octets on disk."""
    path: Path = world.store.path
    journal = path.with_name(path.name + "-wal")
    return world.store.connection.total_changes, path.read_bytes(), journal.read_bytes()


def test_an_ask_gets_a_key(asker: Any, holder: Number, world: Any) -> None:
    """The first key of a pair is number 1 of this epoch, for the policy's default life."""
    grant = granted(asker.open(asker.make(holder)))
    assert (grant.n, grant.epoch, grant.holder_generation) == (1, 1, 1)
    assert grant.terms.expiry == world.week + world.policy.default_life_weeks
    assert grant.terms.limit == 5
    assert grant.derived
    assert grant.sealed is None


def test_each_ask_gets_the_next_n(asker: Any, holder: Number, world: Any) -> None:
    """N counts up within a pair, whatever the order of the request counters."""
    numbers = [granted(asker.open(asker.make(holder, counter=c))).n for c in (5, 3, 4, 9)]
    assert numbers == [1, 2, 3, 4]
    other = world.phone()
    assert granted(asker.open(asker.make(other.sim.number, counter=10))).n == 1


def test_limit_and_life_are_capped(asker: Any, holder: Number, world: Any) -> None:
    """A wish beyond the policy gets what the policy allows, not a refusal."""
    grant = granted(asker.open(asker.make(holder, limit=31, life=255)))
    assert grant.terms.limit == world.policy.highest_limit_class
    assert grant.terms.expiry == world.week + world.policy.longest_life_weeks


@pytest.mark.parametrize(
    "text",
    ["", "hello Sam", "A" * 161, "=" * 8, "AEAQ", "\u0661\u0662", "\0", "A" * 100_000, "AEBQ" * 9],
)
def test_what_is_no_ask_meets_silence(world: Any, text: str) -> None:
    """Malformed texts are counted and never answered."""
    assert world.tell(text) is Silence.MALFORMED


def test_who_is_not_enrolled_meets_silence(asker: Any, holder: Number) -> None:
    """An ask of an unknown number is not answered."""
    octets = asker.make(holder, asker=Party(STRANGER, 1))
    assert asker.send(octets) is Silence.NOT_ENROLLED


def test_another_generation_meets_silence(asker: Any, holder: Number) -> None:
    """A dead SIM, or one that does not exist yet, is not answered."""
    octets = asker.make(holder, asker=Party(asker.number, 2))
    assert asker.send(octets) is Silence.GENERATION


def test_a_forged_ask_meets_silence_and_writes_nothing(
    asker: Any, holder: Number, world: Any
) -> None:
    """One wrong bit in the MAC, or in what it covers: silence, and not an octet written."""
    asker.open(asker.make(holder))
    octets = asker.make(holder)
    before = footprint(world)
    for place in range(2, len(octets)):
        forged = bytearray(octets)
        forged[place] ^= 1
        outcome = asker.send(bytes(forged))
        assert isinstance(outcome, Silence), place
    for shift in range(64):
        forged_mac = int.from_bytes(octets[-8:]) ^ 1 << shift
        assert asker.send(octets[:-8] + forged_mac.to_bytes(8)) is Silence.FORGED
    assert footprint(world) == before
    assert granted(asker.open(octets)).n == 2


def test_older_than_the_window_meets_silence(asker: Any, holder: Number) -> None:
    """64 below the highest counter is too old to tell, 63 below is not."""
    asker.open(asker.make(holder, counter=100))
    assert asker.send(asker.make(holder, counter=36)) is Silence.OLD
    granted(asker.open(asker.make(holder, counter=37)))


@pytest.mark.parametrize("form", list(Form))
def test_the_same_ask_gets_the_same_octets(
    asker: Any, holder: Number, world: Any, form: Form
) -> None:
    """A repeated ask is answered octet for octet, however late, and makes no second key."""
    octets = asker.make(holder, form=form)
    first = asker.send(octets)
    world.pass_weeks(3)
    second = asker.send(octets)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert (first.outcome, second.outcome) == (Outcome.ISSUED, Outcome.REPEATED)
    assert first.text == second.text
    assert granted(asker.open(asker.make(holder))).n == 2


def test_a_refusal_is_repeated_octet_for_octet(asker: Any, world: Any) -> None:
    """A refused ask stays refused, even where a new one would be granted."""
    octets = asker.make(STRANGER)
    first = asker.send(octets)
    with world.store.transaction():
        known = world.store.registration(asker.number)
        world.store.save(known._replace(enrolment=known.enrolment._replace(number=STRANGER)))
    assert asker.send(octets).text == first.text
    granted(asker.open(asker.make(STRANGER)))


def test_repeats_are_bounded(make_pair: Callable[..., Any]) -> None:
    """Beyond the policy's repeats for one ask there is silence; other asks go on."""
    _, asker, holder = make_pair(Policy(repeats_per_ask=2))
    octets = asker.make(holder)
    outcomes = [asker.send(octets) for _ in range(4)]
    assert [getattr(outcome, "outcome", outcome) for outcome in outcomes] == [
        Outcome.ISSUED,
        Outcome.REPEATED,
        Outcome.REPEATED,
        Silence.REPEATS,
    ]
    granted(asker.open(asker.make(holder)))


def test_repeats_a_day_are_bounded(make_pair: Callable[..., Any]) -> None:
    """Beyond the day's repeats there is silence until the next day; new asks are not touched."""
    world, asker, holder = make_pair(Policy(repeats_per_day=2))
    octets = asker.make(holder)
    for _ in range(3):
        granted(asker.open(octets))
    assert asker.send(octets) is Silence.REPEATS
    granted(asker.open(asker.make(holder)))
    world.now += DAY_SECONDS
    granted(asker.open(octets))


def test_keys_a_day_are_bounded(make_pair: Callable[..., Any]) -> None:
    """Beyond the day's keys asks are refused, beyond twice as many they are not heard."""
    world, asker, holder = make_pair(Policy(asks_per_day=2))
    for _ in range(2):
        granted(asker.open(asker.make(holder)))
    octets = asker.make(holder)
    assert refused(asker.open(octets)) is Reason.QUOTA
    assert refused(asker.open(asker.make(holder))) is Reason.QUOTA
    assert asker.send(asker.make(holder)) is Silence.SHARE
    world.now += DAY_SECONDS
    assert refused(asker.open(octets)) is Reason.QUOTA
    granted(asker.open(asker.make(holder)))


def test_a_clock_that_goes_back_gives_no_second_share(make_pair: Callable[..., Any]) -> None:
    """Another day's share is a fresh one in either direction, and the same day's is not."""
    world, asker, holder = make_pair(Policy(asks_per_day=1))
    granted(asker.open(asker.make(holder)))
    world.now += 60
    assert refused(asker.open(asker.make(holder))) is Reason.QUOTA


def test_an_unknown_holder_is_refused(asker: Any) -> None:
    """No key with a number that is not enrolled."""
    assert refused(asker.open(asker.make(STRANGER))) is Reason.UNKNOWN


def test_oneself_is_refused(asker: Any) -> None:
    """No key with oneself."""
    assert refused(asker.open(asker.make(asker.number))) is Reason.SELF


def test_the_suspended_are_refused(asker: Any, holder: Number, world: Any, bob: Handset) -> None:
    """Neither the suspended get keys, nor does anybody with them."""
    world.suspend(bob)
    assert refused(asker.open(asker.make(holder))) is Reason.PEER_SUSPENDED
    world.suspend(asker.phone)
    assert refused(asker.open(asker.make(holder))) is Reason.SUSPENDED
    world.suspend(asker.phone, suspended=False)
    world.suspend(bob, suspended=False)
    granted(asker.open(asker.make(holder)))


@pytest.mark.parametrize("form", list(Form))
def test_standing_is_looked_at_again_at_a_repeat(
    asker: Any, holder: Number, world: Any, bob: Handset, form: Form
) -> None:
    """A key is not told again while either party is suspended, nor after the holder's rekeying."""
    octets = asker.make(holder, form=form)
    first = asker.send(octets).text
    world.suspend(bob)
    assert refused(asker.open(octets)) is Reason.PEER_SUSPENDED
    world.suspend(asker.phone)
    assert refused(asker.open(octets)) is Reason.SUSPENDED
    world.suspend(asker.phone, suspended=False)
    world.suspend(bob, suspended=False)
    assert asker.send(octets).text == first
    world.renewed(bob)
    assert refused(asker.open(octets)) is Reason.CHANGED


def test_a_counter_used_twice_is_refused(asker: Any, holder: Number, world: Any) -> None:
    """Another ask under a used counter is refused, and the first keeps its answer."""
    first = asker.make(holder, counter=7)
    text = asker.send(first).text
    other = asker.make(world.phone().sim.number, counter=7)
    assert refused(asker.open(other)) is Reason.COUNTER_REUSED
    assert asker.send(first).text == text
    assert world.store.connection.execute("SELECT count(*) FROM decision").fetchone() == (1,)


def test_a_pair_has_255_keys(make_pair: Callable[..., Any]) -> None:
    """After n = 255 the pair is exhausted until the asker or the holder is rekeyed."""
    world, asker, holder = make_pair(Policy(asks_per_day=10_000))
    numbers = [granted(asker.open(asker.make(holder))).n for _ in range(255)]
    assert numbers == list(range(1, 256))
    assert refused(asker.open(asker.make(holder))) is Reason.EXHAUSTED
    world.renewed(world.phones[1])
    assert granted(asker.open(asker.make(holder))).n == 1


def test_a_lie_about_keys_seen_does_nothing(asker: Any, holder: Number, world: Any) -> None:
    """A later n or epoch without Sam's witness is ignored."""
    for seen in (Seen(1, 200), Seen(9, 1, bytes(range(6))), Seen(65535, 255, b"\xff" * 6)):
        granted(asker.open(asker.make(holder, seen=seen)))
    with world.store.transaction():
        assert not world.store.behind


def test_a_true_witness_of_a_forgotten_key_stops_issuing(
    asker: Any, holder: Number, world: Any, carol: Handset
) -> None:
    """A store that was put back is found out, and no key is made twice."""
    snapshot = world.copy_of_store()
    grant = granted(asker.open(asker.make(holder)))
    world.store.close()
    world.open_store(snapshot)
    seen = Seen(grant.epoch, grant.n, grant.witness)
    assert refused(asker.open(asker.make(holder, seen=seen))) is Reason.BEHIND
    other = type(asker)(world, carol)
    assert refused(other.open(other.make(holder))) is Reason.BEHIND
    world.raise_epoch()
    fresh = granted(asker.open(asker.make(holder, seen=seen)))
    assert (fresh.epoch, fresh.n) == (2, 1)
    assert fresh.session != grant.session


def test_a_witness_of_another_pair_proves_nothing(
    asker: Any, holder: Number, world: Any, carol: Handset
) -> None:
    """A witness is worth something for its own pair alone."""
    for _ in range(3):
        grant = granted(asker.open(asker.make(holder)))
    seen = Seen(grant.epoch, grant.n, grant.witness)
    granted(asker.open(asker.make(carol.sim.number, seen=seen)))
    with world.store.transaction():
        assert not world.store.behind


def test_random_keys_only(make_pair: Callable[..., Any]) -> None:
    """Where the operator wants random keys, every form gets one, sealed for the holder."""
    _, asker, holder = make_pair(Policy(random_keys=True))
    grants = [granted(asker.open(asker.make(holder, form=form))) for form in Form]
    assert all(grant.sealed is not None and not grant.derived for grant in grants)
    assert len({grant.session for grant in grants}) == len(grants)


def test_an_answer_goes_to_the_enrolled_number(asker: Any, holder: Number) -> None:
    """Where an ask came from plays no part: the answer names the enrolled number."""
    answer = asker.send(asker.make(holder))
    assert (answer.recipient, answer.generation, answer.counter) == (asker.number, 1, 1)
    assert len(answer.text) <= 160


def test_lower_case_and_spaces_change_nothing(asker: Any, holder: Number, world: Any) -> None:
    """What a phone network does to case and spaces does not make another ask."""
    octets = asker.make(holder)
    first = asker.send(octets)
    again = world.tell(" " + to_text(octets).lower() + "\n")
    assert again.text == first.text

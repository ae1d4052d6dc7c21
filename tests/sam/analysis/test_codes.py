"""The audit's figures follow from the rules as they run; shortened codes are really guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from attrs import evolve
from chances import is_due_to
from world import World

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.analysis.codes import (
    FLEET,
    FORGERIES_A_YEAR,
    MOST_ENDED,
    Audited,
    Usage,
    account_fleet_year,
    audit,
    success,
)
from dtns.sam.handset import entering, guesses
from dtns.sam.handset.card import MemoryCard
from dtns.sam.handset.confirmations import MAX_FAILURES
from dtns.sam.handset.guesses import YEAR_WEEKS, Guesses
from dtns.sam.handset.handset import Handset
from dtns.sam.protocol import confirmation, ticket
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.session import Context, Party, code

ROWS = {row.code: row for row in audit(Usage())}
LARGE = {"ticket", "typed answer", "sealed", "express", "cheque", "challenge response"}


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_no_large_code_is_forged(row: Audited) -> None:
    """A million SIMs, all their tries used up, expect less than a hundredth of a forgery."""
    assert row.fleet_year == pytest.approx(FLEET * row.per_sim)
    assert row.large == (row.code in LARGE)
    if row.large:
        assert row.fleet_year <= FORGERIES_A_YEAR
    assert row.rule


def test_large_codes_are_as_designed() -> None:
    """8,192 comparisons of a 40-bit tag, 2^20 of a cheque's, 2^12 of a response's; 2^-27 each."""
    found = {name: (ROWS[name].digits, ROWS[name].tag_bits, ROWS[name].tries) for name in LARGE}
    assert found == {
        "ticket": (20, 40, 8192),
        "express": (20, 40, 8192),
        "typed answer": (64, 40, 8192),
        "sealed": (68, 48, 1 << 21),
        "cheque": (16, 47, 1 << 20),
        "challenge response": (12, 39, 1 << 12),
    }
    assert {ROWS[name].per_sim for name in LARGE} == {2**-27}


def test_all_large_codes_together() -> None:
    """One account pays for them all, and the bound holds whatever locks Sam ends."""
    assert account_fleet_year(FLEET) == ROWS["ticket"].fleet_year
    assert account_fleet_year(FLEET, MOST_ENDED) < FORGERIES_A_YEAR


def test_what_is_spent_when_sam_ends_every_lock() -> None:
    """A phone guessed at all year, and let go on each time, spends no more than the audit says."""
    account, spent = Guesses(), 0
    for lock in range(1, 100):
        while (paid := account.charged(guesses.price(40, 1), stranger=False)) is not None:
            account, spent = paid, spent + 1
        account = account.run_out().unlocked(lock, YEAR_WEEKS - 1)
    assert spent == 8192 * 5 // 4
    assert FLEET * spent / 2**40 <= account_fleet_year(FLEET, 99) < FORGERIES_A_YEAR
    assert account.run_out().unlocked(100, YEAR_WEEKS) == Guesses(YEAR_WEEKS, locks=100)


def test_short_codes_grow_with_use() -> None:
    """Ten tries a key, ten a log, a small C under two keys each; an idle SIM gives none."""
    idle = {row.code: row.tries for row in audit(Usage(keys=0, logs=0))}
    once = {row.code: row.tries for row in audit(Usage(keys=1, logs=1))}
    for name in ("challenge C", "M4", "M5", "small R"):
        assert (idle[name], once[name]) == (0, 10)
    assert (idle["small C"], once["small C"]) == (0, 20)
    assert idle["ticket"] == once["ticket"] == ROWS["ticket"].tries


def test_chance_is_never_above_one() -> None:
    """More guesses than values are certain to hit."""
    assert success(10, 5000) == 1
    assert success(10, 512) == 0.5


BITS = 8
TRIES = 16


def _context(place: int) -> Context:
    alice = Party(Number("254700000001"), 1)
    bob = Party(Number("254700000002"), 1)
    terms = ticket.Header.unpack(place).terms(120)
    return Context(alice, bob, 1, 1 + place % 255, terms)


def test_tags_of_reduced_length_are_uniform() -> None:
    """Chi-square over all values of an 8-bit tag, many contexts, stays below its 0.9999 point."""
    session = bytes(range(16))
    drawn = Counter(code(session, Label.TICKET, _context(i), BITS) for i in range(12_800))
    expected = 12_800 / (1 << BITS)
    chi_square = sum((drawn[value] - expected) ** 2 / expected for value in range(1 << BITS))
    assert chi_square < 349


def test_the_account_of_guesses_with_a_short_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real account, a budget cut down, 8-bit tags: forgeries are as many as the formula says.

    Each SIM is guessed at, a different value each time, until its account pays no more.
    """
    monkeypatch.setattr(guesses, "BUDGET", guesses.price(BITS, TRIES))
    dice = Random(4)
    forged = sims = 0
    for place in range(4000):
        tag = code(dice.randbytes(16), Label.TICKET, _context(place), BITS)
        values = dice.sample(range(1 << BITS), 1 << BITS)
        account: Guesses | None = Guesses()
        made = 0
        for value in values:
            account = account.charged(guesses.price(BITS, 1), stranger=False)
            if account is None:
                break
            made += 1
            forged += value == tag
        assert made == TRIES
        sims += 1
    assert is_due_to(success(BITS, TRIES), forged, sims)


def test_a_phone_with_short_tags(
    monkeypatch: pytest.MonkeyPatch, make_world: Callable[..., World]
) -> None:
    """Real phones, tickets of 8-bit tags: they lock when they should, and fall as often."""
    reserve = PROFILES["ticket"].candidates * entering.MOST_READINGS
    world = make_world()
    alice, bob = world.phone(), world.phone()
    world.hand_over(alice, bob)
    for module in (ticket, entering):
        monkeypatch.setattr(module, "TAG_BITS", BITS)
    monkeypatch.setattr(guesses, "BUDGET", guesses.price(BITS, reserve + TRIES - 1))
    dice = Random(5)
    forged, sims = 0, 250
    for n in range(sims):
        session = dice.randbytes(16)
        fresh = evolve(bob.sim, keys=evolve(bob.sim.keys, ticket=session))
        phone = Handset(fresh, MemoryCard(bob.card.state), dice.randbytes)
        forged += _forged(phone, alice, dice.sample(range(1 << BITS), 1 << BITS), 2 + n % 250)
    assert is_due_to(success(BITS, TRIES), forged, sims)


def test_confirmations_with_short_tags(
    monkeypatch: pytest.MonkeyPatch, make_world: Callable[..., World]
) -> None:
    """Real phones, an M5 of 8 bits: ten guesses a key, and as many hits as the formula says."""
    world = make_world()
    alice, bob = world.phone(), world.phone()
    world.hand_over(alice, bob)
    monkeypatch.setattr(confirmation, "CONFIRMATION_BITS", BITS)
    dice = Random(6)
    sims = 500
    hits = sum(_confirmed(bob, alice, dice) for _ in range(sims))
    assert is_due_to(success(BITS, MAX_FAILURES), hits, sims)


def _confirmed(holder: Handset, asker: Handset, dice: Random) -> bool:
    """Guess at M5 under a new session key until it is right or the key has no tries left."""
    number, state = asker.sim.number, holder.card.state
    peer = state.peers[number]
    key = evolve(peer.held[-1], session=Key(dice.randbytes(16)))
    phone = Handset(
        holder.sim, MemoryCard(state.with_peer(number, peer.with_key(key))), dice.randbytes
    )
    assert not isinstance(phone.challenge(number), str)
    for made, guess in enumerate(dice.sample(range(1 << BITS), 1 << BITS)):
        verdict = phone.check(number, show(encode(PROFILES["confirm"], guess)))
        if verdict.key is not None:
            return True
        if verdict.reason == "locked":
            assert made == MAX_FAILURES
            return False
    raise AssertionError


def _forged(phone: Handset, asker: Handset, tags: list[int], n: int) -> bool:
    """Type tickets of this n with these tags until one is taken or the phone locks."""
    header = ticket.Header.unpack(0)
    header = evolve(header, generation_low=1, epoch_low=1, n=n, expiry_low=120).pack()
    for made, tag in enumerate(tags):
        digits = show(encode(PROFILES["ticket"], header << BITS | tag))
        entered = phone.enter(asker.sim.number, digits)
        if entered.key is not None:
            return True
        if entered.reason == "locked":
            assert made == TRIES
            return False
        assert entered.reason == "wrong"
    raise AssertionError

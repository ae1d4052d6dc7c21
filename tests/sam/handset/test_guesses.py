"""The guess budget: no comparison that is not paid for, no payment that is not due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.errors import SimFileError
from dtns.sam.handset.guesses import (
    BUDGET,
    STRANGERS_BUDGET,
    YEAR_WEEKS,
    Guesses,
    price,
    with_ended_locks,
)
from dtns.sam.handset.handset import Handset
from dtns.sam.protocol.numbers import Number

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World

    from dtns.sam.handset.simfile import SimFile
    from dtns.sam.protocol.keys import PartyKeys
    from dtns.sam.protocol.session import Party

MOST = 128
"""Comparisons that the search for one ticket may need: 16 candidates under 8 readings."""
ENTRY = price(40, MOST)
STRANGER = Number("300000000")


class WatchedSim:
    """A SIM file that notes each use of its keys, among the states that its card keeps."""

    def __init__(self, sim: SimFile, events: list[str]) -> None:
        self._sim = sim
        self._events = events
        self.number: Number = sim.number
        self.party: Party = sim.party

    @property
    def keys(self) -> PartyKeys:
        """The keys, which are used for comparisons with a ticket and nothing else."""
        self._events.append("compare")
        return self._sim.keys


class WatchedCard:
    """A card that notes each state it keeps, as what is spent by it."""

    def __init__(self, phone: Handset, events: list[str]) -> None:
        self._card = phone.card
        self._events = events

    @property
    def state(self) -> object:
        """The state last kept."""
        return self._card.state

    def keep(self, state: object) -> None:
        """Keep a state and note the account."""
        self._card.keep(state)
        self._events.append(f"keep {state.guesses.spent // price(40, 1)}")


def _junk(tag: int) -> str:
    """Return a well-formed ticket of epoch 1, n 1 and expiry 120, with some tag."""
    return show(encode(PROFILES["ticket"], 1 << 62 | 1 << 54 | 120 << 46 | tag))


def _watched(phone: Handset) -> tuple[Handset, list[str]]:
    events: list[str] = []
    return Handset(WatchedSim(phone.sim, events), WatchedCard(phone, events), bytes), events


def test_the_budget_is_what_the_specification_says() -> None:
    """8,192 comparisons of a 40-bit tag, or as many of a 48-bit one as they are less likely."""
    assert price(40, 8192) == BUDGET == price(48, 8192 * 256)
    assert STRANGERS_BUDGET * 2 == BUDGET


def test_a_search_is_paid_for_before_the_first_comparison(world: World, bob: Handset) -> None:
    """The most that a search can cost is durable before a key is touched; the rest comes back."""
    watched, events = _watched(bob)
    spent = 0
    for entry in (_junk(1), f"{_junk(1)} 0000"):
        events.clear()
        watched.enter(STRANGER, entry)
        compared = events.count("compare")
        assert 1 <= compared <= MOST
        assert events == [
            f"keep {spent + MOST}",
            *["compare"] * compared,
            f"keep {spent + compared}",
        ]
        spent += compared


def test_a_good_ticket_is_paid_for_before_and_refunded_after(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A success costs nothing in the end, and nothing less than the whole before."""
    world.key(alice, bob)
    watched, events = _watched(bob)
    watched.enter(alice.sim.number, world.ticket(alice, bob))
    assert events == [f"keep {MOST}", "compare", "keep 0"]


def test_an_entry_without_a_candidate_touches_no_key(bob: Handset) -> None:
    """What the digits alone refuse is refused without a charge and without a key."""
    watched, events = _watched(bob)
    for entry in ("", "1", "9999 9999 9999 9999 9999", "x"):
        watched.enter(STRANGER, entry)
    assert set(events) <= {"keep 0"}


@pytest.mark.parametrize("keeps", range(3))
@pytest.mark.parametrize("good", [True, False])
def test_a_card_that_fails_gives_no_free_comparison(
    world: World, alice: Handset, bob: Handset, keeps: int, *, good: bool
) -> None:
    """Wherever the power is cut, a comparison that was made has been paid for in full.

    Up to the first keep nothing depends on whether the code is good, and after it the charge is
    durable, so that cutting the power of a failed guess wins no further guesses.
    """
    world.key(alice, bob)
    ticket = world.ticket(alice, bob)
    watched, events = _watched(bob)
    before = bob.card.state
    bob.card.keeps_left = keeps
    try:
        watched.enter(alice.sim.number, ticket if good else _junk(1))
    except SimFileError:
        assert keeps < 2
    compared = events.count("compare")
    assert compared == 0 if keeps == 0 else compared > 0
    spent = bob.card.state.guesses.spent
    assert spent == [0, ENTRY, 0 if good else price(40, compared)][keeps]
    if keeps == 0:
        assert bob.card.state == before


@pytest.mark.parametrize("keeps", range(3))
@pytest.mark.parametrize("good", [True, False])
def test_a_cut_power_gives_no_free_confirmation(
    world: World, alice: Handset, bob: Handset, keeps: int, *, good: bool
) -> None:
    """The failure is durable before a challenge or a response is compared, on both phones."""
    world.hand_over(alice, bob)
    challenge = world.challenge(alice, bob)
    response = world.response(alice, bob, challenge)
    wrong = show(encode(PROFILES["request"], 1))
    steps = [
        (alice, lambda: alice.respond(bob.sim.number, challenge if good else wrong)),
        (bob, lambda: bob.check(alice.sim.number, response if good else _confirm(response))),
    ]
    for phone, step in steps:
        before = _failures(phone)
        phone.card.keeps_left = keeps
        try:
            step()
        except SimFileError:
            assert keeps < (2 if good else 1)
        phone.card.keeps_left = None
        charged = 0 if keeps == 0 or (good and keeps == 2) else 1
        assert _failures(phone) == before + charged


def _confirm(other_than: str) -> str:
    codes = (show(encode(PROFILES["confirm"], payload)) for payload in (1, 2))
    return next(code for code in codes if code != other_than)


def _failures(phone: Handset) -> int:
    state = phone.card.state
    asked = [key.failures for keys in state.asked.values() for key in keys]
    held = [key.failures for peer in state.peers.values() for key in peer.held]
    return sum(asked) + sum(held)


def test_a_success_never_refunds_an_earlier_entry(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Guesses that failed stay spent, however many good tickets follow."""
    world.hand_over(alice, bob)
    bob.enter(alice.sim.number, _junk(1))
    spent = bob.card.state.guesses.spent
    for _ in range(3):
        bob.enter(alice.sim.number, world.ticket(alice, bob))
        world.hand_over(alice, bob)
    assert bob.card.state.guesses.spent == spent


def test_the_price_is_by_the_tag(world: World, alice: Handset, bob: Handset) -> None:
    """A wrong long ticket costs by its 48-bit tag, a 256th of a short one's comparison."""
    world.key(alice, bob)
    groups = world.ticket(alice, bob, sealed=True).split()
    groups[3], groups[7], groups[11] = "0000", "1111", "2222"
    watched, events = _watched(bob)
    watched.enter(alice.sim.number, " ".join(groups))
    compared = events.count("compare")
    assert bob.card.state.guesses.spent == price(48, compared) <= price(48, MOST)


def test_strangers_share_half(world: World, alice: Handset, bob: Handset) -> None:
    """All strangers together use up half the budget; then strangers are refused, peers are not."""
    world.hand_over(alice, bob)
    strangers = 0
    while bob.enter(Number(str(300000000 + strangers % 50)), _junk(strangers)).reason != "locked":
        strangers += 1
        account = bob.card.state.guesses
        spent = evolve(account, spent=account.spent + ENTRY)
        spent = evolve(spent, strangers=account.strangers + ENTRY)
        bob.card.keep(evolve(bob.card.state, guesses=spent))
    account = bob.card.state.guesses
    assert STRANGERS_BUDGET - ENTRY < account.strangers <= STRANGERS_BUDGET
    assert bob.enter(Number("390000000"), _junk(5)).reason == "locked"
    assert world.hand_over(alice, bob).key is not None
    assert bob.enter(alice.sim.number, _junk(7)).reason == "wrong"


def test_a_stranger_becomes_a_peer_by_a_good_ticket_alone(
    world: World, alice: Handset, bob: Handset
) -> None:
    """Junk under a number does not make it a peer, so that it stays within the strangers' half."""
    for tag in range(5):
        bob.enter(alice.sim.number, _junk(tag))
    assert bob.card.state.peers == {}
    assert bob.card.state.guesses.strangers == bob.card.state.guesses.spent > 0
    world.hand_over(alice, bob)
    strangers = bob.card.state.guesses.strangers
    bob.enter(alice.sim.number, _junk(1))
    assert bob.card.state.guesses.strangers == strangers < bob.card.state.guesses.spent


def test_a_years_budget_comes_back_after_a_year(
    world: World, alice: Handset, bob: Handset, carol: Handset
) -> None:
    """The account starts anew 52 weeks of Sam's time after it began, and not a week before."""
    world.hand_over(alice, bob, life=52)
    bob.enter(alice.sim.number, _junk(1))
    since = bob.card.state.guesses.since
    bob.card.keep(evolve(bob.card.state, guesses=Guesses(since=since, spent=BUDGET)))
    world.pass_weeks(YEAR_WEEKS - 1)
    world.key(bob, carol)
    assert bob.enter(alice.sim.number, world.ticket(alice, bob)).reason == "locked"
    world.pass_weeks(1)
    world.key(bob, carol)
    world.key(alice, bob)
    assert bob.enter(alice.sim.number, world.ticket(alice, bob)).key is not None
    assert bob.card.state.guesses == Guesses(since=since + YEAR_WEEKS, locks=1)


@given(
    st.lists(
        st.tuples(st.integers(0, 128), st.integers(0, 128), st.booleans(), st.integers(0, 30)),
        max_size=60,
    )
)
def test_the_account_never_exceeds_the_budget(
    entries: list[tuple[int, int, bool, int]],
) -> None:
    """Whatever is charged, refunded and unlocked, a year's spending stays within the bounds."""
    account, week = Guesses(), 0
    for charge, back, stranger, weeks in entries:
        week += weeks
        account = account.at(week)
        paid = account.charged(charge * ENTRY, stranger=stranger)
        if paid is not None:
            account = paid.refunded(min(back, charge) * ENTRY, stranger=stranger)
        elif back % 2:
            account = account.run_out()
            account = account.unlocked(account.locks, week)
        assert 0 <= account.strangers <= account.spent <= with_ended_locks(BUDGET, account.ended)
        assert account.strangers <= with_ended_locks(STRANGERS_BUDGET, account.ended)
        assert account.spent <= BUDGET * 5 // 4
        assert account.since <= week < account.since + YEAR_WEEKS


def test_the_repr_of_a_search_holds_no_digits(
    world: World, alice: Handset, bob: Handset, make_world: Callable[..., World]
) -> None:
    """Nothing that an entry leaves behind shows its digits or its key when it is printed."""
    key = world.key(alice, bob)
    digits = world.ticket(alice, bob)
    entered = bob.enter(alice.sim.number, digits)
    shown = repr(entered) + repr(bob.card.state) + repr(alice.ticket(bob.sim.number))
    shown += repr(bob.sim) + repr(alice.card.state)
    assert digits not in shown
    assert str(entered.reading.groups) not in shown
    assert key.session.hex() not in shown
    assert bytes(key.session).__repr__() not in shown


def test_a_repair_pays_for_the_wrong_readings_before_the_right_one(
    world: World, alice: Handset, bob: Handset
) -> None:
    """A good ticket with slips costs what was compared in vain, and not the good comparison."""
    world.key(alice, bob)
    groups = world.ticket(alice, bob, parity=1).split()
    paid = []
    for place in range(30):
        typed = list(groups)
        for group, step in ((place % 5, 1), ((place + 2) % 5, 7)):
            digit = (int(typed[group][place % 4]) + step + place) % 9
            typed[group] = f"{typed[group][: place % 4]}{digit}{typed[group][place % 4 + 1 :]}"
        watched, events = _watched(bob)
        before = bob.card.state.guesses.spent
        if watched.enter(alice.sim.number, " ".join(typed)).key is not None:
            paid.append((bob.card.state.guesses.spent - before) // price(40, 1))
            assert paid[-1] <= events.count("compare") - 1
    assert max(paid) > 0

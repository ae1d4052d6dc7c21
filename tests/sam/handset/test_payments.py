"""Payments between two real phones: what each code brings, once, and what it never brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from world import PIN

from dtns.codecs.digits import PROFILES, Status, encode, show
from dtns.sam.errors import SimFileError
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.orders import Charged, Paid, Received, Refused
from dtns.sam.handset.paying import with_parity
from dtns.sam.handset.purse import PIN_TRIES, SMALL_TRIES
from dtns.sam.protocol.payments import Mode
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.sync import Filed, Load, NewUniversalKey, UnlockPin

if TYPE_CHECKING:
    from world import TrialCard, World

MONEY = 1_000_000
LUNCH = 450


@pytest.fixture
def payer(world: World, alice: Handset) -> Handset:
    """A phone with money and a PIN."""
    world.load(alice, MONEY)
    return alice


def _charge(world: World, payee: Handset, payer: Handset, amount: int, mode: Mode) -> str:
    charged = payee.charge(world.order(payer, amount, mode=mode))
    assert isinstance(charged, Charged), charged
    return charged.digits


def _refusal(world: World, payer: Handset, payee: Handset, amount: int, **wish: object) -> str:
    outcome = payer.pay(world.order(payee, amount, **wish), PIN)
    return outcome.reason if isinstance(outcome, Refused) else ""


def test_express_brings_key_and_payment_in_twenty_digits(
    world: World, payer: Handset, bob: Handset
) -> None:
    """Key and payment in one code: afterwards the payee holds both, and the purse is lighter."""
    key = world.key(payer, bob)
    code = world.pay(payer, bob, LUNCH)
    assert len(code.replace(" ", "")) == 20
    assert payer.purse.balance == MONEY - LUNCH
    assert world.accept(bob, payer, LUNCH, code) == ""
    assert bob.purse.balance == LUNCH
    (held,) = bob.card.state.peers[payer.sim.number].held
    assert (held.session, held.confirmed) == (key.session, True)


def test_then_come_cheques_of_sixteen_digits(world: World, payer: Handset, bob: Handset) -> None:
    """The second payment on a key needs no ticket, and cheques come in any order."""
    world.key(payer, bob)
    assert world.accept(bob, payer, LUNCH, world.pay(payer, bob, LUNCH)) == ""
    first, second = world.pay(payer, bob, 100), world.pay(payer, bob, 200)
    assert {len(code.replace(" ", "")) for code in (first, second)} == {16}
    assert world.accept(bob, payer, 200, second) == ""
    assert world.accept(bob, payer, 100, first) == ""
    assert bob.purse.balance == LUNCH + 300


@pytest.mark.parametrize("mode", [Mode.EXPRESS, Mode.CHEQUE])
def test_a_code_is_credited_once(world: World, payer: Handset, bob: Handset, mode: Mode) -> None:
    """The same code again brings nothing, at once, after a restart, and after others."""
    world.hand_over(payer, bob)
    code = world.pay(payer, bob, LUNCH, mode=mode)
    assert world.accept(bob, payer, LUNCH, code) == ""
    other = world.pay(payer, bob, 100)
    assert world.accept(bob, payer, LUNCH, code) == "credited"
    assert world.accept(bob, payer, 100, other) == ""
    bob = Handset(bob.sim, bob.card, world.dice.randbytes)
    assert world.accept(bob, payer, LUNCH, code) == "credited"
    assert bob.purse.balance == LUNCH + 100


@pytest.mark.parametrize("mode", [Mode.EXPRESS, Mode.CHEQUE])
def test_a_code_is_for_its_amount_payee_and_payer(
    world: World, payer: Handset, bob: Handset, mode: Mode
) -> None:
    """Another sum, another payee, another payer: the code brings nothing."""
    carol = world.phone()
    for one, other in ((payer, bob), (payer, carol), (carol, bob)):
        world.hand_over(one, other)
    code = world.pay(payer, bob, LUNCH, mode=mode)
    for phone, giver, amount in (
        (bob, payer, LUNCH + 1),
        (carol, payer, LUNCH),
        (bob, carol, LUNCH),
    ):
        assert world.accept(phone, giver, amount, code) not in ("", "credited")
    assert bob.purse.balance == carol.purse.balance == 0
    assert world.accept(bob, payer, LUNCH, code) == ""


def test_the_payer_shows_the_same_code_again(world: World, payer: Handset, bob: Handset) -> None:
    """The same sum to the same payee is the same debit, unless the person wants a second one."""
    world.key(payer, bob)
    code = world.pay(payer, bob, LUNCH)
    again = payer.pay(world.order(bob, LUNCH), PIN)
    assert isinstance(again, Paid)
    assert (again.again, again.transaction.digits) == (True, code)
    assert payer.purse.balance == MONEY - LUNCH
    second = world.pay(payer, bob, LUNCH, second=True)
    assert second != code
    assert payer.purse.balance == MONEY - 2 * LUNCH
    assert [world.accept(bob, payer, LUNCH, digits) for digits in (code, second)] == ["", ""]


def test_a_power_cut_between_debit_and_display_loses_no_code(
    world: World, payer: Handset, bob: Handset
) -> None:
    """However far a payment came before the power went, the payer gets one code for one debit."""
    world.key(payer, bob)
    card: TrialCard = payer.card
    before, seen = card.state, set()
    for keeps in range(8):
        card.state, card.keeps_left = before, keeps
        try:
            payer.pay(world.order(bob, LUNCH), PIN)
        except SimFileError:
            card.keeps_left = None
            seen.add(world.pay(payer, bob, LUNCH))
            assert payer.purse.balance == MONEY - LUNCH
        card.keeps_left = None
    assert len(seen) == 1


@pytest.mark.parametrize("mode", Mode)
def test_a_power_cut_while_a_code_is_taken_credits_it_once(
    world: World, payer: Handset, bob: Handset, mode: Mode
) -> None:
    """At every write of taking a code the power may go: typed again it is credited, or was."""
    if mode is not Mode.SMALL:
        world.hand_over(payer, bob)
    request = _charge(world, bob, payer, LUNCH, mode)
    code = world.pay(payer, bob, LUNCH, mode=mode, code=request)
    card: TrialCard = bob.card
    before = card.state
    for keeps in range(6):
        card.state, card.keeps_left = before, keeps
        try:
            world.accept(bob, payer, LUNCH, code)
        except SimFileError:
            card.keeps_left = None
            assert bob.purse.balance == 0
            assert world.accept(bob, payer, LUNCH, code) == ""
        card.keeps_left = None
        assert world.accept(bob, payer, LUNCH, code) != ""
        assert bob.purse.balance == LUNCH


def test_a_challenge_pays_the_charge_that_is_open(
    world: World, payer: Handset, bob: Handset
) -> None:
    """Eight digits there, twelve back; a charge is paid once, and the next one ends it."""
    world.hand_over(payer, bob)
    old = _charge(world, bob, payer, LUNCH, Mode.CHALLENGE)
    request = _charge(world, bob, payer, LUNCH, Mode.CHALLENGE)
    code = world.pay(payer, bob, LUNCH, code=request)
    assert (len(request.replace(" ", "")), len(code.replace(" ", ""))) == (8, 12)
    assert _refusal(world, payer, bob, LUNCH, code=old) == "old"
    assert world.pay(payer, bob, LUNCH, code=request) == code
    assert world.accept(bob, payer, LUNCH, code) == ""
    assert world.accept(bob, payer, LUNCH, code) == "no-charge"
    assert (payer.purse.balance, bob.purse.balance) == (MONEY - LUNCH, LUNCH)


def test_a_charge_is_for_its_amount(world: World, payer: Handset, bob: Handset) -> None:
    """A payer who was told another sum than the payee charged pays nothing."""
    world.hand_over(payer, bob)
    request = _charge(world, bob, payer, 100 * LUNCH, Mode.CHALLENGE)
    assert _refusal(world, payer, bob, LUNCH, code=request) == "wrong"
    assert payer.purse.balance == MONEY


def test_ten_wrong_charges_end_a_key_for_challenges(
    world: World, payer: Handset, bob: Handset
) -> None:
    """A payee cannot search for a code that some charge of its own happens to fit."""
    world.hand_over(payer, bob)
    request = _charge(world, bob, payer, LUNCH, Mode.CHALLENGE)
    wish = {"mode": Mode.CHALLENGE, "code": request}
    for _ in range(10):
        assert _refusal(world, payer, bob, LUNCH + 1, **wish) == "wrong"
    assert _refusal(world, payer, bob, LUNCH, **wish) == "charges-locked"
    assert world.accept(bob, payer, LUNCH, world.pay(payer, bob, LUNCH)) == ""


def test_small_sums_go_between_strangers(world: World, payer: Handset, bob: Handset) -> None:
    """Eight digits each way under the universal key, once each, and only up to the limit."""
    request = _charge(world, bob, payer, LUNCH, Mode.SMALL)
    code = world.pay(payer, bob, LUNCH, code=request)
    assert (len(request.replace(" ", "")), len(code.replace(" ", ""))) == (8, 8)
    assert world.pay(payer, bob, LUNCH, code=request) == code
    assert world.accept(bob, payer, LUNCH, code) == ""
    assert world.accept(bob, payer, LUNCH, code) == "no-charge"
    assert (payer.purse.balance, bob.purse.balance) == (MONEY - LUNCH, LUNCH)
    limit = bob.sim.terms.small_limit
    refused = bob.charge(world.order(payer, limit + 1, mode=Mode.SMALL))
    assert isinstance(refused, Refused)
    assert refused.reason == "too-large"


def test_small_receipts_are_capped_until_sam_has_the_log(
    world: World, payer: Handset, bob: Handset
) -> None:
    """An opened SIM can make small codes at will: what they bring without Sam is bounded."""
    limit, total = bob.sim.terms.small_limit, bob.sim.terms.small_total
    for _ in range(total // limit):
        request = _charge(world, bob, payer, limit, Mode.SMALL)
        assert world.accept(bob, payer, limit, world.pay(payer, bob, limit, code=request)) == ""
    refused = bob.charge(world.order(payer, limit, mode=Mode.SMALL))
    assert isinstance(refused, Refused)
    assert refused.reason == "small-total"
    world.sync(bob, Filed(bob.purse.last_serial))
    assert _charge(world, bob, payer, limit, Mode.SMALL)


def test_wrong_small_codes_end_small_payments_alone(
    world: World, payer: Handset, bob: Handset
) -> None:
    """A payee who guesses responses of customers that are not there has ten tries."""
    world.hand_over(payer, bob)
    _charge(world, bob, payer, LUNCH, Mode.SMALL)
    wish = {"mode": Mode.SMALL}
    codes = [show(encode(PROFILES["confirm"], guess)) for guess in range(SMALL_TRIES + 1)]
    came = [world.accept(bob, payer, LUNCH, code, **wish) for code in codes]
    assert came == ["wrong"] * SMALL_TRIES + ["small-locked"]
    assert world.accept(bob, payer, LUNCH, world.pay(payer, bob, LUNCH)) == ""


def test_small_charges_go_on_through_periods(world: World, payer: Handset, bob: Handset) -> None:
    """A phone that has the later period charges under it; one that has both still pays."""
    later = evolve(world.master.universal_key(), period=2)
    for phone in (payer, bob):
        world.sync(phone, NewUniversalKey(later.period, later.key))
    request = _charge(world, bob, payer, LUNCH, Mode.SMALL)
    assert world.accept(bob, payer, LUNCH, world.pay(payer, bob, LUNCH, code=request)) == ""
    carol = world.phone()
    request = _charge(world, carol, payer, LUNCH, Mode.SMALL)
    assert world.accept(carol, payer, LUNCH, world.pay(payer, carol, LUNCH, code=request)) == ""


def test_the_holder_pays_on_a_key_of_that_direction(
    world: World, payer: Handset, bob: Handset
) -> None:
    """A payee may ask for the key: the payer holds it by ticket and pays by cheque at once."""
    entered = world.hand_over(bob, payer, direction=Direction.HOLDER_PAYS)
    assert entered.key is not None
    code = world.pay(payer, bob, LUNCH)
    assert len(code.replace(" ", "")) == 16
    assert world.accept(bob, payer, LUNCH, code) == ""
    world.load(bob, MONEY)
    assert _refusal(world, bob, payer, MONEY // 2) == "no-key"


def test_a_key_pays_one_way(world: World, payer: Handset, bob: Handset) -> None:
    """What the payee makes under a key is no order to debit it, whatever field it is typed in."""
    world.load(bob, MONEY)
    world.hand_over(payer, bob)
    assert _refusal(world, bob, payer, 100 * LUNCH) == "no-key"
    request = _charge(world, bob, payer, LUNCH, Mode.CHALLENGE)
    for code in (request, world.ticket(payer, bob)):
        assert world.accept(payer, bob, LUNCH, code) != ""
    assert payer.purse.balance == MONEY


def test_a_ticket_is_no_payment_and_a_payment_is_a_ticket(
    world: World, payer: Handset, bob: Handset
) -> None:
    """In the payment field a ticket brings its key and no money; the express code still pays."""
    world.key(payer, bob)
    assert world.accept(bob, payer, LUNCH, world.ticket(payer, bob)) == "ticket"
    assert bob.purse.balance == 0
    assert bob.card.state.peers[payer.sim.number].held
    code = world.pay(payer, bob, LUNCH)
    assert bob.enter(payer.sim.number, code).key is None
    assert world.accept(bob, payer, LUNCH, code) == ""


def test_a_slip_in_a_code_is_repaired(world: World, payer: Handset, bob: Handset) -> None:
    """One wrong digit in a cheque costs nothing but the digits that are shown repaired."""
    world.hand_over(payer, bob)
    code = world.pay(payer, bob, LUNCH, mode=Mode.CHEQUE)
    wrong = code.replace(code[2], str((int(code[2]) + 1) % 10), 1)
    taken = bob.accept(world.order(payer, LUNCH, code=wrong))
    assert isinstance(taken, Received)
    assert taken.reading is not None
    assert taken.reading.changed


def test_a_group_for_repair_mends_an_express_code(
    world: World, payer: Handset, bob: Handset
) -> None:
    """A slip in the twenty digits asks for one more group, and that repairs key and payment."""
    world.key(payer, bob)
    code = world.pay(payer, bob, LUNCH)
    wrong = code.replace(code[2], str((int(code[2]) + 1) % 10), 1)
    taken = bob.accept(world.order(payer, LUNCH, code=wrong))
    assert isinstance(taken, Refused)
    paid = payer.last_payment(bob.sim.number)
    assert paid is not None
    longer = with_parity(paid, 1)
    assert longer.startswith(code)
    assert world.accept(bob, payer, LUNCH, f"{wrong} {longer.split()[-1]}") == ""


def test_a_group_for_repair_mends_a_cheque_with_two_slips(
    world: World, payer: Handset, bob: Handset
) -> None:
    """Two slips in sixteen digits ask for one more group, and that repairs them."""
    world.key(payer, bob)
    world.accept(bob, payer, LUNCH, world.pay(payer, bob, LUNCH))
    code = world.pay(payer, bob, LUNCH + 1)
    wrong = " ".join(
        group[:3] + str((int(group[3]) + 1) % 10) if place in {1, 2} else group
        for place, group in enumerate(code.split())
    )
    taken = bob.accept(world.order(payer, LUNCH + 1, code=wrong))
    assert isinstance(taken, Refused)
    assert taken.reading is not None
    assert taken.reading.status is Status.MORE
    paid = payer.last_payment(bob.sim.number)
    assert paid is not None
    longer = f"{wrong} {with_parity(paid, 1).split()[-1]}"
    taken = bob.accept(world.order(payer, LUNCH + 1, code=longer, mode=Mode.CHEQUE))
    assert isinstance(taken, Received)


def test_the_limit_of_the_class_bounds_payments_and_their_sum(
    world: World, payer: Handset, bob: Handset
) -> None:
    """A key of class 5 pays 20.00 in all, neither more at once nor more in the end."""
    world.key(payer, bob, limit=5)
    assert _refusal(world, payer, bob, 2001) == "limit"
    assert world.accept(bob, payer, 1500, world.pay(payer, bob, 1500)) == ""
    assert _refusal(world, payer, bob, 501) == "limit-sum"
    assert world.accept(bob, payer, 500, world.pay(payer, bob, 500)) == ""


def test_a_key_pays_sixty_four_times(world: World, payer: Handset, bob: Handset) -> None:
    """Each payment number is used once, by payer and payee, and then the key is at its end."""
    world.key(payer, bob)
    for amount in range(1, 65):
        assert world.accept(bob, payer, amount, world.pay(payer, bob, amount)) == ""
    assert _refusal(world, payer, bob, 65) == "payments-used-up"
    assert bob.purse.balance == sum(range(1, 65))


def test_no_more_is_paid_than_there_is(world: World, payer: Handset, bob: Handset) -> None:
    """An empty purse pays nothing, however good the key."""
    world.key(payer, bob)
    assert _refusal(world, payer, bob, MONEY) == ""
    assert _refusal(world, payer, bob, 1) == "funds"


def test_large_sums_need_a_charge(world: World, payer: Handset, bob: Handset) -> None:
    """Above the threshold the phone pays only against proof that the payee is there."""
    world.load(payer, 5 * MONEY)
    world.hand_over(payer, bob)
    amount = payer.sim.terms.challenge_above + 1
    assert _refusal(world, payer, bob, amount) == "charge-needed"
    request = bob.charge(world.order(payer, amount))
    assert isinstance(request, Charged)
    code = world.pay(payer, bob, amount, code=request.digits)
    assert world.accept(bob, payer, amount, code) == ""


def test_a_peer_is_capped_across_keys(world: World, payer: Handset, bob: Handset) -> None:
    """Whatever keys one payer brings, no more is credited until Sam has the payee's log."""
    bob.sim = evolve(bob.sim, terms=evolve(bob.sim.terms, peer_limit=1000))
    world.key(payer, bob)
    assert world.accept(bob, payer, 900, world.pay(payer, bob, 900)) == ""
    world.key(payer, bob)
    code = world.pay(payer, bob, 200)
    assert world.accept(bob, payer, 200, code) == "peer-limit"
    world.sync(bob, Filed(bob.purse.last_serial))
    assert world.accept(bob, payer, 200, code) == ""


def test_an_older_key_is_dead_after_a_payment_under_a_newer_one(
    world: World, payer: Handset, bob: Handset
) -> None:
    """What was paid under key 1 and kept back brings nothing once key 2 has paid."""
    world.key(payer, bob)
    late = world.pay(payer, bob, LUNCH)
    world.key(payer, bob)
    assert world.accept(bob, payer, 100, world.pay(payer, bob, 100)) == ""
    assert world.accept(bob, payer, LUNCH, late) == "superseded"


def test_an_expired_key_neither_pays_nor_is_paid(
    world: World, payer: Handset, bob: Handset
) -> None:
    """A code in hand is worth nothing once its key has expired; that is what a refund is for."""
    world.hand_over(payer, bob, life=4)
    code = world.pay(payer, bob, LUNCH)
    world.pass_weeks(5)
    for phone in (payer, bob):
        world.sync(phone)
    assert world.accept(bob, payer, LUNCH, code) == "expired"
    assert _refusal(world, payer, bob, 100 * LUNCH) == "no-key"


def test_three_wrong_pins_lock_the_purse_until_sam_ends_it(
    world: World, payer: Handset, bob: Handset
) -> None:
    """Tries are counted through power cuts; only the lock that is on can be ended."""
    world.key(payer, bob)
    order = world.order(bob, LUNCH)
    card: TrialCard = payer.card
    for _ in range(PIN_TRIES):
        card.keeps_left = 1
        with pytest.raises(SimFileError):
            payer.pay(order, PIN)
        card.keeps_left = None
    refused = payer.pay(order, PIN)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.lock) == ("pin-locked", 1)
    world.sync(payer, UnlockPin(2))
    assert _refusal(world, payer, bob, LUNCH) == "pin-locked"
    world.sync(payer, UnlockPin(1))
    wrong = payer.pay(order, "0000")
    assert isinstance(wrong, Refused)
    assert wrong.reason == "wrong-pin"
    assert _refusal(world, payer, bob, LUNCH) == ""


def test_a_forgotten_pin_is_set_anew(world: World, payer: Handset, bob: Handset) -> None:
    """The operator may let the person choose a PIN without the old one, of a locked purse alone."""
    world.key(payer, bob)
    assert payer.set_pin("0000", "4711") == "wrong-pin"
    world.sync(payer, UnlockPin(0, forget=True))
    assert payer.set_pin("", "4711") == "wrong-pin"
    assert payer.set_pin("", "4711") == "pin-locked"
    world.sync(payer, UnlockPin(1, forget=True))
    assert payer.set_pin("", "4711") == ""
    assert isinstance(payer.pay(world.order(bob, LUNCH), "4711"), Paid)


def test_a_load_counts_once(world: World, alice: Handset) -> None:
    """Sam tells of a load until it is known to have come: its number counts, not its message."""
    load = Load(7, world.order(alice, 500).payment)
    world.sync(alice, load)
    world.sync(alice, load)
    world.sync(alice, Load(6, load.payment))
    assert alice.purse.balance == 500
    world.sync(alice, Load(8, evolve(load.payment, currency="UGX")))
    assert alice.purse.balance == 500


@pytest.mark.parametrize("mode", Mode)
def test_both_show_the_same_receipt(world: World, payer: Handset, bob: Handset, mode: Mode) -> None:
    """Four digits, the payee's only once money came, tell two people that it worked."""
    if mode is not Mode.SMALL:
        world.hand_over(payer, bob)
    request = _charge(world, bob, payer, LUNCH, mode)
    code = world.pay(payer, bob, LUNCH, mode=mode, code=request)
    assert bob.last_payment(payer.sim.number) is None
    assert world.accept(bob, payer, LUNCH, code) == ""
    sent, taken = payer.last_payment(bob.sim.number), bob.last_payment(payer.sim.number)
    assert sent is not None
    assert taken is not None
    assert sent.receipt == taken.receipt
    assert 0 <= sent.receipt <= 9999

"""Real phones, tags cut to ten bits: they lock in time, and fall as often as they should."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from attrs import evolve
from chances import is_due_to

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.analysis.ours import CHALLENGE, sims
from dtns.sam.analysis.targets import PAYEE, PAYER
from dtns.sam.handset import crediting, entering, guesses
from dtns.sam.handset.orders import Order, Refused
from dtns.sam.handset.rule import MOST_READINGS
from dtns.sam.protocol import payments
from dtns.sam.protocol.payments import Mode, Payment
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.ticket import TAG_BITS, Header

BITS = 10
PAYMENT = Payment("KES", 450)


def _express(dice: Random) -> str:
    header = Header(1, 1, 2 + dice.randrange(250), 120, 16, Direction.ASKER_PAYS).pack()
    return show(encode(PROFILES["ticket"], header << TAG_BITS | dice.getrandbits(TAG_BITS)))


def _cheque(dice: Random) -> str:
    number, tag = dice.randrange(1, 64), dice.getrandbits(payments.CHEQUE_TAG_BITS)
    return show(encode(PROFILES["cheque"], number << payments.CHEQUE_TAG_BITS | tag))


def _response(dice: Random) -> str:
    return show(encode(PROFILES["response"], dice.getrandbits(payments.RESPONSE_BITS)))


@pytest.mark.parametrize(
    ("mode", "tag_bits", "junk", "reserve"),
    [
        (Mode.EXPRESS, TAG_BITS, _express, 2 * MOST_READINGS * PROFILES["ticket"].candidates),
        (Mode.CHEQUE, payments.CHEQUE_TAG_BITS, _cheque, PROFILES["cheque"].candidates),
        (Mode.CHALLENGE, payments.RESPONSE_BITS, _response, 1),
    ],
)
def test_guesses_are_paid_for(
    mode: Mode,
    tag_bits: int,
    junk: Callable[[Random], str],
    reserve: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No SIM compares more often than its account pays for, and each comparison hits 1 in 1,024.

    The search for a slip in a cheque, and the two readings of an express code, are paid for too.
    """
    hits: list[bool] = []

    def short(left: int, right: int) -> bool:
        hits.append((left ^ right) % (1 << BITS) == 0)
        return hits[-1]

    for module in (crediting, entering):
        monkeypatch.setattr(module, "same", short)
    monkeypatch.setattr(guesses, "BUDGET", guesses.price(tag_bits, reserve + 300))
    dice = Random(7)
    for _ in range(40):
        before = len(hits)
        _guess_until_locked(mode, junk, dice)
        made = len(hits) - before
        assert made <= guesses.BUDGET // guesses.price(tag_bits, 1)
        assert made >= 300 or any(hits[before:])
    assert sum(hits) > 0
    assert is_due_to(2**-BITS, sum(hits), len(hits))


def _guess_until_locked(mode: Mode, junk: Callable[[Random], str], dice: Random) -> None:
    """Type junk as a payment of a known payer until money comes in or the phone locks."""
    till, _ = sims(CHALLENGE, PAYEE, PAYER, dice)
    assert till.charge(PAYER, PAYMENT.amount) is not None
    sim, card = till._phone.sim, till._phone.card
    order = Order(PAYER, PAYMENT, mode)
    while True:
        took = crediting.accept(sim, card, evolve(order, code=junk(dice)))
        if not isinstance(took, Refused) or took.reason == "locked":
            return
        if took.reason not in ("wrong", "ambiguous"):
            return

"""The entropy audit: what an attacker who has no key can hope for, code by code.

Bits, tries and limits are those of the code that runs: every figure is computed from its constants.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log2
from typing import Final

from attrs import field, frozen

from dtns.codecs.digits import PROFILES
from dtns.sam.handset.confirmations import MAX_FAILURES
from dtns.sam.handset.guesses import BUDGET, price, with_ended_locks
from dtns.sam.handset.pairs import MAX_WRONG_CHARGES
from dtns.sam.handset.purse import PERIODS_KEPT, SMALL_TRIES
from dtns.sam.issuing.typed import BAD_A_DAY, MOST_COMPARED
from dtns.sam.protocol import confirmation, payments, small
from dtns.sam.protocol.primitives import BLOCK_OCTETS
from dtns.sam.protocol.sealed import SEALED_TAG_BITS
from dtns.sam.protocol.session import MAX_N, NONCE_BITS
from dtns.sam.protocol.ticket import TAG_BITS
from dtns.sam.protocol.typedanswer import TYPED_TAG_BITS
from dtns.sam.protocol.typedask import TYPED_MAC_BITS

FLEET: Final = 1_000_000
FORGERIES_A_YEAR: Final = 0.01
"""The most that a fleet may expect of a large code."""
_DAYS: Final = 365
_MESSAGES_A_YEAR: Final = _DAYS * 24 * 3600
_OCTET: Final = 8
MOST_ENDED: Final = 1 << 16
"""More locks than a SIM has numbers for."""


@frozen
class Usage:
    """What the audit takes for granted, a SIM and year.

    keys are the new keys it gets, logs how often Sam acknowledges its log; sims is the fleet.
    """

    sims: int = FLEET
    keys: int = 52
    logs: int = 365


@frozen
class Audited:
    """One code. tries is how many comparisons an attacker gets a SIM and year.

    per_sim is the probability that one of them succeeds, fleet_year how many successes a fleet
    may expect in a year; rule says what stops further tries or, of a code that is not large,
    what a success is worth. digits is 0 of what nobody types.
    """

    code: str
    digits: int
    tag_bits: float
    tries: int
    per_sim: float
    fleet_year: float
    large: bool
    rule: str


@frozen
class _Code:
    """A row: its tries as the usage makes them."""

    name: str
    digits: int
    bits: float
    tries: Callable[[Usage], int]
    rule: str
    large: bool = field(default=False, kw_only=True)

    def audited(self, usage: Usage) -> Audited:
        """Return the row's figures."""
        tries = self.tries(usage)
        per_sim = success(self.bits, tries)
        fleet_year = usage.sims * per_sim
        return Audited(
            self.name, self.digits, self.bits, tries, per_sim, fleet_year, self.large, self.rule
        )


def success(tag_bits: float, tries: int) -> float:
    """Return the probability that one of *tries* guesses is right, no guess made twice."""
    return min(1.0, tries / 2**tag_bits)


def _digits(profile: str) -> int:
    kind = PROFILES[profile]
    return 4 * (kind.groups + kind.parity)


def _large(name: str, profile: str, bits: int) -> _Code:
    """Return a code whose comparisons are paid for out of the SIM's account of guesses."""
    tries = BUDGET // price(bits, 1)
    return _Code(name, _digits(profile), bits, lambda _: tries, "account of guesses", large=True)


def _a_key(name: str, profile: str, bits: int, worth: str, most: int = MAX_FAILURES) -> _Code:
    """Return a code of which a key survives a number of wrong ones."""
    rule = f"{most} a key; {worth}"
    return _Code(name, _digits(profile), bits, lambda usage: most * usage.keys, rule)


def _a_log(name: str, profile: str, bits: int, worth: str, keys: int = 1) -> _Code:
    """Return a code of small payments, which rest after some wrong ones until Sam has the log."""
    rule = f"{SMALL_TRIES} a log{_each(keys)}; {worth}"
    tries = SMALL_TRIES * keys
    return _Code(name, _digits(profile), bits, lambda usage: tries * usage.logs, rule)


def _each(comparisons: int) -> str:
    return f", {comparisons} comparisons each" if comparisons > 1 else ""


CODES: Final = (
    _large("ticket", "ticket", TAG_BITS),
    _large("sealed", "sealed", SEALED_TAG_BITS),
    _large("express", "ticket", TAG_BITS),
    _large("cheque", "cheque", payments.CHEQUE_TAG_BITS),
    _large("typed answer", "answer", TYPED_TAG_BITS),
    _large("challenge response", "response", payments.RESPONSE_BITS),
    _a_key(
        "challenge C",
        "request",
        payments.CHARGE_BITS,
        "a payer pays what and whom it typed",
        MAX_WRONG_CHARGES,
    ),
    _a_log(
        "small C",
        "request",
        small.CHARGE_BITS,
        "the same, at most small_limit",
        PERIODS_KEPT,
    ),
    _a_log(
        "small R",
        "confirm",
        small.RESPONSE_BITS,
        "at most small_limit each and small_total a log",
    ),
    _Code(
        "receipt",
        len(str(payments.RECEIPTS - 1)),
        log2(payments.RECEIPTS),
        lambda _: 1,
        "compared by eye, never typed: one look",
    ),
    _a_key("M4", "request", confirmation.PROOF_BITS, "no money; wins the M5 of one count"),
    _a_key("M5", "confirm", confirmation.CONFIRMATION_BITS, "no money; confirms a genuine key"),
    _Code(
        "J",
        _digits("request"),
        NONCE_BITS,
        lambda usage: MAX_N * usage.keys,
        "no tag: an old ticket whose J comes again; Sam issued its key",
    ),
    _Code(
        "typed ask",
        _digits("ask"),
        TYPED_MAC_BITS,
        lambda _: _DAYS * BAD_A_DAY * MOST_COMPARED,
        f"{BAD_A_DAY} a day{_each(MOST_COMPARED)}; its key goes to the party alone",
    ),
    _Code(
        "unlock",
        0,
        _OCTET * BLOCK_OCTETS,
        lambda _: _MESSAGES_A_YEAR,
        "a message of Sam's own, one a second",
    ),
)


def audit(usage: Usage) -> list[Audited]:
    """Return the figures of every code under this usage."""
    return [code.audited(usage) for code in CODES]


def account_fleet_year(sims: int, ended_locks: int = 0) -> float:
    """Return the successes that a fleet may expect if all SIMs spend all their accounts.

    One account pays for all large codes of a SIM: this is what they come to together, where Sam
    ends so many locks of each SIM in the year.
    """
    return sims * with_ended_locks(BUDGET, ended_locks) / price(0, 1)

"""A second phone's purse: PIN, loads, log and bounds of sections 17 and 18 of sam/README.md."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from model import Key, Peer, Phone, later
from money import LOAD, MODES, STATEMENT, Codes, Deal, Entry, Logger, Pay

NUMBERS = 64
UNPAID = 100
COUNTS = 1023
SIMS = 4
TRIES = 3
MOST = 10**12
REMEMBERED = 512
MESSAGES = 16
WRONG = 10


@dataclass(frozen=True)
class Terms:
    """The limits of a SIM's personalisation."""

    currency: str = "KES"
    challenge_above: int = 50_000
    small_limit: int = 5_000
    small_total: int = 12_000
    peer_limit: int = 400_000


@dataclass
class Account:
    """What was paid on a key, by the party that keeps this."""

    used: dict[tuple[str, int], tuple[Pay, int]] = field(default_factory=dict)
    charges: int = 0
    open: Pay | None = None
    unpaid: int = 0
    answered: int = 0
    wrong: int = 0


@dataclass(frozen=True)
class Paid:
    """A code that pays."""

    mode: str
    number: int
    code: int


def limit(limit_class: int) -> int:
    """Give what a limit class allows (section 2)."""
    if limit_class == 0:
        return 0
    decade, step = divmod(limit_class - 1, 3)
    return (1, 2, 5)[step] * 10 ** (2 + decade)


@dataclass
class Purse(Phone):
    """One SIM that pays, is paid, and logs it."""

    terms: Terms = field(default_factory=Terms)
    universal: dict[int, bytes] = field(default_factory=dict)
    balance: int = 0
    entries: list[Entry] = field(default_factory=list)
    under: list[int] = field(default_factory=list)
    filed: int = 0
    loaded: int = 0
    accounts: dict[bytes, Account] = field(default_factory=lambda: defaultdict(Account))
    receipts: dict[str, str] = field(default_factory=dict)
    pin: str | None = None
    tries: int = TRIES
    lock: int = 0
    small_count: int = 0
    small_open: Deal | None = None
    small_paid: dict[Deal, Paid] = field(default_factory=dict)
    small_wrong: int = 0
    last: dict[tuple[str, int], Paid] = field(default_factory=dict)
    made: int = 0
    enrolled_in: int = 1
    halves: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Remember the generation that the SIM was made with."""
        self.made = self.party.generation

    # The PIN

    def set_pin(self, old: str | None, new: str) -> str:
        """Set the PIN, and tell what came of it."""
        if not (new.isascii() and new.isdigit() and 4 <= len(new) <= 8):
            return "malformed"
        if self.pin is not None and not self.knows(old):
            return "pin-locked" if self.tries == 0 else "wrong-pin"
        self.pin = new
        return "set"

    def knows(self, pin: str | None) -> bool:
        """Check the PIN, three times at most."""
        if self.pin is None or self.tries == 0:
            return False
        self.tries -= 1
        if pin == self.pin:
            self.tries = TRIES
            return True
        self.lock += self.tries == 0
        return False

    # What Sam says

    def load(self, number: int, pay: Pay) -> None:
        """Take a load, once."""
        if number <= self.loaded or pay.currency != self.terms.currency:
            return
        self.loaded = number
        if self.balance + pay.amount <= MOST:
            self.balance += pay.amount
            self.enter_own(LOAD, number % 65536, pay.amount)

    def new_keys(self, kind: int, generation: int) -> None:
        """Take one half of a new generation, and become it with both."""
        self.halves.add(kind)
        if self.halves == {4, 5}:
            self.party = replace(self.party, generation=generation)

    def end_lock(self, lock: int, *, forget: bool) -> None:
        """End the PIN's lock with this number."""
        if self.tries == 0 and lock == self.lock:
            self.tries = TRIES
            self.pin = None if forget else self.pin

    def new_period(self, period: int, key: bytes) -> None:
        """Take a universal key; those of the two latest periods are kept."""
        if period > max(self.universal):
            self.small_count = 0
            self.universal[period] = key
            self.universal = {each: self.universal[each] for each in sorted(self.universal)[-2:]}

    def acknowledged(self, serial: int) -> None:
        """Learn what Sam has on record."""
        if self.serial(0) <= serial <= self.serial(len(self.entries)):
            self.filed = serial - self.serial(0)
            self.small_wrong = 0

    # The log

    @property
    def full(self) -> bool:
        """Whether Sam has to acknowledge the log before money moves."""
        return len(self.entries) - self.filed >= REMEMBERED

    def serial(self, count: int) -> int:
        """Give the serial of an entry."""
        return self.made << 16 | count

    def enter_own(self, kind: int, number: int, amount: int) -> None:
        """Log what concerns no other party."""
        entry = Entry(kind, self.party.number, 0, 0, 0, number, amount, self.week)
        self.enter_under(0, entry)

    def enter_under(self, generation: int, entry: Entry) -> None:
        """Log an entry under a key with this generation of the SIM; 0 if there is no key."""
        self.entries.append(entry)
        self.under.append(generation)

    def log(self) -> list[str]:
        """Give the messages for Sam, the balance with them once a week."""
        last = self.entries[-1] if self.entries else None
        stated = last is not None and (last.kind, last.week) == (STATEMENT, self.week)
        if not stated and (last is not None or self.small_wrong >= WRONG):
            self.enter_own(STATEMENT, 0, self.balance)
        logger = Logger(self.party.number, self.party.generation, self.party.key("ask"))
        told = [
            replace(entry, older=self.party.generation - own if own else 0)
            for own, entry in zip(self.under, self.entries, strict=True)
        ]
        return logger.texts(self.serial(self.filed + 1), told[self.filed :])[:MESSAGES]

    def write(self, key: Key, mode: str, number: int, amount: int, *, received: bool) -> None:
        """Log a payment on a key."""
        context = key.context
        asker = context.asker == self.party.number
        kind = 8 * received + 4 * (not asker) + MODES[mode]
        ends = [
            (context.asker, context.asker_generation),
            (context.holder, context.holder_generation),
        ]
        (_, own), (other, generation) = ends if asker else reversed(ends)
        entry = Entry(kind, other, generation, context.epoch, context.n, number, amount, self.week)
        self.enter_under(own, entry)
        pay = Pay(amount, self.terms.currency)
        self.receipts[other] = Codes(context, key.octets).receipt(pay, mode, number)
        self.balance += amount if received else -amount

    def write_small(self, deal: Deal, *, received: bool) -> None:
        """Log a small payment."""
        other = deal.payer if received else deal.payee
        kind = 8 * received + MODES["small"]
        amount = deal.pay.amount
        entry = Entry(kind, other, 0, 0, deal.period, deal.count, amount, self.week)
        self.enter_under(0, entry)
        self.receipts[other] = deal.receipt(self.universal[deal.period])
        self.balance += amount if received else -amount

    # Keys for money

    def pairs(self, other: str, *, paying: bool) -> list[Key]:
        """Give the keys on which this SIM pays the other, or is paid; the latest first."""
        asked = [key for key in self.own[other] if key.context.direction == (not paying)]
        held = self.peers.get(other, Peer()).keys
        held = [key for key in held if key.context.direction == paying]
        return [*reversed(asked), *reversed(held)]

    def account(self, key: Key) -> Account:
        """Give what was paid on a key."""
        return self.accounts[key.octets]

    def allows(self, key: Key, amount: int) -> bool:
        """Tell whether a key carries one payment more."""
        used = self.account(key).used
        most = limit(key.context.limit_class)
        total = sum(pay.amount for pay, _ in used.values())
        return len(used) < NUMBERS and total + amount <= most

    def confirmed(self, key: Key) -> None:
        """Confirm a key as M4 and M5 do: those before it are dead."""
        key.confirmed = True
        if key.context.asker == self.party.number:
            keys = self.own[key.context.holder]
            keys[:] = [other for other in keys if later(other) >= later(key)]
        else:
            peer = self.peers[key.context.asker]
            peer.mark = max(peer.mark, key.context.place)
            peer.keys = [other for other in peer.keys if other.context.place >= peer.mark]

"""A second phone with a purse: the rules of sections 17 and 18 of sam/README.md, in memory.

It judges payloads, as the phone it stands on does; reading digits is the codec's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from model import Key, Peer, Phone, later
from money import LOAD, MODES, STATEMENT, Codes, Deal, Entry, Logger, Pay

NUMBERS = 64
UNPAID = 100
TRIES = 3
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
    return 0 if limit_class == 0 else (1, 2, 5)[(limit_class - 1) % 3] * 10 ** (
        2 + (limit_class - 1) // 3
    )


@dataclass
class Wallet(Phone):
    """One SIM that pays, is paid, and logs it."""

    terms: Terms = field(default_factory=Terms)
    universal: dict[int, bytes] = field(default_factory=dict)
    balance: int = 0
    entries: list[Entry] = field(default_factory=list)
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

    # The PIN

    def set_pin(self, old: str | None, new: str) -> str:
        """Set the PIN, and tell what came of it."""
        if self.tries == 0:
            return "pin-locked"
        if self.pin is not None and not self.knows(old):
            return "wrong-pin"
        if not (new.isascii() and new.isdigit() and 4 <= len(new) <= 8):
            return "malformed"
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
        if number > self.loaded and pay.currency == self.terms.currency:
            self.loaded = number
            self.balance += pay.amount
            self.enter_own(LOAD, number % 65536, pay.amount)

    def end_lock(self, lock: int, *, forget: bool) -> None:
        """End the PIN's lock with this number."""
        if self.tries == 0 and lock == self.lock:
            self.tries = TRIES
            self.pin = None if forget else self.pin

    def new_period(self, period: int, key: bytes) -> None:
        """Take a universal key; those of the two latest periods are kept."""
        if period > max(self.universal):
            self.small_count = 0
            self.small_open = None
        self.universal[period] = key
        self.universal = {each: self.universal[each] for each in sorted(self.universal)[-2:]}

    def acknowledged(self, serial: int) -> None:
        """Learn what Sam has on record."""
        self.filed = serial & 0xFFFF
        self.small_wrong = 0

    # The log

    def serial(self, count: int) -> int:
        """Give the serial of an entry."""
        return self.party.generation << 16 | count

    def enter_own(self, kind: int, number: int, amount: int) -> None:
        """Log what concerns no other party."""
        self.entries.append(Entry(kind, self.party.number, 0, 0, 0, number, amount, self.week))

    def log(self) -> list[str]:
        """Give the messages for Sam, the balance with them once a week."""
        last = self.entries[-1] if self.entries else None
        if last is not None and (last.kind, last.week) != (STATEMENT, self.week):
            self.enter_own(STATEMENT, 0, self.balance)
        logger = Logger(self.party.number, self.party.generation, self.party.key("ask"))
        return logger.texts(self.serial(self.filed + 1), self.entries[self.filed :])

    def write(self, key: Key, mode: str, number: int, amount: int, *, received: bool) -> None:
        """Log a payment on a key."""
        context = key.context
        asker = context.asker == self.party.number
        kind = 8 * received + 4 * (not asker) + MODES[mode]
        other, generation = (
            (context.holder, context.holder_generation)
            if asker
            else (context.asker, context.asker_generation)
        )
        self.entries.append(
            Entry(kind, other, generation, context.epoch, context.n, number, amount, self.week)
        )
        pay = Pay(amount, self.terms.currency)
        self.receipts[other] = Codes(context, key.octets).receipt(pay, mode, number)
        self.balance += amount if received else -amount

    def write_small(self, deal: Deal, *, received: bool) -> None:
        """Log a small payment."""
        other = deal.payer if received else deal.payee
        kind = 8 * received + MODES["small"]
        amount = deal.pay.amount
        self.entries.append(
            Entry(kind, other, 0, 0, deal.period, deal.count, amount, self.week)
        )
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

    # The payer

    def pay(
        self, payee: str, amount: int, pin: str, mode: str | None, charge: int | None, **how: bool
    ) -> Paid | None:
        """Pay, or refuse to."""
        if not self.knows(pin):
            return None
        pay = Pay(amount, self.terms.currency)
        before = self.last.get((payee, amount))
        again = None if how.get("second") else before
        if charge is not None:
            paid = self.answer(payee, pay, mode, charge, again)
        elif again is not None:
            return again
        else:
            paid = self.unasked(payee, pay, mode)
        if paid is not None:
            self.last[payee, amount] = paid
        return paid

    def answer(
        self, payee: str, pay: Pay, mode: str | None, charge: int, again: Paid | None
    ) -> Paid | None:
        """Pay what was charged, by challenge if it verifies, else small."""
        if mode != "small":
            key = self.charged(payee, pay, charge)
            if key is not None:
                return self.respond_to(key, pay, charge >> 16, again)
        if mode == "challenge" or pay.amount > self.terms.small_limit:
            return None
        return self.pay_small(payee, pay, charge, again)

    def charged(self, payee: str, pay: Pay, charge: int) -> Key | None:
        """Find the key under which a charge was made."""
        for key in self.pairs(payee, paying=True):
            account = self.account(key)
            count = charge >> 16
            if account.wrong >= WRONG or count == 0 or count < account.answered:
                continue
            if Codes(key.context, key.octets).charge(pay, count) == charge:
                return key
            account.wrong += 1
        return None

    def respond_to(self, key: Key, pay: Pay, count: int, again: Paid | None) -> Paid | None:
        """Answer a charge under its key; the same payment gets the same code."""
        account = self.account(key)
        paid = Paid("challenge", count, Codes(key.context, key.octets).response(pay, count))
        if ("challenge", count) in account.used:
            return paid
        if again is not None or not self.allows(key, pay.amount) or pay.amount > self.balance:
            return None
        account.answered = count
        self.confirmed(key)
        return self.debited(key, paid, pay)

    def debited(self, key: Key, paid: Paid, pay: Pay) -> Paid:
        """Bind a sum to a number for ever, and debit it."""
        self.account(key).used[paid.mode, paid.number] = (pay, paid.code)
        self.write(key, paid.mode, paid.number, pay.amount, received=False)
        return paid

    def unasked(self, payee: str, pay: Pay, mode: str | None) -> Paid | None:
        """Pay by express or cheque, for which no charge is needed."""
        keys = self.pairs(payee, paying=True)
        if mode is None and pay.amount > self.terms.challenge_above:
            return None
        if not keys or not self.allows(keys[0], pay.amount) or pay.amount > self.balance:
            return None
        key = keys[0]
        codes = Codes(key.context, key.octets)
        numbers = {number for kind, number in self.account(key).used if kind != "challenge"}
        first = key.derived and key.context.asker == self.party.number and not numbers
        if mode == "express" or (mode is None and first):
            paid = Paid("express", 0, codes.express(pay)) if first else None
        else:
            free = [number for number in range(1, NUMBERS) if number not in numbers]
            paid = Paid("cheque", free[0], codes.cheque(pay, free[0])) if free else None
        return None if paid is None else self.debited(key, paid, pay)

    def pay_small(self, payee: str, pay: Pay, charge: int, again: Paid | None) -> Paid | None:
        """Answer a small charge; the same charge gets the same code."""
        if self.small_wrong >= WRONG:
            return None
        for period in sorted(self.universal, reverse=True):
            deal = Deal(self.party.number, payee, period, pay, charge >> 10)
            if deal.count == 0 or deal.charge(self.universal[period]) != charge:
                continue
            if deal in self.small_paid:
                return self.small_paid[deal]
            if again is not None or pay.amount > self.balance:
                return None
            nonce = (len(self.small_paid) + 1) % 16
            code = deal.response(self.universal[period], nonce)
            self.small_paid[deal] = Paid("small", deal.count, code)
            self.write_small(deal, received=False)
            return self.small_paid[deal]
        self.small_wrong += 1
        return None

    # The payee

    def charge(self, payer: str, amount: int, mode: str | None) -> tuple[str, int | None] | None:
        """Ask for money: the mode, and the charge if one is needed; None if it cannot be."""
        pay = Pay(amount, self.terms.currency)
        keys = self.pairs(payer, paying=False)
        if mode is None:
            mode = self.usual(keys, amount)
        if mode == "small":
            return self.charge_small(payer, pay)
        if mode != "challenge":
            return mode, None
        if not keys:
            return None
        account = self.account(keys[0])
        if account.unpaid >= UNPAID or account.charges >= 1023:
            return None
        account.charges += 1
        account.unpaid += 1
        account.open = pay
        return mode, Codes(keys[0].context, keys[0].octets).charge(pay, account.charges)

    def usual(self, keys: list[Key], amount: int) -> str:
        """Choose how to be paid where the person does not."""
        if amount > self.terms.challenge_above:
            return "challenge"
        if keys:
            key = keys[0]
            first = key.context.holder == self.party.number and not self.account(key).used
            return "express" if first else "cheque"
        return "small" if amount <= self.terms.small_limit else "express"

    def charge_small(self, payer: str, pay: Pay) -> tuple[str, int] | None:
        """Make a small charge, under the latest universal key."""
        if pay.amount > self.terms.small_limit or self.small_wrong >= WRONG:
            return None
        self.small_count += 1
        count = self.party.generation % 4 * 16384 + self.small_count
        period = max(self.universal)
        self.small_open = Deal(payer, self.party.number, period, pay, count)
        return "small", self.small_open.charge(self.universal[period])

    def accept(self, payer: str, amount: int, digits: int, payload: int) -> str:
        """Take a code with this count of digits, and tell what became of it."""
        pay = Pay(amount, self.terms.currency)
        takes = {20: self.take_express, 16: self.take_cheque, 12: self.take_response}
        return takes.get(digits, self.take_small)(payer, pay, payload)

    def take_express(self, payer: str, pay: Pay, payload: int) -> str:
        """Take 20 digits: a ticket, or an express code."""
        peer = self.peers.get(payer, Peer())
        for context in self.readings(payer, peer, payload >> 40):
            octets = context.session_key(self.party.key("ticket"))
            key = Key(context, octets)
            if context.ticket(octets) == payload:
                came = self.judged(payer, peer, context, key)
                return "ticket" if came in {"taken", "resumed"} else "refused"
            if Codes(context, octets).express(pay) == payload:
                return self.judged_express(payer, peer, key, pay)
        return "unproven"

    def judged_express(self, payer: str, peer: Peer, key: Key, pay: Pay) -> str:
        """Apply the holder's rule and the payee's to an express code whose tag is good."""
        if key.context.direction == 1:
            return "refused"
        if self.judged(payer, peer, key.context, key) not in {"taken", "resumed"}:
            return "refused"
        held = self.peers[payer].keys
        same = next(other for other in held if other.context == key.context)
        return self.credited(same, "express", 0, pay)

    def take_cheque(self, payer: str, pay: Pay, payload: int) -> str:
        """Take 16 digits."""
        number = payload >> 47
        for key in self.pairs(payer, paying=False):
            if number and Codes(key.context, key.octets).cheque(pay, number) == payload:
                return self.credited(key, "cheque", number, pay)
        return "unproven"

    def take_response(self, payer: str, pay: Pay, payload: int) -> str:
        """Take 12 digits: the answer to the open charge."""
        for key in self.pairs(payer, paying=False):
            account = self.account(key)
            if account.open is None:
                continue
            response = Codes(key.context, key.octets).response(account.open, account.charges)
            if account.open != pay or response != payload:
                return "unproven"
            account.open = None
            account.unpaid -= 1
            return self.credited(key, "challenge", account.charges, pay)
        return "refused"

    def credited(self, key: Key, mode: str, number: int, pay: Pay) -> str:
        """Credit a payment once, within all bounds."""
        account, other = self.account(key), self.other(key)
        if (mode, number) in account.used:
            return "again"
        if not self.allows(key, pay.amount):
            return "refused"
        taken = sum(entry.amount for entry in self.received() if entry.other == other)
        if taken + pay.amount > self.terms.peer_limit:
            return "refused"
        account.used[mode, number] = (pay, 0)
        self.write(key, mode, number, pay.amount, received=True)
        self.confirmed(key)
        return "credited"

    def other(self, key: Key) -> str:
        """Name the other party of a key."""
        context = key.context
        return context.holder if context.asker == self.party.number else context.asker

    def received(self, *, small: bool = False) -> Iterator[Entry]:
        """Give what was received, and is not on Sam's record."""
        for entry in self.entries[self.filed :]:
            if entry.kind in {8, 9, 10, 12, 13, 14} and not small:
                yield entry
            if entry.kind == 8 + MODES["small"] and small:
                yield entry

    def take_small(self, payer: str, pay: Pay, payload: int) -> str:
        """Take 8 digits: the answer to the open small charge."""
        deal = self.small_open
        if deal is None or deal.payer != payer or deal.pay != pay or self.small_wrong >= WRONG:
            return "refused"
        if deal.response(self.universal[deal.period], payload >> 22) != payload:
            self.small_wrong += 1
            return "unproven"
        taken = sum(entry.amount for entry in self.received(small=True))
        if taken + pay.amount > self.terms.small_total:
            return "refused"
        self.small_open = None
        self.write_small(deal, received=True)
        return "credited"

"""A second phone with money, as payee and all in all, by section 17 of sam/README.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model import Key, Peer
from money import MODES, Codes, Deal, Entry, Pay
from payer import Payer
from purse import COUNTS, MOST, SIMS, UNPAID, WRONG


@dataclass
class Wallet(Payer):
    """One SIM that pays, is paid, and logs it."""

    def charge(self, payer: str, amount: int, mode: str | None) -> tuple[str, int | None] | None:
        """Ask for money: the mode, and the charge if one is needed; None if it cannot be."""
        pay = Pay(amount, self.terms.currency)
        keys = self.pairs(payer, paying=False)
        if payer == self.party.number:
            return None
        if mode is None:
            mode = self.usual(keys, amount)
        if mode == "small":
            return self.charge_small(payer, pay)
        if mode != "challenge":
            return mode, None
        if not keys or not self.bears(keys[0], amount):
            return None
        account = self.account(keys[0])
        if account.unpaid >= UNPAID or account.charges >= COUNTS:
            return None
        for key in keys:
            self.account(key).open = None
        account.charges += 1
        account.unpaid += 1
        account.open = pay
        return mode, Codes(keys[0].context, keys[0].octets).charge(pay, account.charges)

    def usual(self, keys: list[Key], amount: int) -> str:
        """Choose how to be paid where the person does not."""
        if keys:
            return "challenge" if amount > self.terms.challenge_above else "cheque"
        return "small" if amount <= self.terms.small_limit else "express"

    def bears(self, key: Key, amount: int) -> bool:
        """Tell whether a payment may be credited under a key."""
        other = self.other(key)
        taken = sum(entry.amount for entry in self.received() if entry.other == other)
        full = taken + amount > self.terms.peer_limit or self.balance + amount > MOST
        return self.allows(key, amount) and not full

    def bears_small(self, amount: int) -> bool:
        """Tell whether a small payment may be credited."""
        taken = sum(entry.amount for entry in self.received(small=True))
        within = amount <= self.terms.small_limit and taken + amount <= self.terms.small_total
        return within and self.small_wrong < WRONG and self.balance + amount <= MOST

    def charge_small(self, payer: str, pay: Pay) -> tuple[str, int] | None:
        """Make a small charge, under the latest universal key."""
        if self.made > SIMS and max(self.universal) <= self.enrolled_in:
            return None
        if not self.bears_small(pay.amount):
            return None
        self.small_count += 1
        count = self.made % SIMS * 16384 + self.small_count
        period = max(self.universal)
        self.small_open = Deal(payer, self.party.number, period, pay, count)
        return "small", self.small_open.charge(self.universal[period])

    def accept(self, payer: str, amount: int, digits: int, payload: int) -> str:
        """Take a code with this count of digits, and tell what became of it."""
        if payer == self.party.number or self.full:
            return "refused"
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
            if context.direction == 0 and Codes(context, octets).express(pay) == payload:
                return self.judged_express(payer, peer, key, pay)
        return "unproven"

    def judged_express(self, payer: str, peer: Peer, key: Key, pay: Pay) -> str:
        """Apply the holder's rule and the payee's to an express code whose tag is good."""
        if self.judged(payer, peer, key.context, key) not in {"taken", "resumed"}:
            return "refused"
        held = self.peers[payer].keys
        same = next(other for other in held if other.context == key.context)
        return self.credited(same, "express", 0, pay)

    def take_cheque(self, payer: str, pay: Pay, payload: int) -> str:
        """Take 16 digits."""
        number = payload >> 47
        keys = self.pairs(payer, paying=False)
        if not keys:
            return "refused"
        for key in keys:
            if number and Codes(key.context, key.octets).cheque(pay, number) == payload:
                return self.credited(key, "cheque", number, pay)
        return "unproven"

    def take_response(self, payer: str, pay: Pay, payload: int) -> str:
        """Take 12 digits: the answer to the open charge."""
        for key in self.pairs(payer, paying=False):
            account = self.account(key)
            if account.open != pay:
                continue
            if Codes(key.context, key.octets).response(pay, account.charges) != payload:
                return "unproven"
            if not self.bears(key, pay.amount):
                return "refused"
            account.open = None
            account.unpaid -= 1
            return self.credited(key, "challenge", account.charges, pay)
        return "refused"

    def credited(self, key: Key, mode: str, number: int, pay: Pay) -> str:
        """Credit a payment once, within all bounds."""
        account = self.account(key)
        if (mode, number) in account.used:
            return "again"
        if not self.bears(key, pay.amount):
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
        if deal is None or (deal.payer, deal.pay) != (payer, pay):
            return "refused"
        if not self.bears_small(pay.amount) or deal.period not in self.universal:
            return "refused"
        if deal.response(self.universal[deal.period], payload >> 22) != payload:
            self.small_wrong += 1
            return "unproven"
        self.small_open = None
        self.write_small(deal, received=True)
        return "credited"

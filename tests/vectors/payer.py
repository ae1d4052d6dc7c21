"""A second phone as payer, by section 17 of sam/README.md.

It judges payloads, as the phone it stands on does; reading digits is the codec's business.
"""

from __future__ import annotations

from dataclasses import dataclass

from model import Key
from money import Codes, Deal, Pay
from purse import NUMBERS, WRONG, Account, Paid, Purse


@dataclass
class Payer(Purse):
    """One SIM that pays."""

    def pay(
        self, payee: str, amount: int, pin: str, mode: str | None, charge: int | None, **how: bool
    ) -> Paid | None:
        """Pay, or refuse to."""
        if payee == self.party.number or not self.knows(pin) or self.full:
            return None
        pay = Pay(amount, self.terms.currency)
        if charge is not None:
            return self.answer(payee, pay, mode, charge)
        before = self.last.get((payee, amount))
        if before is not None and not how.get("second"):
            return before
        paid = self.unasked(payee, pay, mode)
        if paid is not None:
            self.last[payee, amount] = paid
        return paid

    def answer(self, payee: str, pay: Pay, mode: str | None, charge: int) -> Paid | None:
        """Pay what was charged, by challenge if it verifies, else small."""
        wrong: list[Account] = []
        if mode != "small":
            key = self.charged(payee, pay, charge, wrong)
            if key is not None:
                return self.respond_to(key, pay, charge >> 16)
        if mode == "challenge" or pay.amount > self.terms.small_limit:
            return None
        paid = self.pay_small(payee, pay, charge)
        for account in wrong if paid else []:
            account.wrong -= 1
        return paid

    def charged(self, payee: str, pay: Pay, charge: int, wrong: list[Account]) -> Key | None:
        """Find the key under which a charge was made, and those of which it is a wrong one."""
        for key in self.pairs(payee, paying=True):
            account = self.account(key)
            if account.wrong >= WRONG:
                continue
            if Codes(key.context, key.octets).charge(pay, charge >> 16) == charge:
                for other in wrong:
                    other.wrong -= 1
                return key
            account.wrong += 1
            wrong.append(account)
        return None

    def respond_to(self, key: Key, pay: Pay, count: int) -> Paid | None:
        """Answer a charge under its key; the same payment gets the same code."""
        account = self.account(key)
        if key.context.asker == self.party.number:
            self.confirmed(key)
        paid = Paid("challenge", count, Codes(key.context, key.octets).response(pay, count))
        if count == account.answered and ("challenge", count) in account.used:
            return paid
        if count <= account.answered or not self.allows(key, pay.amount):
            return None
        if pay.amount > self.balance:
            return None
        account.answered = count
        return self.debited(key, paid, pay)

    def debited(self, key: Key, paid: Paid, pay: Pay) -> Paid:
        """Bind a sum to a number for ever, and debit it."""
        self.account(key).used[paid.mode, paid.number] = (pay, paid.code)
        self.write(key, paid.mode, paid.number, pay.amount, received=False)
        return paid

    def unasked(self, payee: str, pay: Pay, mode: str | None) -> Paid | None:
        """Pay by express or cheque, for which no charge is needed."""
        if mode is None and pay.amount > self.terms.challenge_above:
            return None
        for key in self.pairs(payee, paying=True):
            if self.allows(key, pay.amount) and pay.amount <= self.balance:
                return self.fixed(key, pay, mode)
            if self.account(key).used:
                return None
        return None

    def fixed(self, key: Key, pay: Pay, mode: str | None) -> Paid | None:
        """Make an express code where that can be, or else a cheque."""
        codes, used = Codes(key.context, key.octets), self.account(key).used
        first = key.derived and key.context.asker == self.party.number and not used
        if first and mode != "cheque":
            return self.debited(key, Paid("express", 0, codes.express(pay)), pay)
        free = [number for number in range(1, NUMBERS) if ("cheque", number) not in used]
        if mode == "express" or not free:
            return None
        return self.debited(key, Paid("cheque", free[0], codes.cheque(pay, free[0])), pay)

    def pay_small(self, payee: str, pay: Pay, charge: int) -> Paid | None:
        """Answer a small charge; the same charge gets the same code."""
        if self.small_wrong >= WRONG:
            return None
        for period in sorted(self.universal, reverse=True):
            deal = Deal(self.party.number, payee, period, pay, charge >> 10)
            if deal.count == 0 or deal.charge(self.universal[period]) != charge:
                continue
            bound = next((each for each in self.small_paid if each.is_like(deal)), None)
            if bound is not None:
                return self.small_paid[bound] if bound == deal else None
            if pay.amount > self.balance:
                return None
            nonce = len(self.small_paid) % 16
            code = deal.response(self.universal[period], nonce)
            self.small_paid[deal] = Paid("small", deal.count, code)
            self.write_small(deal, received=False)
            return self.small_paid[deal]
        self.small_wrong += 1
        return None

"""The making of a story with money: the steps of section 17 and 18, through the second phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import sync_lines
from lines import Line
from money import Pay, universal_key
from purse import Paid, Terms
from reference import Context, Party
from spoken import digits_of, payload_of
from telling import MASTER, Story
from wallet import Wallet

PERIOD = 1
PROFILES = {"express": "ticket", "cheque": "cheque", "challenge": "response", "small": "confirm"}
Item = tuple[Line, bytes]


class MoneyStory(Story):
    """One line of phones.jsonl in which somebody pays."""

    def purse(self, name: str, party: Party, money: int = 0, **terms: Any) -> Wallet:
        """Put a SIM with a purse into the story; with money it is loaded and has PIN 1234."""
        wallet = Wallet(party, 150, 1, 1, terms=Terms(**terms))
        wallet.universal = {PERIOD: universal_key(MASTER, PERIOD)}
        self.add(name, wallet)
        self.sims[-1] |= {
            "terms": asdict(wallet.terms),
            "period": PERIOD,
            "universal_key": wallet.universal[PERIOD].hex(),
        }
        if money:
            self.sync(wallet, sync_lines.load(1, money))
            self.pin(wallet, None, "1234", "set")
        return wallet

    # Sam

    def sync(self, wallet: Wallet, *items: Item, week: int = 150, epoch: int = 1) -> str:
        """Let Sam tell a SIM something."""
        wallet.synced += 1
        body = week.to_bytes(2, "big") + epoch.to_bytes(2, "big")
        body += b"".join(octets for _, octets in items)
        text = sync_lines.sealed(wallet.synced, body, wallet.party.key("sync"))
        wallet.hear(week)
        wallet.epoch = max(wallet.epoch, epoch)
        for item, _ in items:
            self.obey(wallet, item)
        self.step(wallet, "receive", {"result": "obeyed"}, text=text)
        return text

    def obey(self, wallet: Wallet, item: Line) -> None:
        """Let a SIM obey one item."""
        obeyed: dict[int, Callable[[], None]] = {
            4: lambda: wallet.new_keys(4, item["generation"]),
            5: lambda: wallet.new_keys(5, item["generation"]),
            6: lambda: wallet.load(item["number"], Pay(item["amount"], item["currency"])),
            7: lambda: wallet.end_lock(item["lock"], forget=item["forget"] == 1),
            8: lambda: wallet.new_period(item["period"], bytes.fromhex(item["key"])),
            9: lambda: wallet.acknowledged(item["serial"]),
        }
        obeyed[item["kind"]]()

    def rekey(self, wallet: Wallet) -> None:
        """Let Sam bring a SIM to its next generation, over the air."""
        new = replace(wallet.party, generation=wallet.party.generation + 1)
        for kind in (4, 5):
            keys = {f"{use}_key": new.key(use) for use in sync_lines.NEW_KEYS[kind]}
            self.sync(wallet, sync_lines.new_keys(kind, new.generation, keys))

    # The person and the PIN

    def pin(self, wallet: Wallet, old: str | None, new: str, result: str) -> None:
        """Let a person set the PIN."""
        came = wallet.set_pin(old, new)
        assert came == result, (self.note, len(self.steps), came, result)
        expect = {"result": "set"} if came == "set" else {"result": "refused", "reason": came}
        self.step(wallet, "pin", expect, old=old, new=new)

    # Payments

    def charge(
        self, wallet: Wallet, payer: Party, amount: int, mode: str | None = None, *,
        comes: str | None
    ) -> str | None:  # fmt: skip
        """Let a payee ask for money; give the digits."""
        came = wallet.charge(payer.number, amount, mode)
        assert (None if came is None else came[0]) == comes, (self.note, len(self.steps), came)
        expect: Line = {"result": "refused"}
        if came is not None:
            digits = None if came[1] is None else digits_of("request", came[1])
            expect = {"mode": came[0], "digits": digits}
        self.step(wallet, "charge", expect, payer=payer.number, amount=amount, mode=mode)
        return expect.get("digits")

    def pay(self, wallet: Wallet, payee: Party, amount: int, comes: str | None, **how: Any) -> str:
        """Let a payer pay; give the digits, or none if it must be refused."""
        mode, pin, digits = how.get("mode"), how.get("pin", "1234"), how.get("digits")
        charge = None if digits is None else payload_of("request", digits)
        second = how.get("second", False)
        paid = wallet.pay(payee.number, amount, pin, mode, charge, second=second)
        assert (None if paid is None else paid.mode) == comes, (self.note, len(self.steps), paid)
        expect: Line = {"result": "refused"} if paid is None else told(paid)
        self.step(
            wallet, "pay", expect, payee=payee.number, amount=amount, pin=pin, mode=mode,
            digits=digits, second=second,
        )  # fmt: skip
        return str(expect.get("digits", ""))

    def accept(
        self, wallet: Wallet, payer: Party, amount: int, digits: str, result: str, **how: Any
    ) -> None:
        """Let a payee take digits, as they are or as somebody misheard them."""
        bare = how.get("meant", digits)
        profile = {20: "ticket", 16: "cheque", 12: "response", 8: "confirm"}[len(bare)]
        came = wallet.accept(payer.number, amount, len(bare), payload_of(profile, bare))
        assert came == result, (self.note, len(self.steps), came, result)
        self.step(
            wallet, "accept", {"result": came}, payer=payer.number, amount=amount, digits=digits
        )

    def told(self, wallet: Wallet, payer: Party, amount: int, digits: str, result: str) -> None:
        """Let a payee take digits that are no code's."""
        self.step(
            wallet, "accept", {"result": result}, payer=payer.number, amount=amount, digits=digits
        )

    def ticket(self, wallet: Wallet, payer: Party, context: Context, result: str) -> None:
        """Let a payee take a ticket as tickets are taken."""
        holder = wallet.party.key("ticket")
        self.enter(wallet, payer, context.ticket(context.session_key(holder)), result)

    # What can be seen

    def receipt(self, wallet: Wallet, other: Party) -> str | None:
        """Let a phone show the receipt of the last payment between two."""
        digits = wallet.receipts.get(other.number)
        self.step(wallet, "receipt", {"digits": digits}, other=other.number)
        return digits

    def receipts(self, one: Wallet, two: Wallet) -> None:
        """Let both show the same receipt."""
        assert self.receipt(one, two.party) == self.receipt(two, one.party), self.note

    def count(self, wallet: Wallet, balance: int) -> None:
        """Look into a purse."""
        assert wallet.balance == balance, (self.note, len(self.steps), wallet.balance)
        expect = {
            "balance": balance,
            "filed": wallet.serial(wallet.filed),
            "last": wallet.serial(len(wallet.entries)),
        }
        self.step(wallet, "purse", expect)

    def log(self, wallet: Wallet) -> list[str]:
        """Let a SIM write its log to Sam."""
        texts = wallet.log()
        self.step(wallet, "log", {"texts": texts})
        return texts


def told(paid: Paid) -> Line:
    """Write down what a payer says."""
    digits = digits_of(PROFILES[paid.mode], paid.code)
    return {"digits": digits, "mode": paid.mode, "number": paid.number}

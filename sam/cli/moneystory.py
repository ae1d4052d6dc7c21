"""The demo's second part: money on the keys, and on none."""

from __future__ import annotations

from typing import Final

from attrs import define

from dtns.sam.cli.cast import ALICE, BOB, MALLORY, Scenes, with_a_slip

_PIN: Final = "1978"
_CHEQUE_DIGITS: Final = 16
_EXPRESS_DIGITS: Final = 20


@define
class Payments:
    """Plays the scenes in which money moves."""

    story: Scenes
    _express: str = ""

    def play(self) -> None:
        """Play them all."""
        for scene in (self._pay_express, self._pay_twice, self._pay_cheque, self._pay_small):
            scene()
        self._compare_receipts()

    def _pay_express(self) -> None:
        self.story.narrator.scene(
            "A key and a payment in 20 digits, one way",
            "Both phones are told the amount; the digits carry neither it nor the key, yet from "
            "them Bob's SIM has both. Alice's phone asks for a PIN, which she chooses now.",
        )
        _, paid = self.story.step("Alice", "pay", BOB, "120.00", typed=_PIN)
        self._express = paid["digits"]
        self.story.narrator.says("Alice", f"pays 120.00 and reads out  {self._express}")
        code, taken = self.story.step("Bob", "accept", ALICE, "120.00", self._express)
        self.story.narrator.says("Bob", f"{taken['status']}: {taken['balance']} in the purse")
        short = _digits(self._express) == _EXPRESS_DIGITS
        done = (code, taken["status"], taken["balance"]) == (0, "accepted", "120.00")
        self.story.prove("20 digits, one way, bring a new key and a payment", short and done)

    def _pay_twice(self) -> None:
        self.story.narrator.scene(
            "Bob types it again, and for more",
            "A payment counts once, and only for its amount.",
        )
        _, again = self.story.step("Bob", "accept", ALICE, "120.00", self._express)
        self.story.narrator.says("phone", str(again["message"]))
        self.story.prove("a payment is taken once", again["reason"] == "credited")
        _, more = self.story.step("Bob", "accept", ALICE, "920.00", self._express)
        self.story.narrator.says("phone", str(more["message"]))
        _, purse = self.story.step("Bob", "balance")
        self.story.prove("a payment is for its amount", purse["balance"] == "120.00")

    def _pay_cheque(self) -> None:
        self.story.narrator.scene(
            "The next payments take 16 digits",
            "Bob mistypes one. This time no further group is needed: the tag alone finds the slip.",
        )
        _, paid = self.story.step("Alice", "pay", BOB, "35.50", typed=_PIN)
        slipped = with_a_slip(paid["digits"])
        self.story.narrator.says("Alice", f"pays 35.50 and reads out  {paid['digits']}")
        _, taken = self.story.step("Bob", "accept", ALICE, "35.50", slipped)
        self.story.narrator.says("Bob", f"types      {slipped}  {taken['status']}")
        good = taken["status"] == "repaired" and _digits(paid["digits"]) == _CHEQUE_DIGITS
        self.story.prove("16 digits pay again, one slip repaired", good)

    def _pay_small(self) -> None:
        self.story.narrator.scene(
            "A small sum between strangers",
            "Alice and Mallory share no key of their own. For small change the key that all SIMs "
            "share will do: eight digits each way.",
        )
        _, charged = self.story.step("Mallory", "charge", ALICE, "2.00")
        self.story.narrator.says("Mallory", f"asks 2.00 with      {charged['digits']}")
        _, paid = self.story.step("Alice", "pay", MALLORY, "2.00", charged["digits"], typed=_PIN)
        self.story.narrator.says("Alice", f"answers             {paid['digits']}")
        code, taken = self.story.step("Mallory", "accept", ALICE, "2.00", paid["digits"])
        self.story.narrator.says("Mallory", f"{taken['status']}: {taken['balance']} in the purse")
        self.story.prove("8 + 8 digits pay small sums without a key", code == 0)

    def _compare_receipts(self) -> None:
        _, one = self.story.step("Alice", "receipt", BOB)
        _, other = self.story.step("Bob", "receipt", ALICE)
        self.story.narrator.says("both", f"show the receipt {one['receipt']}: it worked")
        self.story.prove("both see by 4 digits that it worked", one["receipt"] == other["receipt"])


def _digits(code: str) -> int:
    return len(code.replace(" ", ""))

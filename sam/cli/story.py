"""The demo's story, scene by scene: what is done, what must come out, what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from attrs import define, field

from dtns.sam.cli.cast import ALICE, BOB, GOOD_NETWORK, MALLORY, PURSE, WAIT, Narrator, with_a_slip
from dtns.sam.cli.moneystory import Payments
from dtns.sam.cli.stage import Stage

_SLOW_NETWORK: Final = ("--delay", "0.4", "--duplication", "1")


@define
class Story:
    """Plays the scenes on a stage and keeps the record: events, and claims with their proofs."""

    stage: Stage
    narrator: Narrator
    events: list[dict[str, Any]] = field(factory=list)
    proved: dict[str, bool] = field(factory=dict)
    _sims: dict[str, Path] = field(factory=dict)
    _first_ticket: str = ""

    def play(self) -> None:
        """Play the whole story."""
        for scene in (self._cast, self._ask, self._answer, self._hand_over, self._slip):
            scene()
        for scene in (self._confirm, self._cheat, self._renew, Payments(self).play, self._replay):
            scene()

    def _cast(self) -> None:
        self.narrator.scene(
            "Sam, a network and phones",
            "Five programs that talk over sockets. Sam shares one long-term key with each SIM; "
            "the phones share none with each other.",
        )
        self.stage.start_network(*_SLOW_NETWORK)
        self.stage.start_sam()
        parties = {"Alice": ALICE, "Bob": BOB, "Mallory": MALLORY}
        self._sims = dict(zip(parties, self.stage.enrol(*parties.values()), strict=True))
        for name, number in parties.items():
            self.narrator.says(name, f"has the SIM of {number}")

    def _ask(self) -> None:
        self.narrator.scene(
            "Alice has signal for a moment",
            "She asks Sam by SMS for a key with Bob, and is out of range before he can answer. "
            "This network is slow, and delivers everything twice.",
        )
        code, facts = self.step("Alice", "ask", BOB)
        self.narrator.says("Alice", f"asks: request {facts['counter']} is on its way")
        self.prove("a phone asks and need not wait", code == 0 and facts["status"] == "asked")

    def _answer(self) -> None:
        self.narrator.scene(
            "Later, the answer comes, and comes again",
            "Sam saw the request twice and gave the same answer, octet for octet. "
            "The phone keeps one key.",
        )
        _, first = self.step("Alice", "answers", *WAIT)
        _, second = self.step("Alice", "answers", "--wait", "0.8")
        outcomes = [answer["status"] for answer in first["answers"] + second["answers"]]
        self.narrator.says("Alice", f"received {len(outcomes)} copies: {', '.join(outcomes)}")
        once = outcomes.count("answered") == 1 and len(outcomes) > 1
        self.prove("late and repeated answers give one key", once)

    def _hand_over(self) -> None:
        self.stage.stop_network()
        self.narrator.scene(
            "Alice and Bob meet where there is no signal",
            "The network is gone; so is the road to Sam. Alice's phone shows 20 digits. They carry "
            "no key: from them Bob's SIM works out the same 128 bits.",
        )
        code, facts = self.step("Bob", "answers")
        self.narrator.says("Bob", "no signal" if code else "has signal?")
        self.prove("no network from here on", facts["reason"] == "no-signal")
        _, ticket = self.step("Alice", "ticket", BOB)
        self.narrator.says("Alice", f"reads out  {ticket['digits']}")
        self.events[-1]["ticket"] = ticket["digits"]

    def _slip(self) -> None:
        digits = self._ticket
        slipped = with_a_slip(digits)
        self.narrator.scene(
            "Bob mistypes one digit",
            "The code is not taken, but nobody starts all over: one more group tells which digit "
            "it was. A repair counts only if the ticket's tag agrees.",
        )
        code, facts = self.step("Bob", "enter", ALICE, slipped)
        self.narrator.says("Bob", f"types      {slipped}")
        self.narrator.says("phone", str(facts.get("message", facts["status"])))
        self.prove("a wrong digit is noticed", code == 1 and facts["kcv"] is None)
        _, longer = self.step("Alice", "ticket", BOB, "--parity", "1")
        group = longer["digits"].split()[-1]
        self.narrator.says("Alice", f"reads out  one more group: {group}")
        _, facts = self.step("Bob", "enter", ALICE, slipped, group)
        repaired = ", ".join(map(str, facts["groups_repaired"]))
        self.narrator.says("phone", f"{facts['status']} group {repaired}: the ticket is good")
        self.prove("one more group repairs it", facts["status"] == "repaired")
        _, facts = self.step("Bob", "enter", ALICE, digits)
        self.narrator.says("Bob", f"types      {digits}  right this time: {facts['status']}")
        _, keys = self.step("Alice", "keys")
        check = keys["keys"][-1]["kcv"]
        self.narrator.says("both", f"hold a key with check value {check} and {facts['kcv']}")
        self.prove("20 digits give both the same 128-bit key", check == facts["kcv"])

    def _confirm(self) -> None:
        self.narrator.scene(
            "Each makes sure of the other",
            "Eight digits there, eight back, both made with the new key.",
        )
        self.prove("8 + 8 digits prove each to the other", self._confirmed())

    def _cheat(self) -> None:
        self.narrator.scene(
            "Mallory listened",
            "She types the ticket she overheard into her own phone; then she tells Bob that it is "
            "hers.",
        )
        digits = self._ticket
        _, own = self.step("Mallory", "enter", ALICE, digits)
        self.narrator.says("Mallory", f"types      {digits}  it does not verify")
        self.prove("an overheard ticket is of no use", own["status"] != "accepted")
        _, lie = self.step("Bob", "enter", MALLORY, digits)
        self.narrator.says("Bob", f"types      {digits}  as Mallory's: it does not verify")
        self.prove("a ticket is bound to who asked for it", lie["status"] != "accepted")

    def _renew(self) -> None:
        self.narrator.scene(
            "Weeks later Alice gets a second key, and money",
            "The network is back for a moment. An authenticated SMS of Sam's fills her purse; "
            "another brings a key that Bob has never heard of.",
        )
        self._first_ticket = self._ticket
        self.stage.start_network(*GOOD_NETWORK)
        self.stage.load(ALICE, PURSE)
        _, facts = self.step("Alice", "ask", BOB, *WAIT)
        self.stage.stop_network()
        _, purse = self.step("Alice", "balance")
        money = f"{purse['currency']} {purse['balance']}"
        self.narrator.says("Alice", f"has key {facts.get('n')} and {money}, again without signal")
        self.prove("money comes by an authenticated SMS", purse["balance"] == PURSE)

    def _replay(self) -> None:
        self.narrator.scene(
            "Somebody replays the old ticket",
            "It is genuine. In the textbook's protocol it would be good for ever; here the newer "
            "key has ended it, since a payment was made with that.",
        )
        _, facts = self.step("Bob", "enter", ALICE, self._first_ticket)
        self.narrator.says("phone", str(facts["message"]))
        self.prove("an old ticket is dead", facts["reason"] == "superseded")

    def _confirmed(self) -> bool:
        _, challenge = self.step("Bob", "challenge", ALICE)
        self.narrator.says("Bob", f"reads out  {challenge['digits']}")
        _, response = self.step("Alice", "respond", BOB, challenge["digits"])
        self.narrator.says("Alice", f"answers    {response['digits']}")
        code, facts = self.step("Bob", "check", ALICE, response["digits"])
        self.narrator.says("Bob", f"{facts['status']}: it is {ALICE}")
        return code == 0 and facts["status"] == "accepted"

    @property
    def _ticket(self) -> str:
        digits: str = next(e["ticket"] for e in reversed(self.events) if "ticket" in e)
        return digits

    def step(self, who: str, *step: str, typed: str = "") -> tuple[int, dict[str, Any]]:
        """Take a step on somebody's phone, and keep it on record."""
        code, facts = self.stage.phone(self._sims[who], *step, typed=typed)
        self.events.append({"who": who, "step": list(step), "exit": code, "result": facts})
        return code, facts

    def prove(self, claim: str, holds: bool) -> None:  # noqa: FBT001 (the claim reads as a sentence)
        """Keep a claim and whether it held."""
        self.proved[claim] = holds

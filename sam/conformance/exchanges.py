"""Whole exchanges of a program with a real Sam and a phone of ours, attacks included.

Each plays on two phones, A and B, of which one is the program's and the other ours, and then the
other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from attrs import define, field

from dtns.sam.conformance.findings import Findings
from dtns.sam.conformance.player import Line, Player
from dtns.sam.conformance.program import Device, Program, ProgramError
from dtns.sam.conformance.sam import Sam
from dtns.sam.errors import SamError
from dtns.sam.protocol.session import Direction

NUMBERS: Final = {"A": "254700000001", "B": "254700000002", "C": "254700000003"}
PIN: Final = "1978"
MONEY: Final = 100_000
_KEY: Final = {
    "limit_class": 16,
    "direction": Direction.ASKER_PAYS.value,
    "form": 1,
    "life": 0,
    "nonce": None,
}
_UNPAID: Final = {"mode": None, "digits": None, "second": False}


class StoppedError(SamError):
    """A step came out otherwise: what follows it in the exchange would tell nothing."""


@define
class Scene:
    """Two phones and a Sam; each step is checked."""

    name: str
    sam: Sam
    devices: dict[str, Device]
    findings: Findings
    step: Line = field(factory=dict)

    def do(self, who: str, what: str, *, due: Any = None, **values: Any) -> Line:
        """Take a step on a phone; what is due is a part of what must come out."""
        self.step = {"sim": who, "do": what, **values}
        came = self.devices[who].play(self.step)
        self.expect({} if due is None else due, came)
        return came

    def expect(self, due: Any, came: Any) -> None:
        """Check what came of the step before; StoppedError if it is not what was due."""
        if not self.findings.expect(self.name, self.step, due, came):
            raise StoppedError

    def text(self, who: str, what: str, **values: Any) -> str:
        """Take a step that must bring a text for Sam."""
        return str(self._said("text", self.do(who, what, **values)))

    def digits(self, who: str, what: str, **values: Any) -> str:
        """Take a step that must bring digits to read out."""
        return str(self._said("digits", self.do(who, what, **values)))

    def _said(self, name: str, came: Line) -> Any:
        said = came.get(name)
        self.expect(f"an object with {name}", f"an object with {name}" if said else came)
        return said

    def key(self, asker: str, holder: str, **wish: Any) -> Line:
        """Let a phone ask Sam for a key and have it."""
        ask = self.text(asker, "ask", holder=NUMBERS[holder], **_KEY | wish)
        answer = self.sam.answer(ask)
        self.expect("an answer of Sam's", "an answer of Sam's" if answer else "silence")
        return self.do(asker, "receive", text=answer, due={"result": "kept"})

    def ticket(self, asker: str, holder: str, *, sealed: bool = False) -> str:
        """Return the ticket that a phone shows."""
        return self.digits(asker, "show", holder=NUMBERS[holder], sealed=sealed)

    def enter(self, holder: str, asker: str, digits: str, **due: Any) -> None:
        """Type a ticket."""
        profile = "ticket" if len(digits) <= _TICKET_DIGITS else "sealed"
        values = {"asker": NUMBERS[asker], "profile": profile, "digits": digits}
        self.do(holder, "enter", **values, due=due)

    def handed(self, asker: str, holder: str, **wish: Any) -> Line:
        """Let a phone have a key and hand it over."""
        kept = self.key(asker, holder, **wish)
        ticket = self.ticket(asker, holder)
        self.enter(holder, asker, ticket, result="taken", key=kept.get("key"), kcv=kept.get("kcv"))
        return kept

    def confirm(self, asker: str, holder: str) -> None:
        """Let both confirm the key."""
        challenge = self.digits(holder, "challenge", asker=NUMBERS[asker])
        answer = self.digits(asker, "respond", holder=NUMBERS[holder], digits=challenge)
        due = {"result": "confirmed"}
        self.do(holder, "confirm", asker=NUMBERS[asker], digits=answer, due=due)

    def load(self, who: str) -> None:
        """Put money into a purse, and set its PIN."""
        self.do(who, "receive", text=self.sam.load(NUMBERS[who], MONEY, 1))
        self.purse(who, MONEY)
        self.do(who, "pin", old=None, new=PIN, due={"result": "set"})

    def purse(self, who: str, balance: int) -> None:
        """Look into a purse."""
        self.do(who, "purse", due={"balance": balance})

    def pay(self, payer: str, payee: str, amount: int, **values: Any) -> str:
        """Pay, and return the digits."""
        wanted = {"payee": NUMBERS[payee], "amount": amount, "pin": PIN, **_UNPAID}
        return self.digits(payer, "pay", **wanted | values)

    def accept(self, payee: str, payer: str, amount: int, digits: str, result: str) -> None:
        """Take a payment code."""
        values = {"payer": NUMBERS[payer], "amount": amount, "digits": digits}
        self.do(payee, "accept", **values, due={"result": result})


_TICKET_DIGITS: Final = 20


def play(program: Program, findings: Findings) -> Iterator[str]:
    """Play every exchange both ways round, each up to its first step that comes out otherwise."""
    from dtns.sam.conformance.scenes import SCENES  # noqa: PLC0415 (they are made of this module)

    for scene in SCENES:
        for theirs in ("A", "B"):
            name = f"exchange: {scene.__doc__} The program's is {theirs}."
            _play_one(program, findings, scene, name, theirs)
            yield name


def _play_one(
    program: Program,
    findings: Findings,
    play_scene: Callable[[Scene], None],
    name: str,
    theirs: str,
) -> None:
    with Sam() as sam:
        sims = {who: sam.enrol(who, number) for who, number in NUMBERS.items()}
        own = Player([sim for who, sim in sims.items() if who != theirs])
        devices: dict[str, Device] = dict.fromkeys(sims, own)
        devices[theirs] = program
        scene = Scene(name, sam, devices, findings, {"do": "story"})
        try:
            program.begin([sims[theirs]])
            play_scene(scene)
        except StoppedError:
            return
        except ProgramError as fault:
            findings.expect(name, scene.step, "an answer", str(fault))

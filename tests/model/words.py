"""A way through a theory in words: who does what to whom, a sentence a step."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen
from sentences import REASONS, SENTENCES
from theory import Explored, Step, term

EVE = "Eve"


@frozen
class Event:
    """One thing said or done: from whom to whom (the same, where nothing is said), and what."""

    source: str
    target: str
    text: str
    short: str


@frozen
class Context:
    """A context of a key, read back from the theory's term."""

    asker: str
    holder: str
    epoch: int
    n: int
    expiry: int
    limit: int
    direction: int
    nonce: int

    @classmethod
    def of(cls, text: str) -> Context:
        """Read ctx(a # 1, b # 1, 1, 1, 2, 2, 0, 0)."""
        asker, holder, *numbers = text.removeprefix("ctx(").removesuffix(")").split(", ")
        return cls(person(asker), person(holder), *map(int, numbers))

    @property
    def payer(self) -> str:
        """Who pays on this key."""
        return self.holder if self.direction else self.asker

    @property
    def payee(self) -> str:
        """Who is paid on this key."""
        return self.asker if self.direction else self.holder

    @property
    def terms(self) -> str:
        """What it is bound to besides the two and its number."""
        pays = f", {self.holder} pays" if self.direction else ""
        nonce = ", with J" if self.nonce else ""
        return f"expiry week {self.expiry}, limit {self.limit}{pays}{nonce}"

    def __str__(self) -> str:
        epoch = f" of epoch {self.epoch}" if self.epoch > 1 else ""
        return f"key {self.n}{epoch} of {self.asker} for {self.holder}"


def person(text: str) -> str:
    """Return a person's name for `a # 1` or `a`; A2 has A's number and the next SIM."""
    name, _, generation = text.partition(" # ")
    known = EVE if name == "c" else name.upper()
    return known if generation in {"", "1"} else f"{known}{generation}"


def story(theory: str, explored: Explored) -> list[Event]:
    """Tell the way to a bad state, and in the last sentence why it is bad."""
    steps = explored.steps
    events = [_event(theory, step, last=step is steps[-1]) for step in steps]
    ending = evolve(events[-1], text=f"{events[-1].text} {because(explored.reason)}")
    return [*events[:-1], ending]


def because(reason: str) -> str:
    """Say a theory's reason in a sentence."""
    return REASONS[reason.partition("(")[0]]


def _event(theory: str, step: Step, *, last: bool) -> Event:
    fields = _fields(step)
    if theory == "SMALL":
        fields["typed"] = _typed(step, fields, last=last)
        fields["guessed"] = _guessed(step)
    return Event(*(part.format(**fields) for part in SENTENCES[theory][step.label]))


def _fields(step: Step) -> dict[str, Any]:
    """Return what the sentences may name: people, the context, and the rule's variables."""
    fields: dict[str, Any] = {name.replace("'", "_"): text for name, text in step.values.items()}
    fields |= {name: person(fields[name]) for name in "PABX" if "#" in fields.get(name, "")}
    if "C" in fields and fields["C"].startswith("ctx"):
        fields["c"] = Context.of(fields["C"])
        fields["key"] = str(fields["c"])
    if "X" in fields:
        fields["number"] = person(fields["X"])
    fields["what"] = _what(step.values, step.label)
    fields["more"] = {name: int(fields[name]) + 1 for name in ("CT", "E") if name in fields}
    fields["later"] = int(fields["W_"]) + 2 if step.label == "tell" else ""
    fields["as_other"] = _as_other(step, fields)
    fields["stays"] = "stays" if fields.get("F") == "sameEpoch" else "rises from"
    return fields


def _what(values: dict[str, str], label: str) -> str:
    """Name the payment that a step is about."""
    if label == "accept-express" or values.get("T") == "express":
        return "express code"
    if values.get("T") == "cheque":
        return f"cheque {values['I']}"
    return f"response to charge {values.get('I', values.get('CT', ''))}"


def _as_other(step: Step, fields: dict[str, Any]) -> str:
    """Tell that an answer is taken for another than it was given for."""
    astray = step.label == "receive" and fields["B"] != fields["c"].holder
    return f" as a key for {fields['B']}" if astray else ""


def _typed(step: Step, fields: dict[str, Any], *, last: bool) -> str:
    """Begin the sentence about a code that is typed in: seen before, or made by Eve."""
    values = step.values
    if step.label == "small-accept":
        who = str(fields["B"])
        code = "response({F}, {A}, {B}, {V}, {CT}, {NA})".format(**values)
    elif step.label in _TYPED:
        who = str(fields["P"] if "P" in values else fields["c"].holder)
        code = _code(values, *_TYPED[step.label])
    else:
        return ""
    if not _seen(code, values["KN"]):
        return f"Eve, who has the key, makes for {who}"
    return f"Eve replays to {who}" if last else f"{who} types"


def _guessed(step: Step) -> str:
    """Tell that a short proof, which the theory takes to be worth nothing, was guessed."""
    if step.label not in _PROVEN or _seen(
        _code(step.values, *_PROVEN[step.label]), step.values["KN"]
    ):
        return ""
    return f" (Eve guesses {'C' if step.label == 'pay-charged' else 'M4'})"


_TYPED = {
    "take": ("ticket", "0", "0"),
    "confirm": ("m5", "{CT}", "0"),
    "accept-express": ("express", "0", "{V}"),
    "accept": ("{T}", "{I}", "{V}"),
    "accept-response": ("response", "{CT}", "{V}"),
}
"""For each rule in which a code is typed in: its type, number and amount."""
_PROVEN = {"respond": ("m4", "{I}", "0"), "pay-charged": ("charge", "{I}", "{V}")}
"""The same for the short proofs."""


def _code(values: dict[str, str], type_: str, number: str, amount: str) -> str:
    """Return the term of a code under the key that a step is about."""
    key = values.get("K", "session({F}, {C})".format(**values))
    if (type_, values["F"]) == ("m5", "proofReused"):
        number = "0"
    parts = [part.format(**values) for part in (type_, number, amount)]
    return f"tag({values['F']}, {key}, {values['C']}, {', '.join(parts)})"


def _seen(code: str, known: str) -> bool:
    found = term("SMALL", f"({code}) among ({known})")
    found.reduce()
    return str(found) == "true"

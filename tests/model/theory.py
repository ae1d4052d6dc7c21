"""Run the rewrite theories beside this file: every state, the shortest way to a bad one.

A theory's states end in their history; a bad state's history has a fact `wrong(reason)`.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import maude
from attrs import field, frozen

FILES = ("terms", "judge", "phones", "payments", "small", "textbook", "digitally")
_PAYMENT = re.compile(
    r"(debit|credit|Debit|Credit)\("
    r"(?:(ctx\([^)]*\)), (\w+, \d+), (\d+)|(\w # \d), (\w # \d), (\d+), (\d+, \d+))\)"
)
_ANY = {
    "SMALL": "F:Fault | W:World | CF:Conf | KN:Know",
    "TEXTBOOK": "V:Variant | CF:Conf | KN:Known",
    "DIGITALLY": "V:Variant | CF:Conf | KN:Known",
}
"""For each theory a pattern for all of a state but its history."""
MOST_STATES = 50_000
"""A scene that grows above this is a mistake in its bounds."""


@frozen
class Step:
    """One rule applied on the way: its label, the values of its variables, the state before."""

    label: str
    values: dict[str, str]
    before: Any = field(repr=False)


@frozen
class Explored:
    """What a search saw: how many states, in how long, and the way to the first bad one if any."""

    states: int
    seconds: float
    reason: str = ""
    loss: int = -1
    """The most that forged codes credited under one key, -1 if no key was taken for exposed."""
    way: Any = field(default=None, repr=False)
    fired: frozenset[str] = frozenset()
    """The rules that led to a state of their own."""

    @property
    def steps(self) -> list[Step]:
        """The rules on the shortest way to the bad state, with what they were applied to."""
        return _steps(self.way()) if self.way else []


@cache
def module(name: str) -> Any:
    """Return the theory of this name, the files loaded once for the process."""
    _load()
    found = maude.getModule(name)
    if found is None:
        raise LookupError(f"no theory {name}: its file has a fault that Maude names above")
    return found


@cache
def _load() -> None:
    maude.init(advise=False)
    for file in FILES:
        if not maude.load(str(Path(__file__).with_name(f"{file}.maude"))):
            raise OSError(f"cannot read {file}.maude")


def term(theory: str, text: str) -> Any:
    """Parse a term of a theory.

    Raises:
        ValueError: the text is none.
    """
    parsed = module(theory).parseTerm(text)
    if parsed is None:
        raise ValueError(f"no term of {theory}: {text}")
    return parsed


def explore(
    theory: str,
    initial: str,
    *,
    looking_for: str = "",
    tick: Callable[[int], None] = lambda _: None,
) -> Explored:
    """Look at every reachable state, nearest first, until one is bad.

    *looking_for* is the one reason that counts, if not all do; *tick* hears the count of states.
    """
    start = time.perf_counter()
    states, most, fired = 0, -1, set()
    search = _search(theory, initial, "S:State")
    for solution in search:
        states += 1
        if states > 1:
            fired.add(search.getRule().getLabel())
        tick(states)
        history = str(list(solution[0].arguments())[-1])
        if (reason := wrong(history)) and looking_for in reason:
            return Explored(states, time.perf_counter() - start, reason, most, solution[2])
        if states > MOST_STATES:
            raise OverflowError(f"more than {MOST_STATES} states")
        most = max(most, loss(history))
    return Explored(states, time.perf_counter() - start, loss=most, fired=frozenset(fired))


def reach(theory: str, initial: str, *facts: str) -> Explored | None:
    """Return the shortest way to a state whose history has these facts, or None."""
    start = time.perf_counter()
    target = f"{{ {_ANY[theory]} | {' '.join(facts)} H:History }}"
    for solution in _search(theory, initial, target):
        return Explored(0, time.perf_counter() - start, way=solution[2])
    return None


def ways(theory: str, initial: str) -> list[list[Step]]:
    """Return ways that together pass every reachable state, each from the initial one."""
    paths, passed = {}, set()
    search = _search(theory, initial, "S:State")
    for solution in search:
        number = search.getStateNr()
        paths[number] = solution[2]()
        if number:
            passed.add(search.getStateParent(number))
    return [_steps(path) for number, path in paths.items() if number not in passed]


def wrong(history: str) -> str:
    """Return the first reason for which a history is bad, or nothing."""
    return history.partition("wrong(")[2].partition(")")[0]


def loss(history: str) -> int:
    """Return the most that was credited under one key and never debited; -1 if none was exposed.

    Of small payments, which have no key of their own: the most that one payee credited.
    """
    if "esidual" not in history:
        return -1
    found = [match.groups("") for match in _PAYMENT.finditer(history)]
    debits = {tuple(rest) for done, *rest in found if done.lower() == "debit"}
    lost: Counter[str] = Counter()
    for done, *rest in found:
        context, _, amount, _, payee, small, _ = rest
        if done.lower() == "credit" and tuple(rest) not in debits:
            lost[context or payee] += int(amount or small)
    return max(lost.values(), default=0)


def _search(theory: str, initial: str, target: str) -> Any:
    return term(theory, initial).search(maude.ANY_STEPS, term(theory, target))


def _steps(path: list[Any]) -> list[Step]:
    return [
        Step(rule.getLabel(), _values(before, rule.getLabel(), after), before)
        for before, rule, after in zip(path[::2], path[1::2], path[2::2], strict=False)
    ]


def _values(before: Any, label: str, after: Any) -> dict[str, str]:
    """Return the variables of the rule of this label that leads from one state to the other."""
    for result, substitution, *_ in before.apply(label):
        result.reduce()
        if result.equal(after):
            return {str(name).partition(":")[0]: str(value) for name, value in substitution}
    raise AssertionError(f"{label} does not lead there")

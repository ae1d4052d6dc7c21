"""What enrolling many parties costs, in counts that no busy machine can change."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.weeks import start_of
from dtns.sam.service.enrolling import Enrolling
from dtns.sam.service.requests import Enrol, Enrolment
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.store import Store

KEYS = MasterKeys({1: MasterKey(1, bytes(32))}, {1: "check"})
NOW = float(start_of(100))
COUNT = 200
MOST_CALLS = 90


class Office:
    """A store, and what is executed on it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.statements: list[str] = []
        store.connection.set_trace_callback(self.statements.append)
        enrolling = Enrolling(store, KEYS, lambda: NOW)
        self._enrol = enrolling.answers[Enrol]

    def enrol(self, first: int, count: int = COUNT) -> Counter[Enrolment]:
        """Enrol so many numbers at once."""
        numbers = tuple(Number(str(254700000000 + first + n)) for n in range(count))
        self.statements.clear()
        with self._store.transaction():
            enrolled = self._enrol(Enrol(numbers)).numbers
        assert [each.number for each in enrolled] == list(numbers)
        return Counter(each.status for each in enrolled)

    def reads(self) -> int:
        """Return how often parties were looked up."""
        return sum(" FROM party " in statement for statement in self.statements)


@pytest.fixture
def office(tmp_path: Path) -> Any:
    """Return an office with nobody enrolled."""
    Store.create(tmp_path / "s", NOW)
    with Store.open(tmp_path / "s") as store:
        yield Office(store)


def test_parties_are_read_at_once(office: Office) -> None:
    """One look-up tells who of all the numbers is there, and one row is written for each other."""
    assert office.enrol(0) == {Enrolment.NEW: COUNT}
    assert office.reads() == 1
    assert len(office.statements) <= COUNT + 6
    assert office.enrol(COUNT // 2) == {Enrolment.AGAIN: COUNT // 2, Enrolment.NEW: COUNT // 2}
    assert office.reads() == 1


def test_nobody_at_all_is_enrolled(office: Office) -> None:
    """An empty request is answered with nothing."""
    assert office.enrol(0, 0) == {}


def test_calls_of_an_enrolment(office: Office) -> None:
    """The calls that Python makes for a party, its own and others'."""
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    office.enrol(0)
    sys.setprofile(count)
    office.enrol(COUNT)
    sys.setprofile(None)
    assert calls / COUNT <= MOST_CALLS, calls / COUNT

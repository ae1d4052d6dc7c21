"""The operator's requests, without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dtns.sam.issuing.issuer import DAY_SECONDS, Issuer
from dtns.sam.issuing.notices import renew
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.vault import Vault
from dtns.sam.protocol.ask import Ask, Form
from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Direction, Party
from dtns.sam.protocol.weeks import start_of
from dtns.sam.protocol.wire import to_text
from dtns.sam.service.administration import Administration
from dtns.sam.service.requests import (
    MAX_BATCH,
    Enrol,
    Enrolment,
    GetStatus,
    ListIssues,
    ListParties,
    Personalisation,
    Refusal,
    Rekey,
    SetSuspended,
    ShowIssue,
    ShowParty,
)
from dtns.sam.store import registry
from dtns.sam.store.keyfile import MasterKeys
from dtns.sam.store.outbox import Times
from dtns.sam.store.store import Store

A, B, C = (Number(str(254700000000 + n)) for n in (1, 2, 3))
KEYS = MasterKeys({1: MasterKey(1, bytes(32)), 3: MasterKey(3, bytes([3] * 32))}, {1: "a", 3: "c"})
NOW = float(start_of(100))


class Office:
    """An administration over a store of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.sam = Administration(store, KEYS, lambda: self.now)
        self.issuer = Issuer(Vault(KEYS.keys, bytes), Policy())

    def enrol(self, *numbers: Number, create: bool = True) -> list[Any]:
        """Enrol and return how each stands."""
        result = self.sam.answer(Enrol(numbers, create))
        assert not isinstance(result, Refusal)
        return list(result.numbers)

    def given(self, number: Number) -> Personalisation:
        """Enrol one number and return its personalisation."""
        (enrolled,) = self.enrol(number)
        assert enrolled.personalisation is not None
        return enrolled.personalisation

    def ask(self, sim: Personalisation, counter: int, holder: Number) -> None:
        """Let a phone ask."""
        ask = Ask(
            Party(sim.number, sim.generation),
            counter,
            holder,
            limit=4,
            direction=Direction.HOLDER_PAYS,
            form=Form.DERIVED,
            life=2,
        )
        with self.store.transaction():
            text = to_text(ask.seal(sim.keys.ask))
            answer: Any = self.issuer.decide(self.store, text, "loopback", self.now)
            self.store.outbox.add("loopback", "loopback", answer, Times(self.now, 0.0, 9.0))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with nobody enrolled."""
    Store.create(tmp_path / "s", NOW)
    with Store.open(tmp_path / "s") as store:
        yield Office(store)


def test_enrolment_gives_the_keys_of_the_current_master_key(office: Office) -> None:
    """A new party is of generation 1, this epoch and the highest master key."""
    (enrolled,) = office.enrol(A)
    sim = enrolled.personalisation
    assert enrolled.status is Enrolment.NEW
    assert (sim.number, sim.generation, sim.epoch, sim.week) == (A, 1, 1, 100)
    with office.store.transaction():
        registration = office.store.registration(A)
        assert office.store.registry.master_keys() == {3: "c"}
    assert registration is not None
    assert registration.enrolment.master_id == 3
    assert sim.keys == KEYS.keys[3].party_keys(registration.enrolment)


def test_enrolment_again_repeats_until_the_party_is_heard_from(office: Office) -> None:
    """A lost SIM file can be made again; that of a SIM in use cannot."""
    first = office.given(A)
    office.given(B)
    office.now += 30 * DAY_SECONDS
    (again,) = office.enrol(A)
    assert again.status is Enrolment.AGAIN
    assert again.personalisation == first
    office.ask(first, 1, B)
    (used,) = office.enrol(A)
    assert (used.status, used.personalisation) == (Enrolment.ALREADY, None)


def test_enrolment_again_ends_with_the_first_message(office: Office) -> None:
    """A SIM that may hold money is not made twice: both would take in the same loads."""
    office.given(A)
    with office.store.transaction():
        known = office.store.registration(A)
        assert known is not None
        office.store.save(known._replace(told=1))
    (again,) = office.enrol(A)
    assert (again.status, again.personalisation) == (Enrolment.ALREADY, None)


def test_asking_who_is_enrolled_enrols_nobody(office: Office) -> None:
    """Without create, Enrol only tells."""
    (unknown,) = office.enrol(A, create=False)
    assert (unknown.status, unknown.personalisation) == (Enrolment.UNKNOWN, None)
    assert isinstance(office.sam.answer(ShowParty(A)), Refusal)


def test_a_batch_is_bounded(office: Office) -> None:
    """More than MAX_BATCH numbers are refused, none of them enrolled."""
    numbers = tuple(Number(str(254700000000 + n)) for n in range(MAX_BATCH + 1))
    assert isinstance(office.sam.answer(Enrol(numbers)), Refusal)
    parties: Any = office.sam.answer(ListParties())
    assert parties.parties == ()


def test_parties_are_listed_in_pages_by_pattern(office: Office) -> None:
    """Each party once, in order, whatever the page size; globs match digits."""
    numbers = [Number(str(n)) for n in (9990001, 254700000001, 254711000001, 254711000002)]
    office.enrol(*reversed(numbers))
    listed: list[Number] = []
    after, more = None, True
    while more:
        page: Any = office.sam.answer(ListParties(after=after, limit=1))
        listed += [party.number for party in page.parties]
        after, more = listed[-1], page.more
    assert listed == numbers
    page = office.sam.answer(ListParties("25471*"))
    assert [party.number for party in page.parties] == numbers[2:]
    page = office.sam.answer(ListParties("'; DROP TABLE party; --"))
    assert page.parties == ()


def test_suspension_lasts_until_it_is_ended(office: Office) -> None:
    """Suspend, suspend again, resume: each says how the party stands."""
    office.given(A)
    for suspended in (True, True, False):
        record: Any = office.sam.answer(SetSuspended(A, suspended))
        assert record.suspended is suspended
    assert isinstance(office.sam.answer(SetSuspended(B, True)), Refusal)


def test_rekeying_kills_the_old_sim(office: Office) -> None:
    """A generation higher, a fresh window, other keys; suspension and share stay."""
    old = office.given(A)
    office.given(B)
    office.ask(old, 40, B)
    office.sam.answer(SetSuspended(A, True))
    new: Any = office.sam.answer(Rekey(A))
    assert new.generation == 2
    assert new.keys != old.keys
    details: Any = office.sam.answer(ShowParty(A))
    assert (details.party.generation, details.party.heard) == (2, 0)
    assert details.party.suspended
    assert details.party.asks_today == 1
    assert isinstance(office.sam.answer(Rekey(C)), Refusal)


def test_generations_run_out(office: Office) -> None:
    """Beyond 65535 a number cannot be rekeyed."""
    office.given(A)
    with office.store.transaction():
        known = office.store.registration(A)
        assert known is not None
        office.store.save(known._replace(enrolment=known.enrolment._replace(generation=0xFFFF)))
    assert isinstance(office.sam.answer(Rekey(A)), Refusal)


def test_parties_are_listed_by_how_their_numbers_begin(office: Office) -> None:
    """Whatever their lengths, in pages, and by no more than the beginning."""
    numbers = [Number(text) for text in ("2547000", "25470001", "254700000001", "254800000000001")]
    for number in numbers:
        office.given(number)
    for pattern, found in (
        ("2547*", numbers[:3]),
        ("2547000", numbers[:1]),
        ("2*", numbers),
        ("25?8*", [numbers[3]]),
        ("*1", numbers[1:]),
        ("9*", []),
        ("0*", []),
        ("2" * 40, []),
    ):
        seen: list[Number] = []
        while True:
            page: Any = office.sam.answer(ListParties(pattern, seen[-1] if seen else None, 1))
            seen += [party.number for party in page.parties]
            if not page.more:
                break
        assert seen == found, pattern


def test_issues_are_listed_newest_first(office: Office) -> None:
    """Grants and refusals, with what was granted and how far the answer has come."""
    sim = office.given(A)
    office.given(B)
    office.ask(sim, 1, B)
    office.ask(sim, 2, C)
    listed: Any = office.sam.answer(ListIssues())
    refused, granted = listed.issues
    assert (refused.reason, refused.key) == ("unknown", None)
    assert (granted.reason, granted.key.n, granted.key.limit) == (None, 1, 4)
    assert (granted.key.direction, granted.key.form) == ("holder-pays", "derived")
    assert granted.key.expires_at == start_of(102)
    (delivery,) = granted.deliveries
    assert (delivery.state, delivery.attempts) == ("queued", 0)
    shown: Any = office.sam.answer(ShowIssue(granted.id))
    assert shown == granted
    assert isinstance(office.sam.answer(ShowIssue(99)), Refusal)


def test_issues_are_listed_in_pages_and_by_party(office: Office) -> None:
    """A party's issues are those that it asked for and those in which it holds."""
    a, b = office.given(A), office.given(B)
    office.given(C)
    for counter in range(1, 4):
        office.ask(a, counter, B)
        office.ask(b, counter, C)
    seen: list[int] = []
    page: Any = office.sam.answer(ListIssues(limit=4))
    while page.issues:
        seen += [issue.id for issue in page.issues]
        if page.next is None:
            break
        page = office.sam.answer(ListIssues(before=page.next, limit=4))
    assert seen == [6, 5, 4, 3, 2, 1]
    counts = {}
    for number in (A, B, C):
        page = office.sam.answer(ListIssues(party=number))
        counts[number] = len(page.issues)
    assert counts == {A: 3, B: 6, C: 3}


def test_issues_are_looked_for_a_span_at_a_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the log, one page looks at a bounded part of it and says where to go on."""
    monkeypatch.setattr(registry, "SPAN", 3)
    sim = office.given(A)
    office.given(B)
    for counter in range(1, 9):
        office.now += 10
        office.ask(sim, counter, C if counter == 2 else B)
    pages, before = [], None
    for _ in range(9):
        page: Any = office.sam.answer(ListIssues(before=before, granted=False))
        pages.append([issue.id for issue in page.issues])
        before = page.next
        if before is None:
            break
    assert pages == [[], [], [2]]
    since, until = NOW + 20, NOW + 40
    page = office.sam.answer(ListIssues(before=5, since=since, until=until, granted=True))
    assert [issue.id for issue in page.issues] == [3]


def test_status_counts(office: Office) -> None:
    """Parties, asks, keys, and the outbox by states."""
    sim = office.given(A)
    office.given(B)
    office.sam.answer(SetSuspended(B, True))
    office.ask(sim, 1, B)
    office.ask(sim, 2, A)
    status: Any = office.sam.answer(GetStatus())
    assert (status.running, status.behind, status.epoch) == (False, False, 1)
    assert (status.parties, status.suspended, status.asks, status.keys) == (2, 1, 2, 0)
    assert status.outbox["queued"] == 2
    assert status.counters == {}


def test_no_key_shows_in_a_repr(office: Office) -> None:
    """Results can be logged without harm."""
    (enrolled,) = office.enrol(A)
    told = repr(enrolled)
    assert enrolled.personalisation.keys.ask.hex() not in told
    assert "keys" not in told


def test_a_new_sim_ends_a_renewal_and_shares_no_key_with_it(office: Office) -> None:
    """The old SIM may have taken the renewal's keys, so the new SIM is a generation above them."""
    office.given(A)
    with office.store.transaction():
        known = office.store.registration(A)
        assert known is not None
        office.store.save(known._replace(told=7))
        renewal = renew(office.store, known._replace(told=7), 3)
    assert renewal is not None
    assert renewal.renewal is not None
    given: Any = office.sam.answer(Rekey(A))
    assert given.generation == 3
    assert given.keys != KEYS.keys[3].party_keys(renewal.renewal)
    with office.store.transaction():
        known = office.store.registration(A)
        assert known is not None
        assert (known.renewal, known.told, office.store.notices(A)) == (None, 7, [])

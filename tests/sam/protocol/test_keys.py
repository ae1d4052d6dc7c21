"""The key tree: every party, use and enrolment has keys of its own, and none of them shows."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.keys import Enrolment, MasterKey, PartyKeys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party
from dtns.sam.protocol.wire import Reader

OCTETS = bytes(range(32))
MASTER = MasterKey(7, OCTETS)
ALICE = Enrolment(Number("254700123456"), 1, 1, 7)
BOB = Party(Number("25670012345"), 1)
USES = ("ask", "answer", "ticket", "seal", "sync")


@given(st.from_type(Enrolment))
def test_enrolments_are_read_in_one_way(enrolment: Enrolment) -> None:
    """All four fields come back from the octets, so no two enrolments share keys."""
    reader = Reader(enrolment.octets)
    read = Enrolment(reader.number(), reader.integer(2), reader.integer(2), reader.integer(1))
    reader.end()
    assert read == enrolment


def test_every_use_has_its_own_key() -> None:
    """Five keys, no two alike in their first 16 octets; the answer key has 32."""
    keys = attrs.astuple(MASTER.party_keys(ALICE))
    assert len({key[:16] for key in keys}) == 5
    assert {use: len(getattr(MASTER.party_keys(ALICE), use)) for use in USES} == {
        "ask": 16,
        "answer": 32,
        "ticket": 16,
        "seal": 16,
        "sync": 32,
    }


@pytest.mark.parametrize("use", ["ask", "answer", "ticket", "seal"])
def test_one_key_alone_is_the_same(use: str) -> None:
    """Sam derives the one key it needs, and gets the one in the SIM file."""
    assert getattr(MASTER, f"{use}_key")(ALICE.octets) == getattr(MASTER.party_keys(ALICE), use)


@pytest.mark.parametrize(
    "other",
    [
        ALICE._replace(number=Number("254700123457")),
        ALICE._replace(generation=2),
        ALICE._replace(epoch=2),
        ALICE._replace(master_id=8),
    ],
)
def test_every_field_of_an_enrolment_counts(other: Enrolment) -> None:
    """Another number, SIM, epoch or master id has five other keys."""
    ours, theirs = MASTER.party_keys(ALICE), MASTER.party_keys(other)
    assert not set(attrs.astuple(ours)) & set(attrs.astuple(theirs))


def test_another_master_key_has_other_keys() -> None:
    """No key of a party is the same under another master key."""
    other = MasterKey(7, OCTETS[::-1]).party_keys(ALICE)
    assert not set(attrs.astuple(other)) & set(attrs.astuple(MASTER.party_keys(ALICE)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: MASTER.witness(
            ALICE._replace(number=Number("254700123457")).octets, BOB.octets, 1, 1
        ),
        lambda: MASTER.witness(ALICE._replace(generation=2).octets, BOB.octets, 1, 1),
        lambda: MASTER.witness(
            ALICE.octets, BOB._replace(number=Number("25670012346")).octets, 1, 1
        ),
        lambda: MASTER.witness(ALICE.octets, BOB._replace(generation=2).octets, 1, 1),
        lambda: MASTER.witness(ALICE.octets, BOB.octets, 2, 1),
        lambda: MASTER.witness(ALICE.octets, BOB.octets, 1, 2),
    ],
)
def test_a_witness_is_for_one_key(make: Callable[[], bytes]) -> None:
    """Another asker, holder, SIM of either, epoch or n has another witness of six octets."""
    ours = MASTER.witness(ALICE.octets, BOB.octets, 1, 1)
    assert len(ours) == 6
    assert make() != ours


@pytest.mark.parametrize(
    ("master_id", "octets"), [(0, OCTETS), (256, OCTETS), (1, OCTETS[:31]), (1, OCTETS + b"\0")]
)
def test_a_master_key_is_32_octets_with_an_id(master_id: int, octets: bytes) -> None:
    """Ids are 1 to 255, and no other length is taken; the error does not show the octets."""
    with pytest.raises(ValueError, match="master key") as raised:
        MasterKey(master_id, octets)
    assert octets.hex() not in str(raised.value)


def test_no_key_shows() -> None:
    """Neither the master key nor a party's keys are in any repr."""
    keys = MASTER.party_keys(ALICE)
    shown = f"{MASTER!r} {MASTER} {keys!r} {keys} {vars(PartyKeys)}"
    for octets in (OCTETS, *attrs.astuple(keys)):
        assert octets.hex() not in shown
        assert bytes.__repr__(octets)[2:-1] not in shown

"""The card in a file: whole, its SIM's own, and one phone's at a time."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtns.sam.errors import SimFileError
from dtns.sam.handset.card import fresh_state, open_card
from dtns.sam.handset.documents import CONVERTER, write_document
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.simfile import SimFile, write_sim_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from world import World


@pytest.fixture
def sim(alice: Handset) -> SimFile:
    """Alice's SIM."""
    return alice.sim


@pytest.fixture
def sim_path(tmp_path: Path, sim: SimFile) -> Path:
    """Alice's SIM in a file."""
    write_sim_file(tmp_path / "alice.sim", sim)
    return tmp_path / "alice.sim"


def test_a_new_sim_has_its_first_state(sim_path: Path, sim: SimFile) -> None:
    """Without a state file the state is that of the enrolment, and looking at it writes nothing."""
    with open_card(sim_path, sim) as card:
        assert card.state == fresh_state(sim)
        card.keep(card.state)
    assert [path.name for path in sim_path.parent.iterdir()] == ["alice.sim"]


def test_a_state_with_everything_in_it_comes_back(
    world: World, sim_path: Path, sim: SimFile, alice: Handset, bob: Handset
) -> None:
    """The state of a phone in the middle of its life is read as it was written."""
    world.hand_over(alice, bob, nonce=5)
    world.hand_over(bob, alice)
    world.ask(alice, bob, limit=3)
    alice.nonce(bob.sim.number)
    with open_card(sim_path, sim) as card:
        card.keep(alice.card.state)
    with open_card(sim_path, sim) as card:
        assert card.state == alice.card.state
        restored = Handset(sim, card, bytes)
        assert restored.waiting() == alice.waiting()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_state_comes_back(
    data: st.DataObject, states: Callable[..., st.SearchStrategy], sim_path: Path, sim: SimFile
) -> None:
    """Whatever a state holds is read as it was written, and the file is the owner's alone."""
    state = data.draw(states(sim.party))
    with open_card(sim_path, sim) as card:
        card.keep(state)
    with open_card(sim_path, sim) as card:
        assert card.state == state
        assert type(card.state.peers) is dict
    path = sim_path.with_name("alice.sim.state")
    assert not path.exists() or path.stat().st_mode & 0o777 == 0o600


def test_the_state_of_another_sim_is_refused(
    sim_path: Path, sim: SimFile, world: World, alice: Handset
) -> None:
    """A state file that belongs to another party, or to an older SIM of it, is not used."""
    with open_card(sim_path, sim) as card:
        card.keep(evolve(card.state, counter=1))
    renewed = world.renewed(alice).sim
    with pytest.raises(SimFileError, match="another SIM"), open_card(sim_path, renewed):
        pass


def test_a_damaged_state_is_refused(sim_path: Path, sim: SimFile) -> None:
    """A damaged state is never taken for a new SIM's: it would forget marks and counters."""
    state = sim_path.with_name("alice.sim.state")
    for content in (b"", b"{}", b"\0" * 100):
        state.write_bytes(content)
        state.chmod(0o600)
        with pytest.raises(SimFileError, match="damaged"), open_card(sim_path, sim):
            pass


def test_a_state_of_an_unknown_form_is_refused(sim_path: Path, sim: SimFile) -> None:
    """A whole state file with fields that this version does not know is not half understood."""
    content = CONVERTER.unstructure(fresh_state(sim))
    state = sim_path.with_name("alice.sim.state")
    for wrong in (
        content | {"purse": 5},
        {key: value for key, value in content.items() if key != "counter"} | {"counter": "x"},
        content | {"party": None},
        content | {"peers": []},
        content | {"asks": 7},
    ):
        write_document(state, "dtns SIM state 1", wrong)
        with pytest.raises(SimFileError, match="this version"), open_card(sim_path, sim):
            pass


def test_a_state_that_others_may_read_is_refused(sim_path: Path, sim: SimFile) -> None:
    """The state holds keys and is as private as the SIM file."""
    with open_card(sim_path, sim) as card:
        card.keep(evolve(card.state, counter=1))
    sim_path.with_name("alice.sim.state").chmod(0o644)
    with pytest.raises(SimFileError, match="chmod 600"), open_card(sim_path, sim):
        pass


def test_a_state_that_cannot_be_kept_does_not_stand(sim_path: Path, sim: SimFile) -> None:
    """After a keep that failed the phone goes on from the old state, not from one never written."""
    with open_card(sim_path, sim) as card:
        sim_path.with_name("alice.sim.state.new").mkdir()
        with pytest.raises(SimFileError, match="cannot write"):
            card.keep(evolve(card.state, counter=1))
        assert card.state == fresh_state(sim)


def _count_up(sim_path: Path, sim: SimFile, times: int) -> None:
    for _ in range(times):
        with open_card(sim_path, sim) as card:
            card.keep(evolve(card.state, counter=card.state.counter + 1))


def test_processes_take_turns(sim_path: Path, sim: SimFile) -> None:
    """Several phones on one SIM file lose none of each other's changes."""
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            try:
                _count_up(sim_path, sim, 15)
            except BaseException:  # noqa: BLE001 (a child never returns into the test)
                os._exit(1)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    with open_card(sim_path, sim) as card:
        assert card.state.counter == 60


def test_a_card_is_one_process_at_a_time(sim_path: Path, sim: SimFile) -> None:
    """Who opens a card that another process holds waits until it is let go."""
    ready_read, ready_write = os.pipe()
    child = os.fork()
    if child == 0:
        with open_card(sim_path, sim) as card:
            os.write(ready_write, b"x")
            time.sleep(0.3)
            card.keep(evolve(card.state, counter=7))
        os._exit(0)
    os.read(ready_read, 1)
    started = time.monotonic()
    with open_card(sim_path, sim) as card:
        assert card.state.counter == 7
        assert time.monotonic() - started > 0.2
    os.waitpid(child, 0)
    os.close(ready_read)
    os.close(ready_write)


@pytest.mark.slow
def test_a_card_in_use_is_told_after_a_while(sim_path: Path, sim: SimFile) -> None:
    """A card that is never let go is a message after ten seconds, not a hang."""
    with open_card(sim_path, sim):
        started = time.monotonic()
        with pytest.raises(SimFileError, match="in use by another phone"), open_card(sim_path, sim):
            pass
        assert time.monotonic() - started < 15


def test_a_killed_phone_loses_nothing_it_said(sim_path: Path, sim: SimFile) -> None:
    """However a process is killed, the state afterwards is whole and no older than it had said.

    The child says each count only once it is kept; the lock goes with the process.
    """
    dice = random.Random(7)
    for _ in range(6):
        said_read, said_write = os.pipe()
        child = os.fork()
        if child == 0:
            while True:
                with open_card(sim_path, sim) as card:
                    counter = card.state.counter + 1
                    card.keep(evolve(card.state, counter=counter))
                os.write(said_write, counter.to_bytes(4))
        os.close(said_write)
        os.read(said_read, 4)
        time.sleep(dice.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        said = b"".join(iter(lambda end=said_read: os.read(end, 4096), b""))
        os.close(said_read)
        last = int.from_bytes(said[-4:]) if said else 0
        with open_card(sim_path, sim) as card:
            assert card.state.counter in (last, last + 1) or not said

"""`dtns phone` as scripts see it: exit codes, one JSON object, messages for people."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from deployment import DTNS, dtns, told

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.handset.card import open_card
from dtns.sam.handset.simfile import write_sim_file

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

    from dtns.sam.handset.handset import Handset

DONE, REFUSED, USAGE, STORE, TEMPORARY, FOR_GOOD, INTERRUPTED = 0, 1, 2, 4, 5, 6, 130
NOBODY = "+254799999999"


def _write(folder: Path, phone: Handset, name: str) -> Path:
    """Write a phone as it is now into a SIM file and the state beside it."""
    path = folder / f"{name}.sim"
    sim = evolve(phone.sim, network=f"unix:{folder}/network.sock")
    write_sim_file(path, sim)
    with open_card(path, sim) as card:
        card.keep(phone.card.state)
    return path


@pytest.fixture
def pair(tmp_path: Path, world: World, alice: Handset, bob: Handset) -> tuple[Path, Path]:
    """The SIM files of Alice, who has a key with Bob, and of Bob, who does not know it yet."""
    world.key(alice, bob, life=52)
    return _write(tmp_path, alice, "alice"), _write(tmp_path, bob, "bob")


@pytest.fixture
def sim(tmp_path: Path, alice: Handset) -> Path:
    """The SIM file of a phone that has never been used."""
    path = tmp_path / "alice.sim"
    write_sim_file(path, evolve(alice.sim, network=f"unix:{tmp_path}/network.sock"))
    return path


def _phone(sim: Path, *arguments: str, code: int = DONE) -> dict[str, Any]:
    """Do one step with --json; return its one object, the exit code being as expected."""
    done = dtns("phone", str(sim), "--json", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return told(done)


def test_a_key_goes_from_hand_to_hand(
    pair: tuple[Path, Path], world: World, alice: Handset, bob: Handset
) -> None:
    """Ticket, slip, repair, challenge, response, check: each step is one object and one code."""
    a, b = pair
    numbers = [f"+{phone.sim.number}" for phone in (alice, bob)]
    digits = _phone(a, "ticket", numbers[1])["digits"]
    assert digits == world.ticket(alice, bob)
    slip = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    refused = _phone(b, "enter", numbers[0], slip, code=REFUSED)
    assert (refused["status"], refused["kcv"]) == ("more", None)
    assert "one more group" in refused["message"]
    longer = _phone(a, "ticket", numbers[1], "--parity", "1")["digits"].split()
    repaired = _phone(b, "enter", numbers[0], *slip.split(), longer[-1])
    assert repaired["status"] == "repaired"
    assert repaired["groups_repaired"] == [5]
    accepted = _phone(b, "enter", numbers[0], digits)
    assert accepted["status"] == "accepted"
    challenge = _phone(b, "challenge", numbers[0])["digits"]
    response = _phone(a, "respond", numbers[1], challenge)["digits"]
    checked = _phone(b, "check", numbers[0], *response.split())
    assert checked["status"] == "accepted"
    rows = [_phone(path, "keys")["keys"] for path in pair]
    assert [row["role"] for [row] in rows] == ["asked", "held"]
    assert rows[0][0]["kcv"] == rows[1][0]["kcv"] == accepted["kcv"] == repaired["kcv"]
    for [row], other in zip(rows, reversed(numbers), strict=True):
        assert (row["peer"], row["n"], row["confirmed"]) == (other, 1, True)
        assert {"expiry", "limit"} <= set(row)
    assert _phone(b, "check", numbers[0], response, code=REFUSED)["reason"] == "no-challenge"


def test_no_step_prints_a_key(pair: tuple[Path, Path], alice: Handset, bob: Handset) -> None:
    """Neither stdout nor stderr ever holds a session key or a key of the SIM."""
    a, _ = pair
    session = alice.card.state.asked[bob.sim.number][0].session
    secrets = [session.hex(), alice.sim.keys.ask.hex(), alice.sim.keys.answer.hex()]
    for step in (["keys"], ["ticket", f"+{bob.sim.number}"], ["ask", f"+{bob.sim.number}"]):
        done = dtns("phone", str(a), "--json", *step)
        assert not any(secret in done.stdout + done.stderr for secret in secrets)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ticket", NOBODY], "no-key"),
        (["challenge", NOBODY], "no-key"),
        (["respond", NOBODY, show(encode(PROFILES["request"], 1))], "no-key"),
        (["check", NOBODY, show(encode(PROFILES["confirm"], 1))], "no-challenge"),
        (["enter", NOBODY, "12"], "length"),
        (["enter", NOBODY], "empty"),
        (["enter", "+254700000001", "1111 2222 3333 4444 5555"], "self"),
        (["ask", "+254700000001"], "self"),
    ],
)
def test_what_is_refused_is_exit_1(sim: Path, arguments: list[str], reason: str) -> None:
    """An expected negative is exit code 1, with a stable reason and a sentence for people."""
    facts = _phone(sim, *arguments, code=REFUSED)
    assert facts["reason"] == reason
    done = dtns("phone", str(sim), *arguments)
    assert done.returncode == REFUSED
    assert done.stdout.strip()
    assert not done.stdout.startswith("{")


@pytest.mark.parametrize(
    "arguments",
    [
        ["ticket", "0712345678"],
        ["ticket", "+12"],
        ["ticket", "+0123456789"],
        ["ticket", "+12345678901234567"],
        ["ask", "nobody"],
        ["ask", NOBODY, "--limit", "32"],
        ["ask", NOBODY, "--life", "-1"],
        ["ask", NOBODY, "--nonce", "1234"],
        ["ask", NOBODY, "--wait", "-1"],
        ["ticket", NOBODY, "--parity", "4"],
        ["ticket"],
        ["dance"],
        ["keys", "--colour"],
        [],
    ],
)
def test_wrong_usage_is_exit_2(sim: Path, arguments: list[str]) -> None:
    """What cannot be meant is exit code 2, with a message, and one object where JSON was asked."""
    facts = _phone(sim, *arguments, code=USAGE)
    assert facts["status"] == "error"
    assert facts["message"]


def test_a_number_without_a_plus_is_explained(sim: Path) -> None:
    """The message for a national number says how to write it."""
    message = _phone(sim, "ticket", "0712345678", code=USAGE)["message"]
    assert "+254712345678" in message


def test_options_stand_where_one_likes(sim: Path) -> None:
    """--json is understood before the SIM file, after it, and after the command."""
    for arguments in (
        ["--json", str(sim), "keys"],
        [str(sim), "--json", "keys"],
        [str(sim), "keys", "--json"],
        ["--network", "unix:/x", "--json", str(sim), "keys"],
        [str(sim), "--network", "unix:/x", "keys", "--json"],
    ):
        done = dtns("phone", *arguments)
        assert (done.returncode, told(done)) == (DONE, {"keys": []}), done.stderr


def test_help_needs_no_sim() -> None:
    """`dtns phone --help` lists the steps and is exit code 0."""
    done = dtns("phone", "--help")
    assert done.returncode == DONE
    for step in ("ask", "answers", "ticket", "enter", "challenge", "respond", "check", "keys"):
        assert step in done.stdout


def test_a_missing_sim_file_is_exit_4(tmp_path: Path) -> None:
    """The message tells which command writes SIM files."""
    facts = _phone(tmp_path / "nobody.sim", "keys", code=STORE)
    assert "dtns enrol" in facts["message"]


def test_a_damaged_sim_file_is_exit_4(sim: Path) -> None:
    """A SIM file with one octet changed, cut short, or replaced by a folder is told as that."""
    whole = sim.read_bytes()
    place = whole.index(b":1,", whole.index(b'"generation"')) + 1
    for content in (whole[:place] + b"2" + whole[place + 1 :], whole[:40], b""):
        sim.write_bytes(content)
        assert "damaged" in _phone(sim, "keys", code=STORE)["message"]
    sim.unlink()
    sim.mkdir()
    assert "directory" in _phone(sim, "keys", code=STORE)["message"].lower()


def test_a_sim_file_for_all_to_read_is_exit_4(sim: Path) -> None:
    """The message says what to do, and without JSON it stands on stderr alone."""
    sim.chmod(0o644)
    assert "chmod 600" in _phone(sim, "keys", code=STORE)["message"]
    done = dtns("phone", str(sim), "keys")
    assert (done.returncode, done.stdout) == (STORE, "")
    assert "chmod 600" in done.stderr


def test_a_damaged_state_is_exit_4(pair: tuple[Path, Path]) -> None:
    """A damaged or readable state is refused, and not begun anew."""
    state = pair[0].with_name("alice.sim.state")
    state.chmod(0o644)
    assert "chmod 600" in _phone(pair[0], "keys", code=STORE)["message"]
    state.chmod(0o600)
    state.write_bytes(state.read_bytes()[:-30])
    assert "damaged" in _phone(pair[0], "keys", code=STORE)["message"]
    assert len(state.read_bytes()) > 100


def test_an_ask_without_signal_is_kept(sim: Path) -> None:
    """Without a network an ask is exit code 5, is kept, and is the same ask the next time."""
    first = _phone(sim, "ask", NOBODY, code=TEMPORARY)
    assert (first["status"], first["reason"], first["counter"]) == ("asked", "no-signal", 1)
    assert first["message"]
    assert _phone(sim, "ask", NOBODY, code=TEMPORARY)["counter"] == 1
    assert _phone(sim, "ask", NOBODY, "--new", code=TEMPORARY)["counter"] == 2
    facts = _phone(sim, "answers", "--wait", "5", code=TEMPORARY)
    assert (facts["status"], facts["reason"], facts["answers"]) == ("unsent", "no-signal", [])


def test_a_network_address_that_is_none_is_exit_6(sim: Path) -> None:
    """An address that can never be reached is exit code 6 and tells how to write one."""
    for step in (["ask", NOBODY], ["answers"]):
        facts = _phone(sim, "--network", "carrier-pigeon", *step, code=FOR_GOOD)
        assert facts["status"] == "error"
        assert "unix:PATH" in facts["message"]


def test_the_interactive_phone_has_no_json(sim: Path) -> None:
    """Without a step --json is a misuse; without both the phone shows its menu and goes off."""
    assert "--json" in _phone(sim, code=USAGE)["message"]
    done = dtns("phone", str(sim), stdin="0\n")
    assert done.returncode == DONE
    assert "[no signal]" in done.stdout
    assert dtns("phone", str(sim), stdin="").returncode in (DONE, INTERRUPTED)


def test_a_nonce_goes_into_an_ask(sim: Path) -> None:
    """A nonce is eight digits, which an ask takes, and can be taken back once."""
    digits = _phone(sim, "nonce", NOBODY)["digits"]
    assert len(digits.replace(" ", "")) == 8
    assert _phone(sim, "ask", NOBODY, "--nonce", digits, code=TEMPORARY)["counter"] == 1
    assert _phone(sim, "nonce", NOBODY, "--forget")["status"] == "forgotten"
    assert _phone(sim, "nonce", NOBODY, "--forget")["status"] == "none"


def test_an_interrupt_is_exit_130(sim: Path) -> None:
    """Ctrl-C while the network does not answer is exit code 130, and the ask is kept."""
    with socket.socket(socket.AF_UNIX) as network:
        network.bind(str(sim.with_name("network.sock")))
        network.listen()
        process = subprocess.Popen(
            [*DTNS, "phone", str(sim), "ask", NOBODY, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        connection, _ = network.accept()
        connection.recv(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        connection.close()
    assert process.returncode == INTERRUPTED
    assert b"Traceback" not in err
    assert out == b"" or json.loads(out)
    sim.with_name("network.sock").unlink()
    assert _phone(sim, "ask", NOBODY, code=TEMPORARY)["counter"] == 1


def test_steps_can_be_taken_from_standard_input(sim: Path) -> None:
    """Each line is a step; faults of one are told and the next is taken."""
    steps = "keys\nfly\nask 0712\nticket +254712000009\nkeys\n"
    done = dtns("phone", str(sim), "run", stdin=steps)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [line["exit"] for line in lines] == [0, 2, 2, 1, 0]
    assert lines[0]["result"] == lines[4]["result"] == {"keys": []}

"""Money by commands: purses, payments and PINs on the phone, loads and the ledger at Sam's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from deployment import deploy, dtns, told
from terminals import Terminal
from world import PIN

from dtns.sam.handset.card import open_card
from dtns.sam.handset.simfile import read_sim_file, write_sim_file

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

    from dtns.sam.handset.handset import Handset

A, B = "+254712000001", "+254712000002"
ALICE, BOB = "+254700000001", "+254700000002"
DONE, REFUSED, USAGE = 0, 1, 2


def _step(sim: Path, *arguments: str, stdin: str = "", code: int = DONE) -> dict[str, Any]:
    """Do one step with --json; return its one object, the exit code being as expected."""
    done = dtns("phone", str(sim), "--json", *arguments, stdin=stdin)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return told(done)


@pytest.fixture
def pair(tmp_path: Path, world: World, alice: Handset, bob: Handset) -> tuple[Path, Path]:
    """SIM files of Alice, who has KES 100.00, a PIN and a key with Bob, and of Bob; no network."""
    world.load(alice, 10_000)
    world.hand_over(alice, bob)
    paths = []
    for name, phone in (("alice", alice), ("bob", bob)):
        path = tmp_path / f"{name}.sim"
        sim = evolve(phone.sim, network=f"unix:{tmp_path}/nowhere.sock")
        write_sim_file(path, sim)
        with open_card(path, sim) as card:
            card.keep(phone.card.state)
        paths.append(path)
    return paths[0], paths[1]


@pytest.mark.timeout(120)
def test_money_from_the_operator_to_the_ledger(tmp_path: Path) -> None:
    """Loaded, paid, taken, compared, uploaded and checked, all by commands on a running Sam."""
    deployment = deploy(tmp_path / "d")
    alice, bob = deployment.enrol(A, B)
    where = ("-c", str(deployment.config), "--json")
    with deployment.sam():
        loaded = told(dtns("ledger", "load", A, "250.00", *where))
        assert (loaded["status"], loaded["minor"], loaded["at_once"]) == ("done", 25_000, True)
        _step(alice, "ask", B, "--wait", "20")
        _step(alice, "answers", "--wait", "5")
        assert _step(alice, "balance")["balance"] == "250.00"
        paid = _step(alice, "pay", B, "4.50", stdin="2486\n")
        assert (paid["status"], paid["mode"], paid["balance"]) == ("paid", "express", "245.50")
        again = _step(alice, "pay", B, "4,5", stdin="2486\nn\n")
        assert (again["status"], again["digits"]) == ("again", paid["digits"])
        taken = _step(bob, "accept", A, "4.50", *paid["digits"].split())
        assert (taken["status"], taken["balance"]) == ("accepted", "4.50")
        assert _step(bob, "accept", A, "4.50", paid["digits"], code=REFUSED)["reason"] == "credited"
        receipts = [_step(sim, "receipt", who)["receipt"] for sim, who in ((alice, B), (bob, A))]
        assert receipts[0] == receipts[1]
        lost = _step(alice, "pay", B, "7", stdin="2486\n")
        assert (lost["mode"], lost["number"]) == ("cheque", 1)
        for sim in (alice, bob):
            _step(sim, "answers", "--wait", "3")
            assert all(row["filed"] for row in _step(sim, "log")["log"])
        ledger = told(dtns("ledger", "check", *where))
        assert (ledger["status"], ledger["agreed"], ledger["sums"]) == ("done", 1, {"KES": "4.50"})
        assert [(each["trouble"], each["open"]) for each in ledger["findings"]] == [
            ("not-credited", True)
        ]
        serial = str(ledger["findings"][0]["serial"])
        refused = dtns("ledger", "refund", A, serial, "-c", str(deployment.config))
        assert (refused.returncode, "can still be taken" in refused.stderr) == (REFUSED, True)
        for wrong in ("12", "--"):
            assert dtns("ledger", "refund", A, wrong, "-c", str(deployment.config)).returncode in (
                REFUSED,
                USAGE,
            )
        _end_a_pin_lock(alice, *where)
    text = dtns("ledger", "check", "-c", str(deployment.config))
    assert f"{A} paid KES 7.00 to {B}" in text.stdout
    assert "Proved wrong: 0." in text.stdout
    _copy_back(alice, bob, deployment.config)


def _end_a_pin_lock(sim: Path, *where: str) -> None:
    """Lock a PIN, have Sam end the lock, and then have it forgotten."""
    for expected in ("wrong-pin", "wrong-pin", "pin-locked"):
        refused = _step(sim, "pay", B, "1", stdin="0000\n", code=REFUSED)
        assert refused["reason"] == expected
    assert refused["lock"] == 1
    assert told(dtns("party", "unlock", A, "1", "--pin", *where))["at_once"]
    _step(sim, "answers", "--wait", "5")
    assert _step(sim, "pay", B, "1", stdin="2486\n")["status"] == "paid"
    for _ in range(3):
        _step(sim, "pin", stdin="0000\n1111\n", code=REFUSED)
    told(dtns("party", "unlock", A, "2", "--forget-pin", *where))
    _step(sim, "answers", "--wait", "5")
    assert _step(sim, "pin", stdin="7531\n")["status"] == "set"


def _copy_back(alice: Path, bob: Path, config: Path) -> None:
    """Tamper with a purse and have the ledger prove it, with exit code 1."""
    sim = read_sim_file(alice)
    with open_card(alice, sim) as card:
        purse = card.state.purse
        log = tuple(evolve(t, entry=evolve(t.entry, amount=t.entry.amount + 1)) for t in purse.log)
        fallen = evolve(purse, log=log).filed_up_to(log[0].serial - 1)
        card.keep(evolve(card.state, purse=fallen))
    assert bob.exists()
    deployment = config.parent
    from deployment import Deployment  # noqa: PLC0415

    with Deployment(deployment).sam():
        _step(alice, "answers", "--wait", "3")
        found = dtns("ledger", "check", "-c", str(config), "--json")
    assert found.returncode == REFUSED
    assert "copied-purse" in {each["trouble"] for each in told(found)["findings"]}


BAD = ("0", "0.00", "-1", "4.505", "4.5.0", "'1 000'", "1e3", "'KES 4'", "''", "10000000000.01")


def test_bad_amounts(pair: tuple[Path, Path]) -> None:
    """What is no amount is a fault of usage that says what is; nothing moves, no PIN is asked."""
    alice, _ = pair
    lines = [f"pay {BOB} -- {amount}" for amount in BAD]
    lines += [f"charge {BOB} -- {BAD[0]}", f"accept {BOB} 0 1234", "balance"]
    done = dtns("phone", str(alice), "run", stdin="\n".join(lines) + "\n")
    told_ = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["exit"] for each in told_] == [USAGE] * (len(lines) - 1) + [DONE]
    assert told_[-1]["result"]["minor"] == 10_000
    assert "Traceback" not in done.stderr
    for each in told_[:-1]:
        assert "an amount is" in str(each) or "decimals" in str(each)


def test_each_mode_by_commands(pair: tuple[Path, Path]) -> None:
    """Charge, pay and accept in all modes; what the mode needs is said where it is missing."""
    alice, bob = pair
    for mode, length in (("challenge", 12), ("small", 8)):
        needed = _step(alice, "pay", BOB, "3", "--mode", mode, stdin=f"{PIN}\n", code=REFUSED)
        assert needed["reason"] == "charge-needed"
        request = _step(bob, "charge", ALICE, "3", "--mode", mode)["digits"]
        paid = _step(alice, "pay", BOB, "3", request, "--mode", mode, stdin=f"{PIN}\n")
        assert len(paid["digits"].replace(" ", "")) == length
        assert _step(bob, "accept", ALICE, "3", paid["digits"])["mode"] == mode
    refused = _step(bob, "accept", ALICE, "6", "1234", code=REFUSED)
    assert refused["status"] == "refused"
    unknown = dtns("phone", str(alice), "pay", BOB, "5", "--mode", "barter")
    assert (unknown.returncode, "express" in unknown.stderr) == (USAGE, True)
    itself = _step(alice, "pay", ALICE, "5", stdin=f"{PIN}\n", code=REFUSED)
    assert itself["reason"] == "self"


def test_the_pin_from_standard_input(pair: tuple[Path, Path]) -> None:
    """One line each: the first sets it, later ones ask the old one; none is ever printed."""
    alice, bob = pair
    for bad in ("", "123", "123456789", "12a4"):
        refused = _step(bob, "pin", stdin=f"{bad}\n", code=REFUSED)
        assert refused["reason"] == "malformed"
    assert _step(bob, "pin", stdin="4711\n")["status"] == "set"
    assert _step(bob, "pin", stdin="0815\n4712\n", code=REFUSED)["reason"] == "wrong-pin"
    assert _step(bob, "pin", stdin="4711\n4712\n")["status"] == "set"
    assert _step(alice, "pay", BOB, "1", stdin="", code=REFUSED)["reason"] == "wrong-pin"
    for path in (alice, bob):
        state = path.with_name(path.name + ".state").read_text()
        assert "4711" not in state.split('"log"')[0] or "verifier" in state


def test_the_pin_over_a_terminal(pair: tuple[Path, Path]) -> None:
    """Typed unseen, a new one twice; the same sum once more only on a person's word."""
    alice, bob = pair
    with Terminal("phone", str(bob), "pin") as terminal:
        terminal.answer("New PIN", "4711")
        terminal.answer("[Rr]epeat", "4711")
        assert terminal.code() == DONE
        assert "4711" not in terminal.screen
    for word, left in (("", "96"), ("n", "96"), ("y", "92")):
        with Terminal("phone", str(alice), "pay", BOB, "4") as terminal:
            terminal.answer("PIN", PIN)
            if word:
                terminal.answer("second payment", word)
            assert terminal.code() == DONE
            assert PIN not in terminal.screen
        assert _step(alice, "balance")["balance"] == f"{left}.00"


def test_money_on_the_menu(pair: tuple[Path, Path]) -> None:
    """Pay, be paid and look into the purse by the keys of the interactive phone."""
    alice, bob = pair
    with Terminal("phone", str(alice)) as payer, Terminal("phone", str(bob)) as payee:
        payer.answer("0 Off.*> ", "10")
        payer.answer("Number", BOB)
        payer.answer("Amount", "2.5o")
        payer.answer("Request code", "")
        assert "an amount is written as" in payer.answer("0 Off.*> ", "10")
        payer.answer("Number", BOB)
        payer.answer("Amount", "2.50")
        payer.answer("Request code", "")
        payer.answer("PIN", PIN)
        digits = payer.until("Paid:").split("Paid:")[0].split()
        code = " ".join(part for part in digits if part.isdigit() and len(part) == 4)
        payee.answer("0 Off.*> ", "11")
        payee.answer("Number", ALICE)
        payee.answer("Amount", "2.50")
        payee.answer("Payment code", code)
        assert "Received: KES 2.50" in payee.answer("0 Off.*> ", "12")
        assert "2.50" in payee.answer("0 Off.*> ", "0")
        assert payee.code() == DONE
        payer.answer("0 Off.*> ", "0")
        assert payer.code() == DONE


def test_receipts_and_logs_of_nothing(pair: tuple[Path, Path]) -> None:
    """Where nothing was paid there is no receipt, and the log says so."""
    _, bob = pair
    assert _step(bob, "receipt", ALICE, code=REFUSED)["reason"] == "no-payment"
    assert _step(bob, "log")["log"] == []
    assert dtns("phone", str(bob), "log").stdout == "Nothing yet.\n"
    assert _step(bob, "balance") == {"balance": "0.00", "currency": "KES", "minor": 0}


@pytest.mark.timeout(60)
def test_the_ledger_without_a_party(tmp_path: Path) -> None:
    """Numbers nobody has, sums that are none, a suspended party: refused, with a reason."""
    deployment = deploy(tmp_path / "d")
    deployment.enrol(A)
    where = ("-c", str(deployment.config))
    for arguments, code, said in (
        (("ledger", "load", B, "5"), REFUSED, "not enrolled"),
        (("ledger", "load", A, "5.001"), USAGE, "decimals"),
        (("ledger", "refund", B, "1"), REFUSED, "not enrolled"),
        (("ledger", "refund", A, "65537"), REFUSED, "no such entry"),
        (("party", "unlock", B, "1", "--forget-pin"), REFUSED, "not enrolled"),
        (("party", "suspend", A), DONE, ""),
        (("ledger", "load", A, "5"), REFUSED, "suspended"),
        (("ledger", "check"), DONE, ""),
    ):
        done = dtns(*arguments, *where)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        assert said in done.stderr
        assert "Traceback" not in done.stderr

"""The interactive phone, used over a real terminal of 20 columns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from deployment import deploy, dtns, told
from terminals import Terminal

ALICE, BOB = "+254712000001", "+254712000002"


def terminal_of(sim: Path, *step: str) -> Terminal:
    """Return a phone on a terminal of 20 columns."""
    return Terminal("phone", str(sim), *step, columns=20)


@pytest.mark.timeout(90)
def test_a_slip_is_repaired_in_the_boxes_and_a_half_typed_code_is_resumed(tmp_path: Path) -> None:
    """Boxes fill, leaving keeps them, one more group repairs the slip and shows where it was."""
    deployment = deploy(tmp_path / "d")
    alice, bob = deployment.enrol(ALICE, BOB)
    with deployment.sam():
        assert dtns("phone", str(alice), "ask", BOB, "--wait", "20").returncode == 0
    shown = told(dtns("phone", str(alice), "--json", "ticket", BOB, "--parity", "1"))["digits"]
    *groups, more = shown.split()
    wrong = f"{groups[2][:3]}{(int(groups[2][3]) + 1) % 10}"
    terminal = terminal_of(bob)
    try:
        terminal.until("0 Off.*> ")
        terminal.press("4\n")
        terminal.until("Number: ")
        terminal.press(ALICE + "\n")
        terminal.until("y/N\\]\\s*: ")
        terminal.press("n\n")
        terminal.until("____")
        terminal.press("".join(groups[:2]) + "\x1b")
        terminal.until("type on later")
        terminal.press("4\n")
        terminal.until("Number: ")
        terminal.press(ALICE + "\n")
        assert " ".join(groups[:2]) in terminal.until("____\\s+ok")
        terminal.press(wrong + groups[3] + groups[4])
        message = terminal.until("last\\s+one\\.")
        assert all(len(line) <= 20 for line in message.splitlines()[-6:])
        terminal.press(more)
        told_last = terminal.until("repair\\s+in\\s+group\\s+3")
        assert groups[2] in told_last
    finally:
        terminal.close()
    keys = told(dtns("phone", str(bob), "--json", "keys"))["keys"]
    assert [key["peer"] for key in keys] == [ALICE]


@pytest.mark.timeout(90)
def test_dialling_and_an_answer_in_boxes(tmp_path: Path) -> None:
    """Screens come one by one; half an answer is left and gone on with, box by box."""
    deployment = deploy(tmp_path / "d")
    alice, _ = deployment.enrol(ALICE, BOB)
    code = told(dtns("phone", str(alice), "--json", "ask", BOB, "--typed"))["digits"]
    with deployment.sam():
        dialling = terminal_of(alice, "dial", "*384#")
        try:
            dialling.until("6 Language.*> ")
            dialling.press("2\n")
            dialling.until("other phone.*> ")
            dialling.press(BOB + "\n")
            dialling.until("12 digits.*> ")
            dialling.press(code + "\n")
            screen = dialling.until("0 End.*> ")
            dialling.press("0\n")
            dialling.until("Goodbye")
            assert dialling.process.wait(20) == 0
        finally:
            dialling.close()
    found = re.search(r"SIM: ([0-9 ]+)", screen)
    assert found is not None
    groups = found[1].split()
    assert len(groups) == 16
    for half, told_last in ((groups[:7], "type on later"), (groups[7:], "is\\s+here")):
        typing = terminal_of(alice, "enter-answer")
        try:
            typing.until("____")
            typing.press("".join(half) + ("\x1b" if half == groups[:7] else ""))
            typing.until(told_last)
        finally:
            typing.close()
    (key,) = told(dtns("phone", str(alice), "--json", "keys"))["keys"]
    assert (key["peer"], key["role"]) == (BOB, "asked")

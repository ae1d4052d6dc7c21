"""The USSD menu of a real Sam over SMPP, by SMSCs that nobody here wrote, in every dialect."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment, deploy, dtns, told
from smpp_deployment import furnish
from smscs import SmscProcess

from dtns.gateway.ussd.dialects import DIALECTS, Numbering

A, B = "+254712000001", "+254712000002"
OP, ITS, REFERENCE = 0x0501, 0x1383, 0x0204
SECONDS = 20


class Operator:
    """An operator's USSD gateway behind an SMSC: one caller, one session at a time."""

    def __init__(self, smsc: SmscProcess, dialect: str) -> None:
        self.smsc = smsc
        self.dialect = DIALECTS[dialect]
        self.session = 0
        self.sequence = 0
        self.seen = 0

    def number(self) -> list[list[Any]]:
        """Return the session's number as the dialect writes it."""
        match self.dialect.numbering:
            case Numbering.ITS_SESSION_INFO:
                return [[ITS, bytes((self.session, self.sequence << 1)).hex()]]
            case Numbering.USER_MESSAGE_REFERENCE:
                return [[REFERENCE, self.session.to_bytes(2, "big").hex()]]
        return []

    def deliver(self, operation: int, text: str, caller: str = A) -> None:
        """Bring what a caller did."""
        tlvs = [[OP, f"{operation:02x}"], *self.number()]
        source = caller.removeprefix("+")
        self.smsc.order("deliver", source=source, number="384", text=text, tlvs=tlvs)
        self.sequence += 1

    def screens(self) -> list[dict[str, Any]]:
        """Return what was submitted as USSD."""
        return [said for said in self.smsc.messages() if said["tlvs"] and said["tlvs"][0][0] == OP]

    def screen(self) -> str:
        """Wait for the next screen; check how it is written and return its text."""
        deadline = time.monotonic() + SECONDS
        while len(self.screens()) <= self.seen:
            assert time.monotonic() < deadline, self.smsc.messages()
            time.sleep(0.02)
        said = self.screens()[self.seen]
        self.seen += 1
        operations = {f"{self.dialect.more:02x}": False, f"{self.dialect.last:02x}": True}
        ends = operations[said["tlvs"][0][1]]
        assert (f"+{said['to']}", said["from"]) == (A, "384")
        expected = self.number()
        if self.dialect.numbering is Numbering.ITS_SESSION_INFO:
            shown = (self.sequence - 1) << 1 | ends
            expected = [[ITS, bytes((self.session, shown)).hex()]]
        assert said["tlvs"][1:] == expected
        return f"{'END ' if ends else ''}{said['text']}"

    def dial(self, code: str = "*384#") -> str:
        """Dial in a new session, and return its first screen."""
        self.session, self.sequence = self.session + 1, 0
        self.deliver(self.dialect.opens, code)
        return self.screen()

    def type(self, text: str) -> str:
        """Type, and return the next screen."""
        self.deliver(self.dialect.goes_on, text)
        return self.screen()

    def sms(self) -> list[dict[str, Any]]:
        """Return the messages that are no screens."""
        screens = self.screens()
        return [said for said in self.smsc.messages() if said not in screens]


def code(sim: Path) -> str:
    """Return the 12 digits of a new typed ask."""
    digits: str = phone(sim, "ask", B, "--typed", "--new")["digits"]
    return digits.replace(" ", "")


def phone(sim: Path, *step: str) -> dict[str, Any]:
    """Take a step on a phone and return what it told."""
    return told(dtns("phone", str(sim), "--json", *step))


@pytest.fixture
def operators(tmp_path: Path) -> Iterator[tuple[Deployment, dict[str, Operator]]]:
    """A Sam with an SMSC for each dialect."""
    with ExitStack() as stack:
        smscs = [stack.enter_context(SmscProcess("smpp34")) for _ in DIALECTS]
        deployment = deploy(tmp_path / "d")
        furnish(deployment, [smsc.port for smsc in smscs], ussd_code="*384#", home_country="KE")
        text = deployment.config.read_text()
        for place, dialect in enumerate(DIALECTS):
            head = f"[gateway.smpp.s{place}]\n"
            text = text.replace(head, f'{head}ussd_dialect = "{dialect}"\n')
        deployment.config.write_text(text)
        pairs = zip(smscs, DIALECTS, strict=True)
        yield deployment, {name: Operator(smsc, name) for smsc, name in pairs}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_menu_in_every_dialect(operators: tuple[Deployment, dict[str, Operator]]) -> None:
    """Dialled, typed, answered; typed ahead; cut off and resumed; junk refused."""
    deployment, each = operators
    a, _ = deployment.enrol(A, B)
    with deployment.sam():
        for expected, operator in enumerate(each.values(), 1):
            bound(operator)
            assert operator.dial().startswith("Keys by Sam")
            assert operator.type("2").startswith("Number of the other phone")
            assert operator.type("0712000002").startswith(f"Key with {B}")
            assert operator.dial().startswith("Key with ...002")
            screen = operator.type(code(a))
            digits = screen.splitlines()[0].partition(":")[2]
            assert phone(a, "enter-answer", digits)["n"] == expected
            assert operator.type("0") == "END Goodbye."
            assert operator.dial(f"*384*1*0712000002*{'0' * 12}#").startswith("Not accepted.")
        junk(each["standard"])
        taken = each["caller"].dial(f"*384*1*0712000002*{code(a)}#")
        assert taken.startswith("Request 6 is taken.")
        deadline = time.monotonic() + SECONDS
        while not any(operator.sms() for operator in each.values()):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def bound(operator: Operator) -> None:
    """Wait until Sam is bound."""
    deadline = time.monotonic() + SECONDS
    while not operator.smsc.order("status")["receivers"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def junk(operator: Operator) -> None:
    """Bring what is no USSD of this dialect: refused, and the next session is as before."""
    for tlvs in (
        [[OP, "63"], [ITS, "0100"]],
        [[OP, "01"]],
        [[OP, "01"], [ITS, "01"]],
        [[OP, ""], [ITS, "0100"]],
        [[OP, "12"], [ITS, "0101"]],
        [[OP, "0101"], [ITS, "010203"]],
    ):
        operator.smsc.order("deliver", source=A[1:], number="384", text="*384#", tlvs=tlvs)
    deadline = time.monotonic() + SECONDS
    while operator.smsc.order("status")["waiting"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    operator.session, operator.sequence = operator.session + 1, 7
    operator.deliver(operator.dialect.goes_on, "1")
    assert operator.screen().startswith("END This session is over.")
    assert operator.dial("*384*0#").startswith("Keys by Sam")

"""The contract of a carrier, kept by modems: the real driver, a real pty, another process."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contract import MESSAGE, PHONE, Contract, NetworkSide, RecordingSink, until
from modems import BRISK, EmulatorProcess
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from dtns.gateway.modem.card import RefusedPins
from dtns.gateway.modem.carrier import ModemCarrier
from dtns.gateway.modem.emulator.dialects import DIALECTS
from dtns.gateway.modem.session import Settings

if TYPE_CHECKING:
    from dtns.gateway.carrier import Carrier


class ModemNetwork:
    """One modem, emulated by another process."""

    carrier: Carrier

    def __init__(self, emulator: EmulatorProcess, folder: Path) -> None:
        self.sink = RecordingSink()
        self.emulator = emulator
        self.carrier = ModemCarrier(
            "the carrier",
            {"one": (Settings(str(self.emulator.pty)), 0)},
            self.sink,
            RefusedPins(folder / "refused-pins"),
            random=random.Random(1),
            reactor=reactor,
            timing=BRISK,
        )

    async def set_up(self) -> None:
        """Nothing else to make."""

    async def tear_down(self) -> None:
        """Leave the emulator to the next test."""
        self.emulator.order("reset")

    async def disconnect(self) -> None:
        """Pull the modem out."""
        self.emulator.order("unplug")
        await until(lambda: not self.carrier.connected)

    def deliver(self, text: str) -> None:
        """Have the phone send *text*."""
        self.emulator.order("deliver", sender=PHONE, text=text)

    def unacknowledged(self) -> int:
        """Count what is still stored in the modem."""
        return self.emulator.stored()

    async def submitted(self) -> list[tuple[str, str]]:
        """List what the modem sent."""
        return self.emulator.sent()

    async def settle(self) -> None:
        """Have the network report the first message delivered."""
        await deferLater(reactor, 0.01)
        self.emulator.order("settle", number=0)


class DialectContract(Contract):
    """The contract over one family of modems."""

    dialect: str
    emulator: EmulatorProcess
    directory: tempfile.TemporaryDirectory[str]

    @classmethod
    def setUpClass(cls) -> None:
        """Start one emulated modem for all these tests."""
        cls.directory = tempfile.TemporaryDirectory()
        folder = Path(cls.directory.name)
        cls.emulator = EmulatorProcess(folder, "modem", "--dialect", cls.dialect)

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop it."""
        cls.emulator.stop()
        cls.directory.cleanup()

    def make_network(self) -> NetworkSide:
        """Use the emulated modem."""
        return ModemNetwork(self.emulator, Path(self.directory.name))


class HuaweiContractTests(DialectContract, TestCase):
    """Huawei."""

    dialect = "huawei"


@pytest.mark.slow
class ZteContractTests(DialectContract, TestCase):
    """ZTE."""

    dialect = "zte"


class SimcomContractTests(DialectContract, TestCase):
    """SIMCom."""

    dialect = "simcom"


@pytest.mark.slow
class QuectelContractTests(DialectContract, TestCase):
    """Quectel."""

    dialect = "quectel"


def test_every_dialect_keeps_the_contract() -> None:
    """No family is left out above."""
    tested = {case.dialect for case in DialectContract.__subclasses__()}
    assert tested == set(DIALECTS)
    assert MESSAGE.recipient == PHONE

"""The contract of a carrier, kept by SMPP binds to SMSCs that nobody here wrote."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, ClassVar

import pytest
from contract import PHONE, SAM, Contract, NetworkSide, RecordingSink, until
from smscs import BRISK, INSTALL, SmscProcess, node_modules
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from dtns.gateway.smpp.carrier import SmppCarrier
from dtns.gateway.smpp.endpoint import smsc_endpoint
from dtns.gateway.smpp.messages import address_of
from dtns.gateway.smpp.settings import Settings

if TYPE_CHECKING:
    from dtns.gateway.carrier import Carrier


class SmppNetwork:
    """One SMSC in another process."""

    carrier: Carrier

    def __init__(self, smsc: SmscProcess, kind: str) -> None:
        self.sink = RecordingSink()
        self.smsc = smsc
        settings = Settings(
            smsc_endpoint(reactor, "127.0.0.1", smsc.port, timeout=2.0),
            "127.0.0.1",
            "sam",
            "secret",
            address_of(SAM),
            kind=kind,
        )
        self.carrier = SmppCarrier(
            "the carrier",
            {"one": settings},
            self.sink,
            random=random.Random(1),
            reactor=reactor,
            timing=BRISK,
        )

    async def set_up(self) -> None:
        """Nothing else to make."""

    async def tear_down(self) -> None:
        """Leave the SMSC to the next test."""
        self.smsc.order("reset")

    async def disconnect(self) -> None:
        """Take the SMSC away."""
        self.smsc.order("deaf")
        await until(lambda: not self.carrier.connected)

    def deliver(self, text: str) -> None:
        """Have the phone send *text*."""
        self.smsc.order("deliver", source=PHONE.lstrip("+"), text=text)

    def unacknowledged(self) -> int:
        """Count what the SMSC still has to deliver."""
        count: int = self.smsc.order("status")["waiting"]
        return count

    async def submitted(self) -> list[tuple[str, str]]:
        """List what the SMSC took."""
        return [(f"+{each['to']}", each["text"]) for each in self.smsc.messages()]

    async def settle(self) -> None:
        """Have the SMSC say that all was delivered."""
        await deferLater(reactor, 0.01)
        self.smsc.order("settle")


class SmscContract(Contract):
    """The contract over one SMSC."""

    smsc_kind: ClassVar[str]
    kind = "transceiver"
    smsc: SmscProcess

    @classmethod
    def setUpClass(cls) -> None:
        """Start one SMSC for all these tests."""
        cls.smsc = SmscProcess(cls.smsc_kind)

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop it."""
        cls.smsc.stop()

    def make_network(self) -> NetworkSide:
        """Use the SMSC."""
        return SmppNetwork(self.smsc, self.kind)


class Smpp34ContractTests(SmscContract, TestCase):
    """A transceiver at smpp34's server."""

    smsc_kind = "smpp34"


@pytest.mark.slow
@pytest.mark.skipif(node_modules() is None, reason=INSTALL)
class NpmContractTests(SmscContract, TestCase):
    """A transceiver at npm smpp's server."""

    smsc_kind = "npm"


@pytest.mark.skipif(node_modules() is None, reason=INSTALL)
class NpmPairContractTests(SmscContract, TestCase):
    """A pair of transmitter and receiver there: smpp34's server has no ear for receivers."""

    smsc_kind = "npm"
    kind = "pair"

"""SMPP binds at SMSCs that nobody here wrote: throttling, failover, receipts, parts, TLS."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from contract import PHONE, RecordingSink, running, until
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from smscs import BRISK, INSTALL, SmscProcess, node_modules
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from dtns.gateway.carrier import Accepted, Failed, Outbound, Part
from dtns.gateway.errors import AddressError
from dtns.gateway.smpp.carrier import SmppCarrier
from dtns.gateway.smpp.endpoint import smsc_endpoint
from dtns.gateway.smpp.events import Answered
from dtns.gateway.smpp.messages import Address, Submission, address_of
from dtns.gateway.smpp.pdu import Tag
from dtns.gateway.smpp.settings import Settings
from dtns.gateway.smpp.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtns.gateway.smpp.messages import Delivery
    from dtns.gateway.smpp.smsc import Smsc

WITH_NPM = pytest.mark.skipif(node_modules() is None, reason=INSTALL)


def settings(smsc: SmscProcess, **values: Any) -> Settings:
    """Return how to reach an SMSC."""
    endpoint = values.pop("endpoint", None)
    plain = smsc_endpoint(reactor, "127.0.0.1", smsc.port, timeout=2.0)
    return Settings(endpoint or plain, "here", "sam", "secret", address_of("700"), **values)


def message(reference: str, text: str = "an answer") -> Outbound:
    """Return a message to PHONE."""
    return Outbound(reference, PHONE, text, 3600)


class Bound(TestCase):
    """A carrier at two SMSCs, one of them deaf unless a test lets it hear."""

    timeout = 30

    @classmethod
    def setUpClass(cls) -> None:
        """Start both."""
        cls.smscs = {name: SmscProcess("smpp34") for name in ("one", "two")}

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop them."""
        for smsc in cls.smscs.values():
            smsc.stop()

    def setUp(self) -> None:
        """Begin anew."""
        self.one, self.two = self.smscs.values()
        self.one.order("reset")
        self.two.order("reset")
        self.two.order("deaf")
        self.sink = RecordingSink()

    async def start(self, *, both: bool = False, **values: Any) -> None:
        """Bind."""
        self.carrier = SmppCarrier(
            "smpp",
            {name: settings(smsc, **values) for name, smsc in self.smscs.items()},
            self.sink,
            random=random.Random(1),
            reactor=reactor,
            timing=BRISK,
        )
        self.addCleanup(lambda: running(self.carrier.stop()))
        if both:
            self.two.order("listen")
        await self.carrier.start()
        binds = self.carrier.smscs["one"].binds + (self.carrier.smscs["two"].binds if both else [])
        await until(lambda: all(bind.bound for bind in binds))

    async def send(self, count: int, prefix: str = "m") -> list[Any]:
        """Send so many messages at once."""
        sends = [self.carrier.send(message(f"{prefix}{n}", f"{n}")) for n in range(count)]
        return list(await gatherResults([running(send) for send in sends]))

    async def test_throttling(self) -> None:
        """What the SMSC refuses for now fails for now; then there is a pause, and it goes on."""
        await self.start()
        self.one.behave(refuse=[Status.RTHROTTLED, Status.RMSGQFUL])
        first, second = await self.send(2)
        for answer in (first, second):
            assert isinstance(answer, Failed)
            assert (answer.permanent, answer.maybe_sent) == (False, False)
        assert {"ESME_RTHROTTLED", "ESME_RMSGQFUL"} == {
            each.reason.rpartition(" ")[2] for each in (first, second)
        }
        smsc = self.carrier.smscs["one"]
        assert smsc.condition.counts["throttled"] == 2
        assert smsc.condition.reason
        ready = smsc.ready_at(reactor.seconds())  # type: ignore[attr-defined]  # the real one
        assert ready is not None
        assert ready > reactor.seconds()  # type: ignore[attr-defined]  # the same
        (third,) = await self.send(1, "again")
        assert isinstance(third, Accepted)
        assert reactor.seconds() >= ready  # type: ignore[attr-defined]  # the same
        assert smsc.condition.reason == ""

    async def test_refusals(self) -> None:
        """Some are for good, some for now, and some leave open what became of the message."""
        await self.start(window=1)
        self.one.behave(refuse=[Status.RINVDSTADR, Status.RSYSERR, Status.RUNKNOWNERR])
        answers = await self.send(3)
        told = [(each.permanent, each.maybe_sent) for each in answers]
        assert told == [(True, False), (False, False), (False, True)]
        assert [each.reason for each in answers] == [
            "the SMSC refuses: ESME_RINVDSTADR",
            "the SMSC refuses: ESME_RSYSERR",
            "the SMSC refuses: ESME_RUNKNOWNERR",
        ]
        assert self.one.messages() == []

    async def test_a_recipient_that_smpp_cannot_hold(self) -> None:
        """It fails for good, and nothing is sent."""
        await self.start()
        answer = await self.carrier.send(Outbound("r", "+" + "1" * 40, "x", 60))
        assert isinstance(answer, Failed)
        assert answer.permanent
        assert self.one.messages() == []

    async def test_fair_sharing_and_failover(self) -> None:
        """Two SMSCs share evenly; when one goes, the other takes all; then they share again."""
        await self.start(both=True, binds=2)
        await self.send(200)
        counts = [len(smsc.messages()) for smsc in (self.one, self.two)]
        assert sum(counts) == 200
        assert min(counts) > 20
        self.one.order("deaf")
        await until(lambda: not self.carrier.smscs["one"].connected)
        assert self.carrier.connected
        assert all(isinstance(each, Accepted) for each in await self.send(50, "failover"))
        assert len(self.two.messages()) == counts[1] + 50
        self.one.order("listen")
        await until(lambda: self.carrier.smscs["one"].connected)
        await self.send(100, "again")
        assert len(self.one.messages()) > counts[0]

    async def test_a_rate(self) -> None:
        """No more leave in a second than are allowed; the others wait for their turn."""
        await self.start(per_second=20.0)
        started = reactor.seconds()  # type: ignore[attr-defined]  # the real one
        answers = await self.send(25)
        assert all(isinstance(each, Accepted) for each in answers)
        assert reactor.seconds() - started >= 1.0  # type: ignore[attr-defined]  # the same

    async def test_a_window(self) -> None:
        """No more are under way than the windows hold."""
        await self.start(binds=2, window=3)
        self.one.behave(silent=True)
        sends = [running(self.carrier.send(message(f"w{n}", f"{n}"))) for n in range(10)]
        await deferLater(reactor, 0.1)
        assert (self.carrier.smscs["one"].under_way, self.carrier.waiting) == (6, 4)
        answers = await gatherResults(sends)
        assert all(isinstance(each, Failed) and each.maybe_sent for each in answers)

    async def test_cut_off_while_sending(self) -> None:
        """What was under way is perhaps sent; what waited was not, and nothing is sent twice."""
        await self.start(window=5)
        self.one.behave(silent=True)
        sends = [running(self.carrier.send(message(f"c{n}", f"{n}"))) for n in range(8)]
        await deferLater(reactor, 0.1)
        self.one.order("deaf")
        answers = await gatherResults(sends)
        assert [each.maybe_sent for each in answers] == [True] * 5 + [False] * 3

    async def test_receipts(self) -> None:
        """By text and by optional parameters, with another id, or none that means anything."""
        await self.start()
        for place, how in enumerate(
            [
                {"receipts": "text"},
                {"receipts": "tlv"},
                {"receipts": "text", "receipt_id": "other", "user_reference": True},
                {"receipts": "tlv", "message_id": "same", "receipt_id": "00000001"},
                {"receipts": "text", "message_id": "same", "state": "EXPIRED"},
                {"receipts": "tlv", "early": True},
            ]
        ):
            self.one.behave(**how)
            names = [f"r{place}-{n}" for n in range(2)]
            answers = [await self.carrier.send(message(name)) for name in names]
            self.one.order("settle")
            await until(lambda place=place: len(self.sink.reports) == 2 * place + 2)
            reports = self.sink.reports[-2:]
            accepted = {each.carrier_id: each.reference for each in answers}
            assert len(accepted) == 2
            found = [each.reference or accepted[each.carrier_id] for each in reports]
            assert sorted(found) == names, how
            state = {"EXPIRED": "expired"}.get(str(how.get("state")), "delivered")
            assert {each.state for each in reports} == {state}
        await until(lambda: not self.one.order("status")["waiting"])

    async def test_long_messages(self) -> None:
        """Parts come as parts; a message_payload comes whole."""
        await self.start()
        header = b"\5\0\3\x07\2"
        for number in (2, 1):
            content = header + bytes((number,)) + b"half"
            self.one.order("deliver", source="254", content=content.hex(), esm_class=0x40)
        self.one.order("deliver", source="254", tlvs=[[Tag.MESSAGE_PAYLOAD, (b"x" * 300).hex()]])
        sar = [[0x20C, "0102"], [0x20E, "02"], [0x20F, "01"], [0x1403, "616263"]]
        self.one.order("deliver", source="254", text="sar", tlvs=sar)
        await until(lambda: len(self.sink.messages) == 4)
        came = {(each.text, each.part) for each in self.sink.messages}
        assert came == {
            ("half", Part(7, 2, 1)),
            ("half", Part(7, 2, 2)),
            ("x" * 300, None),
            ("sar", Part(0x102, 2, 1)),
        }
        await until(lambda: not self.one.order("status")["waiting"])

    async def test_a_phone_says_the_same_again(self) -> None:
        """It is another message; but what comes after a cut before the answer is the same."""
        await self.start()
        for _ in range(2):
            self.one.order("deliver", source="254", text="again")
            await until(lambda: not self.one.order("status")["waiting"])
        assert len({each.identity for each in self.sink.messages}) == 2
        self.sink.faults = 1
        self.one.order("deliver", source="254", text="cut")
        await until(lambda: len(self.sink.messages) == 3)
        self.one.order("cut")
        await until(lambda: not self.one.order("status")["waiting"])
        assert len({each.identity for each in self.sink.messages if each.text == "cut"}) == 1
        self.flushLoggedErrors(OSError)

    async def test_ussd(self) -> None:
        """Where nobody takes USSD it is refused; else all its parameters go both ways."""
        await self.start()
        ussd = [[Tag.USSD_SERVICE_OP, "01"], [Tag.ITS_SESSION_INFO, "0a00"]]
        self.one.order("deliver", source="254", text="*384#", tlvs=ussd)
        await until(lambda: not self.one.order("status")["waiting"])
        assert self.carrier.smscs["one"].condition.counts["ussd"] == 1
        assert self.sink.messages == []
        taken: list[Delivery] = []

        def take(smsc: Smsc, delivery: Delivery, answer: Callable[[Status], object]) -> None:
            taken.append(delivery)
            answer(Status.ROK)
            screen = Submission(
                delivery.destination,
                delivery.source,
                b"CHOOSE",
                service_type="USSD",
                registered_delivery=0,
                tlvs=((Tag.USSD_SERVICE_OP, b"\x02"), *delivery.tlvs[1:]),
            )
            passed = smsc.pass_on(screen)
            assert passed is not None
            passed.addCallback(outcomes.append)

        outcomes: list[Any] = []
        self.carrier.ussd["one"] = take
        self.one.order("deliver", source="254", text="*384#", tlvs=ussd)
        await until(lambda: outcomes)
        assert isinstance(outcomes[0], Answered)
        assert taken[0].tlvs == ((Tag.USSD_SERVICE_OP, b"\1"), (Tag.ITS_SESSION_INFO, b"\x0a\0"))
        (said,) = self.one.messages()
        assert said["tlvs"] == [[Tag.USSD_SERVICE_OP, "02"], [Tag.ITS_SESSION_INFO, "0a00"]]

    async def test_stopping_waits_for_answers(self) -> None:
        """What is under way has some seconds for its answer."""
        await self.start()
        self.one.behave(early=True)
        sending = running(self.carrier.send(message("last")))
        await deferLater(reactor, 0.05)
        await self.carrier.stop()
        assert isinstance(await sending, Accepted)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a key and a certificate for *name* that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / f"{name}.key", folder / f"{name}.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


@WITH_NPM
class TlsTests(TestCase):
    """npm smpp's server behind TLS."""

    timeout = 30

    async def setUp(self) -> None:
        """Start the SMSC."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        key, self.pem = certificate(Path(folder.name), "localhost")
        _, self.other = certificate(Path(folder.name), "other")
        self.smsc = SmscProcess("npm", str(key), str(self.pem))
        self.addCleanup(self.smsc.stop)
        self.sink = RecordingSink()

    async def bind(self, ca: Path | None, host: str = "localhost") -> SmppCarrier:
        """Begin to bind."""
        port = self.smsc.port
        endpoint = smsc_endpoint(reactor, host, port, tls=True, ca=ca, timeout=2.0)
        carrier = SmppCarrier(
            "smpp",
            {"one": settings(self.smsc, endpoint=endpoint)},
            self.sink,
            random=random.Random(1),
            reactor=reactor,
            timing=BRISK,
        )
        self.addCleanup(lambda: running(carrier.stop()))
        await carrier.start()
        return carrier

    async def test_both_ways(self) -> None:
        """With the SMSC's authority messages go both ways."""
        carrier = await self.bind(self.pem)
        await until(lambda: carrier.connected)
        assert isinstance(await carrier.send(message("tls")), Accepted)
        self.smsc.order("deliver", source="254", text="secret")
        await until(lambda: self.sink.messages)
        self.smsc.order("cut")
        await until(lambda: not carrier.connected)
        await until(lambda: carrier.connected)

    async def test_another_authority(self) -> None:
        """A certificate of nobody that is trusted, or for another name, ends it with a reason."""
        for ca, host in ((self.other, "localhost"), (None, "localhost"), (self.pem, "127.0.0.1")):
            carrier = await self.bind(ca, host)
            await until(lambda carrier=carrier: carrier.smscs["one"].condition.state == "down")
            assert not carrier.connected
            assert self.smsc.order("status")["binds"] == 0

    def test_authorities_that_cannot_be_read(self) -> None:
        """They are named."""
        with pytest.raises(AddressError, match=r"nowhere\.pem"):
            smsc_endpoint(reactor, "h", 1, tls=True, ca=Path("nowhere.pem"), timeout=1.0)


def test_an_address_keeps_its_digits_to_itself() -> None:
    """No repr of what travels holds a number or a text."""
    shown = repr(Submission(Address("700"), Address("254700000001", 1, 1), b"secret"))
    assert "2547" not in shown
    assert "secret" not in shown
    assert "secret" not in repr(Settings(None, "here", "sam", "secret", Address("700")))

"""An SMSC that misbehaves to order, on a real socket in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone

from dtns.gateway.smpp.errors import PduLengthError
from dtns.gateway.smpp.pdu import RESPONSE, Command, Frames, Pdu

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

_BINDS = {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER}


def delivery(sequence: int, content: bytes = b"hi", tlvs: bytes = b"", esm_class: int = 0) -> Pdu:
    """Return a deliver_sm from +254700000001."""
    head = b"\0\1\1" + b"254700000001\0" + b"\0\0" + b"700\0" + bytes((esm_class,)) + bytes(8)
    return Pdu(Command.DELIVER_SM, 0, sequence, head + bytes((len(content),)) + content + tlvs)


class Line(Protocol):
    """One connection of a client."""

    def __init__(self, rogue: Rogue) -> None:
        self._rogue = rogue
        self._frames = Frames()
        self.heard: list[Pdu] = []
        self.open = False

    def connectionMade(self) -> None:  # noqa: N802 # Twisted's name
        """Note the connection."""
        self.open = True
        self._rogue.lines.append(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 # Twisted's
        """Note its loss."""
        self.open = False

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 # Twisted's name
        """Hear, and answer as told to."""
        try:
            for pdu in self._frames.feed(data):
                self.heard.append(pdu)
                self._rogue.answer(self, pdu)
        except PduLengthError:
            raise AssertionError("the client sent a wrong length") from None

    def say(self, *pdus: Pdu | bytes) -> None:
        """Say anything."""
        assert self.transport is not None
        octets = (pdu.encode() if isinstance(pdu, Pdu) else pdu for pdu in pdus)
        self.transport.write(b"".join(octets))

    def commands(self) -> list[int]:
        """List the commands that were heard."""
        return [pdu.command for pdu in self.heard]


def decent(line: Line, pdu: Pdu) -> None:
    """Answer as an SMSC should."""
    if pdu.command in _BINDS:
        line.say(Pdu(pdu.command | RESPONSE, 0, pdu.sequence, b"rogue\0"))
    elif pdu.command == Command.SUBMIT_SM:
        line.say(Pdu(pdu.command | RESPONSE, 0, pdu.sequence, b"%d\0" % pdu.sequence))
    elif pdu.command < RESPONSE:
        line.say(Pdu(pdu.command | RESPONSE, 0, pdu.sequence))


class Rogue:
    """Listens on `port`; `answer` is what it does on each PDU."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.answer: Callable[[Line, Pdu], None] = decent
        self.port = 0
        self._listening: Any = None

    async def listen(self) -> None:
        """Begin."""
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        self._listening = await endpoint.listen(Factory.forProtocol(lambda: Line(self)))
        self.port = self._listening.getHost().port

    async def close(self) -> None:
        """End."""
        for line in self.lines:
            transport: Any = line.transport
            transport.abortConnection()
        await self._listening.stopListening()

    @property
    def line(self) -> Line:
        """The newest connection."""
        return self.lines[-1]

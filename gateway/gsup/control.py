"""Asking an HLR whose number an IMSI is, at its control interface."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.protocol import Protocol, connectionDone

from dtns.gateway.gsup.errors import GsupError
from dtns.gateway.gsup.ipa import OSMO, Frames, frame

if TYPE_CHECKING:
    from twisted.python.failure import Failure

LOOKUP_SECONDS: Final = 2.0
_CONTROL: Final = b"\0"
_MSISDN: Final = re.compile(r"^msisdn\t([0-9]{5,15})$", re.MULTILINE)
_ids = itertools.count(1)


def number_of_imsi(endpoint: Any, imsi: str, reactor: Any) -> Deferred[str]:
    """Return what fires with the MSISDN of an IMSI, digits alone; empty if it is not found."""
    connect: Any = connectProtocol
    asked: Deferred[Any] = connect(endpoint, _Lookup(imsi))
    asked.addCallback(lambda lookup: lookup.answer)
    asked.addTimeout(LOOKUP_SECONDS, reactor)
    return asked.addErrback(lambda _: "")


class _Lookup(Protocol):
    """One connection, one question."""

    def __init__(self, imsi: str) -> None:
        self._imsi = imsi
        self._frames = Frames()
        self.answer: Deferred[str] = Deferred(lambda _: self._hang_up())

    def connectionMade(self) -> None:  # noqa: N802 # Twisted's name
        """Ask."""
        question = f"GET {next(_ids)} subscriber.by-imsi-{self._imsi}.info".encode()
        assert self.transport is not None
        self.transport.write(frame(OSMO, _CONTROL + question))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 # Twisted's name
        """Take the reply, whatever it says."""
        try:
            replies = [payload for _, payload in self._frames.feed(data)]
        except GsupError:
            replies = [b""]
        if replies:
            found = _MSISDN.search(replies[0].decode("ascii", "replace"))
            self._tell(found[1] if found else "")
            self._hang_up()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002, N802 # Twisted's
        """Without a reply there is no number."""
        self._tell("")

    def _tell(self, number: str) -> None:
        if not self.answer.called:
            self.answer.callback(number)

    def _hang_up(self) -> None:
        transport: Any = self.transport
        transport.loseConnection()

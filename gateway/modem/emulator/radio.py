"""The emulated modem's radio: the loopback network, or nothing but a record of what was sent."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from twisted.application.internet import ClientService
from twisted.internet.protocol import Factory

from dtns.gateway.carrier import Accepted, Failed
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.carrier import client_endpoint
from dtns.gateway.loopback.link import Link
from dtns.gateway.modem.emulator.pdu import write_deliver, write_status_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtns.gateway.loopback.address import Address
    from dtns.gateway.modem.emulator.pdu import Submit

_RETRY_SECONDS: Final = 0.5
_NETWORK_OUT_OF_ORDER: Final = 38
_UNASSIGNED_NUMBER: Final = 1
_NETWORK_TIMEOUT: Final = 332
_STATUSES: Final = {"delivered": 0x00, "failed": 0x45, "expired": 0x46}


class LoneRadio:
    """A network of nobody: takes every message, delivers what is put into it.

    Attributes:
        sent: every message taken, in order, with its reference.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        store: Callable[[str], bool],
        report: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._store = store
        self._report = report
        self._waiting: list[str] = []
        self.registration = 1
        self.signal = 17
        self.powered = True
        self.sent: list[tuple[Submit, int]] = []

    def submit(self, submit: Submit, reference: int, done: Callable[[int | None], None]) -> None:
        """Take a message."""
        self.sent.append((submit, reference))
        done(None)

    def deliver(self, pdu: str) -> None:
        """Deliver a message, as soon as the modem has room for it."""
        self._waiting.append(pdu)
        self.room()

    def room(self) -> None:
        """Deliver what waits and fits."""
        while self._waiting and self.powered and self._store(self._waiting[0]):
            del self._waiting[0]

    def settle(self, number: int, status: int) -> None:
        """Report on the message that was sent as the *number*th, from 0; *status* is TP-ST."""
        submit, reference = self.sent[number]
        now = self._clock()
        self._report(write_status_report(reference, submit.recipient, now, now, status))

    def clear(self) -> None:
        """Forget what was sent and what waits."""
        self.sent.clear()
        self._waiting.clear()

    @property
    def waiting(self) -> int:
        """How many messages wait for room."""
        return len(self._waiting)

    def power(self, *, on: bool) -> None:
        """Switch the radio on or off."""
        self.powered = on
        self.room()


class LoopbackRadio(LoneRadio):
    """Keeps *number* attached to the loopback network at *address* while it has power.

    A message is acknowledged to the network once it is in the SIM's storage.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        store: Callable[[str], bool],
        report: Callable[[str], None],
        *,
        reactor: Any,
        address: Address,
        number: str,
    ) -> None:
        super().__init__(clock, store, report)
        self._number = number
        self._run = secrets.token_hex(4)
        self._link: Link | None = None
        self._inbox: dict[str, op.Deliver] = {}
        self._reported: dict[str, tuple[int, str, float]] = {}
        self._count = 0
        self._service = ClientService(
            client_endpoint(reactor, address),
            Factory.forProtocol(lambda: Link(reactor, number, self)),
            retryPolicy=lambda _: _RETRY_SECONDS,
            clock=reactor,
        )
        self._service.startService()

    def power(self, *, on: bool) -> None:
        """Attach or detach the number."""
        super().power(on=on)
        if on:
            self._service.startService()
        else:
            self._service.stopService()
            if self._link is not None:
                self._link.abort()

    def attached(self, link: Link) -> None:
        """The network delivers from now on."""
        self._link = link

    def lost(self, link: Link) -> None:
        """The network is gone."""
        if self._link is link:
            self._link = None
            self._inbox.clear()

    def delivered(self, message: op.Deliver) -> None:
        """Keep what comes until the storage has room."""
        self._inbox[message.network_id] = message
        self.room()

    def room(self) -> None:
        """Store and acknowledge what waits and fits."""
        super().room()
        for identity, message in list(self._inbox.items()):
            if not self._store(write_deliver(message.sender, message.text, self._clock())):
                return
            del self._inbox[identity]
            if self._link is not None:
                self._link.write(op.Received(identity))

    def submit(self, submit: Submit, reference: int, done: Callable[[int | None], None]) -> None:
        """Submit to the network and tell what it says, as +CMS ERROR codes."""
        if self._link is None:
            done(_NETWORK_OUT_OF_ORDER)
            return
        self.sent.append((submit, reference))
        self._count += 1
        identity = f"{self._run}-{self._count}"
        if submit.report:
            self._reported[identity] = (reference, submit.recipient, self._clock())

        def answered(answer: Accepted | Failed) -> None:
            if isinstance(answer, Accepted):
                done(None)
                return
            self._reported.pop(identity, None)
            if answer.maybe_sent:
                done(_NETWORK_TIMEOUT)
            else:
                done(_UNASSIGNED_NUMBER if answer.permanent else _NETWORK_OUT_OF_ORDER)

        submission = op.Submit(
            id=identity,
            sender=self._number,
            recipient=submit.recipient,
            text=submit.text,
            validity=submit.validity_seconds or op.VALIDITY_SECONDS,
            report=submit.report,
        )
        self._link.submit(submission).addCallback(answered)

    def reported(self, report: op.Report) -> None:
        """Hand a report over as a status report."""
        if known := self._reported.pop(report.id, None):
            reference, recipient, sent_at = known
            status = _STATUSES[report.state]
            self._report(write_status_report(reference, recipient, sent_at, self._clock(), status))
        if self._link is not None:
            self._link.write(op.Noted(report.network_id))

    @property
    def waiting(self) -> int:
        """How many messages wait for room."""
        return super().waiting + len(self._inbox)

"""The seam between a key service and whatever carries its messages.

A carrier (loopback network, modem, SMPP bind) is anything that satisfies `Carrier`; what it
delivers goes into a `Sink`. The contract, which every provider's tests run against:

- an inbound message is acknowledged to the network only after `Sink.received` completed;
- a message handed to `send` is never submitted twice by the carrier's own doing;
- `send` always comes to an answer, connected or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable

State = Literal["delivered", "failed", "expired"]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a long message a message is: number 1 to `total` of those with `reference`.

    The sender uses a reference again after some 250 or 65,000 messages.
    """

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message from a phone, or one part of a long message.

    `identity` is unique for ever within `carrier`: the same identity again is a redelivery of the
    same message. `sender` is routing only, never proof of who sent it. `received_at` is in
    seconds since the Unix epoch by this computer's clock. A carrier hands parts over as they
    come, each with an identity and to be acknowledged once it is stored; the sink joins them.
    """

    carrier: str
    identity: str
    sender: str = field(repr=False)
    text: str = field(repr=False)
    received_at: float
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to a phone.

    `reference` is the sender's own id, 1 to 64 printable ASCII characters, never used for another
    message; outcomes hand it back. After `validity_seconds` the network may give the message up.
    Where messages have to wait, those with the lowest `urgency` leave first.
    """

    reference: str
    recipient: str = field(repr=False)
    text: str = field(repr=False)
    validity_seconds: int
    urgency: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The network took the message; `carrier_id` is the network's name for it."""

    reference: str
    carrier_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The network did not take the message, for the `reason` given.

    `permanent`: the same message will be refused again. `maybe_sent`: the connection broke, or
    nothing was heard, after the message had left: the network may hold it all the same, so
    sending it again may deliver it twice. A later `Report` with the reference settles it.
    """

    reference: str
    permanent: bool
    reason: str
    maybe_sent: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a message after it was taken.

    May come before the answer to `send`, twice, or never. `reference` is None where the network
    names only its own id.
    """

    carrier_id: str
    reference: str | None
    state: State
    reason: str = ""


class Sink(Protocol):
    """Where a carrier puts what comes in; raising means "not stored: offer it again"."""

    def received(self, message: Inbound) -> Awaitable[None]:
        """Complete once *message* is stored for good, also if it was stored before."""

    def reported(self, report: Report) -> Awaitable[None]:
        """Complete once *report* is stored, or known to be of no use."""


class Carrier(Protocol):
    """A way to reach phones."""

    @property
    def name(self) -> str:
        """The carrier's name, as configured: stable, for logs and `Inbound.carrier`."""

    @property
    def connected(self) -> bool:
        """Whether a message sent now would reach the network."""

    async def start(self) -> None:
        """Begin to connect, and go on for ever; complete without waiting for the connection."""

    async def stop(self) -> None:
        """Finish what is at the sink, then disconnect; the sink is not called afterwards."""

    def send(self, message: Outbound) -> Awaitable[Accepted | Failed]:
        """Submit *message* once and tell what the network said.

        The same reference again while it is under way, or after it was accepted, gives the same
        answer and submits nothing.

        Raises:
            ReferenceReusedError: the reference stands for another message already.
        """

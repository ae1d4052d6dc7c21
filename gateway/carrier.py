"""The seam between a key service and whatever carries its messages.

A carrier (loopback network, modem, SMPP bind) is anything that satisfies `Carrier`; what it
delivers goes into a `Sink`. Both ways messages go by the sequence, a whole read at once. The
contract, which every provider's tests run against:

- an inbound message is acknowledged to the network only after the sink said that it is stored;
- a message handed over is never submitted twice by the carrier's own doing;
- each message handed over comes to an answer, connected or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from twisted.python.failure import Failure

    Settled = Callable[[Sequence["Inbound"], Failure | None], object]
    Answered = Callable[[Sequence["Accepted | Failed"]], object]

State = Literal["delivered", "failed", "expired"]


class Part(NamedTuple):
    """Which part of a long message a message is: number 1 to `total` of those with `reference`.

    The sender uses a reference again after some 250 or 65,000 messages.
    """

    reference: int
    total: int
    number: int


class Inbound(NamedTuple):
    """One message from a phone, or one part of a long message.

    `identity` is unique for ever within `carrier`: the same identity again is a redelivery of the
    same message. `sender` is routing only, never proof of who sent it. `received_at` is in
    seconds since the Unix epoch by this computer's clock. A carrier hands parts over as they
    come, each with an identity and to be acknowledged once it is stored; the sink joins them.
    """

    carrier: str
    identity: str
    sender: str
    text: str
    received_at: float
    part: Part | None = None

    def __repr__(self) -> str:
        return f"Inbound({self.carrier!r}, {self.identity!r}, {self.received_at!r}, {self.part!r})"


class Outbound(NamedTuple):
    """One message to a phone.

    `reference` is the sender's own id, 1 to 64 printable ASCII characters, never used for another
    message; outcomes hand it back. After `validity_seconds` the network may give the message up.
    Where messages have to wait, those with the lowest `urgency` leave first.
    """

    reference: str
    recipient: str
    text: str
    validity_seconds: int
    urgency: int = 0

    def __repr__(self) -> str:
        return f"Outbound({self.reference!r}, {self.validity_seconds!r}, {self.urgency!r})"


class Accepted(NamedTuple):
    """The network took the message; `carrier_id` is the network's name for it."""

    reference: str
    carrier_id: str


class Failed(NamedTuple):
    """The network did not take the message, for the `reason` given.

    `permanent`: the same message will be refused again. `maybe_sent`: the connection broke, or
    nothing was heard, after the message had left: the network may hold it all the same, so
    sending it again may deliver it twice. A later `Report` with the reference settles it.
    """

    reference: str
    permanent: bool
    reason: str
    maybe_sent: bool = False


class Report(NamedTuple):
    """What became of a message after it was taken.

    May come before the answer to the submission, twice, or never. `reference` is None where the
    network names only its own id.
    """

    carrier_id: str
    reference: str | None
    state: State
    reason: str = ""


class Sink(Protocol):
    """Where a carrier puts what comes in."""

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Store *messages*, and tell *settled* of them, some at a time, each once.

        *settled* is called with messages and None once those are stored for good, also if they
        were stored before; with the failure if they are not and must be offered again. Raising
        is such a failure of all that are not settled yet.
        """

    def reported(self, report: Report) -> Awaitable[None]:
        """Complete once *report* is stored, or known to be of no use; raise: offer it again."""


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

    def send_all(self, messages: Sequence[Outbound], answered: Answered) -> None:
        """Submit each of *messages* once; tell *answered* what the network said, some at a time.

        Each message has one outcome. The same reference again while it is under way, or after it
        was accepted, gets the same outcome and submits nothing; if it stands for another message
        the outcome is `Failed`, for good.
        """

    def send(self, message: Outbound) -> Awaitable[Accepted | Failed]:
        """Submit one message as `send_all` does, and return what the network said.

        Raises:
            ReferenceReusedError: the reference stands for another message already.
        """

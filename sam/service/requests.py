"""What the operator can ask of Sam, and what comes back: values, JSON-able."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, Generic, TypeVar

from attrs import field, frozen

from dtns.sam.protocol.keys import PartyKeys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.small import UniversalKey

_Result = TypeVar("_Result")

MAX_BATCH = 500
"""Most numbers in one Enrol, most parties or issues in one page."""


class Request(Generic[_Result]):
    """A request; the parameter is the kind of its result where it is not refused."""


@frozen
class Refusal:
    """The request was understood and is not granted; the reason is for the operator."""

    reason: str


class Undone(Exception):  # noqa: N818 (no fault: the result of a trial)
    """Whatever a request did is undone, and this is its result all the same."""

    def __init__(self, result: object) -> None:
        super().__init__("undone")
        self.result = result


NOT_ENROLLED: Final = Refusal("this number is not enrolled: `dtns enrol` enrols it")


@frozen
class Personalisation:
    """What a SIM file is made of. epoch and week are Sam's at enrolment."""

    number: Number
    generation: int
    epoch: int
    week: int
    keys: PartyKeys = field(repr=False)
    universal: UniversalKey | None = field(default=None, repr=False)


class Enrolment(Enum):
    """How a number stands after Enrol."""

    NEW = "new"
    """Enrolled now."""
    AGAIN = "again"
    """Enrolled before and never heard from or told anything: its personalisation once more."""
    ALREADY = "already"
    """Enrolled before, and in use."""
    UNKNOWN = "unknown"
    """Not enrolled, and Enrol was told to create nothing."""


@frozen
class Enrolled:
    """How one number stands; personalisation is there for NEW and AGAIN."""

    number: Number
    status: Enrolment
    personalisation: Personalisation | None = None


@frozen
class Enrolments:
    """The result of Enrol, in the order asked for."""

    numbers: tuple[Enrolled, ...]


@frozen
class Enrol(Request[Enrolments]):
    """Enrol numbers, at most MAX_BATCH; without *create* only tell which are enrolled."""

    numbers: tuple[Number, ...]
    create: bool = True


@frozen
class PartyRecord:
    """A party as Sam knows it; heard is the highest request counter seen, 0 if none."""

    number: Number
    generation: int
    epoch: int
    master_id: int
    enrolled_at: float
    suspended: bool
    heard: int
    asks_today: int
    repeats_today: int


@frozen
class Parties:
    """A page of parties; more follow the last of them if *more*."""

    parties: tuple[PartyRecord, ...]
    more: bool


@frozen
class ListParties(Request[Parties]):
    """List parties whose digits match a glob, after a number, at most MAX_BATCH."""

    pattern: str = "*"
    after: Number | None = None
    limit: int = MAX_BATCH


@frozen
class PartyDetails:
    """A party, how many of its asks were decided on, and how many of them got a key."""

    party: PartyRecord
    asks: int
    keys: int


@frozen
class ShowParty(Request[PartyDetails]):
    """Show one party."""

    number: Number


@frozen
class SetSuspended(Request[PartyRecord]):
    """Suspend or resume a party."""

    number: Number
    suspended: bool


@frozen
class Rekey(Request[Personalisation]):
    """Raise a party's generation: its SIM, and all keys with it, are dead from now on."""

    number: Number


@frozen
class Told:
    """How many parties are told of something, and whether at once or when they next ask."""

    parties: int
    at_once: bool


@frozen
class Renew(Request[Told]):
    """Send a party a new generation of its keys over the air."""

    number: Number


@frozen
class EndLock(Request[Told]):
    """End the lock of this number on a party's SIM."""

    number: Number
    lock: int


@frozen
class EndPinLock(Request[Told]):
    """End the lock of this number on a party's PIN; forget has the person set a new one."""

    number: Number
    lock: int
    forget: bool


@frozen
class Loaded:
    """A load that was made: its number, and whether the party was told at once."""

    load: int
    at_once: bool


@frozen
class LoadPurse(Request[Loaded]):
    """Put 1 to 10^12 minor units into a party's purse."""

    number: Number
    currency: str
    amount: int


@frozen
class Refund(Request[Loaded]):
    """Give a payer back the payment under this serial of its log, if nobody can take it now."""

    number: Number
    serial: int


@frozen
class LedgerFinding:
    """Something in the ledger that does not fit; open while a log to come may explain it."""

    trouble: str
    open: bool
    number: Number
    serial: int
    other: Number | None
    amount: int
    currency: str
    mode: str


@frozen
class LedgerState:
    """Entries on record, payments that both sides logged alike and their sums, and what else."""

    entries: int
    agreed: int
    sums: Mapping[str, int]
    findings: tuple[LedgerFinding, ...]
    more: bool


@frozen
class CheckLedger(Request[LedgerState]):
    """Compare all logs and loads; at most MAX_BATCH findings come back, definite ones first."""


@frozen
class Withdraw(Request[Told]):
    """Suspend a party for good and have all who may hold keys with its SIM forget them."""

    number: Number


@frozen
class Rotated:
    """The id of the new master key, and how many parties will be renewed under it."""

    master_id: int
    parties: int


@frozen
class RotateMaster(Request[Rotated]):
    """Make a new master key; parties are renewed under it as they come by."""


@frozen
class DeliveryRecord:
    """How far one sending of an answer has come."""

    carrier: str
    state: str
    queued_at: float
    attempts: int
    reason: str
    settled_at: float | None


@frozen
class KeyRecord:
    """The key that was granted, itself untold. expires_at is a POSIX time."""

    holder_generation: int
    epoch: int
    n: int
    limit: int
    direction: str
    expires_at: float
    form: str


@frozen
class IssueRecord:
    """A decision on an ask: either a key, or a refusal with its reason."""

    id: int
    asker: Number
    asker_generation: int
    counter: int
    holder: Number
    decided_at: float
    carrier: str
    repeats: int
    reason: str | None
    key: KeyRecord | None
    deliveries: tuple[DeliveryRecord, ...]


@frozen
class Issues:
    """A page of decisions, newest first, and the id before which to look on, None at the end.

    A page may hold few of those sought, or none, and still not be the last.
    """

    issues: tuple[IssueRecord, ...]
    next: int | None


@frozen
class ListIssues(Request[Issues]):
    """List decisions, newest first, before an id; with a party, those in which it has a part.

    granted chooses those that gave a key or the refusals; since and until bound the POSIX time.
    """

    party: Number | None = None
    before: int | None = None
    limit: int = MAX_BATCH
    granted: bool | None = None
    since: float | None = None
    until: float | None = None


@frozen
class ShowIssue(Request[IssueRecord]):
    """Show one decision."""

    id: int


@frozen
class CarrierRecord:
    """How a carrier is doing. The ages are in seconds, None if there was nothing yet.

    Carriers of one network stand in for each other; stalls counts how often the watchdog stopped
    and started this one.
    """

    connected: bool
    network: str
    under_way: int
    stalls: int
    since_answer: float | None
    since_inbound: float | None


@frozen
class Status:
    """How Sam is. counters count since its start what became of asks; empty if it is not running.

    outbox says how many answers are in each state, carriers how each one is doing.
    """

    running: bool
    instance: str
    epoch: int
    behind: bool
    parties: int
    suspended: int
    asks: int
    keys: int
    outbox: Mapping[str, int]
    counters: Mapping[str, int]
    carriers: Mapping[str, CarrierRecord] = field(factory=dict)


@frozen
class GetStatus(Request[Status]):
    """Tell how Sam is."""


@frozen
class GatewayRecord:
    """How a gateway is: a modem, or a carrier that is one gateway; None is what it cannot tell.

    state is starting, up, down, suspended or stopped; connected, whether a message given to it
    now would be sent. signal goes from 0 to 31. Times are POSIX times. counts tells what came
    that should not.
    """

    name: str
    state: str
    connected: bool
    reason: str = ""
    device: str = ""
    model: str = ""
    network: str | None = None
    roaming: bool = False
    signal: int | None = None
    stored: int | None = None
    room: int | None = None
    queue: int = 0
    sent: int | None = None
    received: int | None = None
    failed: int | None = None
    last_received: float | None = None
    last_sent: float | None = None
    counts: Mapping[str, int] = field(factory=dict)


@frozen
class GatewayRecords:
    """All gateways of a running Sam."""

    gateways: tuple[GatewayRecord, ...]


@frozen
class ListGateways(Request[GatewayRecords]):
    """Tell how each gateway is."""


@frozen
class MoveGateway(Request[GatewayRecord]):
    """Suspend, resume or drain a gateway."""

    name: str
    action: str


@frozen
class Purged:
    """How many decisions were purged, and the id after which to go on, None at the end."""

    purged: int
    next: int | None


@frozen
class Purge(Request[Purged]):
    """Purge what is older than the retention time among some decisions after an id."""

    after: int = 0
    dry: bool = False


@frozen
class Check:
    """One thing that must hold for Sam to be of use, whether it does, and what it looks like."""

    name: str
    holds: bool
    finding: str


@frozen
class Vitals:
    """What tells at a glance how a running Sam is; quick to ask for, whatever the store's size.

    waiting counts the answers that have not left, oldest is the age in seconds of the oldest.
    decisions counts all ever made; up_for is in seconds, and so is each age of a carrier.
    """

    checks: tuple[Check, ...]
    epoch: int
    decisions: int
    waiting: int
    oldest: float | None
    up_for: float
    counters: Mapping[str, int]
    carriers: Mapping[str, CarrierRecord]

    @property
    def ready(self) -> bool:
        """Whether all holds that must."""
        return all(check.holds for check in self.checks)


@frozen
class GetVitals(Request[Vitals]):
    """Tell how a running Sam is, in brief."""


@frozen
class Retry(Request[IssueRecord]):
    """Send the answer to one ask now, though it waits for another try, failed or expired."""

    id: int


@frozen
class Imported:
    """What became of each ask, in the order given, and how many messages the answers take.

    An outcome is issued, refused or repeated; imported, of one that was answered at an earlier
    import; or why it met silence.
    """

    outcomes: tuple[str, ...]
    messages: int


@frozen
class ImportAsks(Request[Imported]):
    """Decide on the texts of asks that came some other way, at most MAX_BATCH of them.

    With *dry* everything is undone, and only the result is told.
    """

    texts: tuple[str, ...]
    dry: bool = False

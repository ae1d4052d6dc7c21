"""What Sam remembers, as values, and the seam through which the issuer reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from attrs import frozen

from dtns.sam.issuing.window import Window
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.keys import Enrolment
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Party, Terms


class Share(NamedTuple):
    """What a party has used up on one day (days since 1970): new asks, answers given again.

    They are counted apart, for anyone can have an answer repeated by sending a recorded ask
    again, and must not use up the party's own asks by it.
    """

    day: int = 0
    asks: int = 0
    repeats: int = 0

    def on(self, day: int) -> Share:
        """Return the share as it stands on *day*; a new day starts at nought."""
        return self if self.day == day else Share(day)


class Registration(NamedTuple):
    """One enrolled party as Sam knows it. enrolled_at is a POSIX time.

    renewal is the next generation, if it was sent to the SIM and not heard from yet; told is the
    counter of the last message of Sam's own to it.
    """

    enrolment: Enrolment
    enrolled_at: float
    suspended: bool = False
    window: Window = Window()
    share: Share = Share()
    renewal: Enrolment | None = None
    told: int = 0

    @property
    def party(self) -> Party:
        """Return the party's number and generation."""
        return Party(self.enrolment.number, self.enrolment.generation)

    def on(self, day: int) -> Registration:
        """Return the party with its share as that stands on *day* (days since 1970)."""
        enrolment, enrolled_at, suspended, window, share, renewal, told = self
        if share.day == day:
            return self
        return Registration(enrolment, enrolled_at, suspended, window, Share(day), renewal, told)

    def repeated(self) -> Registration:
        """Return the party after one more answer was given again on the day of its share."""
        share = self.share
        return self._replace(share=Share(share.day, share.asks, share.repeats + 1))

    def heard(self, counter: int) -> Registration:
        """Return the party after one more ask, with this counter, that is new to its window."""
        window, share = self.window.with_seen(counter), self.share
        more = Share(share.day, share.asks + 1, share.repeats)
        enrolment, enrolled_at, suspended, _, _, renewal, told = self
        return Registration(enrolment, enrolled_at, suspended, window, more, renewal, told)


class Granted(NamedTuple):
    """The key that a decision issued."""

    holder_generation: int
    epoch: int
    n: int
    terms: Terms
    form: Form


class Decision(NamedTuple):
    """What Sam decided about one authentic ask; enough to give the same answer again.

    ask_mac (8 octets) tells the ask from another under the same counter. granted is None in a
    refusal, and reason is None in a grant. answer holds the sealed octets where they cannot be
    derived again, that is for random keys: without it such an ask can never be answered again.
    week is Sam's when it decided.
    """

    asker: Party
    counter: int
    ask_mac: bytes
    holder: Number
    week: int
    decided_at: float
    carrier: str
    granted: Granted | None = None
    reason: Reason | None = None
    answer: bytes | None = None
    repeats: int = 0


class Topic(Enum):
    """What a notice is about: an item that is written out, or half of a renewal's keys."""

    ITEM = 0
    EXCHANGE_KEYS = 1
    TICKET_KEYS = 2
    UNIVERSAL_KEY = 3


@frozen
class Notice:
    """Something that Sam has to tell a party, until the party says that it knows.

    item is in the form that messages carry; the halves of a renewal are made when they are sent,
    for keys are not stored. Messages first to last, by their counters, carried the notice.
    """

    id: int
    topic: Topic
    item: bytes = b""
    first: int = 0
    last: int = 0


class Records(Protocol):
    """The store as the issuer sees it, inside one transaction."""

    @property
    def epoch(self) -> int:
        """Sam's incarnation, 1 to 65535."""

    @property
    def week(self) -> int:
        """The last week that Sam went by, 0 if none yet."""

    def note_week(self, week: int) -> None:
        """Remember the week that Sam goes by."""

    @property
    def behind(self) -> bool:
        """Whether a phone has proved that Sam forgot keys it issued; then none may be issued."""

    def note_behind(self, proved_epoch: int) -> None:
        """Remember that, and the epoch of the forgotten keys, until the epoch is raised."""

    def registration(self, number: Number) -> Registration | None:
        """Return the party with this number, or None."""

    def save(self, registration: Registration) -> None:
        """Replace what is known of a party."""

    def decision(self, asker: Party, counter: int) -> Decision | None:
        """Return what was decided on the ask with this counter, or None."""

    def add(self, decision: Decision, identity: str = "") -> int:
        """Remember a new decision on a carrier's message; return its number in the log.

        The n of a grant is the highest in its pair and epoch from then on.
        """

    def came_before(self, asker: Party, counter: int, carrier: str, identity: str) -> bool:
        """Tell whether this very message brought the ask with this counter, new or again."""

    def count_repeat(self, asker: Party, counter: int) -> int:
        """Count one more sending of the answer to this ask; return the decision's number."""

    def answer_waits(self, asker: Party, counter: int) -> bool:
        """Tell whether an answer to this ask is queued, or will be now, and has not left yet."""

    def notices(self, number: Number) -> list[Notice]:
        """Return what the party has still to be told, oldest first."""

    def add_notice(self, number: Number, topic: Topic, item: bytes = b"") -> None:
        """Remember something to tell a party; nothing, if the same is waiting already."""

    def note_told(self, notices: Sequence[Notice], counter: int) -> None:
        """Note that the message with this counter carries these."""

    def drop_notices(self, notices: Sequence[Notice]) -> None:
        """Forget notices that the party knows."""

    def bad_typed(self, number: Number, day: int) -> int:
        """Return how many bad typed asks came for this party on this day (days since 1970)."""

    def count_bad_typed(self, number: Number, day: int) -> None:
        """Count one more of them."""

    def exposure(self, payer: Number, week: int) -> int:
        """Return what this party's keys that have not expired in this week may pay together."""

    def expose(self, payer: Number, expiry: int, amount: int) -> None:
        """Remember that a key with this expiry lets the party pay so much."""

    def last_n(self, asker: Party, holder: Party, epoch: int) -> int:
        """Return the highest n issued in this pair and epoch, 0 if none."""

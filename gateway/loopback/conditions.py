"""What a network does to messages: delay, loss, duplication, reordering and outages."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from dtns.gateway.errors import ConditionsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions messages meet; every default is a perfect network.

    Attributes:
        delay: mean seconds from acceptance to delivery.
        jitter: the delay is uniform within this many seconds of its mean; at most `delay`.
        loss: probability that a message is accepted and then never delivered.
        duplication: probability that a second copy is delivered, under an id of its own.
        reordering: probability that a copy is held back so that later ones pass it; without it
            the messages of one recipient keep their order.
        hold: seconds for which such a copy is held back.
        outages: pairs of start and length in seconds, counted from the network's start.
        signal: false for an outage until it is true again.
        allow_spoofing: whether anybody may submit under any sender's number.

    Raises:
        ConditionsError: values outside their ranges, all of them named.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    hold: float = 2.0
    outages: tuple[tuple[float, float], ...] = ()
    signal: bool = True
    allow_spoofing: bool = False

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise ConditionsError("; ".join(faults))

    def _faults(self) -> Iterator[str]:
        for name in ("loss", "duplication", "reordering"):
            if not 0 <= getattr(self, name) <= 1:
                yield f"{name} is a probability, from 0 to 1, not {getattr(self, name)}"
        for name in ("delay", "hold"):
            if not 0 <= getattr(self, name) < float("inf"):
                yield f"{name} is in seconds, 0 or more, not {getattr(self, name)}"
        if not 0 <= self.jitter <= self.delay:
            yield f"jitter is in seconds, from 0 to the delay ({self.delay}), not {self.jitter}"
        for start, length in self.outages:
            if not (0 <= start < float("inf") and 0 < length < float("inf")):
                yield f"an outage starts at 0 s or later and lasts above 0 s: {start}, {length}"

    def changed(self, changes: dict[str, Any]) -> Conditions:
        """Return these conditions with *changes*, by attribute name.

        Raises:
            ConditionsError: the result would be outside the ranges.
        """
        if "outages" in changes:
            changes = changes | {"outages": tuple(map(tuple, changes["outages"]))}
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def signal_returns(self, elapsed: float) -> float | None:
        """Tell when, in seconds since the start, there is signal again; None if there is now.

        Infinite if it was switched off. Outages that touch count as one.
        """
        if not self.signal:
            return float("inf")
        end = elapsed
        for start, length in sorted(self.outages):
            if start <= end < start + length:
                end = start + length
        return end if end > elapsed else None


class Passage(NamedTuple):
    """One copy's way through the network: seconds of delay, and whether others may pass it."""

    delay: float
    overtaken: bool


def draw_passages(conditions: Conditions, random: Random) -> tuple[Passage, ...]:
    """Draw what becomes of one message: a passage for each copy that arrives.

    Always draws six numbers, so that the fate of a message depends on the seed, on how many were
    accepted before it and on the conditions it met, not on those that others met.
    """
    lost, doubled, *rest = (random.random() for _ in range(6))
    passages = [_passage(conditions, *pair) for pair in (rest[:2], rest[2:])]
    first = [] if lost < conditions.loss else passages[:1]
    return (*first, *(passages[1:] if doubled < conditions.duplication else ()))


def _passage(conditions: Conditions, spread: float, held: float) -> Passage:
    delay = conditions.delay + conditions.jitter * (2 * spread - 1)
    overtaken = held < conditions.reordering
    return Passage(delay + conditions.hold if overtaken else delay, overtaken)

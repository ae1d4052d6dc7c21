"""All that was ever seen of a run, and whether two things seen contradict each other.

The states of the phones are looked at again and again, the promises that phones made to their
owners are read as they come, and the tap tells what Sam took and sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from pair import Pair, Promises
from scene import read_lines

from dtns.sam.handset.state import AskedKey, HeldKey, State
from dtns.sam.protocol.answer import read_answer
from dtns.sam.protocol.ask import ReceivedAsk, read_ask
from dtns.sam.protocol.wire import MalformedError

Place = tuple[str, int, str, int, int, int]
"""Asker and generation, holder and generation, epoch, n."""
AskPlace = tuple[str, int, int]
"""Asker, generation, counter."""


class Ledger:
    """Collects facts; `contradictions` and `broken` are sentences about what should not be."""

    def __init__(self, promises: Promises) -> None:
        self._promises = promises
        self._states: dict[str, State] = {}
        self._contents: dict[Place, tuple[Any, Any]] = {}
        self._counts: dict[tuple[Place, str], int] = {}
        self._promised: dict[str, dict[str, Any]] = defaultdict(dict)
        self.contradictions: list[str] = []
        self.broken: list[str] = []
        self.confirmed: set[Place] = set()
        self.answered: set[tuple[str, int]] = set()

    def look(self, pairs: Iterable[Pair]) -> None:
        """Look into the phones of these pairs, and at what was promised since the last look."""
        self._read_promises()
        for pair in pairs:
            for phone, state in zip((pair.asker, pair.holder), pair.states(), strict=True):
                if state is not None:
                    self._see(str(phone.sim.number), state)

    def _read_promises(self) -> None:
        for told in self._promises.news():
            party = self._promised[told.get("party", "")]
            match told["what"]:
                case "asked":
                    party["counter"] = max(party.get("counter", 0), told["counter"])
                case "answered" | "refused":
                    self.answered.add((told["party"], told["counter"]))
                case "held":
                    party.setdefault("held", {})[told["peer"]] = tuple(told["order"])
                case "paid":
                    party.setdefault("paid", {})[told["serial"]] = told["digits"]
                case "challenged":
                    self._note_count(told)
                case "confirmed":
                    place = self._place(told)
                    self.confirmed.add(place)
                    marks = party.setdefault("marks", {})
                    marks[told["peer"]] = max(marks.get(told["peer"], ()), tuple(told["order"]))

    def _place(self, told: dict[str, Any]) -> Place:
        own, generation, epoch, n = told["order"]
        return (told["peer"], generation, told["party"], own, epoch, n)

    def _note_count(self, told: dict[str, Any]) -> None:
        """A challenge is a nonce: its count under one key only ever grows."""
        key = (self._place(told), told["party"])
        if told["count"] <= self._counts.get(key, 0):
            self.contradictions.append(f"challenge {told['count']} of {key} came twice")
        self._counts[key] = told["count"]

    def _see(self, number: str, state: State) -> None:
        before = self._states.get(number)
        if before is not None:
            self.broken += [f"{number}: {fault}" for fault in falls(before, state)]
        self.broken += [f"{number}: {fault}" for fault in self._forgotten(number, state)]
        self._states[number] = state
        keys: list[AskedKey | HeldKey] = [key for keys in state.asked.values() for key in keys]
        keys += [key for peer in state.peers.values() for key in peer.held]
        for key in keys:
            self._see_key(number, key)

    def _forgotten(self, number: str, state: State) -> Iterator[str]:
        """Yield what was promised to the owner and is no longer so."""
        promised = self._promised[number]
        if state.counter < promised.get("counter", 0):
            yield f"forgot the ask {promised['counter']}"
        for peer, mark in promised.get("marks", {}).items():
            known = next((p for n, p in state.peers.items() if str(n) == peer), None)
            if known is None or known.mark < mark:
                yield f"forgot the mark {mark} of {peer}"
        lines = {line.serial: line.digits for line in state.purse.log}
        for serial, digits in promised.get("paid", {}).items():
            if lines.get(serial) != digits:
                yield f"forgot the payment {serial}"
        for peer, order in promised.get("held", {}).items():
            known = next((p for n, p in state.peers.items() if str(n) == peer), None)
            if known is None or (known.key(order) is None and order >= known.mark):
                yield f"forgot the key {order} of {peer}"

    def _see_key(self, number: str, key: AskedKey | HeldKey) -> None:
        context = key.context
        place = (
            str(context.asker.number),
            context.asker.generation,
            str(context.holder.number),
            context.holder.generation,
            context.epoch,
            context.n,
        )
        content = (context, key.session)
        if self._contents.setdefault(place, content) != content:
            self.contradictions.append(f"two keys {place}, the second with {number}")

    @property
    def keys(self) -> dict[Place, tuple[Any, Any]]:
        """Every key that was ever seen in a phone: its context and its octets."""
        return self._contents

    @property
    def payments(self) -> int:
        """How often a phone showed its owner that money had left, or come."""
        return sum(len(party.get("paid", {})) for party in self._promised.values())

    @property
    def states(self) -> dict[str, State]:
        """The phones as they were seen last."""
        return self._states


class Traffic:
    """What the tap wrote down: asks that came, those that Sam acknowledged, answers it sent."""

    def __init__(self, log: Any) -> None:
        self.came: dict[AskPlace, set[str]] = defaultdict(set)
        self.acknowledged: set[AskPlace] = set()
        self.sent: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.taken: set[tuple[str, int]] = set()
        delivered: dict[str, AskPlace] = {}
        submitted: dict[str, tuple[str, int]] = {}
        for said in read_lines(log):
            match said["op"]:
                case "deliver" if (ask := _ask(said["text"])) is not None:
                    place = (str(ask.asker.number), ask.asker.generation, ask.counter)
                    delivered[said["network_id"]] = place
                    self.came[place].add(said["text"])
                case "received" if said["network_id"] in delivered:
                    self.acknowledged.add(delivered[said["network_id"]])
                case "submit":
                    with suppress(MalformedError):
                        counter = read_answer(said["text"]).counter
                        about = (said["to"].removeprefix("+"), counter)
                        submitted[said["id"]] = about
                        self.sent[about].add(said["text"])
                case "accepted" if said["id"] in submitted:
                    self.taken.add(submitted[said["id"]])

    def contradictions(self) -> Iterator[str]:
        """Yield every ask that had two contents, and every one that had two answers."""
        for asked, texts in self.came.items():
            if len(texts) > 1:
                yield f"the ask {asked} came with {len(texts)} contents"
        for answered, texts in self.sent.items():
            if len(texts) > 1:
                yield f"the ask {answered} had {len(texts)} answers"


def _ask(text: str) -> Any:
    try:
        received: ReceivedAsk = read_ask(text)
    except MalformedError:
        return None
    return received.ask


def falls(before: State, after: State) -> Iterator[str]:
    """Yield every value that must only rise and fell between two looks at a phone."""
    yield from _lower(before, after, ("counter", "week", "epoch", "floor", "synced"), "")
    for number, peer in before.peers.items():
        now = after.peers.get(number)
        if now is not None:
            rising = ("generation", "mark", "dropped", "revoked")
            yield from _lower(peer, now, rising, f" of {number}")
            yield from _keys_lower(peer.held, now.held, "challenged", number)
        elif peer.matters(after.week):
            yield f"the peer {number} is forgotten"
    for number, keys in before.asked.items():
        yield from _keys_lower(keys, after.asked.get(number, ()), "answered", number)


def _lower(before: Any, after: Any, names: Iterable[str], of: str) -> Iterator[str]:
    for name in names:
        was, now = getattr(before, name), getattr(after, name)
        if now < was:
            yield f"{name}{of} fell from {was} to {now}"


def _keys_lower(before: Any, after: Any, name: str, number: object) -> Iterator[str]:
    kept = {key.order: key for key in after}
    for key in before:
        if key.order in kept:
            yield from _lower(key, kept[key.order], (name,), f" under {key.order} of {number}")

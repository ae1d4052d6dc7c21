"""Two people with a phone each, who go on from whatever state their phones are in.

What a phone told its owner is written to a file at once: from then on it is a promise, and must
still hold after whatever happens next.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from money import pay

from dtns.codecs.digits import PROFILES, Status, decode
from dtns.gateway.errors import GatewayError
from dtns.sam.handset.confirmations import Code
from dtns.sam.handset.documents import read_document, structure
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.state import State
from dtns.sam.handset.tickets import Shown
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.confirmation import split_challenge
from dtns.sam.protocol.session import Order

STATE_KIND = "dtns SIM state 1"


class Promises:
    """What phones showed their owners, in a file that outlives whoever wrote it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._read = 0

    def tell(self, what: str, **facts: Any) -> None:
        """Add one, in one write."""
        os.write(self._file, (json.dumps({"what": what, **facts}) + "\n").encode())

    def news(self) -> Iterator[dict[str, Any]]:
        """Yield those that were added since this was last asked."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            octets = file.read()
        self._read += len(octets)
        yield from map(json.loads, octets.splitlines())


@dataclass
class Pair:
    """An asker and a holder; what they do is random by *dice*."""

    asker: Phone
    holder: Phone
    promises: Promises = field(repr=False)

    def states(self) -> tuple[State | None, State | None]:
        """Return what is in the two phones; None for one never used."""
        return state_of(self.asker.path), state_of(self.holder.path)

    def life(self, wish: Wish, wait_seconds: float, *, anew: bool = False) -> bool:
        """Ask, receive, hand over, confirm and pay, from wherever they are; tell if all is done.

        Without an answer in time, or without signal, it ends early: go on later.
        """
        if not self.unconfirmed() or anew:
            self.ask(wish, anew=anew)
        with suppress(GatewayError):
            self.exchange(wait_seconds)
        return bool(self.unconfirmed()) and self.hand_over() and pay(self)

    def confirmed(self) -> bool:
        """Tell whether both have confirmed the newest key."""
        asker, holder = self.states()
        keys = asker.asked.get(self.holder.sim.number, ()) if asker else ()
        peer = holder.peers.get(self.asker.sim.number) if holder else None
        held = peer.held if peer else ()
        return bool(keys and held) and keys[-1].confirmed and held[-1].confirmed

    def unconfirmed(self) -> bool:
        """Tell whether the asker has a key that it could hand over and confirm."""
        with self.asker.handset() as handset:
            asked = handset.card.state.asked
        keys = asked.get(self.holder.sim.number, ())
        return bool(keys) and not keys[-1].confirmed

    def ask(self, wish: Wish, *, anew: bool = False) -> Asked:
        """Make an ask, or find the one that waits."""
        with self.asker.handset() as handset:
            asked = handset.ask(self.holder.sim.number, wish, time.time(), anew=anew)
        assert isinstance(asked, Asked), asked
        self.promises.tell("asked", party=str(self.asker.sim.number), counter=asked.counter)
        return asked

    def exchange(self, wait_seconds: float, *, sendings: int = 8) -> None:
        """Send what waits, up to so many times in all, and take in what comes, for so long."""
        deadline, pause = time.monotonic() + wait_seconds, 0.3
        with self.asker.line() as line:
            self._take_in(line, 0)
            while waiting := self.waiting():
                for asked in waiting:
                    if asked.sent < sendings:
                        self.asker.send(line, asked)
                left = max(0.0, deadline - time.monotonic())
                self._take_in(line, min(pause, left), until=waiting[-1].counter)
                pause *= 1.5
                if time.monotonic() >= deadline:
                    break

    def send_once(self, asked: Asked) -> bool:
        """Hand one ask to the network; tell whether it took it."""
        with self.asker.line() as line:
            return self.asker.send(line, asked)

    def waiting(self) -> list[Asked]:
        """Return the asks without an answer, oldest first."""
        with self.asker.handset() as handset:
            return handset.waiting()

    def _take_in(self, line: Any, wait_seconds: float, until: int = 0) -> None:
        """Take in what comes, up to the answer to the ask *until*."""
        for received in self.asker.take_in(line, wait_seconds):
            if received.outcome in {"answered", "refused"}:
                self.promises.tell(
                    received.outcome,
                    party=str(self.asker.sim.number),
                    counter=received.counter,
                    reason=received.reason,
                )
            if received.counter == until:
                return

    def hand_over(self) -> bool:
        """Carry the ticket, the challenge and the confirmation between the phones."""
        steps: tuple[Callable[[str], str | None], ...] = (
            self._ticket,
            self._challenge,
            self._respond,
            self._check,
        )
        digits: str | None = ""
        for step in steps:
            digits = step(digits or "")
            if digits is None:
                return False
        return True

    def _ticket(self, _: str) -> str | None:
        alice, bob = self.asker.sim.number, self.holder.sim.number
        with self.asker.handset() as handset:
            shown = handset.ticket(bob)
        if not isinstance(shown, Shown):
            return None
        with self.holder.handset() as handset:
            entered = handset.enter(alice, shown.digits)
        if entered.key is None:
            self.promises.tell("not-entered", party=str(bob), reason=entered.reason)
            return None
        self.promises.tell("held", party=str(bob), peer=str(alice), order=entered.key.order)
        return ""

    def _challenge(self, _: str) -> str | None:
        with self.holder.handset() as handset:
            code = handset.challenge(self.asker.sim.number)
            order = handset.card.state.peers[self.asker.sim.number].held[-1].order
        if not isinstance(code, Code):
            return None
        payload = decode(PROFILES["request"], code.digits).payload
        assert payload is not None
        self._tell_place("challenged", order, count=split_challenge(payload)[0])
        return code.digits

    def _respond(self, digits: str) -> str | None:
        with self.asker.handset() as handset:
            code = handset.respond(self.holder.sim.number, digits)
        return code.digits if isinstance(code, Code) else None

    def _check(self, digits: str) -> str | None:
        with self.holder.handset() as handset:
            verdict = handset.check(self.asker.sim.number, digits)
        if verdict.status is not Status.ACCEPTED or verdict.key is None:
            self.promises.tell("not-confirmed", reason=verdict.reason)
            return None
        self._tell_place("confirmed", verdict.key.order)
        return ""

    def _tell_place(self, what: str, order: Order, **facts: int) -> None:
        party, peer = str(self.holder.sim.number), str(self.asker.sim.number)
        self.promises.tell(what, party=party, peer=peer, order=order, **facts)


def any_wish(dice: Random) -> Wish:
    """Return a wish, the same for the same dice."""
    form = dice.choice((Form.DERIVED, Form.BOTH, Form.RANDOM))
    return Wish(limit=dice.randrange(17), form=form, life=dice.choice((0, 4, 26)))


def state_of(sim_path: Path) -> State | None:
    """Return the state on a SIM's card, read without its lock; None if there is none yet."""
    path = sim_path.with_name(sim_path.name + ".state")
    content = read_document(path, STATE_KIND)
    return None if content is None else structure(path, content, State)

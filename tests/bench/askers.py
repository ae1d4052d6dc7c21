"""Phones that ask, in a process of their own: makes real, distinct asks and checks the answers.

It plays the network that Sam's carrier connects to. Asks are made before a run and their answers
opened after it, so that the run itself costs this process next to nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol, Self

from dtns.sam.protocol.answer import Grant, read_answer
from dtns.sam.protocol.ask import Ask, Form, Seen
from dtns.sam.protocol.keys import Enrolment, MasterKey, PartyKeys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import Context, Direction, Party, session_key
from dtns.sam.protocol.wire import to_text
from dtns.sam.store.keyfile import read_key_file

FIRST_NUMBER = 254_700_000_000
_PATIENCE_SECONDS = 60.0
_READ_OCTETS = 1 << 20
_AT_ONCE = 1000


class Run(NamedTuple):
    """What one run took. latency_us is the median from an ask to its answer."""

    asks: int
    seconds: float
    latency_us: float


class Arrived(NamedTuple):
    """What Sam sent: texts to phones, and how many messages it acknowledged."""

    texts: list[tuple[str, str]]
    acknowledged: int


class Framing(Protocol):
    """How asks and answers are written on the connection to Sam; settings are for `dtns.toml`."""

    name: str
    settings: str

    def listen(self) -> socket.socket:
        """Listen where Sam connects to."""

    def accept(self, connection: socket.socket) -> None:
        """Let Sam attach."""

    def ask(self, sender: str, text: str) -> bytes:
        """Return a message from a phone to Sam, as it is written."""

    def take(self, octets: bytes) -> tuple[Arrived, bytes]:
        """Return what Sam's octets say, and the network's replies to them."""


class Phone(NamedTuple):
    """A party as its SIM knows itself."""

    party: Party
    keys: PartyKeys


class Asked(NamedTuple):
    """An ask that was sent, and what its answer must fit."""

    asker: int
    holder: int
    ask: Ask
    octets: bytes


class Phones:
    """All phones: what they ask, and what they make of the answers."""

    def __init__(self, master: MasterKey, parties: int, seed: int = 1978) -> None:
        self._master = master
        self._parties = parties
        self._dice = Random(seed)
        self._counters: dict[int, int] = {}
        self._seen: dict[tuple[int, int], Seen] = {}
        self._keys: dict[int, Phone] = {}
        self._asked: dict[tuple[str, int], Asked] = {}

    def asks(self, count: int, *, forged: bool = False) -> list[tuple[str, str]]:
        """Return the sender and the text of so many new asks; *forged* ones have a false MAC."""
        return [self._ask(forged=forged) for _ in range(count)]

    def insist_right(self, answers: Sequence[tuple[str, str]]) -> None:
        """End the benchmark unless these are right answers, to asks that had none yet."""
        for recipient, text in answers:
            received = read_answer(text)
            asked = self._asked.pop((recipient, received.counter), None)
            if asked is None:
                sys.exit(f"an answer that nobody waits for: to {recipient}, {received.counter}")
            self._take(asked, received.open(self._phone(asked.asker).keys.answer, asked.octets))

    def insist_answered(self) -> None:
        """End the benchmark if an ask has no answer."""
        if self._asked:
            sys.exit(f"{len(self._asked)} asks have no answer")

    def _ask(self, *, forged: bool) -> tuple[str, str]:
        asker = self._dice.randrange(self._parties)
        holder = (asker + self._dice.randrange(1, self._parties)) % self._parties
        phone, number = self._phone(asker), _number(holder)
        counter = self._counters.get(asker, 0) + 1
        seen = self._seen.get((asker, holder), Seen())
        terms = (4, Direction.ASKER_PAYS, Form.DERIVED, 0, None)
        ask = Ask(phone.party, counter, number, *terms, seen)
        octets = ask.seal(phone.keys.ask)
        sender = f"+{phone.party.number}"
        if forged:
            return sender, to_text(octets[:-1] + bytes([octets[-1] ^ 1]))
        self._counters[asker] = counter
        self._asked[sender, counter] = Asked(asker, holder, ask, octets)
        return sender, to_text(octets)

    def _take(self, asked: Asked, answer: object) -> None:
        if not isinstance(answer, Grant):
            sys.exit(f"an answer that is not a key: {answer}")
        holder = self._phone(asked.holder)
        context = Context(asked.ask.asker, holder.party, answer.epoch, answer.n, answer.terms)
        if answer.session != session_key(holder.keys.ticket, context.octets):
            sys.exit("an answer with a key that its holder cannot derive")
        before = self._seen.get((asked.asker, asked.holder), Seen())
        if (answer.epoch, answer.n) == (before.epoch, before.n):
            sys.exit("an n that was given twice")
        if (answer.epoch, answer.n) > (before.epoch, before.n):
            seen = Seen(answer.epoch, answer.n, answer.witness)
            self._seen[asked.asker, asked.holder] = seen

    def _phone(self, index: int) -> Phone:
        if index not in self._keys:
            enrolment = Enrolment(_number(index), 1, 1, self._master.master_id)
            keys = self._master.party_keys(enrolment)
            self._keys[index] = Phone(Party(enrolment.number, 1), keys)
        return self._keys[index]


class Network:
    """The network's end of Sam's connection, and the phones behind it."""

    def __init__(self, framing: Framing, phones: Phones) -> None:
        self._framing = framing
        self._phones = phones
        self._listener = framing.listen()
        self._connection: socket.socket | None = None
        self._asks: list[bytes] = []
        self._texts: list[tuple[str, str]] = []
        self._forged = False

    def attach(self) -> None:
        """Wait until Sam is attached."""
        self._listener.settimeout(_PATIENCE_SECONDS)
        self._connection, _ = self._listener.accept()
        self._connection.settimeout(_PATIENCE_SECONDS)
        self._framing.accept(self._connection)

    def prepare(self, count: int, *, forged: bool = False) -> None:
        """Make so many new asks."""
        self._forged, self._asks = forged, []
        for start in range(0, count, _AT_ONCE):
            asks = self._phones.asks(min(_AT_ONCE, count - start), forged=forged)
            self._asks += [self._framing.ask(*ask) for ask in asks]
            self.stay_attached(0)

    def run(self, window: int) -> Run:
        """Send them, *window* at a time without an answer; a forged one ends unanswered."""
        assert self._connection is not None
        asks, self._texts = self._asks, []
        total = len(asks)
        sent = done = acknowledged = 0
        waiting: deque[float] = deque()
        latencies: list[float] = []
        began = time.perf_counter()
        while done < total or acknowledged < total:
            if room := min(window - (sent - done), total - sent):
                waiting.extend([time.perf_counter()] * room)
                self._connection.sendall(b"".join(asks[sent : sent + room]))
                sent += room
            octets = self._connection.recv(_READ_OCTETS)
            if not octets:
                sys.exit("Sam hung up")
            arrived, replies = self._framing.take(octets)
            if replies:
                self._connection.sendall(replies)
            acknowledged += arrived.acknowledged
            self._texts += arrived.texts
            now = time.perf_counter()
            more = arrived.acknowledged if self._forged else len(arrived.texts)
            latencies += [now - waiting.popleft() for _ in range(more)]
            done += more
        seconds = time.perf_counter() - began
        return Run(total, seconds, 1e6 * statistics.median(latencies))

    def stay_attached(self, seconds: float | None, orders: Connection | None = None) -> None:
        """Answer what keeps the connection up, until an order comes or for so many seconds."""
        both = [each for each in (self._connection, orders) if each is not None]
        while self._connection in wait(both, seconds) and self._connection is not None:
            octets = self._connection.recv(_READ_OCTETS)
            arrived, replies = self._framing.take(octets)
            if arrived.texts or arrived.acknowledged:
                sys.exit("Sam sent what nobody asked for")
            if octets:
                self._connection.sendall(replies)
            else:  # Sam stops
                self._connection.close()
                self._connection = None
                both = both[1:]

    def check(self) -> None:
        """End the benchmark unless every answer of the run was right."""
        if self._forged and self._texts:
            sys.exit("a forged ask was answered")
        for start in range(0, len(self._texts), _AT_ONCE):
            self._phones.insist_right(self._texts[start : start + _AT_ONCE])
            self.stay_attached(0)
        self._phones.insist_answered()


class Askers:
    """A `Network` in a process of its own, on *core*; ends with the `with` statement."""

    def __init__(self, key_file: Path, parties: int, core: int, framing: Framing) -> None:
        context = multiprocessing.get_context("spawn")
        self._near, far = context.Pipe()
        arguments = (far, key_file, parties, core, framing)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        far.close()
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._near.close()
        self._process.join()

    def attach(self) -> None:
        """Wait until Sam is attached."""
        self._call("attach")

    def run(self, asks: int, window: int, *, forged: bool = False) -> Callable[[], Run]:
        """Make asks; returns what sends them, and ends the benchmark if an answer is wrong."""
        self._call("prepare", asks, forged=forged)
        return lambda: self._call("run", window)

    def check(self) -> None:
        """End the benchmark unless every answer of the last run was right."""
        self._call("check")

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        self._near.send((name, arguments, options))
        return self._answer()

    def _answer(self) -> Any:
        try:
            return self._near.recv()
        except EOFError:
            sys.exit("the askers ended: see above")


def _serve(
    orders: Connection,
    key_file: Path,
    parties: int,
    core: int,
    framing: Framing,
) -> None:
    os.sched_setaffinity(0, {core})
    phones = Phones(read_key_file(key_file).current, parties)
    network = Network(framing, phones)
    orders.send(None)
    while True:
        network.stay_attached(None, orders)
        try:
            name, arguments, options = orders.recv()
        except EOFError:
            return
        orders.send(getattr(network, name)(*arguments, **options))


def _number(index: int) -> Number:
    return Number(str(FIRST_NUMBER + index))

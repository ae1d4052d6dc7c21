"""An entity that an HLR hands USSD to (an EUSE): connected for ever, by GSUP."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from dtns.gateway.gsup import ipa
from dtns.gateway.gsup.component import INVOKE, RESULT, Component, Operation, read_component
from dtns.gateway.gsup.errors import GsupError
from dtns.gateway.gsup.message import Kind, Message, State, read_message
from dtns.gateway.ussd.seam import Turn
from dtns.gateway.ussd.sessions import SESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from dtns.gateway.ussd.seam import Screen
    from dtns.gateway.ussd.sessions import Sessions

PING_SECONDS: Final = 15.0
LOOKUPS: Final = 100
"""Callers whose numbers are looked up at a time; further ones are refused."""
_FIRST_RETRY_SECONDS: Final = 0.25
_LONGEST_RETRY_SECONDS: Final = 10.0
_PROTOCOL_ERROR: Final = 111
_INVOKES: Final = 128


@dataclass(slots=True)
class _Session:
    """One session: its caller, what the phone's invoke was called, and the turns so far."""

    id: str
    invoke: int
    caller: str = field(repr=False, default="")
    turns: int = 0


class GsupUssd:
    """Serves the USSD that an HLR routes to the entity *euse*, with *sessions*.

    *endpoint* connects to the HLR. *number_of* finds the number of an IMSI, empty where it is
    not known: GSUP has the IMSI alone. *code* is what callers dial; what they dial beyond it is
    typed ahead. *count* counts by name what is out of the ordinary.
    """

    def __init__(
        self,
        name: str,
        euse: str,
        endpoint: Any,
        code: str,
        sessions: Sessions,
        *,
        number_of: Callable[[str], Deferred[str]],
        reactor: Any,
        random: Random,
        count: Callable[[str], None],
    ) -> None:
        self.name = name
        self.euse = f"EUSE-{euse}"
        self.reactor = reactor
        self._code = code.removesuffix("#")
        self._sessions = sessions
        self._number_of = number_of
        self._count = count
        self._serials = itertools.count(1)
        self._open: OrderedDict[tuple[str, int], _Session] = OrderedDict()
        self._lookups = 0
        self._link: _Link | None = None
        self._service = ClientService(
            endpoint,
            Factory.forProtocol(lambda: _Link(self)),
            retryPolicy=backoffPolicy(
                _FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS, jitter=random.random
            ),
            clock=reactor,
        )

    @property
    def connected(self) -> bool:
        """Whether the HLR knows this entity."""
        return self._link is not None

    async def start(self) -> None:
        """Begin to connect."""
        self._service.startService()

    async def stop(self) -> None:
        """Hang up; sessions under way end."""
        stopped = self._service.stopService()
        if self._link is not None:
            self._link.abort()
        await stopped

    def known(self, link: _Link) -> None:
        """Take a link into use: the HLR has the name."""
        self._link = link

    def lost(self, link: _Link) -> None:
        """Stop using a link, and forget its sessions; their callers may dial again."""
        if self._link is link:
            self._link = None
            self._open.clear()

    def take(self, link: _Link, octets: bytes) -> None:
        """Take a message; what is none is counted, what is in none of its places is refused."""
        try:
            message = read_message(octets)
        except GsupError:
            message = None
        if message is None:
            self._count("ussd-bad-request")
            return
        key = message.imsi, message.session
        if message.state is State.END or message.kind is Kind.ERROR:
            self._open.pop(key, None)
            self._count("ussd-ended")
            return
        component = _component(message.info)
        expected = _EXPECTED[message.state is State.BEGIN]
        if component is None or (component.kind, component.operation) != expected:
            self._refuse(link, message)
        elif message.state is State.BEGIN:
            self._begin(link, message, component)
        elif (session := self._open.get(key)) is not None:
            self._bring(link, message, session, (component.text,))
        else:
            self._refuse(link, message)

    def _begin(self, link: _Link, message: Message, component: Component) -> None:
        if self._lookups >= LOOKUPS:
            self._refuse(link, message, "ussd-busy")
            return
        self._lookups += 1
        session = _Session(f"gsup-{next(self._serials)}", component.invoke)
        self._open[message.imsi, message.session] = session
        if len(self._open) > SESSIONS:
            self._open.popitem(last=False)

        def found(number: str) -> None:
            self._lookups -= 1
            if not number:
                self._count("ussd-unknown-caller")
            session.caller = f"+{number}" if number else ""
            self._bring(link, message, session, self._typed_ahead(component.text))

        self._number_of(message.imsi).addCallback(found)

    def _bring(
        self, link: _Link, message: Message, session: _Session, typed: tuple[str, ...]
    ) -> None:
        begins = message.state is State.BEGIN
        session.turns += 1
        caller = session.caller or f"unknown {session.id}"
        turn = Turn(session.id, caller, f"{session.turns}", typed, begins)
        self._sessions.turn(turn).addCallback(self._show, link, message, session)

    def _typed_ahead(self, dialled: str) -> tuple[str, ...]:
        if not dialled.startswith(f"{self._code}*"):
            return ()
        ahead = dialled.removesuffix("#").removeprefix(self._code)
        return tuple(part for part in ahead.split("*") if part)

    def _show(self, screen: Screen, link: _Link, message: Message, session: _Session) -> None:
        key = message.imsi, message.session
        if self._open.get(key) is not session:
            return
        if screen.ends:
            del self._open[key]
            kind, state = Kind.RESULT, State.END
            shown = Component(RESULT, session.invoke, Operation.PROCESS_REQUEST, screen.text)
        else:
            kind, state = Kind.REQUEST, State.CONTINUE
            invoke = (session.invoke + session.turns) % _INVOKES
            shown = Component(INVOKE, invoke, Operation.REQUEST, screen.text)
        link.send(Message(kind, message.imsi, message.session, state, shown.encode()))

    def _refuse(self, link: _Link, message: Message, why: str = "ussd-bad-request") -> None:
        self._count(why)
        self._open.pop((message.imsi, message.session), None)
        refusal = Message(
            Kind.ERROR, message.imsi, message.session, State.END, cause=_PROTOCOL_ERROR
        )
        link.send(refusal)


def _component(octets: bytes) -> Component | None:
    try:
        return read_component(octets)
    except GsupError:
        return None


_EXPECTED: Final = {
    True: (INVOKE, Operation.PROCESS_REQUEST),
    False: (RESULT, Operation.REQUEST),
}
"""The component that a phone sends, by whether it begins a session."""


class _Link(Protocol):
    """One connection; it hangs up on an HLR that says nothing from one ping to the next."""

    _log = Logger()

    def __init__(self, owner: GsupUssd) -> None:
        self._owner = owner
        self._frames = ipa.Frames()
        self._heard = True
        self._open = False
        self._watch = LoopingCall(self._ping)
        self._watch.clock = owner.reactor

    def connectionMade(self) -> None:  # noqa: N802 # Twisted's name
        """Wait for the HLR to ask who this is."""
        self._open = True
        self._watch.start(PING_SECONDS, now=False)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 # Twisted's name
        """Take in what the HLR says; what is no message ends the connection."""
        self._heard = True
        try:
            for stream, payload in self._frames.feed(data):
                self._take(stream, payload)
        except GsupError as fault:
            self._give_up(str(fault))

    def _take(self, stream: int, payload: bytes) -> None:
        if stream == ipa.CCM:
            answer = ipa.answer(payload, self._owner.euse)
            if answer is not None:
                self._write(answer)
            if payload[:1] == bytes([ipa.ID_GET]):
                self._owner.known(self)
        elif stream == ipa.OSMO and payload[:1] == bytes([ipa.GSUP]):
            self._owner.take(self, payload[1:])

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002, N802 # Twisted's
        """Tell the owner."""
        self._open = False
        if self._watch.running:
            self._watch.stop()
        self._owner.lost(self)

    def send(self, message: Message) -> None:
        """Write a message, unless the connection is gone."""
        self._write(ipa.gsup_frame(message.encode()))

    def _write(self, octets: bytes) -> None:
        if self._open:
            assert self.transport is not None
            self.transport.write(octets)

    def _ping(self) -> None:
        if self._heard:
            self._heard = False
            self._write(ipa.frame(ipa.CCM, bytes([ipa.PING])))
        else:
            self._give_up("the HLR does not answer")

    def _give_up(self, reason: str) -> None:
        self._log.warn("hangs up: {reason}", reason=reason)
        self.abort()

    def abort(self) -> None:
        """Hang up at once."""
        transport: Any = self.transport
        transport.abortConnection()
